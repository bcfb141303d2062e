#include "core/capture/launch_queue.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace gapscope {

namespace {
constexpr size_t kSpareChunks = 4;
}

LaunchQueue::LaunchQueue() {
    for (size_t i = 0; i < kSpareChunks; ++i)
        m_spare.push_back(std::make_unique<Chunk>());
    makeCurrent(std::make_unique<Chunk>());
}

uint64_t LaunchQueue::add(const LaunchContext& context, std::span<const LaunchContext> nodes) {
    assert(nodes.size() <= kMostNodes);
    const auto count = static_cast<uint32_t>(1 + nodes.size());
    while (true) {
        Chunk& chunk = *m_current.load(std::memory_order_acquire);
        const uint32_t at = chunk.taken.fetch_add(count, std::memory_order_acquire);
        if (at > kPlaces || count > kPlaces - at) {
            replace(chunk, std::min(at, kPlaces));
            continue;
        }
        const uint64_t id = chunk.firstId + at;
        for (uint32_t i = 1; i < count; ++i)
            chunk.places[at + i].context = nodes[i - 1];
        Place& place = chunk.places[at];
        place.context = context;
        place.nodeCount = count - 1;
        place.ready.store(true, std::memory_order_release);  // from here on the chunk may be read and used anew
        return id;
    }
}

void LaunchQueue::replace(Chunk& full, uint32_t end) {
    const std::lock_guard lock(m_mutex);
    // The first that did not fit has the smallest number, but need not get here first.
    full.end = std::min(full.end, end);
    if (m_current.load(std::memory_order_relaxed) != &full) return;
    // Full no longer: the caller looked before the chunk was emptied and taken up again.
    if (full.taken.load(std::memory_order_relaxed) <= kPlaces) return;
    if (m_spare.empty()) m_spare.push_back(std::make_unique<Chunk>());
    std::unique_ptr<Chunk> next = std::move(m_spare.back());
    m_spare.pop_back();
    makeCurrent(std::move(next));
}

void LaunchQueue::makeCurrent(std::unique_ptr<Chunk> chunk) {
    chunk->firstId = std::exchange(m_nextId, m_nextId + kPlaces);
    chunk->end = kPlaces;
    chunk->taken.store(0, std::memory_order_release);
    m_current.store(chunk.get(), std::memory_order_release);
    m_chunks.push_back(std::move(chunk));
}

bool LaunchQueue::drainOldest(std::vector<LaunchActivity>& launches) {
    Chunk* chunk = nullptr;
    uint32_t end = 0;
    bool isCurrent = false;
    {
        const std::lock_guard lock(m_mutex);
        chunk = m_chunks.front().get();
        end = chunk->end;
        isCurrent = m_chunks.size() == 1;
    }
    // Without the lock: only this thread takes chunks away.
    while (m_read < end) {
        Place& first = chunk->places[m_read];
        if (!first.ready.load(std::memory_order_acquire)) return false;
        first.ready.store(false, std::memory_order_relaxed);
        launches.push_back({chunk->firstId + m_read, first.context, first.nodeCount});
        for (uint32_t i = 1; i <= first.nodeCount; ++i)
            launches.push_back({chunk->firstId + m_read + i, chunk->places[m_read + i].context, 0});
        m_read += 1 + first.nodeCount;
    }
    if (isCurrent) return false;
    m_read = 0;
    const std::lock_guard lock(m_mutex);
    m_spare.push_back(std::move(m_chunks.front()));
    m_chunks.pop_front();
    return true;
}

std::vector<LaunchActivity> LaunchQueue::drain() {
    std::vector<LaunchActivity> launches;
    launches.reserve(m_lastDrained);
    while (drainOldest(launches)) {
    }
    m_lastDrained = launches.size();
    for (bool enough = false; !enough;) {
        {
            const std::lock_guard lock(m_mutex);
            if (m_spare.size() >= kSpareChunks) break;
        }
        auto chunk = std::make_unique<Chunk>();
        const std::lock_guard lock(m_mutex);
        m_spare.push_back(std::move(chunk));
        enough = m_spare.size() >= kSpareChunks;
    }
    return launches;
}

}  // namespace gapscope

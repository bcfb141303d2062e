// Launches on their way from the thread that makes them to the one that collects. A launch must cost next to nothing
// there, because an eager token makes two thousand: no lock, no allocation, one atomic addition.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "core/base/activity.h"

namespace gapscope {

struct LaunchActivity {
    uint64_t externalId = 0;  // rises from launch to launch; not every number is used
    LaunchContext context;
    uint32_t nodeCount = 0;  // of a graph launch: so many entries behind this one tell what its ops do this time
};

class LaunchQueue {
public:
    LaunchQueue();

    // Any thread. Returns the launch's external id, never 0. At most kMostNodes nodes.
    uint64_t add(const LaunchContext& context, std::span<const LaunchContext> nodes = {});

    // One thread: everything added since the last call, in the order of the ids. A launch that another thread is adding
    // right now comes, with all behind it, with the next call.
    std::vector<LaunchActivity> drain();

    static constexpr uint32_t kPlaces = 4096;  // of a chunk: about 20 ms of the fastest launching
    static constexpr uint32_t kMostNodes = kPlaces - 1;

private:
    struct Place {
        LaunchContext context;
        uint32_t nodeCount = 0;
        std::atomic<bool> ready = false;
    };
    // Whoever adds to `taken` owns the places from its old value on, where they all lie in the chunk. One that is full
    // or unused says so by a number past its end: a thread that still knows it then looks for the current one.
    struct Chunk {
        uint64_t firstId = 0;
        std::atomic<uint32_t> taken = kPlaces;
        uint32_t end = kPlaces;  // places behind it stay empty, because a launch did not fit
        std::array<Place, kPlaces> places;
    };

    void replace(Chunk& full, uint32_t end);
    void makeCurrent(std::unique_ptr<Chunk> chunk);
    // Reads what is ready of the oldest chunk; true when that was all there will ever be, and the next one's turn.
    bool drainOldest(std::vector<LaunchActivity>& launches);

    std::atomic<Chunk*> m_current;
    std::mutex m_mutex;  // guards the rest, and every chunk's `end`
    uint64_t m_nextId = 1;
    std::deque<std::unique_ptr<Chunk>>
        m_chunks;  // not yet read to their end, oldest first; the last is the current one
    std::vector<std::unique_ptr<Chunk>> m_spare;  // made by the reader, so that a launch need not wait for memory
    // The reader's own.
    uint32_t m_read = 0;  // places of the oldest chunk
    size_t m_lastDrained = 0;
};

}  // namespace gapscope

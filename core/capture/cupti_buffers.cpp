#include "core/capture/cupti_buffers.h"

#include <cstdlib>
#include <cstring>
#include <utility>

namespace gapscope {

namespace {
constexpr size_t kPageBytes = 4096;
}

void CuptiBuffers::Free::operator()(uint8_t* data) const {
    std::free(data);
}

CuptiBuffers::Memory CuptiBuffers::allocate() {
    Memory memory(static_cast<uint8_t*>(std::aligned_alloc(kPageBytes, kBufferBytes)));
    // Also touches every page, so that none faults in under CUPTI's pen.
    if (memory) std::memset(memory.get(), 0, kBufferBytes);
    return memory;
}

CuptiBuffers::CuptiBuffers(size_t preallocated, size_t most) : m_preallocated(preallocated), m_most(most) {
    refill();
}

void CuptiBuffers::refill() {
    while (true) {
        {
            const std::lock_guard lock(m_mutex);
            if (m_free.size() >= m_preallocated || m_owned.size() >= m_most) return;
        }
        Memory memory = allocate();
        if (!memory) return;
        const std::lock_guard lock(m_mutex);
        m_free.push_back(memory.get());
        m_owned.push_back(std::move(memory));
    }
}

uint8_t* CuptiBuffers::request(WhenExhausted whenExhausted) {
    {
        const std::lock_guard lock(m_mutex);
        if (!m_free.empty()) {
            uint8_t* data = m_free.back();
            m_free.pop_back();
            return data;
        }
        if (m_owned.size() >= m_most && whenExhausted == WhenExhausted::Refuse) {
            ++m_counts.refused;
            return nullptr;
        }
    }
    Memory memory = allocate();
    uint8_t* data = memory.get();
    const std::lock_guard lock(m_mutex);
    if (!data) {
        ++m_counts.refused;
        return nullptr;
    }
    ++m_counts.grown;
    m_owned.push_back(std::move(memory));
    return data;
}

void CuptiBuffers::complete(uint8_t* data, size_t validBytes) {
    if (!data) return;
    const std::lock_guard lock(m_mutex);
    m_completed.push_back({data, validBytes < kBufferBytes ? validBytes : kBufferBytes});
}

std::vector<CuptiBuffer> CuptiBuffers::takeCompleted() {
    const std::lock_guard lock(m_mutex);
    return std::exchange(m_completed, {});
}

void CuptiBuffers::recycle(const CuptiBuffer& buffer) {
    // The whole of it: a forced flush may hand over a buffer with a half-written record behind its valid bytes.
    std::memset(buffer.data, 0, kBufferBytes);
    const std::lock_guard lock(m_mutex);
    m_free.push_back(buffer.data);
}

CuptiBuffers::Counts CuptiBuffers::takeCounts() {
    const std::lock_guard lock(m_mutex);
    return std::exchange(m_counts, {});
}

}  // namespace gapscope

// Waiting for another thread when the wait is usually a microsecond, sometimes a second: spin, yield, then sleep.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>

namespace gapscope {

inline void cpuPause() {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

// Returns once `value` is no longer `old`. The one who changes it calls notify_all() (free while nobody sleeps).
// note: pauses alone (a few us) cover a barrier between kernels when every worker has a core. Yields cover the host's
// way from one token to the next; and when two of our workers were put on one core, the one that waits must let the
// other in: 1000 pauses instead of 200 cost every small kernel 28 us on a busy machine. After about 0.2 ms we sleep.
inline void waitWhileEqual(const std::atomic<uint32_t>& value, uint32_t old) {
    constexpr int kPauses = 200;
    constexpr int kYields = 500;
    for (int i = 0; i < kPauses; ++i) {
        if (value.load(std::memory_order_acquire) != old) return;
        cpuPause();
    }
    for (int i = 0; i < kYields; ++i) {
        if (value.load(std::memory_order_acquire) != old) return;
        std::this_thread::yield();
    }
    value.wait(old, std::memory_order_acquire);
}

// A barrier of a fixed number of threads whose last arrival may do something before the others go on.
class SpinBarrier {
public:
    explicit SpinBarrier(uint32_t count) : m_count(count) {}

    // True for the last to arrive, who must call release(); the others come back after that.
    bool arrive() {
        if (m_count == 1) return true;
        const uint32_t generation = m_generation.load(std::memory_order_relaxed);
        if (m_arrived.fetch_add(1, std::memory_order_acq_rel) + 1 == m_count) return true;
        waitWhileEqual(m_generation, generation);
        return false;
    }

    void release() {
        if (m_count == 1) return;
        m_arrived.store(0, std::memory_order_relaxed);
        m_generation.fetch_add(1, std::memory_order_release);
        m_generation.notify_all();
    }

private:
    const uint32_t m_count;
    alignas(64) std::atomic<uint32_t> m_arrived{0};
    alignas(64) std::atomic<uint32_t> m_generation{0};
};

}  // namespace gapscope

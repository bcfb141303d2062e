#include "kernels/cpu/read_bandwidth.h"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

namespace gapscope::cpu {

namespace {

constexpr size_t kBytes = size_t{128} << 20;  // four times the last-level cache of the machines seen
constexpr int kPasses = 5;

// Eight independent chains: 8-byte loads alone then outrun any memory.
uint64_t mixOf(const uint64_t* data, size_t count) {
    uint64_t mix[8] = {};
    for (size_t i = 0; i + 8 <= count; i += 8)
        for (size_t lane = 0; lane < 8; ++lane)
            mix[lane] ^= data[i + lane];
    uint64_t all = 0;
    for (const uint64_t lane : mix)
        all ^= lane;
    return all;
}

}  // namespace

double measureReadBandwidth(int threads) {
    threads = std::max(1, threads);
    void* memory = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return 0;
    madvise(memory, kBytes, MADV_HUGEPAGE);

    using Clock = std::chrono::steady_clock;
    const size_t perThread = kBytes / static_cast<size_t>(threads) / 64 * 64;
    std::atomic<uint64_t> sink = 0;  // keeps the reads
    Clock::time_point begin[kPasses], end[kPasses];
    int edge = 0;
    // Every arrival stamps the clock once: the edges are the starts and ends of the passes.
    std::barrier barrier(threads, [&]() noexcept {
        const auto now = Clock::now();
        if (edge > 0) end[edge - 1] = now;
        if (edge < kPasses) begin[edge] = now;
        ++edge;
    });
    const auto work = [&](int index) {
        auto* part = static_cast<std::byte*>(memory) + static_cast<size_t>(index) * perThread;
        std::memset(part, index + 1, perThread);
        for (int pass = 0; pass < kPasses; ++pass) {
            barrier.arrive_and_wait();
            sink ^= mixOf(reinterpret_cast<const uint64_t*>(part), perThread / sizeof(uint64_t));
        }
        barrier.arrive_and_wait();
    };
    {
        std::vector<std::jthread> others;
        for (int index = 1; index < threads; ++index)
            others.emplace_back(work, index);
        work(0);
    }
    munmap(memory, kBytes);

    double best = 0;
    for (int pass = 0; pass < kPasses; ++pass) {
        const double seconds = std::chrono::duration<double>(end[pass] - begin[pass]).count();
        if (seconds > 0) best = std::max(best, static_cast<double>(perThread) * threads / seconds);
    }
    return best;
}

}  // namespace gapscope::cpu

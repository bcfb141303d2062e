#include "kernels/cpu/arithmetic_rate.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <algorithm>
#include <atomic>
#include <barrier>
#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

namespace gapscope::cpu {

namespace {

// Independent sums: more than latency times ports of any core seen (4 cycles, 2 ports), and few enough for 16
// registers.
constexpr int kChains = 12;
constexpr int kPasses = 5;
constexpr double kPassSeconds = 0.01;

// `steps` multiply-adds in each lane of each chain; the result only keeps the compiler from leaving them out.
using Chain = float (*)(int64_t steps, float factor);

float scalarChain(int64_t steps, float factor) {
    float sums[kChains];
    for (int i = 0; i < kChains; ++i)
        sums[i] = static_cast<float>(i);
    for (int64_t step = 0; step < steps; ++step)
        for (float& sum : sums)
            sum = sum * factor + factor;
    float all = 0;
    for (const float sum : sums)
        all += sum;
    return all;
}

#if defined(__x86_64__)
__attribute__((target("avx2,fma"))) float avx2Chain(int64_t steps, float factor) {
    const __m256 times = _mm256_set1_ps(factor);
    __m256 sums[kChains];
    for (int i = 0; i < kChains; ++i)
        sums[i] = _mm256_set1_ps(static_cast<float>(i));
    for (int64_t step = 0; step < steps; ++step)
#pragma GCC unroll 12
        for (int i = 0; i < kChains; ++i)
            sums[i] = _mm256_fmadd_ps(sums[i], times, times);
    for (int i = 1; i < kChains; ++i)
        sums[0] = _mm256_add_ps(sums[0], sums[i]);
    return _mm256_cvtss_f32(sums[0]);
}

__attribute__((target("avx512f"))) float avx512Chain(int64_t steps, float factor) {
    const __m512 times = _mm512_set1_ps(factor);
    __m512 sums[kChains];
    for (int i = 0; i < kChains; ++i)
        sums[i] = _mm512_set1_ps(static_cast<float>(i));
    for (int64_t step = 0; step < steps; ++step)
#pragma GCC unroll 12
        for (int i = 0; i < kChains; ++i)
            sums[i] = _mm512_fmadd_ps(sums[i], times, times);
    for (int i = 1; i < kChains; ++i)
        sums[0] = _mm512_add_ps(sums[0], sums[i]);
    return _mm512_cvtss_f32(sums[0]);
}
#endif

Chain chainOf(Isa isa, int& lanes) {
    lanes = 1;
#if defined(__x86_64__)
    if (isa == Isa::Avx512 && isaSupported(isa)) {
        lanes = 16;
        return avx512Chain;
    }
    if (isa != Isa::Scalar && isaSupported(Isa::Avx2)) {
        lanes = 8;
        return avx2Chain;
    }
#else
    (void)isa;
#endif
    return scalarChain;
}

}  // namespace

double measureArithmeticRate(Isa isa, int threads) {
    threads = std::max(1, threads);
    int lanes = 1;
    const Chain chain = chainOf(isa, lanes);
    using Clock = std::chrono::steady_clock;
    std::atomic<float> sink = 0;
    const float factor = 0.999F;
    const auto secondsOf = [&](int64_t steps) {
        const auto begin = Clock::now();
        sink = chain(steps, factor);
        return std::chrono::duration<double>(Clock::now() - begin).count();
    };
    int64_t steps = 1 << 12;
    while (secondsOf(steps) < kPassSeconds / 4)
        steps *= 2;
    steps *= 4;
    Clock::time_point begin[kPasses], end[kPasses];
    int edge = 0;
    std::barrier barrier(threads, [&]() noexcept {  // stamps the edges of the passes
        const auto now = Clock::now();
        if (edge > 0) end[edge - 1] = now;
        if (edge < kPasses) begin[edge] = now;
        ++edge;
    });
    const auto work = [&] {
        for (int pass = 0; pass < kPasses; ++pass) {
            barrier.arrive_and_wait();
            sink = chain(steps, factor);
        }
        barrier.arrive_and_wait();
    };
    {
        std::vector<std::jthread> others;
        for (int index = 1; index < threads; ++index)
            others.emplace_back(work);
        work();
    }
    double best = 0;
    const double flops = 2.0 * lanes * kChains * static_cast<double>(steps) * threads;
    for (int pass = 0; pass < kPasses; ++pass) {
        const double seconds = std::chrono::duration<double>(end[pass] - begin[pass]).count();
        if (seconds > 0) best = std::max(best, flops / seconds);
    }
    return std::max(best, 1.0);
}

}  // namespace gapscope::cpu

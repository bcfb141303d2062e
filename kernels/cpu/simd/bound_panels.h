// Panels of a matrix's upper bits times int8 activations, with the most that the lower bits add. Included once per
// instruction set.
#pragma once

#include "kernels/cpu/simd/matmul_quantized.h"

namespace gapscope {
namespace {

// One panel of upper bits times kTokens tokens.
template <int64_t kTokens>
void boundTile(const PanelJob& job, const uint8_t* panel, const QuantizedBlock* x, const float* slack, float* out,
               int64_t rows) {
    constexpr WeightType kType = WeightType::Q5_0;
    constexpr int64_t kPayloadBytes = payloadVectors(kType) * kVectorBytes;
    const int64_t stride = job.quantizedStride;
    const int64_t blocks = job.columns / 32;
    const uint8_t* payload = panel + job.headerBytes;
    FloatV bounds[kTokens];
#pragma GCC unroll 16
    for (int64_t t = 0; t < kTokens; ++t)
        bounds[t] = zeroF();
    for (int64_t b = 0; b < blocks; ++b, ++x, ++slack, payload += kPayloadBytes) {
        if constexpr (kTokens <= kPrefetchTokens) prefetchAhead<kPayloadBytes>(payload);
        const FloatV step = loadSteps<kType>(panel, b).first;
        IntV sums[kTokens];
#pragma GCC unroll 16
        for (int64_t t = 0; t < kTokens; ++t)
            sums[t] = timesZeroPoint<zeroPoint(kType)>(x[t * stride].minusSum);
        dotGroup<kType, 0, kTokens>(payload, x, stride, sums);
        dotGroup<kType, 1, kTokens>(payload, x, stride, sums);
        dotGroup<kType, 2, kTokens>(payload, x, stride, sums);
        dotGroup<kType, 3, kTokens>(payload, x, stride, sums);
        dotGroup<kType, 4, kTokens>(payload, x, stride, sums);
        dotGroup<kType, 5, kTokens>(payload, x, stride, sums);
        dotGroup<kType, 6, kTokens>(payload, x, stride, sums);
        dotGroup<kType, 7, kTokens>(payload, x, stride, sums);
#pragma GCC unroll 16
        for (int64_t t = 0; t < kTokens; ++t) {
            bounds[t] = fmaF(toFloat(sums[t]), mulF(step, setF(x[t * stride].scale)), bounds[t]);
            bounds[t] = fmaF(step, setF(slack[t * job.xStride]), bounds[t]);
        }
    }
#pragma GCC unroll 16
    for (int64_t t = 0; t < kTokens; ++t)
        storeFirst(out + t * job.outStride, bounds[t], rows);
}

// out[t, n] = the product of the Q5_0 panel's row n with token t, plus over blocks its step times job.x[t, block].
void boundPanels(const PanelJob& job) {
    forQuantizedTiles(job, [&]<int64_t kTokens>(const uint8_t* panel, int64_t t, int64_t row, int64_t rows) {
        boundTile<kTokens>(job, panel, job.quantized + t * job.quantizedStride, job.x + t * job.xStride,
                           job.out + t * job.outStride + row, rows);
    });
}

}  // namespace
}  // namespace gapscope

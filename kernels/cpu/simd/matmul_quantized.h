// Panels of quantised weights times int8 activations. Included once per instruction set.
#pragma once

#include "kernels/cpu/simd/panel_job.h"
#include "kernels/cpu/simd/weight_blocks.h"

namespace gapscope {
namespace {

// sums[t] += the weights of one group times token t's activations.
template <WeightType kType, int kGroup, int64_t kTokens>
inline __attribute__((always_inline)) void dotGroup(const uint8_t* payload, const QuantizedBlock* x, int64_t xStride,
                                                    IntV* sums) {
    const IntV weights = weightGroup<kType, kGroup>(payload);
#pragma GCC unroll 16
    for (int64_t t = 0; t < kTokens; ++t) {
        const int8_t* const values = x[t * xStride].values + 4 * kGroup;
        if constexpr (kType == WeightType::Q8_0)
            sums[t] = dot4Q8(sums[t], weights, values);
        else
            sums[t] = dot4(sums[t], weights, values);
    }
}

template <int kZeroPoint>
inline IntV timesZeroPoint(int32_t minusSum) {
    if constexpr (kZeroPoint == 0)
        return setI(0);
    else if constexpr (kZeroPoint == 8)
        return shiftLeft<3>(setI(minusSum));
    else if constexpr (kZeroPoint == 16)
        return shiftLeft<4>(setI(minusSum));
    else if constexpr (kZeroPoint == 32)
        return shiftLeft<5>(setI(minusSum));
    else
        return shiftLeft<7>(setI(minusSum));
}

// One panel times kTokens tokens. The integer sums start at -zeroPoint * sum(x), which makes the unsigned weights'
// product right at no cost a group.
template <WeightType kType, int64_t kTokens>
void quantizedTile(const PanelJob& job, const uint8_t* panel, const QuantizedBlock* x, float* out, int64_t rows) {
    constexpr int kZero = kType == WeightType::Q8_0 ? kQ8ZeroPoint : zeroPoint(kType);
    constexpr int64_t kPayloadBytes = payloadVectors(kType) * kVectorBytes;
    const int64_t stride = job.quantizedStride;
    const int64_t blocks = job.columns / 32;
    const uint8_t* payload = panel + job.headerBytes;
    FloatV results[kTokens];
#pragma GCC unroll 16
    for (int64_t t = 0; t < kTokens; ++t)
        results[t] = zeroF();
    for (int64_t b = 0; b < blocks; ++b, ++x, payload += kPayloadBytes) {
        if constexpr (kTokens <= kPrefetchTokens) prefetchAhead<kPayloadBytes>(payload);
        const Steps steps = loadSteps<kType>(panel, b);
        IntV sums[kTokens];
        if constexpr (kType == WeightType::Q6_K) {
#pragma GCC unroll 16
            for (int64_t t = 0; t < kTokens; ++t)
                sums[t] = timesZeroPoint<kZero>(x[t * stride].minusSumLow);
        } else {
#pragma GCC unroll 16
            for (int64_t t = 0; t < kTokens; ++t)
                sums[t] = timesZeroPoint<kZero>(x[t * stride].minusSum);
        }
        dotGroup<kType, 0, kTokens>(payload, x, stride, sums);
        dotGroup<kType, 1, kTokens>(payload, x, stride, sums);
        dotGroup<kType, 2, kTokens>(payload, x, stride, sums);
        dotGroup<kType, 3, kTokens>(payload, x, stride, sums);
        if constexpr (kType == WeightType::Q6_K) {
#pragma GCC unroll 16
            for (int64_t t = 0; t < kTokens; ++t) {
                const QuantizedBlock& q = x[t * stride];
                results[t] = fmaF(toFloat(sums[t]), mulF(steps.first, setF(q.scale)), results[t]);
                sums[t] = shiftLeft<5>(subI(setI(q.minusSum), setI(q.minusSumLow)));
            }
        }
        dotGroup<kType, 4, kTokens>(payload, x, stride, sums);
        dotGroup<kType, 5, kTokens>(payload, x, stride, sums);
        dotGroup<kType, 6, kTokens>(payload, x, stride, sums);
        dotGroup<kType, 7, kTokens>(payload, x, stride, sums);
#pragma GCC unroll 16
        for (int64_t t = 0; t < kTokens; ++t) {
            const QuantizedBlock& q = x[t * stride];
            results[t] = fmaF(toFloat(sums[t]), mulF(steps.second, setF(q.scale)), results[t]);
            if constexpr (hasMinimum(kType)) results[t] = fnmaF(steps.minimum, setF(q.scaledSum), results[t]);
        }
    }
#pragma GCC unroll 16
    for (int64_t t = 0; t < kTokens; ++t) {
        float* const to = out + t * job.outStride;
        if (job.accumulate) results[t] = addF(results[t], loadFirst(to, rows));
        storeFirst(to, results[t], rows);
    }
}

// Calls tile.operator()<kTokens>(panel, token, row, rows) for all panels, each with groups of tokens.
template <class Tile>
inline void forQuantizedTiles(const PanelJob& job, const Tile& tile) {
    for (int64_t row = 0; row < job.rows; row += kLanes) {
        const uint8_t* const panel = job.panels + row / kLanes * job.panelBytes;
        const int64_t rows = job.rows - row < kLanes ? job.rows - row : kLanes;
        int64_t t = 0;
        const auto run = [&]<int64_t kTokens>() {
            for (; t + kTokens <= job.tokens; t += kTokens)
                tile.template operator()<kTokens>(panel, t, row, rows);
        };
        run.template operator()<kQuantizedTokens>();
        if constexpr (kQuantizedTokens > 8) run.template operator()<8>();
        if constexpr (kQuantizedTokens > 6) run.template operator()<6>();
        if constexpr (kQuantizedTokens > 5) run.template operator()<5>();
        if constexpr (kQuantizedTokens > 4) run.template operator()<4>();
        if constexpr (kQuantizedTokens > 3) run.template operator()<3>();
        run.template operator()<2>();
        run.template operator()<1>();
    }
}

template <WeightType kType>
void quantizedPanels(const PanelJob& job) {
    forQuantizedTiles(job, [&]<int64_t kTokens>(const uint8_t* panel, int64_t t, int64_t row, int64_t rows) {
        quantizedTile<kType, kTokens>(job, panel, job.quantized + t * job.quantizedStride,
                                      job.out + t * job.outStride + row, rows);
    });
}

}  // namespace
}  // namespace gapscope

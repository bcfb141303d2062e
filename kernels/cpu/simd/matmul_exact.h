// Panels of any weights times fp32 activations. Few tokens: weights become floats in registers. Many: a piece of two
// panels is dequantised once into a tile that serves all tokens. Included once per instruction set.
#pragma once

#include "kernels/cpu/matmul.h"
#include "kernels/cpu/simd/panel_job.h"
#include "kernels/cpu/simd/weight_blocks.h"

namespace gapscope {
namespace {

constexpr int64_t kTileColumns = 256;  // 2 panels: 32 KiB of floats with 16 lanes, in L2 whatever else runs

// Calls use(column in the block, weights of all lanes) for 32 columns.
template <WeightType kType, typename Use>
inline __attribute__((always_inline)) void forBlock(const uint8_t* headers, const uint8_t* payload, int64_t block,
                                                    const Use& use) {
    const Steps steps = loadSteps<kType>(headers, block);
    const FloatV zero = setF(static_cast<float>(zeroPoint(kType)));
    const auto group = [&]<int kGroup>() __attribute__((always_inline)) {
        const IntV weights = weightGroup<kType, kGroup>(payload);
        const FloatV step = kGroup < 4 ? steps.first : steps.second;
        const FloatV offset = hasMinimum(kType) ? steps.minimum : mulF(step, zero);
        // step * u - offset with one rounding is what dequantizeRow computes for all formats without a minimum.
        use(4 * kGroup, subF(mulF(byteToFloat<0>(weights), step), offset));
        use(4 * kGroup + 1, subF(mulF(byteToFloat<1>(weights), step), offset));
        use(4 * kGroup + 2, subF(mulF(byteToFloat<2>(weights), step), offset));
        use(4 * kGroup + 3, subF(mulF(byteToFloat<3>(weights), step), offset));
    };
    group.template operator()<0>();
    group.template operator()<1>();
    group.template operator()<2>();
    group.template operator()<3>();
    group.template operator()<4>();
    group.template operator()<5>();
    group.template operator()<6>();
    group.template operator()<7>();
}

template <WeightType kType>
inline FloatV loadFloats(const uint8_t* panel, int64_t column) {
    if constexpr (kType == WeightType::F32)
        return loadF(reinterpret_cast<const float*>(panel) + column * kLanes);
    else if constexpr (kType == WeightType::F16)
        return loadHalves(panel + column * kLanes * 2);
    else
        return loadBfloats(panel + column * kLanes * 2);
}

// Columns [first, first + count) of a panel as floats [count][kLanes].
template <WeightType kType>
void dequantizeTile(const PanelJob& job, const uint8_t* panel, int64_t first, int64_t count, float* tile) {
    if constexpr (isQuantised(kType)) {
        const uint8_t* payload = panel + job.headerBytes + first / 32 * payloadVectors(kType) * kVectorBytes;
        for (int64_t b = 0; b < count / 32; ++b, payload += payloadVectors(kType) * kVectorBytes) {
            float* const to = tile + 32 * b * kLanes;
            forBlock<kType>(panel, payload, first / 32 + b,
                            [&](int64_t column, FloatV weights) { storeF(to + column * kLanes, weights); });
        }
    } else {
        for (int64_t k = 0; k < count; ++k)
            storeF(tile + k * kLanes, loadFloats<kType>(panel, first + k));
    }
}

inline void putResult(float* to, FloatV result, int64_t rows, bool accumulate) {
    if (accumulate) result = addF(result, loadFirst(to, rows));
    storeFirst(to, result, rows);
}

// One panel times kTokens tokens, straight from the packed weights. Four sums a token break the chain of additions.
template <WeightType kType, int64_t kTokens>
void directTile(const PanelJob& job, const uint8_t* panel, const float* x, float* out, int64_t rows) {
    FloatV sums[kTokens][4];
    for (int64_t t = 0; t < kTokens; ++t)
        for (FloatV& sum : sums[t])
            sum = zeroF();
    int64_t k = 0;
    if constexpr (isQuantised(kType)) {
        const uint8_t* payload = panel + job.headerBytes;
        for (; k < job.columns; k += 32, payload += payloadVectors(kType) * kVectorBytes) {
            prefetchAhead<payloadVectors(kType) * kVectorBytes>(payload);
            const float* const xBlock = x + k;
            forBlock<kType>(
                panel, payload, k / 32, [&](int64_t column, FloatV weights) __attribute__((always_inline)) {
#pragma GCC unroll 16
                    for (int64_t t = 0; t < kTokens; ++t)
                        sums[t][column % 4] =
                            fmaF(weights, setF(xBlock[t * job.xStride + column]), sums[t][column % 4]);
                });
        }
    } else {
        for (; k + 4 <= job.columns; k += 4) {
#pragma GCC unroll 4
            for (int64_t i = 0; i < 4; ++i) {
                const FloatV weights = loadFloats<kType>(panel, k + i);
#pragma GCC unroll 16
                for (int64_t t = 0; t < kTokens; ++t)
                    sums[t][i] = fmaF(weights, setF(x[t * job.xStride + k + i]), sums[t][i]);
            }
        }
        for (; k < job.columns; ++k) {
            const FloatV weights = loadFloats<kType>(panel, k);
            for (int64_t t = 0; t < kTokens; ++t)
                sums[t][0] = fmaF(weights, setF(x[t * job.xStride + k]), sums[t][0]);
        }
    }
    for (int64_t t = 0; t < kTokens; ++t)
        putResult(out + t * job.outStride, addF(addF(sums[t][0], sums[t][1]), addF(sums[t][2], sums[t][3])), rows,
                  job.accumulate);
}

// kPanels tiles times kTokens tokens over `count` columns.
template <int64_t kPanels, int64_t kTokens>
void multiplyTile(const float* const* tiles, int64_t count, const float* x, int64_t xStride, float* out,
                  int64_t outStride, int64_t rows, bool accumulate) {
    FloatV sums[kTokens][kPanels];
#pragma GCC unroll 16
    for (int64_t t = 0; t < kTokens; ++t)
        for (FloatV& sum : sums[t])
            sum = zeroF();
    for (int64_t k = 0; k < count; ++k) {
        FloatV weights[kPanels];
#pragma GCC unroll 2
        for (int64_t p = 0; p < kPanels; ++p)
            weights[p] = loadF(tiles[p] + k * kLanes);
#pragma GCC unroll 16
        for (int64_t t = 0; t < kTokens; ++t) {
            const FloatV value = setF(x[t * xStride + k]);
#pragma GCC unroll 2
            for (int64_t p = 0; p < kPanels; ++p)
                sums[t][p] = fmaF(weights[p], value, sums[t][p]);
        }
    }
#pragma GCC unroll 16
    for (int64_t t = 0; t < kTokens; ++t) {
        for (int64_t p = 0; p < kPanels; ++p) {
            const int64_t left = rows - p * kLanes;
            putResult(out + t * outStride + p * kLanes, sums[t][p], left < kLanes ? left : kLanes, accumulate);
        }
    }
}

template <WeightType kType, int64_t kPanels>
void tiledPanels(const PanelJob& job, int64_t row) {
    alignas(64) float buffer[kPanels][kTileColumns * kLanes];
    const int64_t rows = job.rows - row < kPanels * kLanes ? job.rows - row : kPanels * kLanes;
    for (int64_t first = 0; first < job.columns; first += kTileColumns) {
        const int64_t count = job.columns - first < kTileColumns ? job.columns - first : kTileColumns;
        const float* tiles[kPanels];
        for (int64_t p = 0; p < kPanels; ++p) {
            const uint8_t* const panel = job.panels + (row / kLanes + p) * job.panelBytes;
            if constexpr (kType == WeightType::F32) {
                tiles[p] = reinterpret_cast<const float*>(panel) + first * kLanes;
            } else {
                dequantizeTile<kType>(job, panel, first, count, buffer[p]);
                tiles[p] = buffer[p];
            }
        }
        int64_t t = 0;
        const auto run = [&]<int64_t kTokens>() {
            for (; t + kTokens <= job.tokens; t += kTokens)
                multiplyTile<kPanels, kTokens>(tiles, count, job.x + t * job.xStride + first, job.xStride,
                                               job.out + t * job.outStride + row, job.outStride, rows,
                                               job.accumulate || first > 0);
        };
        run.template operator()<kExactTokens>();
        run.template operator()<4>();
        run.template operator()<2>();
        run.template operator()<1>();
    }
}

template <WeightType kType>
void directPanels(const PanelJob& job) {
    for (int64_t row = 0; row < job.rows; row += kLanes) {
        const uint8_t* const panel = job.panels + row / kLanes * job.panelBytes;
        const int64_t rows = job.rows - row < kLanes ? job.rows - row : kLanes;
        int64_t t = 0;
        const auto run = [&]<int64_t kTokens>() {
            for (; t + kTokens <= job.tokens; t += kTokens)
                directTile<kType, kTokens>(job, panel, job.x + t * job.xStride, job.out + t * job.outStride + row,
                                           rows);
        };
        run.template operator()<2>();
        run.template operator()<1>();
    }
}

template <WeightType kType>
void exactPanels(const PanelJob& job) {
    if (job.tokens < kDirectTokens || job.asSingles) {
        directPanels<kType>(job);
        return;
    }
    int64_t row = 0;
    for (; row + kLanes < job.rows; row += 2 * kLanes)
        tiledPanels<kType, 2>(job, row);
    if (row < job.rows) tiledPanels<kType, 1>(job, row);
}

}  // namespace
}  // namespace gapscope

// What both passes over a head by bounds do, wherever they run. See bounded_head.h.
#pragma once

#include "kernels/cuda/bounded_head.h"
#include "kernels/cuda/device_math.cuh"

namespace gapscope::cuda {

constexpr int kBoundedBlock = 32;  // weights of one step and numbers of one scale of the input

// The input in int8, in shared memory.
struct BoundedInput {
    uint4* values;      // [blocks, 2], 32 int8 each
    float2* factors;    // [blocks]: t, and what is added to t * sum(q k)
    float* magnitudes;  // [blocks]: sum |x|
};
inline GAPSCOPE_HOST_DEVICE int boundedBlocks(int columns) {
    return panelSteps(columns) * (kPanelColumns / kBoundedBlock);
}
inline GAPSCOPE_HOST_DEVICE size_t boundedInputBytes(int columns) {
    return static_cast<size_t>(boundedBlocks(columns)) * (2 * sizeof(uint4) + sizeof(float2) + sizeof(float));
}
__device__ __forceinline__ BoundedInput boundedInputAt(void* memory, int columns) {
    const int blocks = boundedBlocks(columns);
    auto* const values = static_cast<uint4*>(memory);
    auto* const factors = reinterpret_cast<float2*>(values + 2 * blocks);
    return {values, factors, reinterpret_cast<float*>(factors + blocks)};
}

// Rounding, in units of a step of the weights times sum |x| + sum |d| of a block, with u = 2^-24. The full product:
// each of its `columns` products enters a sum that is rounded at most once a product and a few times more, whatever the
// order: (columns + 16) u 16. The bound: two factors and a sum over blocks, of numbers below 64 in these units:
// (blocks + 8) u 64. A sixteenth more for what rounding does to the slack itself and for u's second powers.
__device__ __forceinline__ float boundRounding(int columns) {
    constexpr float kUnit = 1.0F / (1 << 24);
    return 1.0625F * kUnit * static_cast<float>(16 * (columns + 16) + 64 * (boundedBlocks(columns) + 8));
}
// What errors of numbers too small for a float's full precision add up to is far below this.
constexpr float kLeastBound = 0x1p-100F;

// By the warps `warp` of `warps` of a block, from bf16 in shared memory; the caller waits for all of them.
__device__ __forceinline__ void quantizeBounded(const Bf16* x, int columns, const BoundedInput& to, int warp,
                                                int warps) {
    const int lane = static_cast<int>(threadIdx.x) % kWarp;
    const int blocks = boundedBlocks(columns);
    const float rounding = boundRounding(columns);
#pragma unroll 1
    for (int block = warp; block < blocks; block += warps) {
        const int column = block * kBoundedBlock + lane;
        const float number = column < columns ? toFloat(x[column]) : 0.0F;
        const float most = warpMax(fabsf(number));
        const float scale = most / 127;
        const float inverse = most > 0 ? 127 / most : 0.0F;
        // Whichever integer it is, the difference is taken of that one.
        const int integer = max(-127, min(127, __float2int_rn(number * inverse)));
        const float difference = fabsf(fmaf(-scale, static_cast<float>(integer), number));
        const float magnitude = warpSum(fabsf(number)), differences = warpSum(difference);
        const float integers = warpSum(static_cast<float>(integer));
        reinterpret_cast<int8_t*>(to.values)[column] = static_cast<int8_t>(integer);
        if (lane != 0) continue;
        const float slack =
            (1 + 0x1p-9F) * (0.5F * magnitude + 15.5F * differences) + rounding * (magnitude + differences);
        to.factors[block] = {scale, fmaf(-15.5F * integers, scale, slack)};
        to.magnitudes[block] = magnitude;
    }
}

// Whether bounds of this input mean anything: all sums stay far inside the range of floats. By one whole warp.
__device__ __forceinline__ bool canBeBounded(const BoundedInput& input, int columns, float largestWeight) {
    float sum = 0;
    for (int block = static_cast<int>(threadIdx.x) % kWarp; block < boundedBlocks(columns); block += kWarp)
        sum += input.magnitudes[block];
    sum = warpSum(sum);
    return sum < 1e34F && sum * largestWeight < 1e35F;
}

// Where the parts of a panel's step lie in it, in bytes; nibbles come first.
constexpr int kFifthsAt = 2 * kWarp * static_cast<int>(sizeof(uint4));
constexpr int kScalesAt = kFifthsAt + 2 * kWarp * static_cast<int>(sizeof(unsigned));

// A lane's two blocks of a step: rows lane % 16 of the panel, blocks lane / 16 and 2 + lane / 16 of the step's four.
struct PanelStep {
    uint4 nibbles[2];
    uint2 fifths;
    unsigned scales;  // two bf16
};
// Of a panel in shared memory.
__device__ __forceinline__ PanelStep panelStepAt(const std::byte* step, int lane) {
    return {{reinterpret_cast<const uint4*>(step)[lane], reinterpret_cast<const uint4*>(step)[kWarp + lane]},
            reinterpret_cast<const uint2*>(step + kFifthsAt)[lane],
            reinterpret_cast<const unsigned*>(step + kScalesAt)[lane]};
}
__device__ __forceinline__ float boundOf(const PanelStep& step, int number, const BoundedInput& input, float bound) {
    const int half = static_cast<int>(threadIdx.x) % kWarp / kPanelRows;
#pragma unroll
    for (int j = 0; j < 2; ++j) {
        const int block = 4 * number + 2 * j + half;
        const uint4 low = input.values[2 * block], high = input.values[2 * block + 1];
        const float2 factors = input.factors[block];
        const unsigned nibbles[4] = {step.nibbles[j].x, step.nibbles[j].y, step.nibbles[j].z, step.nibbles[j].w};
        const unsigned numbers[8] = {low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w};
        const unsigned fifths = j == 0 ? step.fifths.x : step.fifths.y;
        int dot = 0;
#pragma unroll
        for (int group = 0; group < 8; ++group) {
            const unsigned four = group % 2 == 0 ? nibbles[group / 2] : nibbles[group / 2] >> 4;
            const unsigned fifth = group < 4 ? fifths << (4 - group) : fifths >> (group - 4);
            const unsigned weights = (four & 0x0f0f0f0fU) | (fifth & 0x10101010U);
            dot = __dp4a(static_cast<int>(weights), static_cast<int>(numbers[group]), dot);
        }
        const float scale = j == 0 ? lowHalf(step.scales) : highHalf(step.scales);
        bound = fmaf(scale, fmaf(factors.x, static_cast<float>(dot), factors.y), bound);
    }
    return bound;
}

constexpr int kFullAhead = 5;  // 16-byte loads of a lane and row: a row of the 1B model

// A row's product by a warp, in the order of gemvNormHead(); in all lanes.
template <int kAhead>
__device__ __forceinline__ float productInFull(const WeightMatrix& matrix, int row, const uint4* x) {
    const auto* const weights = reinterpret_cast<const uint4*>(matrix.data + static_cast<int64_t>(row) * matrix.stride);
    const int vectors = matrix.stride / 8;
    float sum = 0;
#pragma unroll 1
    for (int first = static_cast<int>(threadIdx.x) % kWarp; first < vectors; first += kAhead * kWarp) {
        uint4 ahead[kAhead];
#pragma unroll
        for (int a = 0; a < kAhead; ++a)
            ahead[a] = first + a * kWarp < vectors ? loadWeights(weights + first + a * kWarp) : uint4{0, 0, 0, 0};
#pragma unroll
        for (int a = 0; a < kAhead; ++a)
            if (first + a * kWarp < vectors) sum = dot8(ahead[a], x[first + a * kWarp], sum);
    }
    return warpSum(sum);
}

// What a row's bound must reach for the row to be looked at. Where the input cannot be bounded all probes are NaN,
// which fmaxf() leaves out: then every row is.
__device__ __forceinline__ float thresholdOf(const float* probes, int count, int first, int step) {
    float threshold = -INFINITY;
    for (int i = first; i < count; i += step)
        threshold = fmaxf(threshold, probes[i]);
    return warpMax(threshold);
}

// A value and its row, -1: none; ties go to the lower row.
struct BestRow {
    float value;
    int32_t row;
};
__device__ __forceinline__ BestRow better(BestRow a, BestRow b) {
    if (b.row < 0) return a;
    if (a.row < 0) return b;
    return b.value > a.value || (b.value == a.value && b.row < a.row) ? b : a;
}
__device__ __forceinline__ BestRow warpBest(BestRow best) {
#pragma unroll
    for (int offset = kWarp / 2; offset > 0; offset /= 2)
        best = better(best, BestRow{__shfl_xor_sync(0xffffffffU, best.value, offset),
                                    __shfl_xor_sync(0xffffffffU, best.row, offset)});
    return best;
}

}  // namespace gapscope::cuda

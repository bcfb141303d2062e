// An input quantised as LLM.int8() does it, in a block's shared memory, and the products with it.
#pragma once

#include "kernels/cuda/gemv_stage.cuh"
#include "kernels/cuda/int8_math.cuh"

namespace gapscope::cuda {

constexpr int kInt8Vector = 16;         // weights of a 16-byte load
constexpr int kInt8SplitThreads = 512;  // of the blocks that share long rows
constexpr int kInt8HeldVectors = 2;     // of the input, in a thread's registers

struct Int8Input {
    const uint4* quantized;    // 16 a vector
    const Bf16* values;        // read for outliers only
    const uint16_t* outliers;  // a bit an element of each vector; there if hasOutliers
    float absmax;
    bool hasOutliers;  // the same in the whole block
};

// What an input quantised in shared memory takes there: the integers, and a bit each for outliers.
__host__ __device__ constexpr size_t quantizedBytes(int stride) {
    return static_cast<size_t>(stride) + static_cast<size_t>(stride) / 8;
}

struct Int8Sum {
    int products = 0;
    float outliers = 0;  // times weights as integers
};
__device__ __forceinline__ Int8Sum warpSum(Int8Sum sum) {
    return {gapscope::cuda::warpSum(sum.products), gapscope::cuda::warpSum(sum.outliers)};
}

__device__ __forceinline__ float byteOf(uint4 vector, int i) {
    const unsigned word = i < 8 ? (i < 4 ? vector.x : vector.y) : (i < 12 ? vector.z : vector.w);
    return static_cast<float>(static_cast<signed char>(word >> (8 * (i & 3))));
}

// Adds the products of one vector.
__device__ __forceinline__ void addProducts(const Int8Input& input, int vector, uint4 weights, Int8Sum& sum) {
    sum.products = dot16(weights, input.quantized[vector], sum.products);
    if (!input.hasOutliers) return;
    for (unsigned mask = input.outliers[vector]; mask != 0; mask &= mask - 1) {
        const int i = __ffs(static_cast<int>(mask)) - 1;
        sum.outliers = fmaf(byteOf(weights, i), toFloat(input.values[kInt8Vector * vector + i]), sum.outliers);
    }
}

struct MultiplyInt8 {
    template <int kRows>
    __device__ __forceinline__ void operator()(const Int8Input& input, int vector, const uint4 (&weights)[kRows],
                                               Int8Sum (&sums)[kRows]) const {
#pragma unroll
        for (int r = 0; r < kRows; ++r)
            addProducts(input, vector, weights[r], sums[r]);
    }
};

__device__ __forceinline__ float resultOf(const Int8Input& input, const Int8Sum& sum, float weightAbsmax) {
    const float product = static_cast<float>(sum.products) * (input.absmax * kInt8ProductScale);
    // Zero divided takes the long way round of a division. Both said with their roundings: what follows here is joined
    // with a product in one kernel and not in another.
    if (!input.hasOutliers) return __fmul_rn(product, weightAbsmax);
    return fmaf(product, weightAbsmax, sum.outliers * weightAbsmax / kInt8Top);
}

__device__ __forceinline__ const uint4* rowOf(const Int8Matrix& matrix, int row) {
    return reinterpret_cast<const uint4*>(matrix.data + static_cast<int64_t>(row) * matrix.stride);
}

// The largest magnitude that is no outlier, and whether there is one, over the block, in all threads. `partials` holds
// a float2 a warp.
struct Range {
    float largest = 0;
    bool outliers = false;
    __device__ __forceinline__ void take(float x) {
        const bool outlier = isOutlier(x);
        outliers |= outlier;
        largest = fmaxf(largest, outlier ? 0.0F : fabsf(x));
    }
};
__device__ __forceinline__ Range blockRange(Range range, float2* partials) {
    range.largest = warpMax(range.largest);
    range.outliers = __any_sync(0xffffffffU, range.outliers) != 0;
    if (threadIdx.x % kWarp == 0) partials[threadIdx.x / kWarp] = {range.largest, range.outliers ? 1.0F : 0.0F};
    __syncthreads();
    for (int warp = 0; warp < static_cast<int>(blockDim.x) / kWarp; ++warp) {
        range.largest = fmaxf(range.largest, partials[warp].x);
        range.outliers |= partials[warp].y != 0;
    }
    return range;
}

// Eight bf16 rounded, and a bit for each that is an outlier.
struct QuantizedEight {
    uint2 integers;
    unsigned outliers;
};
__device__ __forceinline__ QuantizedEight quantizeEight(uint4 vector, float scale) {
    float x[8];
    unpack8(vector, x);
    int q[8];
    unsigned mask = 0;
#pragma unroll
    for (int i = 0; i < 8; ++i) {
        q[i] = quantized(x[i], scale);
        mask |= isOutlier(x[i]) ? 1U << i : 0U;
    }
    return {{packBytes(q[0], q[1], q[2], q[3]), packBytes(q[4], q[5], q[6], q[7])}, mask};
}

// Quantises `stride` bf16 of `values` (columns, then zeros) into `out` of quantizedBytes(). Every thread of the block
// takes part; all of `values` is there.
template <int kHeld>
__device__ __forceinline__ Int8Input quantizeInput(const Bf16* values, int columns, int stride, uint4* out,
                                                   float2* partials) {
    const int step = 8 * static_cast<int>(blockDim.x);
    const int first = 8 * static_cast<int>(threadIdx.x);
    const auto load = [&](int at) {
        return at < columns ? *reinterpret_cast<const uint4*>(values + at) : uint4{0, 0, 0, 0};
    };
    uint4 held[kHeld];
#pragma unroll
    for (int i = 0; i < kHeld; ++i)
        held[i] = load(first + i * step);
    Range range;
    const auto measure = [&](uint4 vector) {
        float x[8];
        unpack8(vector, x);
#pragma unroll
        for (const float value : x)
            range.take(value);
    };
#pragma unroll
    for (int i = 0; i < kHeld; ++i)
        measure(held[i]);
    for (int at = first + kHeld * step; at < stride; at += step)
        measure(load(at));
    range = blockRange(range, partials);
    const float scale = int8Scale(range.largest);
    auto* const masks = reinterpret_cast<uint8_t*>(out) + stride;
    const auto store = [&](uint4 vector, int at) {
        if (at >= stride) return;
        const QuantizedEight eight = quantizeEight(vector, scale);
        if (range.outliers) masks[at / 8] = static_cast<uint8_t>(eight.outliers);
        reinterpret_cast<uint2*>(out)[at / 8] = eight.integers;
    };
#pragma unroll
    for (int i = 0; i < kHeld; ++i)
        store(held[i], first + i * step);
    for (int at = first + kHeld * step; at < stride; at += step)
        store(load(at), at);
    __syncthreads();
    return {out, values, reinterpret_cast<const uint16_t*>(masks), range.largest, range.outliers};
}

}  // namespace gapscope::cuda

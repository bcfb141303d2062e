// Products of int8 vectors and the rounding of LLM.int8(), shared by its kernels.
#pragma once

#include "kernels/cuda/device_math.cuh"
#include "kernels/cuda/int8_matrix.h"

namespace gapscope::cuda {

constexpr float kInt8Top = 127.0F;
constexpr float kInt8ProductScale = 1.0F / (kInt8Top * kInt8Top);

__device__ __forceinline__ bool isOutlier(float x) {
    return !(fabsf(x) < kOutlierThreshold);  // a NaN is one, so that it is not lost
}

// Outliers are 0; to nearest even.
__device__ __forceinline__ int quantized(float x, float scale) {
    return isOutlier(x) ? 0 : __float2int_rn(x * scale);
}

__device__ __forceinline__ float int8Scale(float absmax) {
    return absmax > 0 ? kInt8Top / absmax : 0.0F;
}

// Sum of 16 products.
__device__ __forceinline__ int dot16(uint4 a, uint4 b, int sum) {
    sum = __dp4a(static_cast<int>(a.x), static_cast<int>(b.x), sum);
    sum = __dp4a(static_cast<int>(a.y), static_cast<int>(b.y), sum);
    sum = __dp4a(static_cast<int>(a.z), static_cast<int>(b.z), sum);
    return __dp4a(static_cast<int>(a.w), static_cast<int>(b.w), sum);
}

__device__ __forceinline__ int warpSum(int value) {
#pragma unroll
    for (int offset = kWarp / 2; offset > 0; offset /= 2)
        value += __shfl_xor_sync(0xffffffffU, value, offset);
    return value;
}

// The largest of the block's values, in all threads. `shared` holds a float a warp.
__device__ __forceinline__ float blockMax(float value, float* shared) {
    value = warpMax(value);
    __syncthreads();
    if (threadIdx.x % kWarp == 0) shared[threadIdx.x / kWarp] = value;
    __syncthreads();
    for (int warp = 0; warp < static_cast<int>(blockDim.x) / kWarp; ++warp)
        value = fmaxf(value, shared[warp]);
    return value;
}

__device__ __forceinline__ unsigned packBytes(int a, int b, int c, int d) {
    return (static_cast<unsigned>(a) & 0xFFU) | (static_cast<unsigned>(b) & 0xFFU) << 8 |
           (static_cast<unsigned>(c) & 0xFFU) << 16 | static_cast<unsigned>(d) << 24;
}

}  // namespace gapscope::cuda

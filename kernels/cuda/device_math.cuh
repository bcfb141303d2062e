// Small device functions that the kernels share: number formats, sums over a warp or block, launches that overlap.
#pragma once

#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include <utility>

#include "kernels/cuda/launch.h"

namespace gapscope::cuda {

constexpr int kWarp = 32;

__device__ __forceinline__ float toFloat(float value) {
    return value;
}
__device__ __forceinline__ float toFloat(Bf16 bits) {
    return __uint_as_float(static_cast<unsigned>(bits) << 16);
}
__device__ __forceinline__ float toFloat(Half value) {
    return __half2float(__ushort_as_half(value.bits));
}
__device__ __forceinline__ float lowHalf(unsigned pair) {
    return __uint_as_float(pair << 16);
}
__device__ __forceinline__ float highHalf(unsigned pair) {
    return __uint_as_float(pair & 0xffff0000U);
}

template <class T>
__device__ __forceinline__ T fromFloat(float value);
template <>
__device__ __forceinline__ float fromFloat<float>(float value) {
    return value;
}
// Round to nearest even; a NaN stays one.
template <>
__device__ __forceinline__ Bf16 fromFloat<Bf16>(float value) {
    const unsigned bits = __float_as_uint(value);
    if ((bits & 0x7fffffffU) > 0x7f800000U) return static_cast<Bf16>((bits >> 16) | 0x40U);
    return static_cast<Bf16>((bits + 0x7fffU + ((bits >> 16) & 1U)) >> 16);
}

template <>
__device__ __forceinline__ Half fromFloat<Half>(float value) {
    return {__half_as_ushort(__float2half_rn(value))};
}

// Sum of eight products of bf16 pairs.
__device__ __forceinline__ float dot8(uint4 a, uint4 b, float sum) {
    sum = fmaf(lowHalf(a.x), lowHalf(b.x), sum);
    sum = fmaf(highHalf(a.x), highHalf(b.x), sum);
    sum = fmaf(lowHalf(a.y), lowHalf(b.y), sum);
    sum = fmaf(highHalf(a.y), highHalf(b.y), sum);
    sum = fmaf(lowHalf(a.z), lowHalf(b.z), sum);
    sum = fmaf(highHalf(a.z), highHalf(b.z), sum);
    sum = fmaf(lowHalf(a.w), lowHalf(b.w), sum);
    return fmaf(highHalf(a.w), highHalf(b.w), sum);
}

__device__ __forceinline__ void unpack8(uint4 packed, float (&out)[8]) {
    out[0] = lowHalf(packed.x);
    out[1] = highHalf(packed.x);
    out[2] = lowHalf(packed.y);
    out[3] = highHalf(packed.y);
    out[4] = lowHalf(packed.z);
    out[5] = highHalf(packed.z);
    out[6] = lowHalf(packed.w);
    out[7] = highHalf(packed.w);
}

__device__ __forceinline__ uint4 roundEight(const float (&values)[8]) {
    const auto pair = [&](int at) {
        return static_cast<unsigned>(fromFloat<Bf16>(values[at])) |
               static_cast<unsigned>(fromFloat<Bf16>(values[at + 1])) << 16;
    };
    return {pair(0), pair(2), pair(4), pair(6)};
}

// Weights are read once a token and are far more than the L1 cache holds, so they do not go there. They never change
// while kernels run: this may be issued before waitForPrevious().
__device__ __forceinline__ uint4 loadWeights(const uint4* address) {
    uint4 value;
    asm volatile("ld.global.nc.L1::no_allocate.v4.u32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(value.x), "=r"(value.y), "=r"(value.z), "=r"(value.w)
                 : "l"(address));
    return value;
}

__device__ __forceinline__ float warpSum(float value) {
#pragma unroll
    for (int offset = kWarp / 2; offset > 0; offset /= 2)
        value += __shfl_xor_sync(0xffffffffU, value, offset);
    return value;
}

__device__ __forceinline__ float warpMax(float value) {
#pragma unroll
    for (int offset = kWarp / 2; offset > 0; offset /= 2)
        value = fmaxf(value, __shfl_xor_sync(0xffffffffU, value, offset));
    return value;
}

// The sum over all threads of the block, in all threads. `shared` holds a float a warp; the same memory may be passed
// again at once. blockDim.x is a multiple of 32.
__device__ __forceinline__ float blockSum(float value, float* shared) {
    value = warpSum(value);
    const int warps = static_cast<int>(blockDim.x) / kWarp;
    __syncthreads();
    if (threadIdx.x % kWarp == 0) shared[threadIdx.x / kWarp] = value;
    __syncthreads();
    float sum = 0;
    for (int warp = 0; warp < warps; ++warp)
        sum += shared[warp];
    return sum;
}

// Kernels that must give the same bits share such functions, and each product that is added is one fused operation by
// name: left to the compiler, two kernels would round apart.
__device__ __forceinline__ float geluTanh(float x) {
    constexpr float kSqrt2OverPi = 0.7978845608028654F;
    return 0.5F * x * (1.0F + tanhf(kSqrt2OverPi * fmaf(0.044715F * x * x, x, x)));
}

// Of the norm after a residual addition x' = x + r * p: the sum of squares of x', from those of x, x * p and p.
__device__ __forceinline__ float squaresOfSum(float ofX, float ofXP, float ofP, float r) {
    return fmaxf(fmaf(r, fmaf(r, ofP, __fmul_rn(2, ofXP)), ofX), 0.0F);
}

// A kernel launched with Launch::overlap must call this before its first access to anything that another kernel writes
// or reads; every kernel does, so that the end of one means that all before it ended too. No effect otherwise.
__device__ __forceinline__ void waitForPrevious() {
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}

// From here on the next kernel's blocks may take the places that this one leaves free.
__device__ __forceinline__ void allowNext() {
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
#endif
}

// Blocks in clusters of so many beside each other in x; more than one from compute capability 9.0 on.
template <class... Parameters, class... Arguments>
[[nodiscard]] cudaError_t launchClusters(void (*kernel)(Parameters...), dim3 grid, dim3 block, size_t sharedBytes,
                                         int clusterBlocks, const Launch& launch, Arguments&&... arguments) {
    cudaLaunchAttribute attributes[2]{};
    unsigned count = 0;
    if (launch.overlap) {
        attributes[count].id = cudaLaunchAttributeProgrammaticStreamSerialization;
        attributes[count++].val.programmaticStreamSerializationAllowed = 1;
    }
    if (clusterBlocks > 1) {
        attributes[count].id = cudaLaunchAttributeClusterDimension;
        attributes[count++].val.clusterDim = {static_cast<unsigned>(clusterBlocks), 1, 1};
    }
    cudaLaunchConfig_t config{};
    config.gridDim = grid;
    config.blockDim = block;
    config.dynamicSmemBytes = sharedBytes;
    config.stream = launch.stream;
    config.attrs = attributes;
    config.numAttrs = count;
    return cudaLaunchKernelEx(&config, kernel, static_cast<Parameters>(std::forward<Arguments>(arguments))...);
}

template <class... Parameters, class... Arguments>
[[nodiscard]] cudaError_t launchKernel(void (*kernel)(Parameters...), dim3 grid, dim3 block, size_t sharedBytes,
                                       const Launch& launch, Arguments&&... arguments) {
    return launchClusters(kernel, grid, block, sharedBytes, 1, launch, std::forward<Arguments>(arguments)...);
}

constexpr int ceilDiv(int64_t count, int64_t size) {
    return static_cast<int>((count + size - 1) / size);
}

}  // namespace gapscope::cuda

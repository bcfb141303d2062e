// The input of a product with packed weights, quantised in a block's shared memory: int8 with a scale for each 32
// elements, a unit. Scale: the largest magnitude / 127; an element: the nearest integer to element * 127 / largest,
// ties to even. A unit of zeros, or of nothing above kSmallestLargest, has integers 0. A unit with a NaN or an infinity
// has such a scale, so that no product with it is a finite number.
#pragma once

#include "kernels/cuda/gemv_stage.cuh"
#include "kernels/cuda/packed_matrix.h"

namespace gapscope::cuda {

// A float of 2^23 + 2^22: what is added to its bits, below 2^22 in magnitude, is added to the number.
constexpr int kIntegersAsFloat = 0x4B400000;
constexpr float kIntegersFrom = 12582912.0F;
constexpr float kSmallestLargest = 1e-35F;  // 127 / it is finite

struct InputUnit {
    uint4 words[2];
    float scale;
    int sums;  // of the first 16 integers in the lower half, of all in the upper
    __device__ __forceinline__ int sumOfFirst() const { return static_cast<short>(sums); }
    __device__ __forceinline__ int sumOfAll() const { return sums >> 16; }
};

// Of `count` units; of several inputs, those of the next follow. The first halves of all units lie before the others,
// so that neighbouring lanes meet different banks.
struct PackedInput {
    uint4* words;   // [2, count]
    uint2* scales;  // [count], and sums
    int count;

    __device__ __forceinline__ PackedInput(void* shared, int units)
        : words(static_cast<uint4*>(shared)), scales(reinterpret_cast<uint2*>(words + 2 * units)), count(units) {}

    __device__ __forceinline__ InputUnit unit(int i) const {
        const uint2 scale = scales[i];
        return {{words[i], words[count + i]}, __uint_as_float(scale.x), static_cast<int>(scale.y)};
    }

    // Neighbouring lanes hold a unit, kCount elements each, from element `at` on. All lanes of the warp come here;
    // units past the last are not written.
    template <int kCount>
    __device__ __forceinline__ void quantize(const float (&x)[kCount], int at) const {
        constexpr int kLanes = kUnit / kCount;
        unsigned largestBits = 0;  // as integers, magnitudes are in order, and a NaN is the largest
#pragma unroll
        for (const float value : x)
            largestBits = max(largestBits, __float_as_uint(value) & 0x7fffffffU);
#pragma unroll
        for (int lanes = kLanes / 2; lanes > 0; lanes /= 2)
            largestBits = max(largestBits, __shfl_xor_sync(0xffffffffU, largestBits, lanes));
        const float largest = __uint_as_float(largestBits);
        const float inverse = largest > kSmallestLargest ? 127.0F / largest : 0.0F;
        unsigned packed[kCount / 4];
        int sum = 0;
#pragma unroll
        for (int i = 0; i < kCount / 4; ++i) {
            const auto integer = [&](int j) { return __float_as_uint(fmaf(x[4 * i + j], inverse, kIntegersFrom)); };
            packed[i] = __byte_perm(__byte_perm(integer(0), integer(1), 0x0040),
                                    __byte_perm(integer(2), integer(3), 0x0040), 0x5410);
            sum = __dp4a(static_cast<int>(packed[i]), 0x01010101, sum);
        }
#pragma unroll
        for (int lanes = kLanes / 4; lanes > 0; lanes /= 2)
            sum += __shfl_xor_sync(0xffffffffU, sum, lanes);
        const int all = sum + __shfl_xor_sync(0xffffffffU, sum, kLanes / 2);
        const int i = at / kUnit, half = at / (kUnit / 2) % 2;
        if (i >= count) return;
        auto* const to = reinterpret_cast<unsigned*>(words + half * count + i) + at % (kUnit / 2) / 4;
#pragma unroll
        for (int word = 0; word < kCount / 4; ++word)
            to[word] = packed[word];
        if (at % kUnit == 0)
            scales[i] = {__float_as_uint(__fmul_rn(largest, 1 / 127.0F)),
                         static_cast<unsigned>(all) << 16 | (static_cast<unsigned>(sum) & 0xffffU)};
    }

    __device__ __forceinline__ void quantizeFour(uint2 four, int at) const {
        const float x[4] = {lowHalf(four.x), highHalf(four.x), lowHalf(four.y), highHalf(four.y)};
        quantize(x, at);
    }

    // By the first `threads` threads of the block, whole warps. `load(i)`: the i-th eight elements; kHeld of them are
    // on their way to a thread at once.
    template <int kHeld, class Load>
    __device__ __forceinline__ void quantizeAll(int threads, Load load) const {
        const int vectors = count * (kUnit / 8);
#pragma unroll 1
        for (int first = static_cast<int>(threadIdx.x); first / kWarp * kWarp < vectors; first += kHeld * threads) {
            uint4 held[kHeld];
#pragma unroll
            for (int i = 0; i < kHeld; ++i)
                held[i] = first + i * threads < vectors ? load(first + i * threads) : uint4{0, 0, 0, 0};
#pragma unroll
            for (int i = 0; i < kHeld; ++i) {
                float x[8];
                unpack8(held[i], x);
                quantize(x, 8 * (first + i * threads));
            }
        }
    }
};

__host__ __device__ constexpr size_t packedInputBytes(int columns) {
    return static_cast<size_t>(columns) / kUnit * (kUnit + sizeof(uint2));
}

// `shared` as stageNorm() has it: where a long input's stream was is room for the integers.
template <int kHeld>
__device__ __forceinline__ PackedInput stagePackedNorm(const NormInput& input, int columns, float* shared) {
    const PackedInput out(shared + 4 * kWarp + columns / 2, columns / kUnit);
    const uint4* const normed = stageNorm<kHeld>(input, columns, columns, shared);
    out.quantizeAll<1>(static_cast<int>(blockDim.x), [&](int i) { return normed[i]; });
    __syncthreads();
    return out;
}

template <int kHeld>
__device__ __forceinline__ PackedInput stagePackedVector(const Bf16* x, int columns, void* shared) {
    const PackedInput out(shared, columns / kUnit);
    waitForPrevious();
    out.quantizeAll<kHeld>(static_cast<int>(blockDim.x), [&](int i) { return reinterpret_cast<const uint4*>(x)[i]; });
    __syncthreads();
    return out;
}

__device__ __forceinline__ PackedInput stagePackedCombined(const GemvCombineArgsOf<PackedMatrix>& args, void* shared) {
    constexpr int kHeld = 2;  // fours of a thread, on their way at once
    const int columns = args.matrix.columns, step = 4 * static_cast<int>(blockDim.x);
    const PackedInput out(shared, columns / kUnit);
    waitForPrevious();
#pragma unroll 1
    for (int first = 4 * static_cast<int>(threadIdx.x); first / (4 * kWarp) * (4 * kWarp) < columns;
         first += kHeld * step) {
        uint2 held[kHeld];
#pragma unroll
        for (int i = 0; i < kHeld; ++i)
            held[i] = joinedFour(args, first + i * step);
#pragma unroll
        for (int i = 0; i < kHeld; ++i)
            out.quantizeFour(held[i], first + i * step);
    }
    __syncthreads();
    return out;
}

}  // namespace gapscope::cuda

// 32 weights of a packed row as small integers with their scales, for products and for turning rows back to numbers.
// Value of weight i: integers[i] * scale - minimum, the scale being `scales[1]` in the upper half (Q6_K; the same as
// scales[0] elsewhere).
#pragma once

#include <cuda_fp16.h>

#include "kernels/cuda/device_math.cuh"
#include "kernels/cuda/packed_matrix.h"

namespace gapscope::cuda {

constexpr int kUnitVectors = kUnit / 8;  // of 16 bytes, in the input
constexpr int kPackedSplitThreads = 256;
constexpr int kPackedRowBlocks = 4;  // said, or the compiler spills registers for more

struct Unit {
    float integers[kUnit];
    float scales[2];
    float minimum;
};

__device__ __forceinline__ uint4 loadVector(const std::byte* at) {
    return loadWeights(reinterpret_cast<const uint4*>(at));
}
__device__ __forceinline__ float loadHalf(const std::byte* at) {
    return __half2float(*reinterpret_cast<const __half*>(at));
}

// Four bytes 0..255 of a word as floats, less `offset`: the byte goes into the mantissa of 2^23.
__device__ __forceinline__ void bytesToFloats(unsigned word, float offset, float* out) {
    constexpr unsigned kTwoTo23 = 0x4B000000U;
    const float subtract = 8388608.0F + offset;
    out[0] = __uint_as_float(__byte_perm(word, kTwoTo23, 0x7650)) - subtract;
    out[1] = __uint_as_float(__byte_perm(word, kTwoTo23, 0x7651)) - subtract;
    out[2] = __uint_as_float(__byte_perm(word, kTwoTo23, 0x7652)) - subtract;
    out[3] = __uint_as_float(__byte_perm(word, kTwoTo23, 0x7653)) - subtract;
}

// Bit i of four becomes bit 0 of byte i.
__device__ __forceinline__ unsigned spreadBits(unsigned four) {
    return ((four & 0xFU) * 0x00204081U) & 0x01010101U;
}

__device__ __forceinline__ unsigned wordOf(const uint4& vector, int i) {
    return i == 0 ? vector.x : i == 1 ? vector.y : i == 2 ? vector.z : vector.w;
}

__device__ __forceinline__ void takeBf16(const std::byte* row, int unit, Unit& out) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
        float values[8];
        unpack8(loadVector(row + (unit * 4 + i) * 16), values);
#pragma unroll
        for (int j = 0; j < 8; ++j)
            out.integers[8 * i + j] = values[j];
    }
    out.scales[0] = out.scales[1] = 1;
    out.minimum = 0;
}

__device__ __forceinline__ void takeQ8_0(const std::byte* row, int columns, int unit, Unit& out) {
    out.scales[0] = out.scales[1] = loadHalf(row + columns + 2 * unit);
#pragma unroll
    for (int i = 0; i < 2; ++i) {
        const uint4 bytes = loadVector(row + (unit * 2 + i) * 16);
#pragma unroll
        for (int j = 0; j < 4; ++j)
            bytesToFloats(wordOf(bytes, j) ^ 0x80808080U, 128, out.integers + 16 * i + 4 * j);
    }
    out.minimum = 0;
}

// Q4_0 and, with high bits, Q5_0: low nibbles are the first 16 weights, high nibbles the others.
template <bool kHighBits>
__device__ __forceinline__ void takeNibbles(const std::byte* row, int columns, int unit, Unit& out) {
    const int units = columns / kUnit;
    unsigned high = 0;
    if (kHighBits) high = *reinterpret_cast<const unsigned*>(row + 16 * units + 4 * unit);
    out.scales[0] = out.scales[1] = loadHalf(row + (kHighBits ? 20 : 16) * units + 2 * unit);
    const uint4 bytes = loadVector(row + unit * 16);
#pragma unroll
    for (int j = 0; j < 4; ++j) {
        const unsigned word = wordOf(bytes, j);
        const unsigned lowHigh = kHighBits ? spreadBits(high >> (4 * j)) << 4 : 0;
        const unsigned highHigh = kHighBits ? spreadBits(high >> (16 + 4 * j)) << 4 : 0;
        bytesToFloats((word & 0x0F0F0F0FU) | lowHigh, kHighBits ? 16 : 8, out.integers + 4 * j);
        bytesToFloats(((word >> 4) & 0x0F0F0F0FU) | highHigh, kHighBits ? 16 : 8, out.integers + 16 + 4 * j);
    }
    out.minimum = 0;
}

// Q4_K and Q5_K: eight sub-blocks with 6-bit scales and minimums, packed into 12 bytes behind two halves.
template <bool kHighBits>
__device__ __forceinline__ void takeK(const std::byte* row, int unit, Unit& out) {
    const std::byte* const block = row + static_cast<int64_t>(unit / 8) * (kHighBits ? 176 : 144);
    const int sub = unit % 8;
    const uint4 header = loadVector(block);
    const int shift = 8 * (sub & 3);
    const unsigned a = header.y >> shift & 0xFFU;
    const unsigned b = header.z >> shift & 0xFFU;
    const unsigned c = header.w >> shift & 0xFFU;
    const unsigned scale = sub < 4 ? a & 63U : (c & 15U) | (a >> 6) << 4;
    const unsigned minimum = sub < 4 ? b & 63U : c >> 4 | (b >> 6) << 4;
    const __half2 factors = *reinterpret_cast<const __half2*>(&header.x);
    out.scales[0] = out.scales[1] = __low2float(factors) * static_cast<float>(scale);
    out.minimum = __high2float(factors) * static_cast<float>(minimum);
    const std::byte* const nibbles = block + (kHighBits ? 48 : 16) + 32 * (sub / 2);
#pragma unroll
    for (int i = 0; i < 2; ++i) {
        const uint4 bytes = loadVector(nibbles + 16 * i);
        const uint4 high = kHighBits ? loadVector(block + 16 + 16 * i) : uint4{0, 0, 0, 0};
#pragma unroll
        for (int j = 0; j < 4; ++j) {
            unsigned word = wordOf(bytes, j) >> (4 * (sub & 1)) & 0x0F0F0F0FU;
            if (kHighBits) word |= (wordOf(high, j) >> sub & 0x01010101U) << 4;
            bytesToFloats(word, 0, out.integers + 16 * i + 4 * j);
        }
    }
}

__device__ __forceinline__ void takeQ6_K(const std::byte* row, int columns, int unit, Unit& out) {
    const int blocks = columns / 256;
    const std::byte* const block = row + static_cast<int64_t>(unit / 8) * 208;
    const int half = unit % 8 / 4;
    const int part = unit % 4;
    const float factor = loadHalf(row + static_cast<int64_t>(blocks) * 208 + 2 * (unit / 8));
    const auto* const scales = reinterpret_cast<const signed char*>(block + 192 + 8 * half + 2 * part);
    out.scales[0] = factor * static_cast<float>(scales[0]);
    out.scales[1] = factor * static_cast<float>(scales[1]);
#pragma unroll
    for (int i = 0; i < 2; ++i) {
        const uint4 low = loadVector(block + 64 * half + 32 * (part & 1) + 16 * i);
        const uint4 high = loadVector(block + 128 + 32 * half + 16 * i);
#pragma unroll
        for (int j = 0; j < 4; ++j)
            bytesToFloats((wordOf(low, j) >> (part >= 2 ? 4 : 0) & 0x0F0F0F0FU) |
                              (wordOf(high, j) >> (2 * part) & 0x03030303U) << 4,
                          32, out.integers + 16 * i + 4 * j);
    }
    out.minimum = 0;
}

// `type` is the same in all lanes of a warp.
__device__ __forceinline__ void takeUnit(WeightType type, const std::byte* row, int columns, int unit, Unit& out) {
    switch (type) {
        case WeightType::Q8_0:
            return takeQ8_0(row, columns, unit, out);
        case WeightType::Q4_0:
            return takeNibbles<false>(row, columns, unit, out);
        case WeightType::Q5_0:
            return takeNibbles<true>(row, columns, unit, out);
        case WeightType::Q4_K:
            return takeK<false>(row, unit, out);
        case WeightType::Q5_K:
            return takeK<true>(row, unit, out);
        case WeightType::Q6_K:
            return takeQ6_K(row, columns, unit, out);
        default:
            return takeBf16(row, unit, out);
    }
}

__device__ __forceinline__ const std::byte* packedRow(const PackedMatrix& matrix, int row) {
    return matrix.data + row * matrix.rowBytes;
}

// A row may be called for before the wait: weights never change. Its lines are then under way to L2 while the input is
// still being made.
__device__ __forceinline__ void prefetchRow(const std::byte* row, int64_t bytes, int first, int step) {
    constexpr int kLine = 128;
    for (int64_t at = static_cast<int64_t>(first) * kLine; at < bytes; at += static_cast<int64_t>(step) * kLine)
        asm volatile("prefetch.global.L2 [%0];" ::"l"(row + at));
}

// `input(unit, i)`: the i-th 16 bytes of the unit's 32 inputs.
template <class Input>
__device__ __forceinline__ float dotUnit(const Unit& weights, int unit, Input input) {
    float sums[2] = {};
    float inputs = 0;
#pragma unroll
    for (int i = 0; i < kUnitVectors; ++i) {
        float x[8];
        unpack8(input(unit, i), x);
#pragma unroll
        for (int j = 0; j < 8; ++j) {
            sums[i / 2] = fmaf(weights.integers[8 * i + j], x[j], sums[i / 2]);
            inputs += x[j];
        }
    }
    // Said with its roundings: every kernel that multiplies by packed weights is to give the same bits.
    return fmaf(-inputs, weights.minimum, fmaf(sums[1], weights.scales[1], sums[0] * weights.scales[0]));
}

}  // namespace gapscope::cuda

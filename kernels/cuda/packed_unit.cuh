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

// A row in a block's memory. What takes units reads rows by these four, of bytes from the row's first on.
struct BlockRow {
    const std::byte* bytes = nullptr;
    __device__ __forceinline__ uint4 vector(int at) const { return *reinterpret_cast<const uint4*>(bytes + at); }
    __device__ __forceinline__ unsigned word(int at) const { return *reinterpret_cast<const unsigned*>(bytes + at); }
    __device__ __forceinline__ float half(int at) const {
        return __half2float(*reinterpret_cast<const __half*>(bytes + at));
    }
    __device__ __forceinline__ int2 signedBytes(int at) const {
        const auto* const two = reinterpret_cast<const signed char*>(bytes + at);
        return {two[0], two[1]};
    }
};
// A row in device memory.
struct DeviceRow : BlockRow {
    __device__ __forceinline__ uint4 vector(int at) const {
        return loadWeights(reinterpret_cast<const uint4*>(bytes + at));
    }
};

// Four bytes 0..255 of a word as floats, less `offset`: the byte goes into the mantissa of 2^23.
__device__ __forceinline__ void bytesToFloats(unsigned word, float offset, float* out) {
    constexpr unsigned kTwoTo23 = 0x4B000000U;
    const float subtract = 8388608.0F + offset;
    out[0] = __uint_as_float(__byte_perm(word, kTwoTo23, 0x7650)) - subtract;
    out[1] = __uint_as_float(__byte_perm(word, kTwoTo23, 0x7651)) - subtract;
    out[2] = __uint_as_float(__byte_perm(word, kTwoTo23, 0x7652)) - subtract;
    out[3] = __uint_as_float(__byte_perm(word, kTwoTo23, 0x7653)) - subtract;
}

__device__ __forceinline__ unsigned wordOf(const uint4& vector, int i) {
    return i == 0 ? vector.x : i == 1 ? vector.y : i == 2 ? vector.z : vector.w;
}

template <class Row>
__device__ __forceinline__ void takeBf16(const Row& row, int unit, Unit& out) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
        float values[8];
        unpack8(row.vector((unit * 4 + i) * 16), values);
#pragma unroll
        for (int j = 0; j < 8; ++j)
            out.integers[8 * i + j] = values[j];
    }
    out.scales[0] = out.scales[1] = 1;
    out.minimum = 0;
}

template <class Row>
__device__ __forceinline__ void takeQ8_0(const Row& row, int columns, int unit, Unit& out) {
    out.scales[0] = out.scales[1] = row.half(columns + 2 * unit);
#pragma unroll
    for (int i = 0; i < 2; ++i) {
        const uint4 bytes = row.vector((unit * 2 + i) * 16);
#pragma unroll
        for (int j = 0; j < 4; ++j)
            bytesToFloats(wordOf(bytes, j), 128, out.integers + 16 * i + 4 * j);
    }
    out.minimum = 0;
}

// Q4_0 and, with high bits, Q5_0: low nibbles are the first 16 weights, high nibbles the others.
template <bool kHighBits, class Row>
__device__ __forceinline__ void takeNibbles(const Row& row, int columns, int unit, Unit& out) {
    const int units = columns / kUnit;
    unsigned high = 0;
    if (kHighBits) high = row.word(16 * units + 4 * unit);
    out.scales[0] = out.scales[1] = row.half((kHighBits ? 20 : 16) * units + 2 * unit);
    const uint4 bytes = row.vector(unit * 16);
#pragma unroll
    for (int j = 0; j < 4; ++j) {
        const unsigned word = wordOf(bytes, j);
        const unsigned lowHigh = kHighBits ? high << (4 - j) & 0x10101010U : 0;
        const unsigned highHigh = kHighBits ? high >> j & 0x10101010U : 0;
        bytesToFloats((word & 0x0F0F0F0FU) | lowHigh, kHighBits ? 16 : 8, out.integers + 4 * j);
        bytesToFloats(((word >> 4) & 0x0F0F0F0FU) | highHigh, kHighBits ? 16 : 8, out.integers + 16 + 4 * j);
    }
    out.minimum = 0;
}

// Q4_K and Q5_K: eight sub-blocks with 6-bit scales and minimums, packed into 12 bytes behind two halves.
template <bool kHighBits, class Row>
__device__ __forceinline__ void takeK(const Row& row, int unit, Unit& out) {
    const int block = unit / 8 * (kHighBits ? 176 : 144);
    const int sub = unit % 8;
    const uint4 header = row.vector(block);
    const int shift = 8 * (sub & 3);
    const unsigned a = header.y >> shift & 0xFFU;
    const unsigned b = header.z >> shift & 0xFFU;
    const unsigned c = header.w >> shift & 0xFFU;
    const unsigned scale = sub < 4 ? a & 63U : (c & 15U) | (a >> 6) << 4;
    const unsigned minimum = sub < 4 ? b & 63U : c >> 4 | (b >> 6) << 4;
    const __half2 factors = *reinterpret_cast<const __half2*>(&header.x);
    out.scales[0] = out.scales[1] = __low2float(factors) * static_cast<float>(scale);
    out.minimum = __high2float(factors) * static_cast<float>(minimum);
    const int nibbles = block + (kHighBits ? 48 : 16) + 32 * (sub / 2);
#pragma unroll
    for (int i = 0; i < 2; ++i) {
        const uint4 bytes = row.vector(nibbles + 16 * i);
        const uint4 high = kHighBits ? row.vector(block + 16 + 16 * i) : uint4{0, 0, 0, 0};
#pragma unroll
        for (int j = 0; j < 4; ++j) {
            unsigned word = wordOf(bytes, j) >> (4 * (sub & 1)) & 0x0F0F0F0FU;
            if (kHighBits) word |= (wordOf(high, j) >> sub & 0x01010101U) << 4;
            bytesToFloats(word, 0, out.integers + 16 * i + 4 * j);
        }
    }
}

template <class Row>
__device__ __forceinline__ void takeQ6_K(const Row& row, int columns, int unit, Unit& out) {
    const int blocks = columns / 256;
    const int block = unit / 8 * 208;
    const int half = unit % 8 / 4;
    const int part = unit % 4;
    const float factor = row.half(blocks * 208 + 2 * (unit / 8));
    const int2 scales = row.signedBytes(block + 192 + 8 * half + 2 * part);
    out.scales[0] = factor * static_cast<float>(scales.x);
    out.scales[1] = factor * static_cast<float>(scales.y);
#pragma unroll
    for (int i = 0; i < 2; ++i) {
        const uint4 low = row.vector(block + 64 * half + 32 * (part & 1) + 16 * i);
        const uint4 high = row.vector(block + 128 + 32 * half + 16 * i);
#pragma unroll
        for (int j = 0; j < 4; ++j)
            bytesToFloats((wordOf(low, j) >> (part >= 2 ? 4 : 0) & 0x0F0F0F0FU) |
                              (wordOf(high, j) >> (2 * part) & 0x03030303U) << 4,
                          32, out.integers + 16 * i + 4 * j);
    }
    out.minimum = 0;
}

// The same unit of each row. `type` is the same in all lanes of a warp.
template <class Row, int kRows>
__device__ __forceinline__ void takeUnits(WeightType type, const Row (&rows)[kRows], int columns, int unit,
                                          Unit (&out)[kRows]) {
    const auto each = [&](auto take) {
#pragma unroll
        for (int r = 0; r < kRows; ++r)
            take(rows[r], out[r]);
    };
    switch (type) {
        case WeightType::Q8_0:
            return each([=](const Row& row, Unit& to) { takeQ8_0(row, columns, unit, to); });
        case WeightType::Q4_0:
            return each([=](const Row& row, Unit& to) { takeNibbles<false>(row, columns, unit, to); });
        case WeightType::Q5_0:
            return each([=](const Row& row, Unit& to) { takeNibbles<true>(row, columns, unit, to); });
        case WeightType::Q4_K:
            return each([=](const Row& row, Unit& to) { takeK<false>(row, unit, to); });
        case WeightType::Q5_K:
            return each([=](const Row& row, Unit& to) { takeK<true>(row, unit, to); });
        case WeightType::Q6_K:
            return each([=](const Row& row, Unit& to) { takeQ6_K(row, columns, unit, to); });
        default:
            return each([=](const Row& row, Unit& to) { takeBf16(row, unit, to); });
    }
}
__device__ __forceinline__ bool hasMinimum(WeightType type) {
    return type == WeightType::Q4_K || type == WeightType::Q5_K;
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

// The products of the same unit of some rows. `input(unit, i)`: the i-th 16 bytes of the unit's 32 inputs.
template <int kRows, class Input>
__device__ __forceinline__ void dotUnits(const Unit (&weights)[kRows], bool withMinimum, int unit, Input input,
                                         float (&out)[kRows]) {
    float sums[kRows][2] = {};
#pragma unroll
    for (int i = 0; i < kUnitVectors; ++i) {
        float x[8];
        unpack8(input(unit, i), x);
#pragma unroll
        for (int j = 0; j < 8; ++j)
#pragma unroll
            for (int r = 0; r < kRows; ++r)
                sums[r][i / 2] = fmaf(weights[r].integers[8 * i + j], x[j], sums[r][i / 2]);
    }
    // Said with its roundings: every kernel that multiplies by packed weights is to give the same bits.
#pragma unroll
    for (int r = 0; r < kRows; ++r)
        out[r] = fmaf(sums[r][1], weights[r].scales[1], sums[r][0] * weights[r].scales[0]);
    if (!withMinimum) return;
    float inputs = 0;
#pragma unroll
    for (int i = 0; i < kUnitVectors; ++i) {
        float x[8];
        unpack8(input(unit, i), x);
#pragma unroll
        for (int j = 0; j < 8; ++j)
            inputs += x[j];
    }
#pragma unroll
    for (int r = 0; r < kRows; ++r)
        out[r] = fmaf(-inputs, weights[r].minimum, out[r]);
}

template <class Row>
struct PackedRow {
    Row row;
    WeightType type;
};

// A lane's part of the products of two rows of `columns` with one input, of which `threads` threads take units in
// turns, this warp's lanes those from `warpFirst` on; in the order of one row alone. Rows of one type are multiplied
// together, so that the latencies of one cover the other's, and their ends in one go where they are no more than half a
// warp wide (1152 columns are 36 units).
template <class Row, class Input>
__device__ __forceinline__ float2 dotTwoRows(const PackedRow<Row>& first, const PackedRow<Row>& second, int columns,
                                             int warpFirst, int threads, Input input) {
    constexpr int kHalf = kWarp / 2;
    const int lane = static_cast<int>(threadIdx.x) % kWarp;
    const int units = columns / kUnit, ahead = max(units - warpFirst, 0);
    const int end = ahead % threads;
    const int rounds = ahead / threads + (end >= kWarp ? 1 : 0), rest = end >= kWarp ? 0 : end;
    const bool joined = rest <= kHalf && first.type == second.type;
    const int passes = 2 * rounds + (rest == 0 ? 0 : joined ? 1 : 2);
    const int inEnd = joined ? lane % kHalf : lane;
    const int lastUnit = min(warpFirst + rounds * threads + inEnd, units - 1);
    float2 sum{0, 0};
    int unit = rounds > 0 ? warpFirst + lane : lastUnit;
    int pass = 0;
    if (first.type == second.type) {
        const Row rows[2] = {first.row, second.row};
#pragma unroll 1
        for (int round = 0; round < rounds; ++round) {
            const int ofRound = warpFirst + round * threads + lane;
            Unit taken[2];
            float product[2];
            takeUnits(first.type, rows, columns, ofRound, taken);
            dotUnits(taken, hasMinimum(first.type), ofRound, input, product);
            sum.x += product[0];
            sum.y += product[1];
        }
        pass = 2 * rounds;
        unit = lastUnit;
    }
#pragma unroll 1
    for (; pass < passes; ++pass) {
        const bool last = pass >= 2 * rounds;
        const bool ofSecond = last ? (joined ? lane >= kHalf : pass > 2 * rounds) : pass >= rounds;
        const Row rows[1] = {ofSecond ? second.row : first.row};
        const WeightType type = joined || !ofSecond ? first.type : second.type;
        Unit taken[1];
        float product[1];
        takeUnits(type, rows, columns, unit, taken);
        dotUnits(taken, hasMinimum(type), unit, input, product);
        if (last && inEnd >= rest) product[0] = 0;
        const float other = last && joined ? __shfl_down_sync(0xffffffffU, product[0], kHalf) : product[0];
        if (!ofSecond) sum.x += product[0];
        if (last && joined ? !ofSecond : ofSecond) sum.y += other;
        unit = pass + 1 == rounds ? warpFirst + lane : unit + threads;
        if (pass + 1 >= 2 * rounds) unit = lastUnit;
    }
    return sum;
}

// `store(i, value)` for each of a unit's weights.
template <class Store>
__device__ __forceinline__ void eachWeight(const PackedMatrix& matrix, int row, int unit, Store store) {
    const DeviceRow rows[1] = {{{packedRow(matrix, row)}}};
    Unit taken[1];
    takeUnits(matrix.type, rows, matrix.columns, unit, taken);
#pragma unroll
    for (int i = 0; i < kUnit; ++i)
        store(i, taken[0].integers[i] * taken[0].scales[i / (kUnit / 2)] - taken[0].minimum);
}

}  // namespace gapscope::cuda

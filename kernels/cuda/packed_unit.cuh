// 32 weights of a packed row as small integers with their scales, for products with an input of small integers and for
// turning rows back to numbers.
#pragma once

#include <cuda_fp16.h>

#include <type_traits>

#include "kernels/cuda/packed_input.cuh"

namespace gapscope::cuda {

constexpr int kPackedSplitThreads = 256;
constexpr int kPackedRowBlocks = 4;  // said, or the compiler spills registers for more

// Value of weight i: (byte i of words - kOffset) * scale - minimum.
template <WeightType kType>
struct Unit {
    static constexpr int kOffset = kType == WeightType::Q4_0   ? 8
                                   : kType == WeightType::Q5_0 ? 16
                                   : kType == WeightType::Q6_K ? 32
                                                               : 0;
    static constexpr bool kHasMinimum = kType == WeightType::Q4_K || kType == WeightType::Q5_K;
    static constexpr bool kHasTwoScales = kType == WeightType::Q6_K;
    unsigned words[kUnit / 4];
    float scale;
    float upperScale;  // of the last 16, where there are two
    float minimum;
};
template <>
struct Unit<WeightType::BF16> {
    uint4 vectors[kUnit / 8];
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

constexpr unsigned kTwoTo23 = 0x4B000000U;  // as a float; an integer below it fits into its mantissa

// Four bytes 0..255 of a word as floats, less `offset`.
__device__ __forceinline__ void bytesToFloats(unsigned word, int offset, float* out) {
    const float subtract = 8388608.0F + static_cast<float>(offset);
    out[0] = __uint_as_float(__byte_perm(word, kTwoTo23, 0x7650)) - subtract;
    out[1] = __uint_as_float(__byte_perm(word, kTwoTo23, 0x7651)) - subtract;
    out[2] = __uint_as_float(__byte_perm(word, kTwoTo23, 0x7652)) - subtract;
    out[3] = __uint_as_float(__byte_perm(word, kTwoTo23, 0x7653)) - subtract;
}

__device__ __forceinline__ unsigned wordOf(const uint4& vector, int i) {
    return i == 0 ? vector.x : i == 1 ? vector.y : i == 2 ? vector.z : vector.w;
}

template <class Row>
__device__ __forceinline__ Unit<WeightType::BF16> takeBf16(const Row& row, int unit) {
    Unit<WeightType::BF16> out;
#pragma unroll
    for (int i = 0; i < kUnit / 8; ++i)
        out.vectors[i] = row.vector((unit * (kUnit / 8) + i) * 16);
    return out;
}

template <class Row>
__device__ __forceinline__ Unit<WeightType::Q8_0> takeQ8_0(const Row& row, int columns, int unit) {
    Unit<WeightType::Q8_0> out;
    out.scale = row.half(columns + 2 * unit);
#pragma unroll
    for (int i = 0; i < 2; ++i) {
        const uint4 bytes = row.vector(columns / 2 * i + unit * 16);
#pragma unroll
        for (int j = 0; j < 4; ++j)
            out.words[4 * i + j] = wordOf(bytes, j);
    }
    return out;
}

// Q4_0 and, with high bits, Q5_0: low nibbles are the first 16 weights, high nibbles the others.
template <WeightType kType, class Row>
__device__ __forceinline__ Unit<kType> takeNibbles(const Row& row, int columns, int unit) {
    constexpr bool kHighBits = kType == WeightType::Q5_0;
    const int units = columns / kUnit;
    Unit<kType> out;
    unsigned high = 0;
    if (kHighBits) high = row.word(16 * units + 4 * unit);
    out.scale = row.half((kHighBits ? 20 : 16) * units + 2 * unit);
    const uint4 bytes = row.vector(unit * 16);
#pragma unroll
    for (int j = 0; j < 4; ++j) {
        const unsigned word = wordOf(bytes, j);
        out.words[j] = (word & 0x0F0F0F0FU) | (kHighBits ? high << (4 - j) & 0x10101010U : 0);
        out.words[4 + j] = ((word >> 4) & 0x0F0F0F0FU) | (kHighBits ? high >> j & 0x10101010U : 0);
    }
    return out;
}

// Of an integer below 2^23.
__device__ __forceinline__ float floatOf(unsigned integer) {
    return __uint_as_float(kTwoTo23 | integer) - 8388608.0F;
}

// Q4_K and Q5_K: eight sub-blocks with 6-bit scales and minimums, packed into 12 bytes behind two halves.
template <WeightType kType, class Row>
__device__ __forceinline__ Unit<kType> takeK(const Row& row, int unit) {
    constexpr bool kHighBits = kType == WeightType::Q5_K;
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
    Unit<kType> out;
    out.scale = __low2float(factors) * floatOf(scale);
    out.minimum = __high2float(factors) * floatOf(minimum);
    const int nibbles = block + (kHighBits ? 48 : 16) + 32 * (sub / 2);
#pragma unroll
    for (int i = 0; i < 2; ++i) {
        const uint4 bytes = row.vector(nibbles + 16 * i);
        const uint4 high = kHighBits ? row.vector(block + 16 + 16 * i) : uint4{0, 0, 0, 0};
#pragma unroll
        for (int j = 0; j < 4; ++j) {
            unsigned& word = out.words[4 * i + j];
            word = wordOf(bytes, j) >> (4 * (sub & 1)) & 0x0F0F0F0FU;
            if (kHighBits) word |= (wordOf(high, j) >> sub & 0x01010101U) << 4;
        }
    }
    return out;
}

template <class Row>
__device__ __forceinline__ Unit<WeightType::Q6_K> takeQ6_K(const Row& row, int columns, int unit) {
    const int blocks = columns / 256;
    const int block = unit / 8 * 208;
    const int half = unit % 8 / 4;
    const int part = unit % 4;
    const float factor = row.half(blocks * 208 + 2 * (unit / 8));
    const int2 scales = row.signedBytes(block + 192 + 8 * half + 2 * part);
    Unit<WeightType::Q6_K> out;
    out.scale = factor * static_cast<float>(scales.x);
    out.upperScale = factor * static_cast<float>(scales.y);
#pragma unroll
    for (int i = 0; i < 2; ++i) {
        const uint4 low = row.vector(block + 64 * half + 32 * (part & 1) + 16 * i);
        const uint4 high = row.vector(block + 128 + 32 * half + 16 * i);
#pragma unroll
        for (int j = 0; j < 4; ++j)
            out.words[4 * i + j] = (wordOf(low, j) >> (part >= 2 ? 4 : 0) & 0x0F0F0F0FU) |
                                   (wordOf(high, j) >> (2 * part) & 0x03030303U) << 4;
    }
    return out;
}

// `use` gets the function that takes a unit of a row of such a type.
template <class Use>
__device__ __forceinline__ void withUnits(WeightType type, int columns, Use use) {
    switch (type) {
        case WeightType::Q8_0:
            return use([=](const auto& row, int unit) { return takeQ8_0(row, columns, unit); });
        case WeightType::Q4_0:
            return use([=](const auto& row, int unit) { return takeNibbles<WeightType::Q4_0>(row, columns, unit); });
        case WeightType::Q5_0:
            return use([=](const auto& row, int unit) { return takeNibbles<WeightType::Q5_0>(row, columns, unit); });
        case WeightType::Q4_K:
            return use([=](const auto& row, int unit) { return takeK<WeightType::Q4_K>(row, unit); });
        case WeightType::Q5_K:
            return use([=](const auto& row, int unit) { return takeK<WeightType::Q5_K>(row, unit); });
        case WeightType::Q6_K:
            return use([=](const auto& row, int unit) { return takeQ6_K(row, columns, unit); });
        default:
            return use([=](const auto& row, int unit) { return takeBf16(row, unit); });
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

// Adds the products of the unit's first or last 16.
template <WeightType kType>
__device__ __forceinline__ int dotSixteen(const Unit<kType>& weights, const InputUnit& input, int half, int sum) {
#pragma unroll
    for (int i = 0; i < 4; ++i)
        sum =
            __dp4a(static_cast<int>(weights.words[4 * half + i]), static_cast<int>(wordOf(input.words[half], i)), sum);
    return sum;
}

// A unit's product. Its operations are said with their roundings: every kernel that multiplies by packed weights is to
// give the same bits.
template <WeightType kType>
__device__ __forceinline__ float dotUnit(const Unit<kType>& weights, const InputUnit& input) {
    const auto toFloat = [](int sum) { return __int_as_float(sum) - kIntegersFrom; };
    const auto start = [](int inputs) { return kIntegersAsFloat - Unit<kType>::kOffset * inputs; };
    float product = 0;
    if constexpr (Unit<kType>::kHasTwoScales) {
        const float first = toFloat(dotSixteen(weights, input, 0, start(input.sumOfFirst())));
        const float second = toFloat(dotSixteen(weights, input, 1, start(input.sumOfAll() - input.sumOfFirst())));
        product = fmaf(second, weights.upperScale, __fmul_rn(first, weights.scale));
    } else {
        const int first = dotSixteen(weights, input, 0, start(input.sumOfAll()));
        product = __fmul_rn(toFloat(first + dotSixteen(weights, input, 1, 0)), weights.scale);
        if constexpr (Unit<kType>::kHasMinimum)
            product = fmaf(-weights.minimum, toFloat(start(0) + input.sumOfAll()), product);
    }
    return __fmul_rn(product, input.scale);
}
__device__ __forceinline__ float dotUnit(const Unit<WeightType::BF16>& weights, const InputUnit& input) {
    float product = 0;
#pragma unroll
    for (int i = 0; i < kUnit / 8; ++i) {
        float w[8], x[8];
        unpack8(weights.vectors[i], w);
#pragma unroll
        for (int j = 0; j < 2; ++j)  // signed bytes: those of 0..255 less 128
            bytesToFloats(wordOf(input.words[i / 2], 2 * (i % 2) + j) ^ 0x80808080U, 128, x + 4 * j);
#pragma unroll
        for (int j = 0; j < 8; ++j)
            product = fmaf(w[j], x[j], product);
    }
    return __fmul_rn(product, input.scale);
}

// A row is short where a warp takes two at a time, one by each half: all but the long ones of gemv(), which a block of
// kPackedSplitThreads shares. Lanes take units in turns.
constexpr int kLanesOfRow = kWarp / 2;
__device__ __forceinline__ int laneOfRow() {
    return static_cast<int>(threadIdx.x) % kLanesOfRow;
}
__device__ __forceinline__ int halfOfWarp() {
    return static_cast<int>(threadIdx.x) % kWarp / kLanesOfRow;
}
// A choice in registers: one of addresses would put both in memory.
__device__ __forceinline__ PackedMatrix matrixOfHalf(const PackedMatrix& first, const PackedMatrix& second) {
    const bool upper = halfOfWarp() != 0;
    return {upper ? second.data : first.data, upper ? second.type : first.type, upper ? second.rows : first.rows,
            upper ? second.columns : first.columns, upper ? second.rowBytes : first.rowBytes};
}
// Over the lanes of a row, in each of them.
__device__ __forceinline__ float rowSum(float value) {
#pragma unroll
    for (int offset = kLanesOfRow / 2; offset > 0; offset /= 2)
        value += __shfl_xor_sync(0xffffffffU, value, offset);
    return value;
}

// A lane's part of a row's product: every `step`th unit from `first` on.
template <class Row>
__device__ __forceinline__ float dotRow(WeightType type, const Row& row, int first, int step,
                                        const PackedInput& input) {
    float sum = 0;
    withUnits(type, input.count * kUnit, [&](auto take) {
#pragma unroll 1
        for (int unit = first; unit < input.count; unit += step)
            sum += dotUnit(take(row, unit), input.unit(unit));
    });
    return sum;
}

// `store(i, value)` for each of a unit's weights.
template <WeightType kType, class Store>
__device__ __forceinline__ void eachWeight(const Unit<kType>& unit, Store store) {
    constexpr int kSign = kType == WeightType::Q8_0 ? 128 : 0;  // bytes of -128..127 become 0..255 less 128
#pragma unroll
    for (int i = 0; i < kUnit / 4; ++i) {
        float integers[4];
        bytesToFloats(unit.words[i] ^ (kSign != 0 ? 0x80808080U : 0), kSign + Unit<kType>::kOffset, integers);
        const float scale = Unit<kType>::kHasTwoScales && i >= kUnit / 8 ? unit.upperScale : unit.scale;
#pragma unroll
        for (int j = 0; j < 4; ++j)
            store(4 * i + j, Unit<kType>::kHasMinimum ? fmaf(integers[j], scale, -unit.minimum) : integers[j] * scale);
    }
}
template <class Store>
__device__ __forceinline__ void eachWeight(const Unit<WeightType::BF16>& unit, Store store) {
#pragma unroll
    for (int i = 0; i < kUnit / 8; ++i) {
        float values[8];
        unpack8(unit.vectors[i], values);
#pragma unroll
        for (int j = 0; j < 8; ++j)
            store(8 * i + j, values[j]);
    }
}
template <class Store>
__device__ __forceinline__ void eachWeight(const PackedMatrix& matrix, int row, int unit, Store store) {
    withUnits(matrix.type, matrix.columns,
              [&](auto take) { eachWeight(take(DeviceRow{{packedRow(matrix, row)}}, unit), store); });
}

}  // namespace gapscope::cuda

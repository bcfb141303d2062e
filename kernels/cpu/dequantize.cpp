// The block formulas of ggml's formats, written for reading, not for speed.
#include "kernels/cpu/dequantize.h"

#include <bit>
#include <cassert>
#include <cstring>

namespace gapscope {

namespace {

uint8_t byteAt(const std::byte* bytes, int64_t index) {
    return static_cast<uint8_t>(bytes[index]);
}

uint16_t load16(const std::byte* bytes) {
    uint16_t value = 0;
    std::memcpy(&value, bytes, sizeof value);
    return value;
}

uint32_t load32(const std::byte* bytes) {
    uint32_t value = 0;
    std::memcpy(&value, bytes, sizeof value);
    return value;
}

void dequantizeQ8_0(const std::byte* block, float* out) {
    const float d = halfToFloat(load16(block));
    for (int i = 0; i < 32; ++i)
        out[i] = d * static_cast<float>(static_cast<int8_t>(byteAt(block, 2 + i)));
}

void dequantizeQ4_0(const std::byte* block, float* out) {
    const float d = halfToFloat(load16(block));
    for (int i = 0; i < 16; ++i) {
        const int q = byteAt(block, 2 + i);
        out[i] = d * static_cast<float>((q & 15) - 8);
        out[i + 16] = d * static_cast<float>((q >> 4) - 8);
    }
}

void dequantizeQ5_0(const std::byte* block, float* out) {
    const float d = halfToFloat(load16(block));
    const uint32_t high = load32(block + 2);
    for (int i = 0; i < 16; ++i) {
        const int q = byteAt(block, 6 + i);
        const int low = (q & 15) | static_cast<int>(((high >> i) & 1) << 4);
        const int up = (q >> 4) | static_cast<int>(((high >> (i + 16)) & 1) << 4);
        out[i] = d * static_cast<float>(low - 16);
        out[i + 16] = d * static_cast<float>(up - 16);
    }
}

// Q4_K and Q5_K pack eight 6-bit scales and eight 6-bit minima into 12 bytes.
void unpackScaleAndMin(const std::byte* scales, int sub, int& scale, int& minimum) {
    if (sub < 4) {
        scale = byteAt(scales, sub) & 63;
        minimum = byteAt(scales, sub + 4) & 63;
    } else {
        scale = (byteAt(scales, sub + 4) & 15) | ((byteAt(scales, sub - 4) >> 6) << 4);
        minimum = (byteAt(scales, sub + 4) >> 4) | ((byteAt(scales, sub) >> 6) << 4);
    }
}

// `high` is null for Q4_K.
void dequantizeKWithMin(const std::byte* block, const std::byte* high, const std::byte* low, float* out) {
    const float d = halfToFloat(load16(block));
    const float dmin = halfToFloat(load16(block + 2));
    for (int sub = 0; sub < 8; ++sub) {
        int scale = 0;
        int minimum = 0;
        unpackScaleAndMin(block + 4, sub, scale, minimum);
        const float step = d * static_cast<float>(scale);
        const float offset = dmin * static_cast<float>(minimum);
        for (int i = 0; i < 32; ++i) {
            const int both = byteAt(low, 32 * (sub / 2) + i);
            int q = sub % 2 == 0 ? both & 15 : both >> 4;
            if (high && ((byteAt(high, i) >> sub) & 1)) q += 16;
            out[32 * sub + i] = step * static_cast<float>(q) - offset;
        }
    }
}

void dequantizeQ6_K(const std::byte* block, float* out) {
    const float d = halfToFloat(load16(block + 208));
    for (int half = 0; half < 2; ++half) {
        const std::byte* const low = block + 64 * half;
        const std::byte* const high = block + 128 + 32 * half;
        const std::byte* const scales = block + 192 + 8 * half;
        for (int quarter = 0; quarter < 4; ++quarter) {
            for (int i = 0; i < 32; ++i) {
                const int lowByte = byteAt(low, 32 * (quarter % 2) + i);
                const int lowBits = quarter < 2 ? lowByte & 15 : lowByte >> 4;
                const int highBits = (byteAt(high, i) >> (2 * quarter)) & 3;
                const int scale = static_cast<int8_t>(byteAt(scales, 2 * quarter + i / 16));
                out[128 * half + 32 * quarter + i] =
                    d * static_cast<float>(scale) * static_cast<float>((lowBits | (highBits << 4)) - 32);
            }
        }
    }
}

}  // namespace

void dequantizeRow(WeightType type, const std::byte* row, int64_t columns, float* out) {
    const WeightTypeInfo info = weightTypeInfo(type);
    assert(columns % info.blockElements == 0);
    for (int64_t i = 0; i < columns; i += info.blockElements, row += info.blockBytes, out += info.blockElements) {
        switch (type) {
            case WeightType::F32:
                std::memcpy(out, row, sizeof *out);
                break;
            case WeightType::F16:
                *out = halfToFloat(load16(row));
                break;
            case WeightType::BF16:
                *out = bfloat16ToFloat(load16(row));
                break;
            case WeightType::Q8_0:
                dequantizeQ8_0(row, out);
                break;
            case WeightType::Q4_0:
                dequantizeQ4_0(row, out);
                break;
            case WeightType::Q5_0:
                dequantizeQ5_0(row, out);
                break;
            case WeightType::Q4_K:
                dequantizeKWithMin(row, nullptr, row + 16, out);
                break;
            case WeightType::Q5_K:
                dequantizeKWithMin(row, row + 16, row + 48, out);
                break;
            case WeightType::Q6_K:
                dequantizeQ6_K(row, out);
                break;
        }
    }
}

float halfToFloat(uint16_t bits) {
    const uint32_t sign = static_cast<uint32_t>(bits & 0x8000U) << 16;
    const uint32_t exponent = (bits >> 10) & 31U;
    const uint32_t fraction = bits & 0x3ffU;
    if (exponent == 0) {  // zero or subnormal: fraction * 2^-24
        const float magnitude = static_cast<float>(fraction) * 0x1p-24F;
        return sign ? -magnitude : magnitude;
    }
    const uint32_t wideExponent = exponent == 31 ? 255 : exponent + 112;
    return std::bit_cast<float>(sign | (wideExponent << 23) | (fraction << 13));
}

uint16_t floatToHalf(float value) {
    const uint32_t bits = std::bit_cast<uint32_t>(value);
    const uint32_t sign = (bits >> 16) & 0x8000U;
    const uint32_t magnitude = bits & 0x7fffffffU;
    if (magnitude > 0x7f800000U) return static_cast<uint16_t>(sign | 0x7e00U);   // NaN
    if (magnitude >= 0x477ff000U) return static_cast<uint16_t>(sign | 0x7c00U);  // rounds to 65536 or more
    if (magnitude < 0x38800000U) {                                               // below 2^-14: subnormal
        // Adding 0.5 leaves the value's multiples of 2^-24, rounded to nearest even, in the low bits.
        const float shifted = std::bit_cast<float>(magnitude) + 0.5F;
        return static_cast<uint16_t>(sign | (std::bit_cast<uint32_t>(shifted) - 0x3f000000U));
    }
    const uint32_t odd = (magnitude >> 13) & 1U;
    return static_cast<uint16_t>(sign | ((magnitude - 0x38000000U + 0xfffU + odd) >> 13));
}

float bfloat16ToFloat(uint16_t bits) {
    return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
}

uint16_t floatToBfloat16(float value) {
    const uint32_t bits = std::bit_cast<uint32_t>(value);
    if ((bits & 0x7fffffffU) > 0x7f800000U) return static_cast<uint16_t>((bits >> 16) | 0x40U);
    return static_cast<uint16_t>((bits + 0x7fffU + ((bits >> 16) & 1U)) >> 16);
}

}  // namespace gapscope

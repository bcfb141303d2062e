#include "kernels/cuda/packed_matrix.h"

#include <array>
#include <cstring>

namespace gapscope::cuda {

namespace {

constexpr int64_t kAlignment = 16;

// A part of a block: where it begins in the file's block, and its bytes. Parts are laid out in this order.
struct Part {
    int64_t from = 0;
    int64_t bytes = 0;
};
using Parts = std::array<Part, 3>;

Parts partsOf(WeightType type) {
    switch (type) {
        case WeightType::Q8_0:
            return {{{2, 16}, {18, 16}, {0, 2}}};
        case WeightType::Q4_0:
            return {{{2, 16}, {0, 2}, {}}};
        case WeightType::Q5_0:
            return {{{6, 16}, {2, 4}, {0, 2}}};
        case WeightType::Q6_K:
            return {{{0, 208}, {208, 2}, {}}};
        case WeightType::F32:
        case WeightType::F16:
        case WeightType::BF16:
        case WeightType::Q4_K:
        case WeightType::Q5_K:
            break;
    }
    return {{{0, weightTypeInfo(type).blockBytes}, {}, {}}};
}

// Of a block of Q5_0; the file has that of weight i in bit i.
uint32_t rearrangedHighBits(uint32_t bits) {
    uint32_t out = 0;
    for (unsigned four = 0; four < 8; ++four)  // one in each byte, by a product that moves bit b to bit 8 b
        out |= ((bits >> (4 * four) & 0xFU) * 0x00204081U & 0x01010101U) << four;
    return out;
}

}  // namespace

bool canPack(WeightType type) {
    return type != WeightType::F32 && type != WeightType::F16;
}

int64_t packedRowBytes(WeightType type, int64_t columns) {
    return (gapscope::rowBytes(type, columns) + kAlignment - 1) / kAlignment * kAlignment;
}

void packRow(WeightType type, const std::byte* fileRow, int64_t columns, std::byte* out) {
    const WeightTypeInfo info = weightTypeInfo(type);
    const int64_t blocks = columns / info.blockElements;
    std::byte* at = out;
    for (const Part& part : partsOf(type))
        for (int64_t block = 0; block < (part.bytes > 0 ? blocks : 0); ++block, at += part.bytes)
            std::memcpy(at, fileRow + block * info.blockBytes + part.from, static_cast<size_t>(part.bytes));
    if (type == WeightType::Q5_0) {
        std::byte* const highBits = out + 16 * blocks;
        for (int64_t block = 0; block < blocks; ++block) {
            uint32_t bits = 0;
            std::memcpy(&bits, highBits + 4 * block, sizeof bits);
            bits = rearrangedHighBits(bits);
            std::memcpy(highBits + 4 * block, &bits, sizeof bits);
        }
    }
    std::memset(at, 0, static_cast<size_t>(packedRowBytes(type, columns) - (at - out)));
}

}  // namespace gapscope::cuda

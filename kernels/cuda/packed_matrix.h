// GGUF block types on the device, kept packed: the file's bits, each part of a block moved to where it can be read 16
// bytes at a time. Plain C++.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/weight_type.h"

namespace gapscope::cuda {

// Rows of `columns` weights (a multiple of 32, of the K types 256), `rowBytes` apart, aligned to 16 bytes. What a row
// holds, all its blocks' parts of one kind together (block layouts: kernels/cpu/dequantize.h and ggml's):
//   Q8_0  the first 16 bytes of a block | the other 16 | a half a block
//   Q4_0  16 bytes        | a half
//   Q5_0  16 bytes        | 4 bytes of high bits | a half; bit j of byte b is that of weight 4 j + b, bit 4 + j that of
//         weight 16 + 4 j + b, so that four weights get theirs by one shift
//   Q4_K  144 bytes a block of 256, as in the file: scales 16, nibbles 128
//   Q5_K  176 bytes, as in the file: scales 16, high bits 32, nibbles 128
//   Q6_K  208 bytes: low bits 128, high bits 64, scales 16 | a half
//   BF16  2 bytes a weight
struct PackedMatrix {
    const std::byte* data = nullptr;
    WeightType type = WeightType::Q8_0;
    int rows = 0;
    int columns = 0;
    int64_t rowBytes = 0;  // packedRowBytes()
};

inline constexpr int kUnit = 32;  // weights that a lane takes at once

bool canPack(WeightType type);  // every block type, and BF16 beside them
int64_t packedRowBytes(WeightType type, int64_t columns);
// `fileRow`: as MatrixView::row() gives it. Writes packedRowBytes().
void packRow(WeightType type, const std::byte* fileRow, int64_t columns, std::byte* out);

}  // namespace gapscope::cuda

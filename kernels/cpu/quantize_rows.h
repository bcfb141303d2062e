// Activations as int8 blocks of 32 for the Quantized matmul. One form serves every weight format.
#pragma once

#include <cstddef>
#include <cstdint>

namespace gapscope {

// x ~ scale * values, scale = max|x| / 127, values rounded to nearest even. All matmuls multiply *unsigned* weights by
// these and put the weights' zero point right with the sums: w = u - z gives sum(w x) = sum(u x) - z sum(x).
struct QuantizedBlock {
    int8_t values[32];
    float scale;
    float scaledSum;      // scale * sum of all 32 values
    int32_t minusSum;     // -(sum of all 32 values)
    int32_t minusSumLow;  // -(sum of values 0..15)
};
static_assert(sizeof(QuantizedBlock) == 48);

// Bytes of a buffer for `tokens` rows of `columns` (a multiple of 32): [tokens][columns / 32] blocks, any alignment
// of 4.
constexpr int64_t quantizedBytes(int64_t tokens, int64_t columns) {
    return tokens * (columns / 32) * static_cast<int64_t>(sizeof(QuantizedBlock));
}

// Parts split over tokens. A matmul that reads `out` must start after all parts ended.
struct QuantizeRowsArgs {
    const float* x = nullptr;  // [tokens, columns]
    int64_t xStride = 0;
    int64_t tokens = 0;
    int64_t columns = 0;
    std::byte* out = nullptr;  // quantizedBytes(tokens, columns), aligned to 4
};

}  // namespace gapscope

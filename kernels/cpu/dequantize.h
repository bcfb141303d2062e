// Weight formats as plain floats: the formulas of ggml's blocks, one element at a time. Oracle of every faster path.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/weight_type.h"

namespace gapscope {

// One row of `columns` elements (a multiple of the format's block) from `row`, which needs no alignment.
void dequantizeRow(WeightType type, const std::byte* row, int64_t columns, float* out);

// IEEE half and bfloat16, bit patterns in and out; conversions to them round to nearest even.
float halfToFloat(uint16_t bits);
uint16_t floatToHalf(float value);
float bfloat16ToFloat(uint16_t bits);
uint16_t floatToBfloat16(float value);

}  // namespace gapscope

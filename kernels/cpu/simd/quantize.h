// Activations to int8 blocks. Included once per instruction set.
#pragma once

#include "kernels/cpu/quantize_rows.h"
#include "kernels/cpu/work_split.h"

namespace gapscope {
namespace {

inline void quantizeBlock(const float* x, QuantizedBlock* out) {
    constexpr int64_t kVectors = 32 / kLanes;
    FloatV largest = zeroF();
    for (int64_t i = 0; i < kVectors; ++i)
        largest = maxF(largest, absF(loadF(x + i * kLanes)));
    const float peak = largestF(largest);
    const FloatV inverse = setF(peak > 0 ? 127.0F / peak : 0.0F);
    FloatV halves[2] = {zeroF(), zeroF()};
    for (int64_t i = 0; i < kVectors; ++i) {
        // minF takes its second operand for NaN (infinity times 0), so the conversion below is always defined.
        FloatV value = roundF(mulF(loadF(x + i * kLanes), inverse));
        value = maxF(minF(value, setF(127.0F)), setF(-127.0F));
        storeBytes(out->values + i * kLanes, value);
        FloatV& half = halves[i * kLanes / 16];
        half = addF(half, value);
    }
    const auto low = static_cast<int32_t>(sumF(halves[0]));
    const auto high = static_cast<int32_t>(sumF(halves[1]));
    out->scale = peak / 127.0F;
    out->scaledSum = out->scale * static_cast<float>(low + high);
    out->minusSum = -(low + high);
    out->minusSumLow = -low;
}

void quantizeRows(const QuantizeRowsArgs& args, Part part) {
    const int64_t blocks = args.columns / 32;
    auto* const out = reinterpret_cast<QuantizedBlock*>(args.out);
    const WorkRange range = workRange(args.tokens, part);
    for (int64_t t = range.begin; t < range.end; ++t)
        for (int64_t b = 0; b < blocks; ++b)
            quantizeBlock(args.x + t * args.xStride + 32 * b, out + t * blocks + b);
}

}  // namespace
}  // namespace gapscope

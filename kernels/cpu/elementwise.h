// Small ops: the gated GELU, and one op for each that PyTorch's eager Gemma modules launch.
// Outputs may be an input (same pointer and stride) unless an op says otherwise.
#pragma once

#include <cstdint>

namespace gapscope {

// out = f(in), `count` contiguous elements. Parts split over elements.
struct UnaryArgs {
    const float* in = nullptr;
    float* out = nullptr;
    int64_t count = 0;
};

// out = in op value.
struct ScalarArgs {
    const float* in = nullptr;
    float value = 0;
    float* out = nullptr;
    int64_t count = 0;
};

// out = a op b.
struct BinaryArgs {
    const float* a = nullptr;
    const float* b = nullptr;
    float* out = nullptr;
    int64_t count = 0;
};

// out[r] = mean of x[r, :]. Parts split over rows, as in all ops below.
struct MeanRowsArgs {
    const float* x = nullptr;  // [rows, columns]
    int64_t xStride = 0;
    int64_t rows = 0;
    int64_t columns = 0;
    float* out = nullptr;  // [rows]
};

// mulRows: out[r, c] = x[r, c] * factors[r]; mulWeights: out[r, c] = x[r, c] * factors[c].
struct MulFactorsArgs {
    const float* x = nullptr;
    int64_t xStride = 0;
    int64_t rows = 0;
    int64_t columns = 0;
    const float* factors = nullptr;
    float* out = nullptr;
    int64_t outStride = 0;
};

// geluGate: out = gelu_tanh(gate) * up, gelu_tanh(g) = g / 2 * (1 + tanh(sqrt(2 / pi) * (g + 0.044715 g^3))).
struct GeluGateArgs {
    const float* gate = nullptr;  // [rows, columns]
    int64_t gateStride = 0;
    const float* up = nullptr;
    int64_t upStride = 0;
    int64_t rows = 0;
    int64_t columns = 0;
    float* out = nullptr;
    int64_t outStride = 0;
};

// rotateHalf: out[t, h] = (-x[t, h, half:], x[t, h, :half]). Not in place.
struct RotateHalfArgs {
    const float* x = nullptr;  // [tokens, heads, headDim]
    int64_t xStride = 0;
    int64_t tokens = 0;
    int64_t heads = 0;
    int64_t headDim = 0;
    float* out = nullptr;
    int64_t outStride = 0;
};

// out[t, h, d] = x[t, h, d] * factors[t, d].
struct MulBroadcastHeadsArgs {
    const float* x = nullptr;  // [tokens, heads, headDim]
    int64_t xStride = 0;
    int64_t tokens = 0;
    int64_t heads = 0;
    int64_t headDim = 0;
    const float* factors = nullptr;  // [tokens, headDim]
    float* out = nullptr;
    int64_t outStride = 0;
};

// out[r, :] = x[r, :]. No overlap.
struct CopyArgs {
    const float* x = nullptr;
    int64_t xStride = 0;
    int64_t rows = 0;
    int64_t columns = 0;
    float* out = nullptr;
    int64_t outStride = 0;
};

}  // namespace gapscope

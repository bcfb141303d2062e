// out = X * W^T for up to three matrices that share X (q, k and v; gate and up), and gate/up with its GELU.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/cpu/packed_matrix.h"
#include "kernels/cpu/quantize_rows.h"

namespace gapscope {

struct MatmulTarget {
    const PackedMatrix* weights = nullptr;  // [N, K], packed for the Isa that runs it (or borrowed)
    float* out = nullptr;                   // [tokens, N]
    int64_t outStride = 0;
};

// Parts split over output rows N (in whole panels), over all targets together. `out` must not overlap `x`.
// `quantized` holds X from quantizeRows and is read by targets that want it (PackedMatrix::wantsQuantized), `x` by the
// others. With one token and K up to kSelfQuantizedColumns, `quantized` may be null: every part then quantises `x` for
// itself, which for one row is cheaper than the barrier between two ops.
inline constexpr int64_t kSelfQuantizedColumns = 16384;

// `asSingles`: each token's sums are added in the order of a pass with that token alone, so that the results are the
// same bit for bit. The quantised kernels do so anyway; the exact ones give up their tiles for it.
// Without it the exact ones add up a token's products in one order in passes of fewer tokens than kDirectTokens, and in
// another, whatever their number, in larger ones.
inline constexpr int64_t kDirectTokens = 4;

struct MatmulArgs {
    const float* x = nullptr;  // [tokens, K]
    int64_t xStride = 0;
    const std::byte* quantized = nullptr;
    int64_t tokens = 0;
    bool asSingles = false;
    MatmulTarget targets[3];
    int targetCount = 1;  // all with the same K
};

// out = gelu_tanh(X * gate^T) * (X * up^T). Each part needs its own rows of both only, so there is no barrier inside.
// `scratch` [tokens, N] is overwritten; gate and up have the same shape.
struct GateUpArgs {
    const float* x = nullptr;  // [tokens, K]
    int64_t xStride = 0;
    const std::byte* quantized = nullptr;  // as in MatmulArgs
    int64_t tokens = 0;
    bool asSingles = false;
    const PackedMatrix* gate = nullptr;
    const PackedMatrix* up = nullptr;
    float* out = nullptr;  // [tokens, N]
    int64_t outStride = 0;
    float* scratch = nullptr;  // [tokens, N]
    int64_t scratchStride = 0;
};

}  // namespace gapscope

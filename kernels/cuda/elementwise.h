// Small ops: the gated GELU, and one kernel for each that PyTorch's eager Gemma 3 launches, in its number formats: bf16
// between modules, fp32 inside a norm. Outputs may be an input unless an op says otherwise.
#pragma once

#include "kernels/cuda/launch.h"

namespace gapscope::cuda {

// out = gelu_tanh(gate) * up over rows: both fp32 [rows, columns], out bf16 [rows, outStride], its padding zeros.
struct GeluGateArgs {
    const float* gate = nullptr;
    const float* up = nullptr;
    int rows = 0;
    int columns = 0;
    Bf16* out = nullptr;
    int outStride = 0;
};
[[nodiscard]] cudaError_t geluGate(const GeluGateArgs& args, const Launch& launch);

// One element in, one out.
[[nodiscard]] cudaError_t castToFloat(const Bf16* in, float* out, int64_t count, const Launch& launch);
[[nodiscard]] cudaError_t castToBf16(const float* in, Bf16* out, int64_t count, const Launch& launch);
[[nodiscard]] cudaError_t square(const float* in, float* out, int64_t count, const Launch& launch);
[[nodiscard]] cudaError_t addScalar(const float* in, float value, float* out, int64_t count, const Launch& launch);
[[nodiscard]] cudaError_t rsqrtEach(const float* in, float* out, int64_t count, const Launch& launch);
[[nodiscard]] cudaError_t mulScalar(const Bf16* in, float value, Bf16* out, int64_t count, const Launch& launch);
[[nodiscard]] cudaError_t gelu(const Bf16* in, Bf16* out, int64_t count, const Launch& launch);
[[nodiscard]] cudaError_t mul(const Bf16* a, const Bf16* b, Bf16* out, int64_t count, const Launch& launch);
[[nodiscard]] cudaError_t add(const Bf16* a, const Bf16* b, Bf16* out, int64_t count, const Launch& launch);

// out[r] = mean of in[r, :].
[[nodiscard]] cudaError_t meanRows(const float* in, int rows, int columns, float* out, const Launch& launch);
// out[r, c] = in[r, c] * factors[r], and ... * factors[c].
[[nodiscard]] cudaError_t mulRows(const float* in, const float* factors, int rows, int columns, float* out,
                                  const Launch& launch);
[[nodiscard]] cudaError_t mulWeights(const float* in, const float* factors, int rows, int columns, float* out,
                                     const Launch& launch);

// x [tokens, heads, headDim]; out[t, h, d] = x[t, h, d] * factors[t, d].
[[nodiscard]] cudaError_t mulHeads(const Bf16* x, const Bf16* factors, int tokens, int heads, int headDim, Bf16* out,
                                   const Launch& launch);
// Both steps of rotate_half: out[r, 0..half) = -x[r, half..), then out[r] = (negated[r], x[r, 0..half)). x has 2 * half
// columns, negated half. Not in place.
[[nodiscard]] cudaError_t negateUpperHalf(const Bf16* x, int rows, int half, Bf16* negated, const Launch& launch);
[[nodiscard]] cudaError_t joinHalves(const Bf16* negated, const Bf16* x, int rows, int half, Bf16* out,
                                     const Launch& launch);

}  // namespace gapscope::cuda

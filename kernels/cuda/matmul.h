// Matrix times matrix for prefill where cuBLASLt is not there: correct everywhere, tiled, not tuned.
#pragma once

#include "kernels/cuda/launch.h"

namespace gapscope::cuda {

// out[t, n] = sum of x[t, k] * matrix[n, k]; x is bf16 [tokens, xStride]; out is fp32 or bf16 [tokens, matrix.rows].
struct MatmulArgs {
    WeightMatrix matrix;
    const Bf16* x = nullptr;
    int xStride = 0;
    int tokens = 0;
    float* out = nullptr;  // one of the two
    Bf16* outBf16 = nullptr;
};
[[nodiscard]] cudaError_t matmul(const MatmulArgs& args, const Launch& launch);

}  // namespace gapscope::cuda

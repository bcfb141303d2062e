// RMS norms of many rows (prefill): out = x / sqrt(mean(x^2) + epsilon) * weights, rounded to bf16. Weights hold 1 + w.
#pragma once

#include "kernels/cuda/launch.h"

namespace gapscope::cuda {

inline constexpr int kMostNormColumns = 8192;

struct RmsNormArgs {
    const float* x = nullptr;  // [rows, columns]
    int rows = 0;
    int columns = 0;  // at most kMostNormColumns
    const float* weights = nullptr;
    float epsilon = 1e-6F;
    Bf16* out = nullptr;  // [rows, outStride]
    int outStride = 0;    // at least columns; the padding is written as zeros
};
[[nodiscard]] cudaError_t rmsNorm(const RmsNormArgs& args, const Launch& launch);

// x += rms(y) * postWeights; then out = rms(x) * nextWeights.
struct AddRmsNormArgs {
    const float* y = nullptr;  // [rows, columns]
    float* x = nullptr;        // [rows, columns], in place
    int rows = 0;
    int columns = 0;  // at most kMostNormColumns
    const float* postWeights = nullptr;
    const float* nextWeights = nullptr;
    float epsilon = 1e-6F;
    Bf16* out = nullptr;
    int outStride = 0;
};
[[nodiscard]] cudaError_t addRmsNorm(const AddRmsNormArgs& args, const Launch& launch);

}  // namespace gapscope::cuda

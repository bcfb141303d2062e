// RMS norms: out = x / sqrt(mean(x^2) + epsilon) * weights. Weights hold Gemma's 1 + w already.
#pragma once

#include <cstdint>

namespace gapscope {

// Parts split over rows. out may be x (in place). Also used per head: rows = tokens * heads, columns = headDim.
struct RmsNormArgs {
    const float* x = nullptr;  // [rows, columns]
    int64_t xStride = 0;
    int64_t rows = 0;
    int64_t columns = 0;
    const float* weights = nullptr;  // [columns]
    float epsilon = 1e-6F;
    float* out = nullptr;  // [rows, columns]
    int64_t outStride = 0;
};

// x += rms(y) * postWeights; then out = rms(x) * nextWeights: the end of one sublayer and the start of the next.
// Parts split over rows. out may be y, not x.
struct AddRmsNormArgs {
    const float* y = nullptr;  // [rows, columns], the sublayer's output
    int64_t yStride = 0;
    float* x = nullptr;  // [rows, columns], the residual stream, in place
    int64_t xStride = 0;
    int64_t rows = 0;
    int64_t columns = 0;
    const float* postWeights = nullptr;  // [columns]
    const float* nextWeights = nullptr;  // [columns]
    float epsilon = 1e-6F;
    float* out = nullptr;  // [rows, columns]
    int64_t outStride = 0;
};

}  // namespace gapscope

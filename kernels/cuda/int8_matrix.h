// Weights of LLM.int8() on the device: int8 with one scale a row. Plain C++.
#pragma once

#include <cstdint>

namespace gapscope::cuda {

// weight[n, k] = data[n, k] * absmax[n] / 127. Rows are `stride` bytes apart, padded with zeros to a multiple of 16.
struct Int8Matrix {
    const int8_t* data = nullptr;   // aligned to 16 bytes
    const float* absmax = nullptr;  // [rows]
    int rows = 0;
    int columns = 0;
    int stride = 0;
};
inline constexpr int kInt8Padding = 16;
constexpr int64_t paddedInt8Columns(int64_t columns) {
    return (columns + kInt8Padding - 1) / kInt8Padding * kInt8Padding;
}

// Activations from here on are outliers and are not quantised (bitsandbytes' llm_int8_threshold).
inline constexpr float kOutlierThreshold = 6.0F;

// One row of weights as bitsandbytes quantises it (int8_vectorwise_quant of the weights in fp16): the largest magnitude
// is returned, out[k] = round to nearest even of w[k] * (127 / absmax), a row of zeros stays one. `out` has
// paddedInt8Columns(columns) elements.
float quantizeInt8Row(const float* weights, int64_t columns, int8_t* out);

}  // namespace gapscope::cuda

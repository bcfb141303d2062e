#include "kernels/cuda/int8_matrix.h"

#include <cuda_fp16.h>

#include <algorithm>
#include <cmath>

namespace gapscope::cuda {

float quantizeInt8Row(const float* weights, int64_t columns, int8_t* out) {
    const auto rounded = [weights](int64_t k) { return __half2float(__float2half_rn(weights[k])); };
    float absmax = 0;
    for (int64_t k = 0; k < columns; ++k)
        absmax = std::max(absmax, std::abs(rounded(k)));
    const float scale = absmax > 0 ? 127.0F / absmax : 0.0F;
    for (int64_t k = 0; k < columns; ++k)
        out[k] = static_cast<int8_t>(std::lrintf(rounded(k) * scale));
    std::fill(out + columns, out + paddedInt8Columns(columns), int8_t{0});
    return absmax;
}

}  // namespace gapscope::cuda

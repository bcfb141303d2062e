// Joins the parts that attention is computed in, a part after the other.
#pragma once

#include <cuda_runtime.h>

namespace gapscope::cuda {

// Four columns of one head's output. Every product that is added is one fused operation by name: where that is left to
// the compiler, two kernels that share this code round apart.
struct JoinedFour {
    float4 sum{0, 0, 0, 0};
    float maximum = -INFINITY;
    float total = 0;

    // statistic: the part's largest score, and the sum of its weights by it; 0: no keys fell to the part.
    __device__ __forceinline__ void take(float2 statistic, float4 value) {
        if (statistic.y <= 0) return;
        const float larger = fmaxf(maximum, statistic.x);
        const float before = __expf(maximum - larger);
        const float weight = __expf(statistic.x - larger);
        maximum = larger;
        const auto add = [&](float& to, float part) { to = fmaf(part, weight, __fmul_rn(to, before)); };
        add(total, statistic.y);
        add(sum.x, value.x);
        add(sum.y, value.y);
        add(sum.z, value.z);
        add(sum.w, value.w);
    }
    __device__ __forceinline__ float4 mean() const {
        const float scale = total > 0 ? 1.0F / total : 0.0F;
        return {sum.x * scale, sum.y * scale, sum.z * scale, sum.w * scale};
    }
};

}  // namespace gapscope::cuda

#include "kernels/cuda/argmax.h"

#include "kernels/cuda/device_math.cuh"

namespace gapscope::cuda {

namespace {

constexpr int kThreads = 256;

struct Best {
    float value;
    int32_t index;  // -1: none
};

__device__ __forceinline__ Best better(Best a, Best b) {
    if (b.index < 0) return a;
    if (a.index < 0) return b;
    if (b.value > a.value || (b.value == a.value && b.index < a.index)) return b;
    return a;
}

__device__ __forceinline__ Best blockBest(Best best) {
    __shared__ Best warps[kThreads / kWarp];
#pragma unroll
    for (int offset = kWarp / 2; offset > 0; offset /= 2) {
        Best other;
        other.value = __shfl_xor_sync(0xffffffffU, best.value, offset);
        other.index = __shfl_xor_sync(0xffffffffU, best.index, offset);
        best = better(best, other);
    }
    if (threadIdx.x % kWarp == 0) warps[threadIdx.x / kWarp] = best;
    __syncthreads();
    if (threadIdx.x == 0)
        for (int warp = 1; warp < kThreads / kWarp; ++warp)
            best = better(best, warps[warp]);
    return best;  // in thread 0
}

__global__ void __launch_bounds__(kThreads) argmax_partial(ArgmaxPartialArgs args) {
    allowNext();
    waitForPrevious();
    Best best{0, -1};
    for (int at = static_cast<int>(blockIdx.x * kThreads + threadIdx.x); at < args.count;
         at += static_cast<int>(gridDim.x) * kThreads) {
        const float value = args.logits[at];
        if (value == value) best = better(best, Best{value, at});
    }
    best = blockBest(best);
    if (threadIdx.x != 0) return;
    args.partialValues[blockIdx.x] = best.value;
    args.partialIndices[blockIdx.x] = best.index;
}

__global__ void __launch_bounds__(kThreads) argmax_next_token(ArgmaxFinishArgs args) {
    allowNext();
    waitForPrevious();
    Best best{0, -1};
    for (int at = static_cast<int>(threadIdx.x); at < args.blocks; at += kThreads)
        best = better(best, Best{args.partialValues[at], args.partialIndices[at]});
    best = blockBest(best);
    if (threadIdx.x != 0) return;
    const int32_t token = best.index < 0 ? 0 : best.index;
    const int32_t position = args.state->position + args.tokens;
    args.ids[0] = token;
    args.state->token = token;
    args.state->position = position;
    if (args.ring != nullptr) {
        args.ring[position % args.ringSize] = token;
        __threadfence_system();
    }
}

}  // namespace

cudaError_t argmaxPartial(const ArgmaxPartialArgs& args, const Launch& launch) {
    return launchKernel(argmax_partial, args.blocks, kThreads, 0, launch, args);
}

cudaError_t argmaxFinish(const ArgmaxFinishArgs& args, const Launch& launch) {
    return launchKernel(argmax_next_token, 1, kThreads, 0, launch, args);
}

}  // namespace gapscope::cuda

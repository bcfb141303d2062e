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

__device__ __forceinline__ Best warpBest(Best best) {
#pragma unroll
    for (int offset = kWarp / 2; offset > 0; offset /= 2) {
        Best other;
        other.value = __shfl_xor_sync(0xffffffffU, best.value, offset);
        other.index = __shfl_xor_sync(0xffffffffU, best.index, offset);
        best = better(best, other);
    }
    return best;
}

__device__ __forceinline__ Best blockBest(Best best) {
    __shared__ Best warps[kThreads / kWarp];
    best = warpBest(best);
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
    const auto row = static_cast<int64_t>(blockIdx.y);
    const float* const logits = args.logits + row * args.count;
    Best best{0, -1};
    for (int at = static_cast<int>(blockIdx.x * kThreads + threadIdx.x); at < args.count;
         at += static_cast<int>(gridDim.x) * kThreads) {
        const float value = logits[at];
        if (value == value) best = better(best, Best{value, at});
    }
    best = blockBest(best);
    if (threadIdx.x != 0) return;
    args.partialValues[row * args.blocks + blockIdx.x] = best.value;
    args.partialIndices[row * args.blocks + blockIdx.x] = best.index;
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

// A row a warp; the position moves on when all have read it.
__global__ void __launch_bounds__(kThreads) argmax_checked_tokens(ArgmaxFinishArgs args) {
    allowNext();
    waitForPrevious();
    const int lane = static_cast<int>(threadIdx.x) % kWarp;
    const int32_t position = args.state != nullptr ? args.state->position : -1;
    __syncthreads();
    for (int row = static_cast<int>(threadIdx.x) / kWarp; row < args.tokens; row += kThreads / kWarp) {
        Best best{0, -1};
        for (int at = row * args.blocks + lane; at < (row + 1) * args.blocks; at += kWarp)
            best = better(best, Best{args.partialValues[at], args.partialIndices[at]});
        best = warpBest(best);
        if (lane != 0) continue;
        const int32_t token = best.index < 0 ? 0 : best.index;
        args.ids[row] = token;
        if (args.ring != nullptr) args.ring[(position + 1 + row) % args.ringSize] = token;
        if (row + 1 == args.tokens && args.state != nullptr) {
            args.state->token = token;
            args.state->position = position + args.tokens;
        }
    }
    __threadfence_system();
}

}  // namespace

cudaError_t argmaxPartial(const ArgmaxPartialArgs& args, const Launch& launch) {
    const dim3 grid(static_cast<unsigned>(args.blocks), static_cast<unsigned>(args.rows));
    return launchKernel(argmax_partial, grid, kThreads, 0, launch, args);
}

cudaError_t argmaxFinish(const ArgmaxFinishArgs& args, const Launch& launch) {
    return launchKernel(argmax_next_token, 1, kThreads, 0, launch, args);
}

cudaError_t argmaxFinishRows(const ArgmaxFinishArgs& args, const Launch& launch) {
    return launchKernel(argmax_checked_tokens, 1, kThreads, 0, launch, args);
}

}  // namespace gapscope::cuda

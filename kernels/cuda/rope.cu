#include "kernels/cuda/rope.h"

#include "kernels/cuda/device_math.cuh"

namespace gapscope::cuda {

namespace {

constexpr int kThreads = 256;

// One block a token and head: heads first the queries, then the keys, then the values.
__global__ void __launch_bounds__(kMaxHeadDim) qk_norm_rope_cache_bf16(QkNormRopeArgs args) {
    __shared__ float sums[kMaxHeadDim / kWarp];
    __shared__ float normed[kMaxHeadDim];
    waitForPrevious();
    allowNext();
    const int headDim = args.cache.headDim;
    const int kvHeads = args.cache.kvHeads;
    const int64_t token = blockIdx.x;
    const int task = static_cast<int>(blockIdx.y);
    const int d = static_cast<int>(threadIdx.x);
    const int position = args.state->position + static_cast<int>(token);
    const int64_t cacheRow = static_cast<int64_t>(position % args.cache.slots) * kvHeads * headDim;
    if (task >= args.heads + kvHeads) {
        const int head = task - args.heads - kvHeads;
        if (d < headDim)
            args.cache.values[cacheRow + head * headDim + d] =
                fromFloat<Bf16>(args.v[(token * kvHeads + head) * headDim + d]);
        return;
    }
    const bool isQuery = task < args.heads;
    const int head = isQuery ? task : task - args.heads;
    const float* const x =
        isQuery ? args.q + (token * args.heads + head) * headDim : args.k + (token * kvHeads + head) * headDim;
    const float value = d < headDim ? x[d] : 0.0F;
    const float sum = blockSum(value * value, sums);
    const float scale = rsqrtf(sum / static_cast<float>(headDim) + args.rope.epsilon);
    if (d < headDim) normed[d] = value * scale * (isQuery ? args.rope.queryWeights : args.rope.keyWeights)[d];
    __syncthreads();
    if (d >= headDim) return;
    const int half = headDim / 2;
    const int index = d % half;
    float sine = 0, cosine = 0;
    sincosf(static_cast<float>(position) * args.rope.inverseFrequencies[index] / args.rope.positionScale, &sine,
            &cosine);
    const float rotated =
        d < half ? normed[d] * cosine - normed[d + half] * sine : normed[d] * cosine + normed[d - half] * sine;
    if (isQuery)
        args.out[(token * args.heads + head) * headDim + d] = fromFloat<Bf16>(rotated);
    else
        args.cache.keys[cacheRow + head * headDim + d] = fromFloat<Bf16>(rotated);
}

__global__ void __launch_bounds__(kThreads) rope_cos_sin(CosSinArgs args) {
    waitForPrevious();
    const int at = static_cast<int>(blockIdx.x) * kThreads + static_cast<int>(threadIdx.x);
    const int columns = 2 * args.half;
    if (at >= args.tokens * columns) return;
    const int token = at / columns;
    float sine = 0, cosine = 0;
    sincosf(
        static_cast<float>(args.state->position + token) * args.inverseFrequencies[at % args.half] / args.positionScale,
        &sine, &cosine);
    args.cos[at] = fromFloat<Bf16>(cosine);
    args.sin[at] = fromFloat<Bf16>(sine);
}

__global__ void __launch_bounds__(kThreads) rope_table(RopeTableArgs args) {
    allowNext();
    waitForPrevious();
    const int i = static_cast<int>(threadIdx.x) % args.half;
    const int table = static_cast<int>(blockIdx.x);
    if (static_cast<int>(threadIdx.x) >= args.half) return;
    const int token = static_cast<int>(blockIdx.y);
    const float position = static_cast<float>(args.state->position + token);
    float* const out = args.out + 4 * token * args.half;
    const float angle =
        table == 0 ? position * args.localFrequencies[i] : position * args.globalFrequencies[i] / args.globalScale;
    sincosf(angle, &out[(2 * table + 1) * args.half + i], &out[2 * table * args.half + i]);
}

__global__ void __launch_bounds__(kThreads) cache_write_bf16(CacheWriteArgs args) {
    waitForPrevious();
    const int64_t at = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
    const int64_t token = at / args.columns;
    if (token >= args.tokens) return;
    const int64_t slot = (args.state->position + token) % args.slots;
    args.cache[slot * args.columns + at % args.columns] = args.x[at];
}

}  // namespace

cudaError_t qkNormRope(const QkNormRopeArgs& args, const Launch& launch) {
    if (args.cache.headDim > kMaxHeadDim || args.tokens > args.cache.slots) return cudaErrorInvalidValue;
    const int threads = ceilDiv(args.cache.headDim, kWarp) * kWarp;
    const dim3 grid(static_cast<unsigned>(args.tokens), static_cast<unsigned>(args.heads + 2 * args.cache.kvHeads));
    return launchKernel(qk_norm_rope_cache_bf16, grid, threads, 0, launch, args);
}

cudaError_t cosSin(const CosSinArgs& args, const Launch& launch) {
    return launchKernel(rope_cos_sin, ceilDiv(static_cast<int64_t>(args.tokens) * 2 * args.half, kThreads), kThreads, 0,
                        launch, args);
}

cudaError_t ropeTable(const RopeTableArgs& args, const Launch& launch) {
    if (args.half > kThreads) return cudaErrorInvalidValue;
    return launchKernel(rope_table, dim3(2, static_cast<unsigned>(args.tokens)), kThreads, 0, launch, args);
}

cudaError_t cacheWrite(const CacheWriteArgs& args, const Launch& launch) {
    if (args.tokens > args.slots) return cudaErrorInvalidValue;
    return launchKernel(cache_write_bf16, ceilDiv(static_cast<int64_t>(args.tokens) * args.columns, kThreads), kThreads,
                        0, launch, args);
}

}  // namespace gapscope::cuda

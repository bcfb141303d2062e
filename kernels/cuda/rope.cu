#include "kernels/cuda/rope.h"

#include "kernels/cuda/attention_block.cuh"
#include "kernels/cuda/device_math.cuh"

namespace gapscope::cuda {

namespace {

constexpr int kThreads = 256;
constexpr int kWarps = kThreads / kWarp;

// A warp a token and head: of heads first the queries, then the keys, then the values.
__global__ void __launch_bounds__(kThreads) qk_norm_rope_cache_bf16(QkNormRopeArgs args) {
    waitForPrevious();
    allowNext();
    const int headDim = args.cache.headDim;
    const int kvHeads = args.cache.kvHeads;
    const int tasks = args.heads + 2 * kvHeads;
    const int at = static_cast<int>(blockIdx.x) * kWarps + static_cast<int>(threadIdx.x) / kWarp;
    const int64_t token = at / tasks;
    const int task = at % tasks;
    if (token >= args.tokens) return;
    const int first = static_cast<int>(threadIdx.x) % kWarp * kPerLane;
    const bool active = first < headDim;
    const bool isQuery = task < args.heads;
    const bool isKey = !isQuery && task < args.heads + kvHeads;
    const int head = isQuery ? task : isKey ? task - args.heads : task - args.heads - kvHeads;
    const float* const from =
        isQuery ? args.q + token * args.qStride : (isKey ? args.k : args.v) + token * args.kvStride;
    float values[kPerLane];
    loadEight(from + head * headDim + first, active, values);
    if (isQuery || isKey) {
        const RopePart rope(isQuery ? args.rope.queryWeights : args.rope.keyWeights,
                            args.cosSin + token * args.cosSinStride, headDim);
        normRope(values, rope, headDim, args.rope.epsilon);
    }
    if (!active) return;
    const int64_t slot = (args.state->position + token) % args.cache.slots;
    Bf16* const to = isQuery ? args.out + (token * args.heads + head) * headDim
                             : (isKey ? args.cache.keys : args.cache.values) + (slot * kvHeads + head) * headDim;
    *reinterpret_cast<uint4*>(to + first) = roundEight(values);
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
    const auto position =
        static_cast<float>(args.positions != nullptr ? args.positions[token] : args.state->position + token);
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
    const int64_t warps = static_cast<int64_t>(args.tokens) * (args.heads + 2 * args.cache.kvHeads);
    return launchKernel(qk_norm_rope_cache_bf16, ceilDiv(warps, kWarps), kThreads, 0, launch, args);
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

#include "kernels/cuda/attention.h"

#include <cassert>

#include "kernels/cuda/attention_block.cuh"

namespace gapscope::cuda {

namespace {

template <int kGroup>
__global__ void __launch_bounds__(kAttentionThreads) attention_bf16(AttentionArgs args) {
    __shared__ AttendShared<kGroup> shared;
    waitForPrevious();
    allowNext();
    const int token = static_cast<int>(blockIdx.z);
    const int headOffset = static_cast<int>(blockIdx.y) * kGroup;
    const int kvHead = headOffset / (args.heads / args.cache.kvHeads);
    const int lane = static_cast<int>(threadIdx.x) % kWarp;
    const int headDim = args.cache.headDim;
    float q[kGroup][kPerLane] = {};
    if (lane * kPerLane < headDim) {
#pragma unroll
        for (int g = 0; g < kGroup; ++g) {
            const int64_t head = static_cast<int64_t>(token) * args.heads + headOffset + g;
            unpack8(*reinterpret_cast<const uint4*>(args.q + head * headDim + lane * kPerLane), q[g]);
#pragma unroll
            for (int i = 0; i < kPerLane; ++i)
                q[g][i] *= args.scale;
        }
    }
    const KeyRange range = keysOf(args.state->position + token, args.window, static_cast<int>(blockIdx.x), args.splits);
    const int warp = static_cast<int>(threadIdx.x) / kWarp;
    const CacheRows rows = loadRows(args.cache, kvHead, range.first + warp * kKeysAhead, range.end, RingSlots{});
    attend<kGroup>(args, kvHead, token, headOffset, static_cast<int>(blockIdx.x), range, q, rows, NewRow{}, shared,
                   PlainParts{args}, [] { __syncthreads(); });
}

// What was written two kernels ago or earlier may be read before the wait, because the kernel between has waited for it
// before it let this one start: the position, and the cache but for its new row.
template <int kGroup>
__global__ void __launch_bounds__(kAttentionThreads) attention_decode_norm_rope_bf16(AttentionDecodeArgs args) {
    __shared__ DecodeShared<kGroup> shared;
    const auto wait = [] {
        waitForPrevious();
        allowNext();
    };
    decodeAttention<kGroup>(args, static_cast<int>(blockIdx.x), static_cast<int>(blockIdx.y) * kGroup, shared,
                            PlainProjections<decltype(wait)>{args, wait}, PlainParts{args.attention},
                            [] { __syncthreads(); });
}

__global__ void __launch_bounds__(kMaxHeadDim) attention_combine_bf16(AttentionArgs args) {
    waitForPrevious();
    allowNext();
    const int headDim = args.cache.headDim;
    const int64_t head = blockIdx.x;
    const float* const parts = args.partials + head * args.splits * headDim;
    const float* const statistics =
        args.partials + attentionStatisticsAt(args.tokens, args.heads, headDim, args.splits) + 2 * head * args.splits;
    const int d = static_cast<int>(threadIdx.x);
    float maximum = -INFINITY;
    for (int split = 0; split < args.splits; ++split)
        if (statistics[2 * split + 1] > 0) maximum = fmaxf(maximum, statistics[2 * split]);
    float total = 0;
    float sum = 0;
    for (int split = 0; split < args.splits; ++split) {
        if (statistics[2 * split + 1] <= 0) continue;  // no keys fell to it
        const float weight = __expf(statistics[2 * split] - maximum);
        total += statistics[2 * split + 1] * weight;
        if (d < headDim) sum = fmaf(parts[split * headDim + d], weight, sum);
    }
    if (d < headDim) args.out[head * headDim + d] = fromFloat<Bf16>(sum / total);
}

bool valid(const AttentionArgs& args) {
    return args.cache.headDim % 16 == 0 && args.cache.headDim <= kMaxHeadDim && args.cache.slots > 0 &&
           args.cache.kvHeads > 0 && args.heads % args.cache.kvHeads == 0 && args.splits >= 1;
}

}  // namespace

cudaError_t attention(const AttentionArgs& args, const Launch& launch) {
    if (!valid(args)) return cudaErrorInvalidValue;
    const int group = groupOf(args.heads, args.cache.kvHeads);
    const dim3 grid(static_cast<unsigned>(args.splits), static_cast<unsigned>(args.heads / group),
                    static_cast<unsigned>(args.tokens));
    const auto kernel = group == 4 ? attention_bf16<4> : group == 2 ? attention_bf16<2> : attention_bf16<1>;
    return launchKernel(kernel, grid, kAttentionThreads, 0, launch, args);
}

cudaError_t attentionDecode(const AttentionDecodeArgs& args, const Launch& launch) {
    if (!valid(args.attention) || args.attention.tokens != 1) return cudaErrorInvalidValue;
    const int group = groupOf(args.attention.heads, args.attention.cache.kvHeads);
    const dim3 grid(static_cast<unsigned>(args.attention.splits), static_cast<unsigned>(args.attention.heads / group));
    const auto kernel = group == 4   ? attention_decode_norm_rope_bf16<4>
                        : group == 2 ? attention_decode_norm_rope_bf16<2>
                                     : attention_decode_norm_rope_bf16<1>;
    return launchKernel(kernel, grid, kAttentionThreads, 0, launch, args);
}

cudaError_t attentionCombine(const AttentionArgs& args, const Launch& launch) {
    if (!valid(args)) return cudaErrorInvalidValue;
    return launchKernel(attention_combine_bf16, args.tokens * args.heads, kMaxHeadDim, 0, launch, args);
}

}  // namespace gapscope::cuda

#include "kernels/cuda/draft_check.h"

#include <type_traits>

#include "kernels/cuda/attention_block.cuh"
#include "kernels/cuda/gemv_stage.cuh"

namespace gapscope::cuda {

namespace {

// One block a token (blockIdx.y), so that each is the first of its row, which writes the stream.
template <int kThreads, int kHeld>
__global__ void __launch_bounds__(kThreads) norm_rows_bf16(NormRowsArgs args) {
    extern __shared__ __align__(16) float shared[];
    const int64_t row = static_cast<int64_t>(blockIdx.y) * args.columns;
    NormInput input = args.input;
    input.x += row;
    if (input.y != nullptr) {
        input.y += row;
        input.xOut += row;
    }
    allowNext();
    const uint4* const normed = stageNorm<kHeld>(input, args.columns, args.columns, shared);
    auto* const out = reinterpret_cast<uint4*>(args.out + row);
    for (int i = static_cast<int>(threadIdx.x); i < args.columns / 8; i += kThreads)
        out[i] = normed[i];
}

// The place of a token in its sequence, and of that in the cache.
template <bool kPaged>
__device__ __forceinline__ int positionOf(const StepState* state, const PagedRows& paged, int token) {
    if constexpr (kPaged)
        return paged.positions[token];
    else
        return state->position + token;
}

template <bool kPaged>
__device__ __forceinline__ auto slotsOf(const PagedRows& paged, int token) {
    if constexpr (kPaged)
        return PageSlots{paged.pages + static_cast<int64_t>(token) * *paged.tableStride};
    else
        return RingSlots{};
}

// A block a token and kv head: a warp for its key, one for its value.
template <bool kPaged>
__global__ void __launch_bounds__(2 * kWarp) rope_cache_rows_bf16(RopeCacheRowsArgs args) {
    allowNext();
    const int token = static_cast<int>(blockIdx.x);
    const int kvHead = static_cast<int>(blockIdx.y);
    const int lane = static_cast<int>(threadIdx.x) % kWarp;
    const bool isKey = threadIdx.x < kWarp;
    const int headDim = args.cache.headDim;
    const bool active = lane * kPerLane < headDim;
    waitForPrevious();
    const RopePart rope(args.rope.keyWeights, args.cosSin + token * args.cosSinStride, headDim);
    const int64_t row = static_cast<int64_t>(args.cache.kvHeads) * headDim;
    const int64_t head = kvHead * headDim + lane * kPerLane;
    float values[kPerLane];
    loadEight((isKey ? args.k : args.v) + token * row + head, active, values);
    if (isKey) normRope(values, rope, headDim, args.rope.epsilon);
    if (!active) return;
    const int64_t slot =
        slotsOf<kPaged>(args.paged, token)(args.cache, positionOf<kPaged>(args.state, args.paged, token));
    Bf16* const to = (isKey ? args.cache.keys : args.cache.values) + slot * row + head;
    *reinterpret_cast<uint4*>(to) = roundEight(values);
}

// Every block of a token and its heads calls it when its part is written; the last one joins them. In a kernel of its
// own the joining took as long as half of the attention.
template <int kGroup>
__device__ __forceinline__ void joinWhenLast(const AttentionRowsArgs& all, int token, int headOffset, int splits) {
    __shared__ bool isLast;
    const AttentionArgs& args = all.attention;
    const int firstHead = token * args.heads + headOffset;
    __threadfence();
    __syncthreads();
    if (threadIdx.x == 0) {
        isLast = atomicAdd(all.arrivals + firstHead, 1U) + 1 == static_cast<unsigned>(splits);
        if (isLast) all.arrivals[firstHead] = 0;
    }
    __syncthreads();
    if (!isLast) return;
    __threadfence();
    const int headDim = args.cache.headDim;
    const auto* const statistics = reinterpret_cast<const float2*>(
        args.partials + attentionStatisticsAt(args.tokens, args.heads, headDim, args.splits));
    for (int at = 4 * static_cast<int>(threadIdx.x); at < kGroup * headDim; at += 4 * kAttentionThreads) {
        const int head = firstHead + at / headDim;
        const float* const part = args.partials + static_cast<int64_t>(head) * args.splits * headDim + at % headDim;
        *reinterpret_cast<uint2*>(args.out + static_cast<int64_t>(firstHead) * headDim + at) =
            joinedFour(part, statistics + static_cast<int64_t>(head) * args.splits, splits, headDim);
    }
}

template <int kGroup, bool kPaged>
__global__ void __launch_bounds__(kAttentionThreads) attention_rows_norm_rope_bf16(AttentionRowsArgs all) {
    __shared__ AttendShared<kGroup> shared;
    __shared__ float queries[kGroup][kMaxHeadDim];
    allowNext();
    const AttentionArgs& args = all.attention;
    const int split = static_cast<int>(blockIdx.x);
    const int headOffset = static_cast<int>(blockIdx.y) * kGroup;
    const int token = static_cast<int>(blockIdx.z);
    const int kvHead = headOffset / (args.heads / args.cache.kvHeads);
    const int lane = static_cast<int>(threadIdx.x) % kWarp;
    const int warp = static_cast<int>(threadIdx.x) / kWarp;
    const int headDim = args.cache.headDim;
    const bool active = lane * kPerLane < headDim;
    waitForPrevious();
    // As many as the sequence would have alone, by which the sums are what they are alone.
    const int splits = kPaged ? all.paged.splits[token] : args.splits;
    if (split >= splits) return;
    const auto slotOf = slotsOf<kPaged>(all.paged, token);
    const KeyRange range = keysOf(positionOf<kPaged>(args.state, all.paged, token), args.window, split, splits);
    const CacheRows rows = loadRows(args.cache, kvHead, range.first + warp * kKeysAhead, range.end, slotOf);
    if (warp < kGroup) {
        const RopePart rope(all.rope.queryWeights, all.cosSin + token * all.cosSinStride, headDim);
        float values[kPerLane];
        loadEight(all.q + (static_cast<int64_t>(token) * args.heads + headOffset + warp) * headDim + lane * kPerLane,
                  active, values);
        normRope(values, rope, headDim, all.rope.epsilon);
#pragma unroll
        for (int i = 0; i < kPerLane; ++i)
            if (active) queries[warp][lane * kPerLane + i] = values[i] * args.scale;
    }
    __syncthreads();
    float q[kGroup][kPerLane] = {};
    if (active) {
#pragma unroll
        for (int g = 0; g < kGroup; ++g)
#pragma unroll
            for (int i = 0; i < kPerLane; ++i)
                q[g][i] = queries[g][lane * kPerLane + i];
    }
    attend<kGroup>(
        args, kvHead, token, headOffset, split, range, q, rows, NewRow{}, shared, PlainParts{args},
        [] { __syncthreads(); }, slotOf);
    joinWhenLast<kGroup>(all, token, headOffset, splits);
}

bool valid(const KvCache& cache, int tokens) {
    return cache.headDim % 16 == 0 && cache.headDim <= kMaxHeadDim && cache.kvHeads > 0 && tokens > 0 &&
           tokens <= cache.slots;
}

}  // namespace

cudaError_t normRows(const NormRowsArgs& args, const Launch& launch) {
    const size_t shared = normSharedBytes(args.columns);
    if (args.columns % 8 != 0 || args.tokens < 1) return cudaErrorInvalidValue;
    if (shared > kSharedLimit) return cudaErrorInvalidConfiguration;
    const dim3 grid(1, static_cast<unsigned>(args.tokens));
    if (args.threads == NormThreads::OfQkv)
        return launchKernel(norm_rows_bf16<kRowThreads, 3>, grid, kRowThreads, shared, launch, args);
    return launchKernel(norm_rows_bf16<kStayThreads, 2>, grid, kStayThreads, shared, launch, args);
}

cudaError_t ropeCacheRows(const RopeCacheRowsArgs& args, const Launch& launch) {
    if (!valid(args.cache, args.tokens)) return cudaErrorInvalidValue;
    const dim3 grid(static_cast<unsigned>(args.tokens), static_cast<unsigned>(args.cache.kvHeads));
    return launchKernel(args.paged.positions ? rope_cache_rows_bf16<true> : rope_cache_rows_bf16<false>, grid,
                        2 * kWarp, 0, launch, args);
}

cudaError_t attentionRows(const AttentionRowsArgs& all, const Launch& launch) {
    const AttentionArgs& args = all.attention;
    if (!valid(args.cache, args.tokens) || args.heads % args.cache.kvHeads != 0 || args.splits < 2)
        return cudaErrorInvalidValue;
    const int group = groupOf(args.heads, args.cache.kvHeads);
    const dim3 grid(static_cast<unsigned>(args.splits), static_cast<unsigned>(args.heads / group),
                    static_cast<unsigned>(args.tokens));
    const auto launchOf = [&]<bool kPaged>(std::bool_constant<kPaged>) {
        const auto kernel = group == 4   ? attention_rows_norm_rope_bf16<4, kPaged>
                            : group == 2 ? attention_rows_norm_rope_bf16<2, kPaged>
                                         : attention_rows_norm_rope_bf16<1, kPaged>;
        return launchKernel(kernel, grid, kAttentionThreads, 0, launch, all);
    };
    return all.paged.positions ? launchOf(std::true_type()) : launchOf(std::false_type());
}

}  // namespace gapscope::cuda

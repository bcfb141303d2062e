#include "kernels/cuda/attention.h"

#include <cassert>

#include "kernels/cuda/device_math.cuh"

namespace gapscope::cuda {

namespace {

constexpr int kThreads = 256;
constexpr int kWarps = kThreads / kWarp;
constexpr int kKeysAhead = 4;  // keys a warp loads at once: 8 loads of 16 bytes a lane in flight
constexpr int kPerLane = 8;    // elements of a head a lane holds

// Positions [first, last] that a query at `position` sees, cut to this block's share.
struct KeyRange {
    int first = 0;
    int end = 0;
};
__device__ __forceinline__ KeyRange keysOf(int position, int window, int split, int splits) {
    const int first = window > 0 ? max(0, position + 1 - window) : 0;
    const int count = position + 1 - first;
    const int share = (count + splits - 1) / splits;
    KeyRange range;
    range.first = first + min(split * share, count);
    range.end = first + min((split + 1) * share, count);
    return range;
}

// A lane's 16 bytes of some consecutive keys and values.
struct CacheRows {
    uint4 keys[kKeysAhead];
    uint4 values[kKeysAhead];
};

// Rows of positions [first, first + kKeysAhead) before `end`, zeros for the rest.
__device__ __forceinline__ CacheRows loadRows(const KvCache& cache, int kvHead, int first, int end) {
    const int lane = static_cast<int>(threadIdx.x) % kWarp;
    const int64_t rowElements = static_cast<int64_t>(cache.kvHeads) * cache.headDim;
    const int64_t laneOffset = static_cast<int64_t>(kvHead) * cache.headDim + lane * kPerLane;
    const bool active = lane * kPerLane < cache.headDim;
    CacheRows rows;
#pragma unroll
    for (int a = 0; a < kKeysAhead; ++a) {
        const bool read = active && first + a < end;
        const int64_t at = read ? ((first + a) % cache.slots) * rowElements + laneOffset : 0;
        rows.keys[a] = read ? *reinterpret_cast<const uint4*>(cache.keys + at) : uint4{0, 0, 0, 0};
        rows.values[a] = read ? *reinterpret_cast<const uint4*>(cache.values + at) : uint4{0, 0, 0, 0};
    }
    return rows;
}

// The new position's key and value, where the cache does not hold them yet.
struct NewRow {
    int position = -1;
    uint4 key{}, value{};  // the lane's part
};

// One block, one query token, kGroup query heads that share a kv head: each warp walks every eighth group of keys of
// the range with its own running maximum, sum and output; then the warps are merged, in their order, so that the same
// keys give the same bits. `q` holds the lane's part of each query, already scaled; `rows` the warp's first keys.
template <int kGroup>
__device__ __forceinline__ void attend(const AttentionArgs& args, int kvHead, int token, int headOffset, KeyRange range,
                                       const float (&q)[kGroup][kPerLane], CacheRows rows, const NewRow& newRow) {
    __shared__ float warpMaxima[kWarps][kGroup];
    __shared__ float warpTotals[kWarps][kGroup];
    __shared__ __align__(16) float warpOut[kWarps][kGroup][kMaxHeadDim];
    const int lane = static_cast<int>(threadIdx.x) % kWarp;
    const int warp = static_cast<int>(threadIdx.x) / kWarp;
    const int headDim = args.cache.headDim;

    float maximum[kGroup], total[kGroup], out[kGroup][kPerLane];
#pragma unroll
    for (int g = 0; g < kGroup; ++g) {
        maximum[g] = -INFINITY;
        total[g] = 0;
#pragma unroll
        for (int i = 0; i < kPerLane; ++i)
            out[g][i] = 0;
    }
    for (int key = range.first + warp * kKeysAhead; key < range.end; key += kWarps * kKeysAhead) {
        float score[kKeysAhead][kGroup];
#pragma unroll
        for (int a = 0; a < kKeysAhead; ++a) {
            if (key + a == newRow.position) {
                rows.keys[a] = newRow.key;
                rows.values[a] = newRow.value;
            }
            float k[kPerLane];
            unpack8(rows.keys[a], k);
#pragma unroll
            for (int g = 0; g < kGroup; ++g) {
                float sum = 0;
#pragma unroll
                for (int i = 0; i < kPerLane; ++i)
                    sum = fmaf(q[g][i], k[i], sum);
                score[a][g] = warpSum(sum);
                if (key + a >= range.end) score[a][g] = -INFINITY;
            }
        }
#pragma unroll
        for (int g = 0; g < kGroup; ++g) {
            float newMaximum = maximum[g];
#pragma unroll
            for (int a = 0; a < kKeysAhead; ++a)
                newMaximum = fmaxf(newMaximum, score[a][g]);
            const float correction = __expf(maximum[g] - newMaximum);
            maximum[g] = newMaximum;
            total[g] *= correction;
#pragma unroll
            for (int i = 0; i < kPerLane; ++i)
                out[g][i] *= correction;
        }
#pragma unroll
        for (int a = 0; a < kKeysAhead; ++a) {
            float v[kPerLane];
            unpack8(rows.values[a], v);
#pragma unroll
            for (int g = 0; g < kGroup; ++g) {
                const float weight = __expf(score[a][g] - maximum[g]);
                total[g] += weight;
#pragma unroll
                for (int i = 0; i < kPerLane; ++i)
                    out[g][i] = fmaf(weight, v[i], out[g][i]);
            }
        }
        rows = loadRows(args.cache, kvHead, key + kWarps * kKeysAhead, range.end);
    }

    if (lane == 0) {
#pragma unroll
        for (int g = 0; g < kGroup; ++g) {
            warpMaxima[warp][g] = maximum[g];
            warpTotals[warp][g] = total[g];
        }
    }
    if (lane * kPerLane < headDim) {
#pragma unroll
        for (int g = 0; g < kGroup; ++g)
#pragma unroll
            for (int i = 0; i < kPerLane; i += 4)
                *reinterpret_cast<float4*>(&warpOut[warp][g][lane * kPerLane + i]) =
                    float4{out[g][i], out[g][i + 1], out[g][i + 2], out[g][i + 3]};
    }
    __syncthreads();
    for (int i = static_cast<int>(threadIdx.x); i < kGroup * headDim; i += kThreads) {
        const int g = i / headDim;
        const int d = i % headDim;
        float blockMaximum = -INFINITY;
#pragma unroll
        for (int w = 0; w < kWarps; ++w)
            blockMaximum = fmaxf(blockMaximum, warpMaxima[w][g]);
        float blockTotal = 0;
        float sum = 0;
#pragma unroll
        for (int w = 0; w < kWarps; ++w) {
            const float weight = warpTotals[w][g] > 0 ? __expf(warpMaxima[w][g] - blockMaximum) : 0.0F;
            blockTotal = fmaf(warpTotals[w][g], weight, blockTotal);
            sum = fmaf(warpOut[w][g][d], weight, sum);
        }
        const int64_t head = static_cast<int64_t>(token) * args.heads + headOffset + g;
        if (args.splits == 1) {
            args.out[head * headDim + d] = fromFloat<Bf16>(sum / blockTotal);
            continue;
        }
        const int64_t part = head * args.splits + blockIdx.x;
        args.partials[part * headDim + d] = sum;
        if (d == 0) {
            float* const statistics =
                args.partials + attentionStatisticsAt(args.tokens, args.heads, headDim, args.splits) + 2 * part;
            statistics[0] = blockMaximum;
            statistics[1] = blockTotal;
        }
    }
}

template <int kGroup>
__global__ void __launch_bounds__(kThreads) attention_bf16(AttentionArgs args) {
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
    const CacheRows rows = loadRows(args.cache, kvHead, range.first + warp * kKeysAhead, range.end);
    attend<kGroup>(args, kvHead, token, headOffset, range, q, rows, NewRow{});
}

// The norm and rope of one head by one warp. `values` is the lane's part on the way in and out.
__device__ __forceinline__ void normRope(float (&values)[kPerLane], const float* weights, const float* cosSin,
                                         int headDim, float epsilon) {
    const int lane = static_cast<int>(threadIdx.x) % kWarp;
    const int lanes = headDim / kPerLane;
    const int half = headDim / 2;
    const bool active = lane < lanes;
    const bool upper = lane >= lanes / 2;
    const int partner = upper ? lane - lanes / 2 : lane + lanes / 2;
    const int first = active ? lane * kPerLane - (upper ? half : 0) : 0;
    float weight[kPerLane], cosine[kPerLane], sine[kPerLane];
#pragma unroll
    for (int i = 0; i < kPerLane; ++i) {
        weight[i] = active ? weights[lane * kPerLane + i] : 0.0F;
        cosine[i] = cosSin[first + i];
        sine[i] = cosSin[half + first + i];
    }
    float sum = 0;
#pragma unroll
    for (int i = 0; i < kPerLane; ++i)
        sum = fmaf(values[i], values[i], sum);
    const float scale = rsqrtf(warpSum(sum) / static_cast<float>(headDim) + epsilon);
#pragma unroll
    for (int i = 0; i < kPerLane; ++i)
        values[i] *= scale * weight[i];
#pragma unroll
    for (int i = 0; i < kPerLane; ++i) {
        const float other = __shfl_sync(0xffffffffU, values[i], partner % kWarp);
        values[i] = fmaf(values[i], cosine[i], upper ? other * sine[i] : -other * sine[i]);
    }
}

// What was written two kernels ago or earlier may be read before the wait, because the kernel between has waited for it
// before it let this one start: the position, and the cache but for its new row.
template <int kGroup>
__global__ void __launch_bounds__(kThreads) attention_decode_norm_rope_bf16(AttentionDecodeArgs all) {
    const AttentionArgs& args = all.attention;
    __shared__ float queries[kGroup][kMaxHeadDim];
    __shared__ __align__(16) Bf16 newRows[2][kMaxHeadDim];  // key, value
    const int headOffset = static_cast<int>(blockIdx.y) * kGroup;
    const int headsPerKv = args.heads / args.cache.kvHeads;
    const int kvHead = headOffset / headsPerKv;
    const int lane = static_cast<int>(threadIdx.x) % kWarp;
    const int warp = static_cast<int>(threadIdx.x) / kWarp;
    const int headDim = args.cache.headDim;
    const int position = args.state->position;
    const bool active = lane * kPerLane < headDim;
    const KeyRange range = keysOf(position, args.window, static_cast<int>(blockIdx.x), args.splits);
    const bool hasNewRow = range.end == position + 1 && range.first <= position;
    const CacheRows rows = loadRows(args.cache, kvHead, range.first + warp * kKeysAhead, min(range.end, position));
    waitForPrevious();
    allowNext();

    // A warp a query, one for the new key, one for the new value.
    for (int task = warp; task < kGroup + 2; task += kWarps) {
        float values[kPerLane] = {};
        const bool isQuery = task < kGroup;
        if (!isQuery && !hasNewRow) continue;
        const float* const source = isQuery          ? all.q + (headOffset + task) * headDim
                                    : task == kGroup ? all.k + kvHead * headDim
                                                     : all.v + kvHead * headDim;
        if (active) {
#pragma unroll
            for (int i = 0; i < kPerLane; ++i)
                values[i] = source[lane * kPerLane + i];
        }
        if (task <= kGroup)
            normRope(values, isQuery ? all.rope.queryWeights : all.rope.keyWeights, all.cosSin, headDim,
                     all.rope.epsilon);
        if (!active) continue;
        if (isQuery) {
#pragma unroll
            for (int i = 0; i < kPerLane; ++i)
                queries[task][lane * kPerLane + i] = values[i] * args.scale;
            continue;
        }
#pragma unroll
        for (int i = 0; i < kPerLane; ++i)
            newRows[task - kGroup][lane * kPerLane + i] = fromFloat<Bf16>(values[i]);
        // Heads of one kv head that are in another group write the same bytes.
        Bf16* const cache = (task == kGroup ? args.cache.keys : args.cache.values) +
                            static_cast<int64_t>(position % args.cache.slots) * args.cache.kvHeads * headDim +
                            kvHead * headDim + lane * kPerLane;
        *reinterpret_cast<uint4*>(cache) = *reinterpret_cast<const uint4*>(&newRows[task - kGroup][lane * kPerLane]);
    }
    __syncthreads();
    float q[kGroup][kPerLane] = {};
    NewRow newRow;
    if (hasNewRow) newRow.position = position;
    if (active) {
#pragma unroll
        for (int g = 0; g < kGroup; ++g)
#pragma unroll
            for (int i = 0; i < kPerLane; ++i)
                q[g][i] = queries[g][lane * kPerLane + i];
        newRow.key = *reinterpret_cast<const uint4*>(&newRows[0][lane * kPerLane]);
        newRow.value = *reinterpret_cast<const uint4*>(&newRows[1][lane * kPerLane]);
    }
    attend<kGroup>(args, kvHead, 0, headOffset, range, q, rows, newRow);
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

// The largest instantiated group that divides the heads of one kv head.
int groupOf(const AttentionArgs& args) {
    const int headsPerKv = args.heads / args.cache.kvHeads;
    return headsPerKv % 4 == 0 ? 4 : headsPerKv % 2 == 0 ? 2 : 1;
}

bool valid(const AttentionArgs& args) {
    return args.cache.headDim % 16 == 0 && args.cache.headDim <= kMaxHeadDim && args.cache.slots > 0 &&
           args.cache.kvHeads > 0 && args.heads % args.cache.kvHeads == 0 && args.splits >= 1;
}

}  // namespace

cudaError_t attention(const AttentionArgs& args, const Launch& launch) {
    if (!valid(args)) return cudaErrorInvalidValue;
    const int group = groupOf(args);
    const dim3 grid(static_cast<unsigned>(args.splits), static_cast<unsigned>(args.heads / group),
                    static_cast<unsigned>(args.tokens));
    const auto kernel = group == 4 ? attention_bf16<4> : group == 2 ? attention_bf16<2> : attention_bf16<1>;
    return launchKernel(kernel, grid, kThreads, 0, launch, args);
}

cudaError_t attentionDecode(const AttentionDecodeArgs& args, const Launch& launch) {
    if (!valid(args.attention) || args.attention.tokens != 1) return cudaErrorInvalidValue;
    const int group = groupOf(args.attention);
    const dim3 grid(static_cast<unsigned>(args.attention.splits), static_cast<unsigned>(args.attention.heads / group));
    const auto kernel = group == 4   ? attention_decode_norm_rope_bf16<4>
                        : group == 2 ? attention_decode_norm_rope_bf16<2>
                                     : attention_decode_norm_rope_bf16<1>;
    return launchKernel(kernel, grid, kThreads, 0, launch, args);
}

cudaError_t attentionCombine(const AttentionArgs& args, const Launch& launch) {
    if (!valid(args)) return cudaErrorInvalidValue;
    return launchKernel(attention_combine_bf16, args.tokens * args.heads, kMaxHeadDim, 0, launch, args);
}

}  // namespace gapscope::cuda

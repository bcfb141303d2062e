// Attention of one block of threads, as the kernels of attention.cu and the persistent decode step compute it: the same
// arithmetic in the same order.
#pragma once

#include "kernels/cuda/attention.h"
#include "kernels/cuda/device_math.cuh"

namespace gapscope::cuda {

constexpr int kAttentionThreads = 256;
constexpr int kAttentionWarps = kAttentionThreads / kWarp;
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

// Which of the cache's slots a position is in.
struct RingSlots {
    __device__ __forceinline__ int operator()(const KvCache& cache, int position) const {
        return position % cache.slots;
    }
};
struct PageSlots {
    const int32_t* table;
    __device__ __forceinline__ int operator()(const KvCache&, int position) const {
        return table[position / kPagePositions] * kPagePositions + position % kPagePositions;
    }
};

// Rows of positions [first, first + kKeysAhead) before `end`, zeros for the rest.
template <class Slots>
__device__ __forceinline__ CacheRows loadRows(const KvCache& cache, int kvHead, int first, int end, Slots slotOf) {
    const int lane = static_cast<int>(threadIdx.x) % kWarp;
    const int64_t rowElements = static_cast<int64_t>(cache.kvHeads) * cache.headDim;
    const int64_t laneOffset = static_cast<int64_t>(kvHead) * cache.headDim + lane * kPerLane;
    const bool active = lane * kPerLane < cache.headDim;
    CacheRows rows;
#pragma unroll
    for (int a = 0; a < kKeysAhead; ++a) {
        const bool read = active && first + a < end;
        const int64_t at = read ? slotOf(cache, first + a) * rowElements + laneOffset : 0;
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

template <int kGroup>
struct AttendShared {
    float warpMaxima[kAttentionWarps][kGroup];
    float warpTotals[kAttentionWarps][kGroup];
    __align__(16) float warpOut[kAttentionWarps][kGroup][kMaxHeadDim];
};

// Where the parts of the output go: to the partials of the arguments. Another type may send them elsewhere.
struct PlainParts {
    const AttentionArgs& args;
    // Element `d` of part `part`, which counts heads and their splits.
    __device__ __forceinline__ void keep(int64_t part, int d, float value) const {
        args.partials[part * args.cache.headDim + d] = value;
    }
    __device__ __forceinline__ void keepStatistics(int64_t part, float maximum, float total) const {
        float* const statistics =
            args.partials + attentionStatisticsAt(args.tokens, args.heads, args.cache.headDim, args.splits) + 2 * part;
        statistics[0] = maximum;
        statistics[1] = total;
    }
};

// One block, one query token, kGroup query heads that share a kv head: each warp walks every eighth group of keys of
// the range with its own running maximum, sum and output; then the warps are merged, in their order, so that the same
// keys give the same bits. `q` holds the lane's part of each query, already scaled; `rows` the warp's first keys.
// `split` says which part of the keys `range` is; `sync` is a barrier of the threads that take part.
template <int kGroup, class Parts, class Sync, class Slots = RingSlots>
__device__ __forceinline__ void attend(const AttentionArgs& args, int kvHead, int token, int headOffset, int split,
                                       KeyRange range, const float (&q)[kGroup][kPerLane], CacheRows rows,
                                       const NewRow& newRow, AttendShared<kGroup>& shared, const Parts& parts,
                                       Sync sync, Slots slotOf = {}) {
    auto& warpMaxima = shared.warpMaxima;
    auto& warpTotals = shared.warpTotals;
    auto& warpOut = shared.warpOut;
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
    for (int key = range.first + warp * kKeysAhead; key < range.end; key += kAttentionWarps * kKeysAhead) {
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
            total[g] = __fmul_rn(total[g], correction);  // never fused with the sum below, in whichever kernel
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
        rows = loadRows(args.cache, kvHead, key + kAttentionWarps * kKeysAhead, range.end, slotOf);
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
    sync();
    for (int i = static_cast<int>(threadIdx.x); i < kGroup * headDim; i += kAttentionThreads) {
        const int g = i / headDim;
        const int d = i % headDim;
        float blockMaximum = -INFINITY;
#pragma unroll
        for (int w = 0; w < kAttentionWarps; ++w)
            blockMaximum = fmaxf(blockMaximum, warpMaxima[w][g]);
        float blockTotal = 0;
        float sum = 0;
#pragma unroll
        for (int w = 0; w < kAttentionWarps; ++w) {
            const float weight = warpTotals[w][g] > 0 ? __expf(warpMaxima[w][g] - blockMaximum) : 0.0F;
            blockTotal = fmaf(warpTotals[w][g], weight, blockTotal);
            sum = fmaf(warpOut[w][g][d], weight, sum);
        }
        const int64_t head = static_cast<int64_t>(token) * args.heads + headOffset + g;
        if (args.splits == 1) {
            args.out[head * headDim + d] = fromFloat<Bf16>(sum / blockTotal);
            continue;
        }
        const int64_t part = head * args.splits + split;
        parts.keep(part, d, sum);
        if (d == 0) parts.keepStatistics(part, blockMaximum, blockTotal);
    }
}

__device__ __forceinline__ void loadEight(const float* from, bool inside, float (&to)[kPerLane]) {
    const float4 low = inside ? *reinterpret_cast<const float4*>(from) : float4{0, 0, 0, 0};
    const float4 high = inside ? *reinterpret_cast<const float4*>(from + 4) : float4{0, 0, 0, 0};
    to[0] = low.x, to[1] = low.y, to[2] = low.z, to[3] = low.w;
    to[4] = high.x, to[5] = high.y, to[6] = high.z, to[7] = high.w;
}

// A lane's part of what norm and rope of a head multiply by.
struct RopePart {
    float weight[kPerLane], cosine[kPerLane], sine[kPerLane];
    __device__ __forceinline__ RopePart(const float* weights, const float* cosSin, int headDim) {
        const int lane = static_cast<int>(threadIdx.x) % kWarp;
        const int half = headDim / 2;
        const bool active = lane * kPerLane < headDim;
        const int first = lane * kPerLane - (lane * kPerLane >= half ? half : 0);
        loadEight(weights + lane * kPerLane, active, weight);
        loadEight(cosSin + first, active, cosine);
        loadEight(cosSin + half + first, active, sine);
    }
};

// The norm and rope of one head by one warp. `values` is the lane's part on the way in and out.
__device__ __forceinline__ void normRope(float (&values)[kPerLane], const RopePart& rope, int headDim, float epsilon) {
    const int lane = static_cast<int>(threadIdx.x) % kWarp;
    const int lanes = headDim / kPerLane;
    const bool upper = lane >= lanes / 2;
    const int partner = upper ? lane - lanes / 2 : lane + lanes / 2;
    float sum = 0;
#pragma unroll
    for (int i = 0; i < kPerLane; ++i)
        sum = fmaf(values[i], values[i], sum);
    const float scale = rsqrtf(warpSum(sum) / static_cast<float>(headDim) + epsilon);
#pragma unroll
    for (int i = 0; i < kPerLane; ++i)
        values[i] *= scale * rope.weight[i];
#pragma unroll
    for (int i = 0; i < kPerLane; ++i) {
        const float other = __shfl_sync(0xffffffffU, values[i], partner % kWarp);
        values[i] = fmaf(values[i], rope.cosine[i], upper ? other * rope.sine[i] : -other * rope.sine[i]);
    }
}

template <int kGroup>
struct DecodeShared {
    float queries[kGroup][kMaxHeadDim];
    __align__(16) Bf16 newRows[2][kMaxHeadDim];  // key, value
    AttendShared<kGroup> attend;
};

enum class Projection { Query, Key, Value };

// What the projections left, in plain memory, once `wait()` returned.
template <class Wait>
struct PlainProjections {
    const AttentionDecodeArgs& all;
    Wait wait;
    // Of all threads, before any part is loaded.
    __device__ __forceinline__ void await() const { wait(); }
    // A lane's part of head `head`.
    __device__ __forceinline__ void load(Projection which, int head, bool inside, float (&to)[kPerLane]) const {
        const int lane = static_cast<int>(threadIdx.x) % kWarp;
        const float* const from = which == Projection::Query ? all.q : which == Projection::Key ? all.k : all.v;
        loadEight(from + head * all.attention.cache.headDim + lane * kPerLane, inside, to);
    }
};

// One decode step of kGroup heads from headOffset on, over part `split` of their keys. Old keys and the position are
// read before the projections are awaited. By kAttentionThreads threads; `sync` is their barrier.
template <int kGroup, class Projections, class Parts, class Sync>
__device__ __forceinline__ void decodeAttention(const AttentionDecodeArgs& all, int split, int headOffset,
                                                DecodeShared<kGroup>& shared, const Projections& projections,
                                                const Parts& parts, Sync sync) {
    const AttentionArgs& args = all.attention;
    auto& queries = shared.queries;
    auto& newRows = shared.newRows;
    const int headsPerKv = args.heads / args.cache.kvHeads;
    const int kvHead = headOffset / headsPerKv;
    const int lane = static_cast<int>(threadIdx.x) % kWarp;
    const int warp = static_cast<int>(threadIdx.x) / kWarp;
    const int headDim = args.cache.headDim;
    const int position = args.state->position;
    const bool active = lane * kPerLane < headDim;
    const KeyRange range = keysOf(position, args.window, split, args.splits);
    const bool hasNewRow = range.end == position + 1 && range.first <= position;
    const CacheRows rows =
        loadRows(args.cache, kvHead, range.first + warp * kKeysAhead, min(range.end, position), RingSlots{});
    // A warp a query, one for the new key, one for the new value.
    static_assert(kGroup + 2 <= kAttentionWarps);
    const int task = warp;
    const bool isQuery = task < kGroup;
    const bool hasTask = isQuery || (task < kGroup + 2 && hasNewRow);
    const RopePart rope(isQuery ? all.rope.queryWeights : all.rope.keyWeights, all.cosSin, headDim);
    projections.await();

    if (hasTask) {
        float values[kPerLane];
        projections.load(isQuery          ? Projection::Query
                         : task == kGroup ? Projection::Key
                                          : Projection::Value,
                         isQuery ? headOffset + task : kvHead, active, values);
        if (task <= kGroup) normRope(values, rope, headDim, all.rope.epsilon);
        if (active && isQuery) {
#pragma unroll
            for (int i = 0; i < kPerLane; ++i)
                queries[task][lane * kPerLane + i] = values[i] * args.scale;
        } else if (active) {
#pragma unroll
            for (int i = 0; i < kPerLane; ++i)
                newRows[task - kGroup][lane * kPerLane + i] = fromFloat<Bf16>(values[i]);
            // Heads of one kv head that are in another group write the same bytes.
            Bf16* const cache = (task == kGroup ? args.cache.keys : args.cache.values) +
                                static_cast<int64_t>(position % args.cache.slots) * args.cache.kvHeads * headDim +
                                kvHead * headDim + lane * kPerLane;
            *reinterpret_cast<uint4*>(cache) =
                *reinterpret_cast<const uint4*>(&newRows[task - kGroup][lane * kPerLane]);
        }
    }
    sync();
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
    attend<kGroup>(args, kvHead, 0, headOffset, split, range, q, rows, newRow, shared.attend, parts, sync);
}

// The largest instantiated group that divides the heads of one kv head.
inline int groupOf(int heads, int kvHeads) {
    const int headsPerKv = heads / kvHeads;
    return headsPerKv % 4 == 0 ? 4 : headsPerKv % 2 == 0 ? 2 : 1;
}

}  // namespace gapscope::cuda

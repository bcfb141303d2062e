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

// One block, one query token, kGroup query heads that share a kv head: each warp walks every eighth key of the range
// with its own running maximum, sum and output; then the warps are merged. `q` holds the lane's part of each query,
// already scaled.
template <int kGroup>
__device__ __forceinline__ void attend(const AttentionArgs& args, int kvHead, int token, int headOffset, KeyRange range,
                                       const float (&q)[kGroup][kPerLane]) {
    __shared__ float warpMaxima[kWarps][kGroup];
    __shared__ float warpTotals[kWarps][kGroup];
    __shared__ float merged[kGroup][kMaxHeadDim];
    const int lane = static_cast<int>(threadIdx.x) % kWarp;
    const int warp = static_cast<int>(threadIdx.x) / kWarp;
    const int headDim = args.cache.headDim;
    const bool active = lane * kPerLane < headDim;
    const int64_t rowElements = static_cast<int64_t>(args.cache.kvHeads) * headDim;
    const int64_t laneOffset = static_cast<int64_t>(kvHead) * headDim + lane * kPerLane;

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
        uint4 keys[kKeysAhead], values[kKeysAhead];
#pragma unroll
        for (int a = 0; a < kKeysAhead; ++a) {
            const bool read = active && key + a < range.end;
            const int64_t at = ((key + a) % args.cache.slots) * rowElements + laneOffset;
            keys[a] = read ? *reinterpret_cast<const uint4*>(args.cache.keys + at) : uint4{0, 0, 0, 0};
            values[a] = read ? *reinterpret_cast<const uint4*>(args.cache.values + at) : uint4{0, 0, 0, 0};
        }
        float score[kKeysAhead][kGroup];
#pragma unroll
        for (int a = 0; a < kKeysAhead; ++a) {
            float k[kPerLane];
            unpack8(keys[a], k);
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
#pragma unroll
            for (int a = 0; a < kKeysAhead; ++a) {
                const float weight = __expf(score[a][g] - newMaximum);
                total[g] += weight;
                float v[kPerLane];
                unpack8(values[a], v);
#pragma unroll
                for (int i = 0; i < kPerLane; ++i)
                    out[g][i] = fmaf(weight, v[i], out[g][i]);
            }
        }
    }

    if (lane == 0) {
#pragma unroll
        for (int g = 0; g < kGroup; ++g) {
            warpMaxima[warp][g] = maximum[g];
            warpTotals[warp][g] = total[g];
        }
    }
    for (int i = static_cast<int>(threadIdx.x); i < kGroup * kMaxHeadDim; i += kThreads)
        (&merged[0][0])[i] = 0;
    __syncthreads();
    float blockMaximum[kGroup], blockTotal[kGroup];
#pragma unroll
    for (int g = 0; g < kGroup; ++g) {
        blockMaximum[g] = -INFINITY;
        blockTotal[g] = 0;
        for (int w = 0; w < kWarps; ++w)
            blockMaximum[g] = fmaxf(blockMaximum[g], warpMaxima[w][g]);
        for (int w = 0; w < kWarps; ++w)
            if (warpTotals[w][g] > 0) blockTotal[g] += warpTotals[w][g] * __expf(warpMaxima[w][g] - blockMaximum[g]);
    }
    // In the warps' order, so that the same keys give the same bits.
    for (int w = 0; w < kWarps; ++w) {
        if (w == warp && active) {
#pragma unroll
            for (int g = 0; g < kGroup; ++g) {
                if (total[g] <= 0) continue;
                const float correction = __expf(maximum[g] - blockMaximum[g]);
#pragma unroll
                for (int i = 0; i < kPerLane; ++i)
                    merged[g][lane * kPerLane + i] += out[g][i] * correction;
            }
        }
        __syncthreads();
    }
    for (int i = static_cast<int>(threadIdx.x); i < kGroup * headDim; i += kThreads) {
        const int g = i / headDim;
        const int d = i % headDim;
        float groupTotal = 0, groupMaximum = 0;
#pragma unroll
        for (int other = 0; other < kGroup; ++other) {
            if (other != g) continue;
            groupTotal = blockTotal[other];
            groupMaximum = blockMaximum[other];
        }
        const int64_t head = static_cast<int64_t>(token) * args.heads + headOffset + g;
        if (args.splits == 1) {
            args.out[head * headDim + d] = fromFloat<Bf16>(merged[g][d] / groupTotal);
            continue;
        }
        float* const part = args.partials + (head * args.splits + blockIdx.x) * (headDim + 2);
        part[d] = merged[g][d];
        if (d == 0) {
            part[headDim] = groupMaximum;
            part[headDim + 1] = groupTotal;
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
    attend<kGroup>(args, kvHead, token, headOffset, range, q);
}

// The norm and rope of one head by one warp. `values` is the lane's part on the way in and out.
__device__ __forceinline__ void normRope(float (&values)[kPerLane], const float* weights, const QkNormRope& rope,
                                         int headDim, int position) {
    const int lane = static_cast<int>(threadIdx.x) % kWarp;
    const int lanes = headDim / kPerLane;
    const int half = headDim / 2;
    float sum = 0;
#pragma unroll
    for (int i = 0; i < kPerLane; ++i)
        sum = fmaf(values[i], values[i], sum);
    const float scale = rsqrtf(warpSum(sum) / static_cast<float>(headDim) + rope.epsilon);
#pragma unroll
    for (int i = 0; i < kPerLane; ++i)
        values[i] *= lane < lanes ? scale * weights[lane * kPerLane + i] : 0.0F;
    const bool upper = lane >= lanes / 2;
    const int partner = upper ? lane - lanes / 2 : lane + lanes / 2;
#pragma unroll
    for (int i = 0; i < kPerLane; ++i) {
        const float other = __shfl_sync(0xffffffffU, values[i], partner % kWarp);
        if (lane >= lanes) continue;
        const int index = lane * kPerLane + i - (upper ? half : 0);
        float sine = 0, cosine = 0;
        sincosf(static_cast<float>(position) * rope.inverseFrequencies[index] / rope.positionScale, &sine, &cosine);
        values[i] = upper ? fmaf(values[i], cosine, other * sine) : fmaf(values[i], cosine, -other * sine);
    }
}

template <int kGroup>
__global__ void __launch_bounds__(kThreads) attention_decode_norm_rope_bf16(AttentionDecodeArgs all) {
    const AttentionArgs& args = all.attention;
    __shared__ float queries[kGroup][kMaxHeadDim];
    waitForPrevious();
    allowNext();
    const int headOffset = static_cast<int>(blockIdx.y) * kGroup;
    const int headsPerKv = args.heads / args.cache.kvHeads;
    const int kvHead = headOffset / headsPerKv;
    const int lane = static_cast<int>(threadIdx.x) % kWarp;
    const int warp = static_cast<int>(threadIdx.x) / kWarp;
    const int headDim = args.cache.headDim;
    const int position = args.state->position;
    const bool active = lane * kPerLane < headDim;
    const KeyRange range = keysOf(position, args.window, static_cast<int>(blockIdx.x), args.splits);

    // The first warps norm the queries, the next writes the new key, the one after it the new value. Blocks whose keys
    // do not include the new position leave the cache alone.
    for (int task = warp; task < kGroup + 2; task += kWarps) {
        float values[kPerLane] = {};
        const bool isQuery = task < kGroup;
        if (!isQuery && range.end != position + 1) continue;
        const float* const source = isQuery          ? all.q + (headOffset + task) * headDim
                                    : task == kGroup ? all.k + kvHead * headDim
                                                     : all.v + kvHead * headDim;
        if (active) {
#pragma unroll
            for (int i = 0; i < kPerLane; ++i)
                values[i] = source[lane * kPerLane + i];
        }
        if (task <= kGroup)
            normRope(values, isQuery ? all.rope.queryWeights : all.rope.keyWeights, all.rope, headDim, position);
        if (!active) continue;
        if (isQuery) {
#pragma unroll
            for (int i = 0; i < kPerLane; ++i)
                queries[task][lane * kPerLane + i] = values[i] * args.scale;
            continue;
        }
        // Heads of one kv head that are in another group write the same bytes.
        Bf16* const cache = (task == kGroup ? args.cache.keys : args.cache.values) +
                            static_cast<int64_t>(position % args.cache.slots) * args.cache.kvHeads * headDim +
                            kvHead * headDim + lane * kPerLane;
#pragma unroll
        for (int i = 0; i < kPerLane; ++i)
            cache[i] = fromFloat<Bf16>(values[i]);
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
    attend<kGroup>(args, kvHead, 0, headOffset, range, q);
}

__global__ void __launch_bounds__(kMaxHeadDim) attention_combine_bf16(AttentionArgs args) {
    waitForPrevious();
    allowNext();
    const int headDim = args.cache.headDim;
    const int64_t head = blockIdx.x;
    const float* const parts = args.partials + head * args.splits * (headDim + 2);
    const int d = static_cast<int>(threadIdx.x);
    float maximum = -INFINITY;
    for (int split = 0; split < args.splits; ++split)
        if (parts[split * (headDim + 2) + headDim + 1] > 0)
            maximum = fmaxf(maximum, parts[split * (headDim + 2) + headDim]);
    float total = 0, sum = 0;
    for (int split = 0; split < args.splits; ++split) {
        const float* const part = parts + split * (headDim + 2);
        if (part[headDim + 1] <= 0) continue;  // no keys fell to it
        const float weight = __expf(part[headDim] - maximum);
        total += part[headDim + 1] * weight;
        if (d < headDim) sum = fmaf(part[d], weight, sum);
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

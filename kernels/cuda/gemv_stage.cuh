// What the GEMVs of every weight format share: how a block puts its input into shared memory, and how warps stream
// rows.
#pragma once

#include "kernels/cuda/attention.h"
#include "kernels/cuda/attention_join.cuh"
#include "kernels/cuda/device_math.cuh"
#include "kernels/cuda/gemv.h"

namespace gapscope::cuda {

constexpr int kRowThreads = 128;   // blocks of the kernels that run a row a warp: small, so that they spread evenly
constexpr int kStayThreads = 256;  // blocks that stay for many rows: two a multiprocessor keep its memory pipes full
constexpr int kStayBlocks = 2;
// Dynamic shared memory beyond 48 KB would have to be asked for; no Gemma 3 comes near (5376 columns need 33 KB).
constexpr size_t kSharedLimit = 48 << 10;

// Four sums over the block at once, in all threads. `shared` holds 4 floats a warp.
__device__ __forceinline__ float4 blockSum4(float4 value, float4* shared) {
    value.x = warpSum(value.x);
    value.y = warpSum(value.y);
    value.z = warpSum(value.z);
    value.w = warpSum(value.w);
    if (threadIdx.x % kWarp == 0) shared[threadIdx.x / kWarp] = value;
    __syncthreads();
    float4 sum{0, 0, 0, 0};
    for (int warp = 0; warp < static_cast<int>(blockDim.x) / kWarp; ++warp) {
        sum.x += shared[warp].x;
        sum.y += shared[warp].y;
        sum.z += shared[warp].z;
        sum.w += shared[warp].w;
    }
    return sum;
}

__device__ __forceinline__ float4 loadFour(const float* from, int at, bool inside) {
    return inside ? *reinterpret_cast<const float4*>(from + at) : float4{0, 0, 0, 0};
}

__device__ __forceinline__ uint2 packFour(float a, float b, float c, float d) {
    return {static_cast<unsigned>(fromFloat<Bf16>(a)) | static_cast<unsigned>(fromFloat<Bf16>(b)) << 16,
            static_cast<unsigned>(fromFloat<Bf16>(c)) | static_cast<unsigned>(fromFloat<Bf16>(d)) << 16};
}

// The normed input in shared memory, bf16. Its latency is on the path of every token, so a thread holds its share of
// the vectors in registers (kHeld groups of 4, all loads in flight at once, the weights before the wait) and both norms
// come from one reduction: with p = y * post and r = 1 / rms(y), sum((x + r p)^2) = sum(x^2) + 2 r sum(x p) + r^2
// sum(p^2). Longer vectors take the plain way, and `whenHeld` is not called: it gets the thread's share, kHeld times
// four bf16 from element 4 * (thread + i * threads) on, before the block waits for the last of them.
struct Nothing {
    template <class Held>
    __device__ __forceinline__ void operator()(const Held&) const {}
};
template <int kHeld, class WhenHeld = Nothing>
__device__ __forceinline__ uint4* stageNorm(const NormInput& input, int columns, int stride, float* shared,
                                            WhenHeld whenHeld = {}) {
    auto* const sums = reinterpret_cast<float4*>(shared);  // [32]
    auto* const normed = reinterpret_cast<Bf16*>(sums + kWarp);
    const int threads = static_cast<int>(blockDim.x);
    const int thread = static_cast<int>(threadIdx.x);
    const float inverse = 1.0F / static_cast<float>(columns);
    const bool hasY = input.y != nullptr;
    if (columns <= 4 * kHeld * threads) {
        float4 post[kHeld], next[kHeld], x[kHeld], y[kHeld];
#pragma unroll
        for (int i = 0; i < kHeld; ++i) {
            const int at = 4 * (thread + i * threads);
            next[i] = loadFour(input.nextWeights, at, at < columns);
            post[i] = loadFour(input.postWeights, at, hasY && at < columns);
        }
        waitForPrevious();
        float4 sum{0, 0, 0, 0};
#pragma unroll
        for (int i = 0; i < kHeld; ++i) {
            const int at = 4 * (thread + i * threads);
            x[i] = loadFour(input.x, at, at < columns);
            y[i] = loadFour(input.y, at, hasY && at < columns);
        }
        const auto take = [&](float xi, float yi, float& pi) {
            pi *= yi;
            sum.x = fmaf(yi, yi, sum.x);
            sum.y = fmaf(xi, xi, sum.y);
            sum.z = fmaf(xi, pi, sum.z);
            sum.w = fmaf(pi, pi, sum.w);
        };
#pragma unroll
        for (int i = 0; i < kHeld; ++i) {
            take(x[i].x, y[i].x, post[i].x);
            take(x[i].y, y[i].y, post[i].y);
            take(x[i].z, y[i].z, post[i].z);
            take(x[i].w, y[i].w, post[i].w);
        }
        sum = blockSum4(sum, sums);
        const float r = rsqrtf(fmaf(sum.x, inverse, input.epsilon));
        const float squares = hasY ? squaresOfSum(sum.y, sum.z, sum.w, r) : sum.y;
        const float scale = rsqrtf(fmaf(squares, inverse, input.epsilon));
        uint2 packed[kHeld];
#pragma unroll
        for (int i = 0; i < kHeld; ++i) {
            const int at = 4 * (thread + i * threads);
            packed[i] = {0, 0};
            if (at >= stride) continue;
            if (hasY) {
                x[i].x = fmaf(post[i].x, r, x[i].x);
                x[i].y = fmaf(post[i].y, r, x[i].y);
                x[i].z = fmaf(post[i].z, r, x[i].z);
                x[i].w = fmaf(post[i].w, r, x[i].w);
                if (blockIdx.x == 0 && at < columns) *reinterpret_cast<float4*>(input.xOut + at) = x[i];
            }
            packed[i] = packFour(x[i].x * scale * next[i].x, x[i].y * scale * next[i].y, x[i].z * scale * next[i].z,
                                 x[i].w * scale * next[i].w);
            *reinterpret_cast<uint2*>(normed + at) = packed[i];
        }
        whenHeld(packed);
        __syncthreads();
        return reinterpret_cast<uint4*>(normed);
    }
    waitForPrevious();
    float* const stream = shared + 4 * kWarp + stride / 2;
    float4 sum{0, 0, 0, 0};
    for (int i = thread; hasY && i < columns; i += threads)
        sum.x = fmaf(input.y[i], input.y[i], sum.x);
    const float r = rsqrtf(fmaf(blockSum4(sum, sums).x, inverse, input.epsilon));
    sum = float4{0, 0, 0, 0};
    for (int i = thread; i < columns; i += threads) {
        float value = input.x[i];
        if (hasY) {
            value = fmaf(input.y[i] * r, input.postWeights[i], value);
            if (blockIdx.x == 0) input.xOut[i] = value;
        }
        stream[i] = value;
        sum.x = fmaf(value, value, sum.x);
    }
    __syncthreads();
    const float scale = rsqrtf(fmaf(blockSum4(sum, sums).x, inverse, input.epsilon));
    for (int i = thread; i < stride; i += threads)
        normed[i] = i < columns ? fromFloat<Bf16>(stream[i] * scale * input.nextWeights[i]) : Bf16{0};
    __syncthreads();
    return reinterpret_cast<uint4*>(normed);
}

inline GAPSCOPE_HOST_DEVICE size_t normSharedBytes(int stride) {
    return sizeof(float) * (4 * kWarp + static_cast<size_t>(stride) / 2 + static_cast<size_t>(stride));
}

// A copy of the input in shared memory, where each warp of the block reads it.
__device__ __forceinline__ uint4* stageVector(const Bf16* x, int vectors, uint4* shared) {
    waitForPrevious();
    for (int i = static_cast<int>(threadIdx.x); i < vectors; i += static_cast<int>(blockDim.x))
        shared[i] = reinterpret_cast<const uint4*>(x)[i];
    __syncthreads();
    return shared;
}

// Four columns of one head's attention output, joined from its parts and rounded. `part` is the first part's place of
// them, `statistics` the head's maxima and sums. They are read along with the values, so that all loads are in flight
// together.
__device__ __forceinline__ uint2 joinedFour(const float* part, const float2* statistics, int splits, int headDim) {
    JoinedFour joined;
#pragma unroll 4
    for (int split = 0; split < splits; ++split) {
        const float2 statistic = statistics[split];  // maximum, total
        const float4 value = *reinterpret_cast<const float4*>(part + split * headDim);
        joined.take(statistic, value);
    }
    const float4 mean = joined.mean();
    return packFour(mean.x, mean.y, mean.z, mean.w);
}

// Those from column `at` on; past the last column zeros.
template <class Matrix>
__device__ __forceinline__ uint2 joinedFour(const GemvCombineArgsOf<Matrix>& args, int at) {
    const auto* const statistics = reinterpret_cast<const float2*>(
        args.partials + attentionStatisticsAt(1, args.heads, args.headDim, args.splits));
    const int head = at / args.headDim;
    const float* const part =
        args.partials + static_cast<int64_t>(head) * args.splits * args.headDim + at % args.headDim;
    return joinedFour(part, statistics + head * args.splits, at < args.matrix.columns ? args.splits : 0, args.headDim);
}

// All of it, in shared memory.
template <class Matrix>
__device__ __forceinline__ uint4* stageCombined(const GemvCombineArgsOf<Matrix>& args, int stride, float* shared) {
    auto* const joined = reinterpret_cast<Bf16*>(shared);
    waitForPrevious();
    for (int at = 4 * static_cast<int>(threadIdx.x); at < stride; at += 4 * static_cast<int>(blockDim.x))
        *reinterpret_cast<uint2*>(joined + at) = joinedFour(args, at);
    __syncthreads();
    return reinterpret_cast<uint4*>(joined);
}

template <class Matrix>
__device__ __forceinline__ void storeRow(const GemvArgsOf<Matrix>& args, int row, float sum) {
    if (args.out != nullptr)
        args.out[row] = sum;
    else
        args.outBf16[row] = fromFloat<Bf16>(sum);
}

// The largest logit that a warp has seen, of rising rows; NaN is never the largest.
struct BestLogit {
    float value = -INFINITY;
    int32_t index = -1;
    __device__ __forceinline__ void take(float logit, int row) {
        if (logit > value || (index < 0 && logit == logit)) {
            value = logit;
            index = row;
        }
    }
};

// Of each warp's (lane 0) the block's best, ties to the lowest index, to the block's place.
__device__ __forceinline__ void writeBlockBest(BestLogit best, float* values, int32_t* indices) {
    __shared__ float bestValues[kStayThreads / kWarp];
    __shared__ int32_t bestIndices[kStayThreads / kWarp];
    if (threadIdx.x % kWarp == 0) {
        bestValues[threadIdx.x / kWarp] = best.value;
        bestIndices[threadIdx.x / kWarp] = best.index;
    }
    __syncthreads();
    if (threadIdx.x != 0) return;
    for (int warp = 1; warp < kStayThreads / kWarp; ++warp) {
        const bool empty = bestIndices[warp] < 0;
        const bool larger =
            bestValues[warp] > best.value || (bestValues[warp] == best.value && bestIndices[warp] < best.index);
        if (!empty && (best.index < 0 || larger)) best = {bestValues[warp], bestIndices[warp]};
    }
    values[blockIdx.x] = best.value;
    indices[blockIdx.x] = best.index;
}

// Each warp takes groups of kRows rows and streams them kAhead 16-byte loads a lane and row ahead. `row(group, r)` is a
// row's first vector, `stage()` waits for the previous kernel and gives the input, `multiply(input, vector, weights,
// sums)` adds the products of one vector of each row, `store(input, group, sums)` runs in lane 0.
//
// The next kernel may start at once, to read its own weights while this one still waits: only the kernel before
// attentionDecode() lets it start after its own wait, because that one reads old keys before it waits (attention.cu).
enum class NextStarts { AtOnce, AfterWait };

template <NextStarts kNext, int kRows, int kAhead, class Sum, class Row, class Stage, class Multiply, class Store>
__device__ __forceinline__ void streamRows(int groups, int vectors, Row row, Stage stage, Multiply multiply,
                                           Store store) {
    const int lane = static_cast<int>(threadIdx.x) % kWarp;
    const int warps = static_cast<int>(blockDim.x) / kWarp;
    const int step = static_cast<int>(gridDim.x) * warps;
    const int chunks = (vectors + kWarp * kAhead - 1) / (kWarp * kAhead);
    int group = static_cast<int>(blockIdx.x) * warps + static_cast<int>(threadIdx.x) / kWarp;

    uint4 ahead[kAhead][kRows];
    const auto load = [&](int wantedGroup, int chunk) {
#pragma unroll
        for (int r = 0; r < kRows; ++r) {
            const uint4* const base = wantedGroup < groups ? row(wantedGroup, r) : nullptr;
#pragma unroll
            for (int a = 0; a < kAhead; ++a) {
                const int vector = (chunk * kAhead + a) * kWarp + lane;
                ahead[a][r] = base != nullptr && vector < vectors ? loadWeights(base + vector) : uint4{0, 0, 0, 0};
            }
        }
    };
    load(group, 0);
    if (kNext == NextStarts::AtOnce) allowNext();
    const auto input = stage();
    if (kNext == NextStarts::AfterWait) allowNext();
    for (; group < groups; group += step) {
        Sum sums[kRows] = {};
        for (int chunk = 0; chunk < chunks; ++chunk) {
            uint4 now[kAhead][kRows];
#pragma unroll
            for (int a = 0; a < kAhead; ++a)
#pragma unroll
                for (int r = 0; r < kRows; ++r)
                    now[a][r] = ahead[a][r];
            const bool lastChunk = chunk + 1 == chunks;
            load(lastChunk ? group + step : group, lastChunk ? 0 : chunk + 1);
#pragma unroll
            for (int a = 0; a < kAhead; ++a) {
                const int vector = (chunk * kAhead + a) * kWarp + lane;
                if (vector < vectors) multiply(input, vector, now[a], sums);
            }
        }
#pragma unroll
        for (int r = 0; r < kRows; ++r)
            sums[r] = warpSum(sums[r]);
        if (lane == 0) store(input, group, sums);
    }
}

}  // namespace gapscope::cuda

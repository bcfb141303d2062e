#include <algorithm>
#include <cassert>

#include "kernels/cuda/attention.h"
#include "kernels/cuda/device_math.cuh"
#include "kernels/cuda/gemv.h"

namespace gapscope::cuda {

namespace {

constexpr int kRowThreads = 128;   // blocks of the kernels that run a row a warp: small, so that they spread evenly
constexpr int kStayThreads = 256;  // blocks that stay for many rows: two a multiprocessor keep its memory pipes full
constexpr int kStayBlocks = 2;
constexpr int kSplitThreads = 256;
constexpr int kSplitRows = 3;  // 384 blocks for 1152 rows: just under three on each of an H200's 132 multiprocessors
constexpr int kSplitBlocks = 3;
constexpr int kSplitAhead = 4;  // 16-byte loads in flight a thread and row: all of the 1B model's down row (6912)

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
// sum(p^2). Longer vectors take the plain way.
template <int kHeld>
__device__ __forceinline__ uint4* stageNorm(const NormInput& input, int columns, int stride, float* shared) {
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
        const float r = rsqrtf(sum.x * inverse + input.epsilon);
        const float squares = hasY ? fmaxf(sum.y + r * (2 * sum.z + r * sum.w), 0.0F) : sum.y;
        const float scale = rsqrtf(squares * inverse + input.epsilon);
#pragma unroll
        for (int i = 0; i < kHeld; ++i) {
            const int at = 4 * (thread + i * threads);
            if (at >= stride) continue;
            if (hasY) {
                x[i].x = fmaf(post[i].x, r, x[i].x);
                x[i].y = fmaf(post[i].y, r, x[i].y);
                x[i].z = fmaf(post[i].z, r, x[i].z);
                x[i].w = fmaf(post[i].w, r, x[i].w);
                if (blockIdx.x == 0 && at < columns) *reinterpret_cast<float4*>(input.xOut + at) = x[i];
            }
            *reinterpret_cast<uint2*>(normed + at) = packFour(x[i].x * scale * next[i].x, x[i].y * scale * next[i].y,
                                                              x[i].z * scale * next[i].z, x[i].w * scale * next[i].w);
        }
        __syncthreads();
        return reinterpret_cast<uint4*>(normed);
    }
    waitForPrevious();
    float* const stream = shared + 4 * kWarp + stride / 2;
    float4 sum{0, 0, 0, 0};
    for (int i = thread; hasY && i < columns; i += threads)
        sum.x = fmaf(input.y[i], input.y[i], sum.x);
    const float r = rsqrtf(blockSum4(sum, sums).x * inverse + input.epsilon);
    sum = float4{0, 0, 0, 0};
    for (int i = thread; i < columns; i += threads) {
        float value = input.x[i];
        if (hasY) {
            value += input.y[i] * r * input.postWeights[i];
            if (blockIdx.x == 0) input.xOut[i] = value;
        }
        stream[i] = value;
        sum.x = fmaf(value, value, sum.x);
    }
    __syncthreads();
    const float scale = rsqrtf(blockSum4(sum, sums).x * inverse + input.epsilon);
    for (int i = thread; i < stride; i += threads)
        normed[i] = i < columns ? fromFloat<Bf16>(stream[i] * scale * input.nextWeights[i]) : Bf16{0};
    __syncthreads();
    return reinterpret_cast<uint4*>(normed);
}

size_t normSharedBytes(int stride) {
    return sizeof(float) * (4 * kWarp + static_cast<size_t>(stride) / 2 + static_cast<size_t>(stride));
}

// Each warp takes groups of kRows rows and streams them kAhead 16-byte loads a lane and row ahead. `row(group, r)` is a
// row's first vector, `stage()` waits for the previous kernel and gives the input, `store(group, sums)` runs in lane 0.
//
// The next kernel may start at once, to read its own weights while this one still waits: only the kernel before
// attentionDecode() lets it start after its own wait, because that one reads old keys before it waits (attention.cu).
enum class NextStarts { AtOnce, AfterWait };

template <NextStarts kNext, int kRows, int kAhead, class Row, class Stage, class Store>
__device__ __forceinline__ void streamRows(int groups, int vectors, Row row, Stage stage, Store store) {
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
    const uint4* const input = stage();
    if (kNext == NextStarts::AfterWait) allowNext();
    for (; group < groups; group += step) {
        float sums[kRows] = {};
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
                if (vector >= vectors) continue;
                const uint4 x = input[vector];
#pragma unroll
                for (int r = 0; r < kRows; ++r)
                    sums[r] = dot8(now[a][r], x, sums[r]);
            }
        }
#pragma unroll
        for (int r = 0; r < kRows; ++r)
            sums[r] = warpSum(sums[r]);
        if (lane == 0) store(group, sums);
    }
}

__device__ __forceinline__ const uint4* rowOf(const WeightMatrix& matrix, int row) {
    return reinterpret_cast<const uint4*>(matrix.data + static_cast<int64_t>(row) * matrix.stride);
}

__global__ void __launch_bounds__(kRowThreads) gemv_norm_qkv_bf16(GemvQkvArgs args) {
    extern __shared__ __align__(16) float shared[];
    const int first = args.matrices[0].rows;
    const int second = first + (args.count > 1 ? args.matrices[1].rows : 0);
    const int rows = second + (args.count > 2 ? args.matrices[2].rows : 0);
    const auto place = [&](int row, int& inMatrix) {
        const int matrix = row < first ? 0 : row < second ? 1 : 2;
        inMatrix = matrix == 0 ? row : matrix == 1 ? row - first : row - second;
        return matrix;
    };
    streamRows<NextStarts::AfterWait, 1, 5>(
        rows, args.matrices[0].stride / 8,
        [&](int group, int) {
            int row = 0;
            const int matrix = place(group, row);
            return rowOf(args.matrices[matrix], row);
        },
        [&] { return stageNorm<3>(args.input, args.matrices[0].columns, args.matrices[0].stride, shared); },
        [&](int group, const float(&sums)[1]) {
            int row = 0;
            const int matrix = place(group, row);
            args.out[matrix][row] = sums[0];
        });
}

__global__ void __launch_bounds__(kStayThreads, kStayBlocks) gemv_norm_gate_up_gelu_bf16(GemvGateUpArgs args) {
    extern __shared__ __align__(16) float shared[];
    streamRows<NextStarts::AtOnce, 2, 5>(
        args.gate.rows, args.gate.stride / 8, [&](int row, int r) { return rowOf(r == 0 ? args.gate : args.up, row); },
        [&] { return stageNorm<2>(args.input, args.gate.columns, args.gate.stride, shared); },
        [&](int row, const float(&sums)[2]) { args.out[row] = fromFloat<Bf16>(geluTanh(sums[0]) * sums[1]); });
}

__global__ void __launch_bounds__(kStayThreads, kStayBlocks) gemv_norm_head_bf16(GemvHeadArgs args) {
    extern __shared__ __align__(16) float shared[];
    __shared__ float bestValues[kStayThreads / kWarp];
    __shared__ int32_t bestIndices[kStayThreads / kWarp];
    constexpr int kRows = 2;
    const int rows = args.head.rows;
    float best = -INFINITY;
    int32_t bestIndex = -1;
    streamRows<NextStarts::AtOnce, kRows, 5>(
        (rows + kRows - 1) / kRows, args.head.stride / 8,
        [&](int group, int r) { return rowOf(args.head, min(group * kRows + r, rows - 1)); },
        [&] { return stageNorm<2>(args.input, args.head.columns, args.head.stride, shared); },
        [&](int group, const float(&sums)[kRows]) {
#pragma unroll
            for (int r = 0; r < kRows; ++r) {
                const int row = group * kRows + r;
                if (row >= rows) continue;
                args.logits[row] = sums[r];
                if (sums[r] > best || (bestIndex < 0 && sums[r] == sums[r])) {
                    best = sums[r];
                    bestIndex = row;
                }
            }
        });
    if (threadIdx.x % kWarp == 0) {
        bestValues[threadIdx.x / kWarp] = best;
        bestIndices[threadIdx.x / kWarp] = bestIndex;
    }
    __syncthreads();
    if (threadIdx.x != 0) return;
    for (int warp = 0; warp < kStayThreads / kWarp; ++warp) {
        const bool empty = bestIndices[warp] < 0;
        const bool larger = bestValues[warp] > best || (bestValues[warp] == best && bestIndices[warp] < bestIndex);
        if (!empty && (bestIndex < 0 || larger)) {
            best = bestValues[warp];
            bestIndex = bestIndices[warp];
        }
    }
    args.partialValues[blockIdx.x] = best;
    args.partialIndices[blockIdx.x] = bestIndex;
}

// A copy of the input in shared memory, where each warp of the block reads it.
__device__ __forceinline__ uint4* stageVector(const Bf16* x, int vectors, uint4* shared) {
    waitForPrevious();
    for (int i = static_cast<int>(threadIdx.x); i < vectors; i += static_cast<int>(blockDim.x))
        shared[i] = reinterpret_cast<const uint4*>(x)[i];
    __syncthreads();
    return shared;
}

__device__ __forceinline__ void storeRow(const GemvArgs& args, int row, float sum) {
    if (args.out != nullptr)
        args.out[row] = sum;
    else
        args.outBf16[row] = fromFloat<Bf16>(sum);
}

__global__ void __launch_bounds__(kRowThreads) gemv_bf16(GemvArgs args) {
    extern __shared__ __align__(16) float shared[];
    const int vectors = args.matrix.stride / 8;
    streamRows<NextStarts::AtOnce, 1, 5>(
        args.matrix.rows, vectors, [&](int row, int) { return rowOf(args.matrix, row); },
        [&] { return stageVector(args.x, vectors, reinterpret_cast<uint4*>(shared)); },
        [&](int row, const float(&sums)[1]) { storeRow(args, row, sums[0]); });
}

__global__ void __launch_bounds__(kStayThreads, kStayBlocks) gemv_many_rows_bf16(GemvArgs args) {
    extern __shared__ __align__(16) float shared[];
    constexpr int kRows = 2;
    const int vectors = args.matrix.stride / 8;
    const int rows = args.matrix.rows;
    streamRows<NextStarts::AtOnce, kRows, 5>(
        (rows + kRows - 1) / kRows, vectors,
        [&](int group, int r) { return rowOf(args.matrix, min(group * kRows + r, rows - 1)); },
        [&] { return stageVector(args.x, vectors, reinterpret_cast<uint4*>(shared)); },
        [&](int group, const float(&sums)[kRows]) {
#pragma unroll
            for (int r = 0; r < kRows; ++r)
                if (group * kRows + r < rows) storeRow(args, group * kRows + r, sums[r]);
        });
}

// The attention output joined from its parts and rounded. A thread joins four columns: it reads the parts' maxima and
// sums along with their values, so that all of its loads are in flight together.
__device__ __forceinline__ uint4* stageCombined(const GemvCombineArgs& args, float* shared) {
    auto* const joined = reinterpret_cast<Bf16*>(shared);
    const int columns = args.matrix.columns;
    const auto* const statistics = reinterpret_cast<const float2*>(
        args.partials + attentionStatisticsAt(1, args.heads, args.headDim, args.splits));
    waitForPrevious();
    for (int at = 4 * static_cast<int>(threadIdx.x); at < args.matrix.stride; at += 4 * static_cast<int>(blockDim.x)) {
        float4 sum{0, 0, 0, 0};
        float maximum = -INFINITY;
        float total = 0;
        const int head = at / args.headDim;
        const float* const part =
            args.partials + static_cast<int64_t>(head) * args.splits * args.headDim + at % args.headDim;
#pragma unroll 4
        for (int split = 0; at < columns && split < args.splits; ++split) {
            const float2 statistic = statistics[head * args.splits + split];  // maximum, total
            const float4 value = *reinterpret_cast<const float4*>(part + split * args.headDim);
            if (statistic.y <= 0) continue;  // no keys fell to it
            const float larger = fmaxf(maximum, statistic.x);
            const float before = __expf(maximum - larger);
            const float weight = __expf(statistic.x - larger);
            maximum = larger;
            total = total * before + statistic.y * weight;
            sum.x = sum.x * before + value.x * weight;
            sum.y = sum.y * before + value.y * weight;
            sum.z = sum.z * before + value.z * weight;
            sum.w = sum.w * before + value.w * weight;
        }
        const float scale = total > 0 ? 1.0F / total : 0.0F;
        *reinterpret_cast<uint2*>(joined + at) = packFour(sum.x * scale, sum.y * scale, sum.z * scale, sum.w * scale);
    }
    __syncthreads();
    return reinterpret_cast<uint4*>(joined);
}

__global__ void __launch_bounds__(kRowThreads) gemv_combine_output_bf16(GemvCombineArgs args) {
    extern __shared__ __align__(16) float shared[];
    streamRows<NextStarts::AtOnce, 1, 4>(
        args.matrix.rows, args.matrix.stride / 8, [&](int row, int) { return rowOf(args.matrix, row); },
        [&] { return stageCombined(args, shared); }, [&](int row, const float(&sums)[1]) { args.out[row] = sums[0]; });
}

// A few rows a block, split over all its threads: for rows so long that a row a warp would leave memory idle. A thread
// reads each piece of the input once for all rows of the block.
__global__ void __launch_bounds__(kSplitThreads, kSplitBlocks) gemv_split_bf16(GemvArgs args) {
    __shared__ float sums[kSplitRows][kSplitThreads / kWarp];
    const int vectors = args.matrix.stride / 8;
    const int firstRow = static_cast<int>(blockIdx.x) * kSplitRows;
    const auto* const input = reinterpret_cast<const uint4*>(args.x);
    uint4 ahead[kSplitAhead][kSplitRows];
    const auto load = [&](int first) {
#pragma unroll
        for (int r = 0; r < kSplitRows; ++r) {
            const uint4* const row = rowOf(args.matrix, min(firstRow + r, args.matrix.rows - 1));
#pragma unroll
            for (int a = 0; a < kSplitAhead; ++a) {
                const int vector = first + a * kSplitThreads;
                ahead[a][r] = vector < vectors ? loadWeights(row + vector) : uint4{0, 0, 0, 0};
            }
        }
    };
    int first = static_cast<int>(threadIdx.x);
    load(first);
    allowNext();
    waitForPrevious();
    float sum[kSplitRows] = {};
    for (; first < vectors; first += kSplitAhead * kSplitThreads) {
#pragma unroll
        for (int a = 0; a < kSplitAhead; ++a) {
            const int vector = first + a * kSplitThreads;
            if (vector >= vectors) continue;
            const uint4 x = input[vector];
#pragma unroll
            for (int r = 0; r < kSplitRows; ++r)
                sum[r] = dot8(ahead[a][r], x, sum[r]);
        }
        load(first + kSplitAhead * kSplitThreads);
    }
    const int warp = static_cast<int>(threadIdx.x) / kWarp;
#pragma unroll
    for (int r = 0; r < kSplitRows; ++r) {
        sum[r] = warpSum(sum[r]);
        if (threadIdx.x % kWarp == 0) sums[r][warp] = sum[r];
    }
    __syncthreads();
    const int row = static_cast<int>(threadIdx.x);
    if (row >= kSplitRows || firstRow + row >= args.matrix.rows) return;
    float whole = 0;
    for (int w = 0; w < kSplitThreads / kWarp; ++w)
        whole += sums[row][w];
    storeRow(args, firstRow + row, whole);
}

// Dynamic shared memory beyond 48 KB would have to be asked for; no Gemma 3 comes near (5376 columns need 33 KB).
constexpr size_t kSharedLimit = 48 << 10;

}  // namespace

cudaError_t gemvNormQkv(const GemvQkvArgs& args, const Launch& launch) {
    int rows = 0;
    for (int i = 0; i < args.count; ++i) {
        assert(args.matrices[i].stride == args.matrices[0].stride && args.matrices[i].stride % kRowPadding == 0);
        rows += args.matrices[i].rows;
    }
    const size_t shared = normSharedBytes(args.matrices[0].stride);
    if (args.matrices[0].columns % 4 != 0) return cudaErrorInvalidValue;
    if (shared > kSharedLimit) return cudaErrorInvalidConfiguration;
    return launchKernel(gemv_norm_qkv_bf16, ceilDiv(rows, kRowThreads / kWarp), kRowThreads, shared, launch, args);
}

cudaError_t gemvNormGateUp(const GemvGateUpArgs& args, const Launch& launch) {
    assert(args.gate.rows == args.up.rows && args.gate.stride == args.up.stride);
    const size_t shared = normSharedBytes(args.gate.stride);
    if (args.gate.columns % 4 != 0) return cudaErrorInvalidValue;
    if (shared > kSharedLimit) return cudaErrorInvalidConfiguration;
    const int blocks = std::min(ceilDiv(args.gate.rows, kStayThreads / kWarp), launch.multiprocessors * kStayBlocks);
    return launchKernel(gemv_norm_gate_up_gelu_bf16, blocks, kStayThreads, shared, launch, args);
}

int gemvHeadBlocks(int multiprocessors) {
    return multiprocessors * kStayBlocks;
}

cudaError_t gemvNormHead(const GemvHeadArgs& args, const Launch& launch) {
    const size_t shared = normSharedBytes(args.head.stride);
    if (args.head.columns % 4 != 0) return cudaErrorInvalidValue;
    if (shared > kSharedLimit) return cudaErrorInvalidConfiguration;
    return launchKernel(gemv_norm_head_bf16, args.blocks, kStayThreads, shared, launch, args);
}

cudaError_t gemv(const GemvArgs& args, const Launch& launch) {
    assert((args.out == nullptr) != (args.outBf16 == nullptr));
    constexpr int kLongestRowOfAWarp = 1280;
    constexpr int kManyRows = 16384;
    if (args.matrix.columns > kLongestRowOfAWarp)
        return launchKernel(gemv_split_bf16, ceilDiv(args.matrix.rows, kSplitRows), kSplitThreads, 0, launch, args);
    const size_t shared = sizeof(Bf16) * static_cast<size_t>(args.matrix.stride);
    if (args.matrix.rows >= kManyRows)
        return launchKernel(gemv_many_rows_bf16, launch.multiprocessors * kStayBlocks, kStayThreads, shared, launch,
                            args);
    return launchKernel(gemv_bf16, ceilDiv(args.matrix.rows, kRowThreads / kWarp), kRowThreads, shared, launch, args);
}

cudaError_t gemvCombine(const GemvCombineArgs& args, const Launch& launch) {
    if (args.splits < 1 || args.splits > kMostCombinedSplits || args.heads > kMostCombinedHeads)
        return cudaErrorInvalidValue;
    const size_t shared = sizeof(Bf16) * static_cast<size_t>(args.matrix.stride);
    if (shared > kSharedLimit) return cudaErrorInvalidConfiguration;
    return launchKernel(gemv_combine_output_bf16, ceilDiv(args.matrix.rows, kRowThreads / kWarp), kRowThreads, shared,
                        launch, args);
}

}  // namespace gapscope::cuda

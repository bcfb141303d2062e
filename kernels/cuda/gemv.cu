#include <cassert>

#include "kernels/cuda/device_math.cuh"
#include "kernels/cuda/gemv.h"

namespace gapscope::cuda {

namespace {

constexpr int kRowThreads = 128;   // blocks of the kernels that run a row a warp: small, so that they spread evenly
constexpr int kHeadThreads = 512;  // the head's blocks stay for many rows, and all compute the norm
constexpr int kHeadBlocksPerMultiprocessor = 2;
constexpr int kSplitThreads = 128;
constexpr int kSplitAhead = 7;  // 16-byte loads in flight a thread: all of the 1B model's down row (6912)

// Shared memory of a norm input: the normed vector in bf16, x' in fp32, a float a warp.
__device__ __forceinline__ uint4* stageNorm(const NormInput& input, int columns, int stride, float* shared) {
    float* sums = shared;  // [32]
    auto* normed = reinterpret_cast<Bf16*>(shared + kWarp);
    float* stream = shared + kWarp + stride / 2;
    waitForPrevious();
    const int threads = static_cast<int>(blockDim.x);
    const int thread = static_cast<int>(threadIdx.x);
    const float inverse = 1.0F / static_cast<float>(columns);
    float scale = 0;
    if (input.y != nullptr) {
        float sum = 0;
        for (int i = thread; i < columns; i += threads)
            sum = fmaf(input.y[i], input.y[i], sum);
        scale = rsqrtf(blockSum(sum, sums) * inverse + input.epsilon);
    }
    float sum = 0;
    for (int i = thread; i < columns; i += threads) {
        float value = input.x[i];
        if (input.y != nullptr) {
            value += input.y[i] * scale * input.postWeights[i];
            if (blockIdx.x == 0) input.xOut[i] = value;
        }
        stream[i] = value;
        sum = fmaf(value, value, sum);
    }
    scale = rsqrtf(blockSum(sum, sums) * inverse + input.epsilon);
    for (int i = thread; i < stride; i += threads)
        normed[i] = i < columns ? fromFloat<Bf16>(stream[i] * scale * input.nextWeights[i]) : Bf16{0};
    __syncthreads();
    return reinterpret_cast<uint4*>(normed);
}

size_t normSharedBytes(int stride) {
    return sizeof(float) * (kWarp + static_cast<size_t>(stride) / 2 + static_cast<size_t>(stride));
}

// Each warp takes groups of kRows rows and streams them kAhead 16-byte loads a lane and row ahead. `row(group, r)` is a
// row's first vector, `stage()` waits for the previous kernel and gives the input, `store(group, sums)` runs in lane 0.
template <int kRows, int kAhead, class Row, class Stage, class Store>
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
    const uint4* const input = stage();
    allowNext();
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
    streamRows<1, 5>(
        rows, args.matrices[0].stride / 8,
        [&](int group, int) {
            int row = 0;
            const int matrix = place(group, row);
            return rowOf(args.matrices[matrix], row);
        },
        [&] { return stageNorm(args.input, args.matrices[0].columns, args.matrices[0].stride, shared); },
        [&](int group, const float(&sums)[1]) {
            int row = 0;
            const int matrix = place(group, row);
            args.out[matrix][row] = sums[0];
        });
}

__global__ void __launch_bounds__(kRowThreads) gemv_norm_gate_up_gelu_bf16(GemvGateUpArgs args) {
    extern __shared__ __align__(16) float shared[];
    constexpr int kPairs = 2;
    const int rows = args.gate.rows;
    streamRows<2 * kPairs, 1>((rows + kPairs - 1) / kPairs, args.gate.stride / 8,
                              [&](int group, int r) {
                                  const int row = min(group * kPairs + r / 2, rows - 1);
                                  return rowOf(r % 2 == 0 ? args.gate : args.up, row);
                              },
                              [&] { return stageNorm(args.input, args.gate.columns, args.gate.stride, shared); },
                              [&](int group, const float(&sums)[2 * kPairs]) {
#pragma unroll
                                  for (int pair = 0; pair < kPairs; ++pair) {
                                      const int row = group * kPairs + pair;
                                      if (row < rows)
                                          args.out[row] =
                                              fromFloat<Bf16>(geluTanh(sums[2 * pair]) * sums[2 * pair + 1]);
                                  }
                              });
}

__global__ void __launch_bounds__(kHeadThreads) gemv_norm_head_bf16(GemvHeadArgs args) {
    extern __shared__ __align__(16) float shared[];
    __shared__ float bestValues[kHeadThreads / kWarp];
    __shared__ int32_t bestIndices[kHeadThreads / kWarp];
    constexpr int kRows = 4;
    const int rows = args.head.rows;
    float best = -INFINITY;
    int32_t bestIndex = -1;
    streamRows<kRows, 1>((rows + kRows - 1) / kRows, args.head.stride / 8,
                         [&](int group, int r) { return rowOf(args.head, min(group * kRows + r, rows - 1)); },
                         [&] { return stageNorm(args.input, args.head.columns, args.head.stride, shared); },
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
    for (int warp = 0; warp < kHeadThreads / kWarp; ++warp) {
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
    streamRows<1, 5>(
        args.matrix.rows, vectors, [&](int row, int) { return rowOf(args.matrix, row); },
        [&] { return stageVector(args.x, vectors, reinterpret_cast<uint4*>(shared)); },
        [&](int row, const float(&sums)[1]) { storeRow(args, row, sums[0]); });
}

__global__ void __launch_bounds__(kHeadThreads) gemv_many_rows_bf16(GemvArgs args) {
    extern __shared__ __align__(16) float shared[];
    constexpr int kRows = 4;
    const int vectors = args.matrix.stride / 8;
    const int rows = args.matrix.rows;
    streamRows<kRows, 1>((rows + kRows - 1) / kRows, vectors,
                         [&](int group, int r) { return rowOf(args.matrix, min(group * kRows + r, rows - 1)); },
                         [&] { return stageVector(args.x, vectors, reinterpret_cast<uint4*>(shared)); },
                         [&](int group, const float(&sums)[kRows]) {
#pragma unroll
                             for (int r = 0; r < kRows; ++r)
                                 if (group * kRows + r < rows) storeRow(args, group * kRows + r, sums[r]);
                         });
}

// What each part of the keys weighs in each head, then the joined and rounded attention output.
__device__ __forceinline__ uint4* stageCombined(const GemvCombineArgs& args, float* shared) {
    float* const weights = shared;  // [heads, splits]
    auto* const joined = reinterpret_cast<Bf16*>(shared + kWarp * ((args.heads * args.splits + kWarp - 1) / kWarp));
    const int partFloats = args.headDim + 2;
    const int lane = static_cast<int>(threadIdx.x) % kWarp;
    const int warps = static_cast<int>(blockDim.x) / kWarp;
    waitForPrevious();
    for (int head = static_cast<int>(threadIdx.x) / kWarp; head < args.heads; head += warps) {
        const float* const part = args.partials + static_cast<int64_t>(head * args.splits + lane) * partFloats;
        const float total = lane < args.splits ? part[args.headDim + 1] : 0.0F;
        const float maximum = total > 0 ? part[args.headDim] : -INFINITY;
        const float largest = warpMax(maximum);
        const float weight = total > 0 ? __expf(maximum - largest) : 0.0F;
        const float sum = warpSum(total * weight);
        if (lane < args.splits) weights[head * args.splits + lane] = weight / sum;
    }
    __syncthreads();
    const int columns = args.matrix.columns;
    for (int i = static_cast<int>(threadIdx.x); i < args.matrix.stride; i += static_cast<int>(blockDim.x)) {
        float sum = 0;
        if (i < columns) {
            const int head = i / args.headDim;
            const float* const part =
                args.partials + static_cast<int64_t>(head) * args.splits * partFloats + i % args.headDim;
#pragma unroll 8
            for (int split = 0; split < args.splits; ++split)
                sum = fmaf(part[split * partFloats], weights[head * args.splits + split], sum);
        }
        joined[i] = fromFloat<Bf16>(sum);
    }
    __syncthreads();
    return reinterpret_cast<uint4*>(joined);
}

__global__ void __launch_bounds__(kRowThreads) gemv_combine_output_bf16(GemvCombineArgs args) {
    extern __shared__ __align__(16) float shared[];
    streamRows<1, 4>(
        args.matrix.rows, args.matrix.stride / 8, [&](int row, int) { return rowOf(args.matrix, row); },
        [&] { return stageCombined(args, shared); }, [&](int row, const float(&sums)[1]) { args.out[row] = sums[0]; });
}

// One row a block: for rows so long that a row a warp would leave memory idle.
__global__ void __launch_bounds__(kSplitThreads) gemv_split_bf16(GemvArgs args) {
    __shared__ float sums[kSplitThreads / kWarp];
    const int vectors = args.matrix.stride / 8;
    const uint4* const row = rowOf(args.matrix, static_cast<int>(blockIdx.x));
    const auto* const input = reinterpret_cast<const uint4*>(args.x);
    uint4 ahead[kSplitAhead];
    const auto load = [&](int first) {
#pragma unroll
        for (int a = 0; a < kSplitAhead; ++a) {
            const int vector = first + a * kSplitThreads;
            ahead[a] = vector < vectors ? loadWeights(row + vector) : uint4{0, 0, 0, 0};
        }
    };
    int first = static_cast<int>(threadIdx.x);
    load(first);
    waitForPrevious();
    allowNext();
    float sum = 0;
    for (; first < vectors; first += kSplitAhead * kSplitThreads) {
#pragma unroll
        for (int a = 0; a < kSplitAhead; ++a) {
            const int vector = first + a * kSplitThreads;
            if (vector < vectors) sum = dot8(ahead[a], input[vector], sum);
        }
        load(first + kSplitAhead * kSplitThreads);
    }
    sum = blockSum(sum, sums);
    if (threadIdx.x == 0) storeRow(args, static_cast<int>(blockIdx.x), sum);
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
    if (shared > kSharedLimit) return cudaErrorInvalidConfiguration;
    return launchKernel(gemv_norm_qkv_bf16, ceilDiv(rows, kRowThreads / kWarp), kRowThreads, shared, launch, args);
}

cudaError_t gemvNormGateUp(const GemvGateUpArgs& args, const Launch& launch) {
    assert(args.gate.rows == args.up.rows && args.gate.stride == args.up.stride);
    const size_t shared = normSharedBytes(args.gate.stride);
    if (shared > kSharedLimit) return cudaErrorInvalidConfiguration;
    return launchKernel(gemv_norm_gate_up_gelu_bf16, ceilDiv(args.gate.rows, 2 * kRowThreads / kWarp), kRowThreads,
                        shared, launch, args);
}

int gemvHeadBlocks(int multiprocessors) {
    return multiprocessors * kHeadBlocksPerMultiprocessor;
}

cudaError_t gemvNormHead(const GemvHeadArgs& args, const Launch& launch) {
    const size_t shared = normSharedBytes(args.head.stride);
    if (shared > kSharedLimit) return cudaErrorInvalidConfiguration;
    return launchKernel(gemv_norm_head_bf16, args.blocks, kHeadThreads, shared, launch, args);
}

cudaError_t gemv(const GemvArgs& args, const Launch& launch) {
    assert((args.out == nullptr) != (args.outBf16 == nullptr));
    constexpr int kLongestRowOfAWarp = 1280;
    constexpr int kManyRows = 16384;
    constexpr int kManyRowsBlocks = 512;
    if (args.matrix.columns > kLongestRowOfAWarp)
        return launchKernel(gemv_split_bf16, args.matrix.rows, kSplitThreads, 0, launch, args);
    const size_t shared = sizeof(Bf16) * static_cast<size_t>(args.matrix.stride);
    if (args.matrix.rows >= kManyRows)
        return launchKernel(gemv_many_rows_bf16, kManyRowsBlocks, kHeadThreads, shared, launch, args);
    return launchKernel(gemv_bf16, ceilDiv(args.matrix.rows, kRowThreads / kWarp), kRowThreads, shared, launch, args);
}

cudaError_t gemvCombine(const GemvCombineArgs& args, const Launch& launch) {
    if (args.splits < 1 || args.splits > kMostCombinedSplits || args.heads > kMostCombinedHeads)
        return cudaErrorInvalidValue;
    const size_t weights = static_cast<size_t>(kWarp) * static_cast<size_t>(ceilDiv(args.heads * args.splits, kWarp));
    const size_t shared = sizeof(float) * weights + sizeof(Bf16) * static_cast<size_t>(args.matrix.stride);
    if (shared > kSharedLimit) return cudaErrorInvalidConfiguration;
    return launchKernel(gemv_combine_output_bf16, ceilDiv(args.matrix.rows, kRowThreads / kWarp), kRowThreads, shared,
                        launch, args);
}

}  // namespace gapscope::cuda

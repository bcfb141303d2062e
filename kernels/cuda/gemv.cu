#include <algorithm>
#include <cassert>

#include "kernels/cuda/gemv_stage.cuh"

namespace gapscope::cuda {

namespace {

constexpr int kSplitThreads = 256;
constexpr int kSplitRows = 3;  // 384 blocks for 1152 rows: just under three on each of an H200's 132 multiprocessors
constexpr int kSplitBlocks = 3;
constexpr int kSplitAhead = 4;  // 16-byte loads in flight a thread and row: all of the 1B model's down row (6912)

__device__ __forceinline__ const uint4* rowOf(const WeightMatrix& matrix, int row) {
    return reinterpret_cast<const uint4*>(matrix.data + static_cast<int64_t>(row) * matrix.stride);
}

struct MultiplyBf16 {
    template <int kRows>
    __device__ __forceinline__ void operator()(const uint4* input, int vector, const uint4 (&weights)[kRows],
                                               float (&sums)[kRows]) const {
        const uint4 x = input[vector];
#pragma unroll
        for (int r = 0; r < kRows; ++r)
            sums[r] = dot8(weights[r], x, sums[r]);
    }
};

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
    streamRows<NextStarts::AfterWait, 1, 5, float>(
        rows, args.matrices[0].stride / 8,
        [&](int group, int) {
            int row = 0;
            const int matrix = place(group, row);
            return rowOf(args.matrices[matrix], row);
        },
        [&] { return stageNorm<3>(args.input, args.matrices[0].columns, args.matrices[0].stride, shared); },
        MultiplyBf16{},
        [&](const uint4*, int group, const float(&sums)[1]) {
            int row = 0;
            const int matrix = place(group, row);
            args.out[matrix][row] = sums[0];
        });
}

__global__ void __launch_bounds__(kStayThreads, kStayBlocks) gemv_norm_gate_up_gelu_bf16(GemvGateUpArgs args) {
    extern __shared__ __align__(16) float shared[];
    streamRows<NextStarts::AtOnce, 2, 5, float>(
        args.gate.rows, args.gate.stride / 8, [&](int row, int r) { return rowOf(r == 0 ? args.gate : args.up, row); },
        [&] { return stageNorm<2>(args.input, args.gate.columns, args.gate.stride, shared); }, MultiplyBf16{},
        [&](const uint4*, int row, const float(&sums)[2]) {
            args.out[row] = fromFloat<Bf16>(geluTanh(sums[0]) * sums[1]);
        });
}

__global__ void __launch_bounds__(kStayThreads, kStayBlocks) gemv_norm_head_bf16(GemvHeadArgs args) {
    extern __shared__ __align__(16) float shared[];
    constexpr int kRows = 2;
    const int rows = args.head.rows;
    BestLogit best;
    streamRows<NextStarts::AtOnce, kRows, 5, float>(
        (rows + kRows - 1) / kRows, args.head.stride / 8,
        [&](int group, int r) { return rowOf(args.head, min(group * kRows + r, rows - 1)); },
        [&] { return stageNorm<2>(args.input, args.head.columns, args.head.stride, shared); }, MultiplyBf16{},
        [&](const uint4*, int group, const float(&sums)[kRows]) {
#pragma unroll
            for (int r = 0; r < kRows; ++r) {
                const int row = group * kRows + r;
                if (row >= rows) continue;
                args.logits[row] = sums[r];
                best.take(sums[r], row);
            }
        });
    writeBlockBest(best, args.partialValues, args.partialIndices);
}

__global__ void __launch_bounds__(kRowThreads) gemv_bf16(GemvArgs args) {
    extern __shared__ __align__(16) float shared[];
    const int vectors = args.matrix.stride / 8;
    streamRows<NextStarts::AtOnce, 1, 5, float>(
        args.matrix.rows, vectors, [&](int row, int) { return rowOf(args.matrix, row); },
        [&] { return stageVector(args.x, vectors, reinterpret_cast<uint4*>(shared)); }, MultiplyBf16{},
        [&](const uint4*, int row, const float(&sums)[1]) { storeRow(args, row, sums[0]); });
}

__global__ void __launch_bounds__(kStayThreads, kStayBlocks) gemv_many_rows_bf16(GemvArgs args) {
    extern __shared__ __align__(16) float shared[];
    constexpr int kRows = 2;
    const int vectors = args.matrix.stride / 8;
    const int rows = args.matrix.rows;
    streamRows<NextStarts::AtOnce, kRows, 5, float>(
        (rows + kRows - 1) / kRows, vectors,
        [&](int group, int r) { return rowOf(args.matrix, min(group * kRows + r, rows - 1)); },
        [&] { return stageVector(args.x, vectors, reinterpret_cast<uint4*>(shared)); }, MultiplyBf16{},
        [&](const uint4*, int group, const float(&sums)[kRows]) {
#pragma unroll
            for (int r = 0; r < kRows; ++r)
                if (group * kRows + r < rows) storeRow(args, group * kRows + r, sums[r]);
        });
}

__global__ void __launch_bounds__(kRowThreads) gemv_combine_output_bf16(GemvCombineArgs args) {
    extern __shared__ __align__(16) float shared[];
    streamRows<NextStarts::AtOnce, 1, 4, float>(
        args.matrix.rows, args.matrix.stride / 8, [&](int row, int) { return rowOf(args.matrix, row); },
        [&] { return stageCombined(args, args.matrix.stride, shared); }, MultiplyBf16{},
        [&](const uint4*, int row, const float(&sums)[1]) { args.out[row] = sums[0]; });
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

#include "kernels/cuda/gemv_packed.h"

#include <algorithm>
#include <cassert>

#include "kernels/cuda/gemv_stage.cuh"
#include "kernels/cuda/packed_unit.cuh"

namespace gapscope::cuda {

namespace {

template <class Input>
__device__ __forceinline__ float dotRow(const PackedMatrix& matrix, int row, int first, int step, Input input) {
    const std::byte* const weights = packedRow(matrix, row);
    float sum = 0;
    for (int unit = first; unit < matrix.columns / kUnit; unit += step) {
        Unit taken;
        takeUnit(matrix.type, weights, matrix.columns, unit, taken);
        sum += dotUnit(taken, unit, input);
    }
    return sum;
}

// The row's product by a warp, from the input that the block staged, in all lanes.
__device__ __forceinline__ float warpRow(const PackedMatrix& matrix, int row, const uint4* staged) {
    const int lane = static_cast<int>(threadIdx.x) % kWarp;
    return warpSum(dotRow(matrix, row, lane, kWarp,
                          [staged](int unit, int i) { return staged[SwizzledUnits::of(kUnit * unit + 8 * i) / 8]; }));
}

__device__ __forceinline__ void prefetchByWarp(const PackedMatrix& matrix, int row) {
    prefetchRow(packedRow(matrix, row), matrix.rowBytes, static_cast<int>(threadIdx.x) % kWarp, kWarp);
}

struct WarpRows {
    int first, step;
    bool writes;  // this lane
};
__device__ __forceinline__ WarpRows warpRows() {
    const int warps = static_cast<int>(blockDim.x) / kWarp;
    const int warp = static_cast<int>(threadIdx.x) / kWarp;
    return {static_cast<int>(blockIdx.x) * warps + warp, static_cast<int>(gridDim.x) * warps, threadIdx.x % kWarp == 0};
}

__global__ void __launch_bounds__(kRowThreads, kPackedRowBlocks)
    gemv_norm_qkv_packed(GemvQkvArgsOf<PackedMatrix> args) {
    extern __shared__ __align__(16) float shared[];
    const WarpRows rows = warpRows();
    int row = rows.first;
    int which = 0;
    while (which < args.count && row >= args.matrices[which].rows)
        row -= args.matrices[which++].rows;
    const bool hasRow = which < args.count;
    if (hasRow) prefetchByWarp(args.matrices[which], row);
    const int columns = args.matrices[0].columns;
    const uint4* const staged = stageNorm<3, SwizzledUnits>(args.input, columns, columns, shared);
    allowNext();  // after the wait: attentionDecode() reads old keys before its own (NextStarts::AfterWait)
    if (!hasRow) return;
    const float sum = warpRow(args.matrices[which], row, staged);
    if (rows.writes) args.out[which][row] = sum;
}

__global__ void __launch_bounds__(kStayThreads, kStayBlocks)
    gemv_norm_gate_up_gelu_packed(GemvGateUpArgsOf<PackedMatrix> args) {
    extern __shared__ __align__(16) float shared[];
    const WarpRows rows = warpRows();
    const auto prefetch = [&](int row) {
        if (row >= args.gate.rows) return;
        prefetchByWarp(args.gate, row);
        prefetchByWarp(args.up, row);
    };
    prefetch(rows.first);
    allowNext();
    const uint4* const staged = stageNorm<2, SwizzledUnits>(args.input, args.gate.columns, args.gate.columns, shared);
    for (int row = rows.first; row < args.gate.rows; row += rows.step) {
        prefetch(row + rows.step);
        const float gate = warpRow(args.gate, row, staged);
        const float up = warpRow(args.up, row, staged);
        if (rows.writes) args.out[row] = fromFloat<Bf16>(geluTanh(gate) * up);
    }
}

__global__ void __launch_bounds__(kStayThreads, kStayBlocks) gemv_norm_head_packed(GemvHeadArgsOf<PackedMatrix> args) {
    extern __shared__ __align__(16) float shared[];
    const WarpRows rows = warpRows();
    if (rows.first < args.head.rows) prefetchByWarp(args.head, rows.first);
    allowNext();
    const uint4* const staged = stageNorm<2, SwizzledUnits>(args.input, args.head.columns, args.head.columns, shared);
    BestLogit best;
    for (int row = rows.first; row < args.head.rows; row += rows.step) {
        if (row + rows.step < args.head.rows) prefetchByWarp(args.head, row + rows.step);
        const float logit = warpRow(args.head, row, staged);
        if (rows.writes) args.logits[row] = logit;
        best.take(logit, row);
    }
    writeBlockBest(best, args.partialValues, args.partialIndices);
}

__global__ void __launch_bounds__(kRowThreads, kPackedRowBlocks) gemv_packed(GemvArgsOf<PackedMatrix> args) {
    extern __shared__ __align__(16) float shared[];
    const WarpRows rows = warpRows();
    if (rows.first < args.matrix.rows) prefetchByWarp(args.matrix, rows.first);
    allowNext();
    const uint4* const staged =
        stageVector<SwizzledUnits>(args.x, args.matrix.columns / 8, reinterpret_cast<uint4*>(shared));
    for (int row = rows.first; row < args.matrix.rows; row += rows.step) {
        const float sum = warpRow(args.matrix, row, staged);
        if (rows.writes) storeRow(args, row, sum);
    }
}

// One long row a block.
__global__ void __launch_bounds__(kPackedSplitThreads, kStayBlocks) gemv_split_packed(GemvArgsOf<PackedMatrix> args) {
    __shared__ float sums[kPackedSplitThreads / kWarp];
    const int row = static_cast<int>(blockIdx.x);
    const int thread = static_cast<int>(threadIdx.x);
    prefetchRow(packedRow(args.matrix, row), args.matrix.rowBytes, thread, kPackedSplitThreads);
    allowNext();
    waitForPrevious();
    const auto* const input = reinterpret_cast<const uint4*>(args.x);
    const float sum = dotRow(args.matrix, row, thread, kPackedSplitThreads,
                             [input](int unit, int i) { return input[kUnitVectors * unit + i]; });
    const float whole = blockSum(sum, sums);
    if (thread == 0) storeRow(args, row, whole);
}

__global__ void __launch_bounds__(kRowThreads, kPackedRowBlocks)
    gemv_combine_output_packed(GemvCombineArgsOf<PackedMatrix> args) {
    extern __shared__ __align__(16) float shared[];
    const WarpRows rows = warpRows();
    if (rows.first < args.matrix.rows) prefetchByWarp(args.matrix, rows.first);
    allowNext();
    const uint4* const staged = stageCombined<SwizzledUnits>(args, args.matrix.columns, shared);
    if (rows.first >= args.matrix.rows) return;
    const float sum = warpRow(args.matrix, rows.first, staged);
    if (rows.writes) args.out[rows.first] = sum;
}

// `store(i, value)` for each of a unit's weights.
template <class Store>
__device__ __forceinline__ void eachWeight(const PackedMatrix& matrix, int row, int unit, Store store) {
    Unit taken;
    takeUnit(matrix.type, packedRow(matrix, row), matrix.columns, unit, taken);
#pragma unroll
    for (int i = 0; i < kUnit; ++i)
        store(i, taken.integers[i] * taken.scales[i / (kUnit / 2)] - taken.minimum);
}

__global__ void __launch_bounds__(kRowThreads, kPackedRowBlocks) dequantize_packed(PackedMatrix matrix, Bf16* out) {
    waitForPrevious();
    allowNext();
    const int units = matrix.columns / kUnit;
    const int64_t at = static_cast<int64_t>(blockIdx.x) * kRowThreads + threadIdx.x;
    const int row = static_cast<int>(at / units);
    if (row >= matrix.rows) return;
    union {
        Bf16 halves[kUnit];
        uint4 vectors[kUnitVectors];
    } numbers;
    eachWeight(matrix, row, static_cast<int>(at % units),
               [&](int i, float value) { numbers.halves[i] = fromFloat<Bf16>(value); });
#pragma unroll
    for (int i = 0; i < kUnitVectors; ++i)
        reinterpret_cast<uint4*>(out + kUnit * at)[i] = numbers.vectors[i];
}

__global__ void __launch_bounds__(kWarp) embedding_packed(EmbeddingArgsOf<PackedMatrix> args) {
    allowNext();
    waitForPrevious();
    const int unit = static_cast<int>(blockIdx.x * kWarp + threadIdx.x);
    const int token = static_cast<int>(blockIdx.y);
    if (unit >= args.table.columns / kUnit) return;
    const int64_t at = static_cast<int64_t>(token) * args.table.columns + kUnit * unit;
    eachWeight(args.table, args.ids[token], unit, [&](int i, float value) {
        if (args.out != nullptr)
            args.out[at + i] = args.scale * value;
        else
            args.outBf16[at + i] = fromFloat<Bf16>(args.scale * value);
    });
}

}  // namespace

cudaError_t gemvNormQkv(const GemvQkvArgsOf<PackedMatrix>& args, const Launch& launch) {
    int rows = 0;
    for (int i = 0; i < args.count; ++i) {
        assert(args.matrices[i].columns == args.matrices[0].columns);
        rows += args.matrices[i].rows;
    }
    const size_t shared = normSharedBytes(args.matrices[0].columns);
    if (shared > kSharedLimit) return cudaErrorInvalidConfiguration;
    return launchKernel(gemv_norm_qkv_packed, ceilDiv(rows, kRowThreads / kWarp), kRowThreads, shared, launch, args);
}

cudaError_t gemvNormGateUp(const GemvGateUpArgsOf<PackedMatrix>& args, const Launch& launch) {
    assert(args.gate.rows == args.up.rows && args.gate.columns == args.up.columns);
    const size_t shared = normSharedBytes(args.gate.columns);
    if (shared > kSharedLimit) return cudaErrorInvalidConfiguration;
    const int blocks = std::min(ceilDiv(args.gate.rows, kStayThreads / kWarp), launch.multiprocessors * kStayBlocks);
    return launchKernel(gemv_norm_gate_up_gelu_packed, blocks, kStayThreads, shared, launch, args);
}

cudaError_t gemvNormHead(const GemvHeadArgsOf<PackedMatrix>& args, const Launch& launch) {
    const size_t shared = normSharedBytes(args.head.columns);
    if (shared > kSharedLimit) return cudaErrorInvalidConfiguration;
    return launchKernel(gemv_norm_head_packed, args.blocks, kStayThreads, shared, launch, args);
}

cudaError_t gemv(const GemvArgsOf<PackedMatrix>& args, const Launch& launch) {
    assert((args.out == nullptr) != (args.outBf16 == nullptr));
    constexpr int kLongestRowOfAWarp = 1280;
    constexpr int kBlocksOfAMultiprocessor = 16;  // more rows than these take: blocks stay for several
    if (args.matrix.columns > kLongestRowOfAWarp)
        return launchKernel(gemv_split_packed, args.matrix.rows, kPackedSplitThreads, 0, launch, args);
    const size_t shared = sizeof(Bf16) * static_cast<size_t>(args.matrix.columns);
    const int blocks =
        std::min(ceilDiv(args.matrix.rows, kRowThreads / kWarp), launch.multiprocessors * kBlocksOfAMultiprocessor);
    return launchKernel(gemv_packed, blocks, kRowThreads, shared, launch, args);
}

cudaError_t gemvCombine(const GemvCombineArgsOf<PackedMatrix>& args, const Launch& launch) {
    if (args.splits < 1 || args.splits > kMostCombinedSplits || args.heads > kMostCombinedHeads)
        return cudaErrorInvalidValue;
    const size_t shared = sizeof(Bf16) * static_cast<size_t>(args.matrix.columns);
    if (shared > kSharedLimit) return cudaErrorInvalidConfiguration;
    return launchKernel(gemv_combine_output_packed, ceilDiv(args.matrix.rows, kRowThreads / kWarp), kRowThreads, shared,
                        launch, args);
}

cudaError_t dequantize(const PackedMatrix& matrix, Bf16* out, const Launch& launch) {
    const int64_t units = static_cast<int64_t>(matrix.rows) * (matrix.columns / kUnit);
    return launchKernel(dequantize_packed, ceilDiv(units, kRowThreads), kRowThreads, 0, launch, matrix, out);
}

cudaError_t embedding(const EmbeddingArgsOf<PackedMatrix>& args, const Launch& launch) {
    const dim3 grid(static_cast<unsigned>(ceilDiv(args.table.columns / kUnit, kWarp)),
                    static_cast<unsigned>(args.tokens));
    return launchKernel(embedding_packed, grid, kWarp, 0, launch, args);
}

}  // namespace gapscope::cuda

#include <cassert>

#include "kernels/cuda/gemv_rows.cuh"
#include "kernels/cuda/packed_unit.cuh"

namespace gapscope::cuda {

namespace {

constexpr int kSplitGroups = 2;  // a block; more registers than a third would leave

// dotRow() with the inputs of kTokens tokens: weights become integers once.
template <int kTokens>
__device__ __forceinline__ TokenSums<float, kTokens> dotTokens(const PackedMatrix& matrix, int row, int first, int step,
                                                               const PackedInput& input) {
    const int units = matrix.columns / kUnit;
    const DeviceRow packed{{packedRow(matrix, row)}};
    TokenSums<float, kTokens> sums;
    withUnits(matrix.type, matrix.columns, [&](auto take) {
#pragma unroll 1
        for (int unit = first; unit < units; unit += step) {
            const auto taken = take(packed, unit);
#pragma unroll
            for (int t = 0; t < kTokens; ++t)
                sums.of[t] += dotUnit(taken, input.unit(t * units + unit));
        }
    });
    return sums;
}

// By half a warp.
template <int kTokens>
__device__ __forceinline__ TokenSums<float, kTokens> halfRow(const PackedMatrix& matrix, int row,
                                                             const PackedInput& input) {
    TokenSums<float, kTokens> sums = dotTokens<kTokens>(matrix, row, laneOfRow(), kLanesOfRow, input);
#pragma unroll
    for (int t = 0; t < kTokens; ++t)
        sums.of[t] = rowSum(sums.of[t]);
    return sums;
}

// The block's tokens, one behind the other; what is missing of kTokens repeats them.
template <int kTokens>
__device__ __forceinline__ PackedInput stageTokens(const Bf16* x, BlockTokens tokens, int columns, void* shared) {
    constexpr int kHeld = 4;  // loads of a thread on their way at once
    const PackedInput out(shared, kTokens * (columns / kUnit));
    const int there = tokens.count * (columns / 8);
    const auto* const from = reinterpret_cast<const uint4*>(x) + static_cast<int64_t>(tokens.first) * (columns / 8);
    waitForPrevious();
    out.quantizeAll<kHeld>(static_cast<int>(blockDim.x), [=](int i) { return from[i < there ? i : i % there]; });
    __syncthreads();
    return out;
}

__device__ __forceinline__ void prefetchByHalf(const PackedMatrix& matrix, int row) {
    prefetchRow(packedRow(matrix, row), matrix.rowBytes, laneOfRow(), kLanesOfRow);
}

// The halves of warps before this one in the grid, and all.
struct Halves {
    int first, step;
};
__device__ __forceinline__ Halves halves() {
    constexpr int kHalves = kRowThreads / kLanesOfRow;
    return {static_cast<int>(blockIdx.x) * kHalves + static_cast<int>(threadIdx.x) / kLanesOfRow,
            static_cast<int>(gridDim.x) * kHalves};
}

template <int kTokens>
__global__ void __launch_bounds__(kRowThreads, kPackedRowBlocks) gemv_rows_packed(GemvRowsArgsOf<PackedMatrix> args) {
    extern __shared__ __align__(16) float shared[];
    const int rows = allRows(args);
    const BlockTokens tokens = blockTokens<kTokens>(args.tokens);
    const Halves mine = halves();
    const auto prefetch = [&](int row) {
        if (row >= rows) return;
        const RowPlace place = placeOf(args, row);
        prefetchByHalf(args.matrices[place.matrix], place.row);
    };
    prefetch(mine.first);
    allowNext();
    const PackedInput input = stageTokens<kTokens>(args.x, tokens, args.matrices[0].columns, shared);
    for (int row = mine.first; row - halfOfWarp() < rows; row += mine.step) {  // the same in both halves
        prefetch(row + mine.step);
        const RowPlace place = placeOf(args, min(row, rows - 1));
        const TokenSums<float, kTokens> sums = halfRow<kTokens>(args.matrices[place.matrix], place.row, input);
        if (laneOfRow() != 0 || row >= rows) continue;
#pragma unroll
        for (int t = 0; t < kTokens; ++t)
            if (t < tokens.count) storeRow(args, place, tokens.first + t, sums.of[t]);
    }
}

template <int kTokens>
__global__ void __launch_bounds__(kRowThreads, kPackedRowBlocks)
    gemv_gate_up_gelu_rows_packed(GemvGateUpRowsArgsOf<PackedMatrix> args) {
    extern __shared__ __align__(16) float shared[];
    const BlockTokens tokens = blockTokens<kTokens>(args.tokens);
    const PackedMatrix matrix = matrixOfHalf(args.gate, args.up);
    const auto prefetch = [&](int row) {
        if (row < matrix.rows) prefetchByHalf(matrix, row);
    };
    const int step = static_cast<int>(gridDim.x) * (kRowThreads / kWarp);
    int row = static_cast<int>(blockIdx.x) * (kRowThreads / kWarp) + static_cast<int>(threadIdx.x) / kWarp;
    prefetch(row);
    allowNext();
    const PackedInput input = stageTokens<kTokens>(args.x, tokens, args.gate.columns, shared);
    for (; row < args.gate.rows; row += step) {
        prefetch(row + step);
        const TokenSums<float, kTokens> sums = halfRow<kTokens>(matrix, row, input);
#pragma unroll
        for (int t = 0; t < kTokens; ++t) {
            const float up = __shfl_xor_sync(0xffffffffU, sums.of[t], kLanesOfRow);
            if (threadIdx.x % kWarp == 0 && t < tokens.count)
                args.out[static_cast<int64_t>(tokens.first + t) * args.gate.rows + row] =
                    fromFloat<Bf16>(geluTanh(sums.of[t]) * up);
        }
    }
}

// Long rows, as gemv_split_packed(): a row by each group of kPackedSplitThreads.
template <int kTokens>
__global__ void __launch_bounds__(kSplitGroups* kPackedSplitThreads, 1)
    gemv_split_rows_packed(GemvRowsArgsOf<PackedMatrix> args) {
    extern __shared__ __align__(16) float shared[];
    constexpr int kWarps = kPackedSplitThreads / kWarp;
    __shared__ float sums[2][kSplitGroups][kTokens][kWarps];
    const PackedMatrix& matrix = args.matrices[0];
    const int thread = static_cast<int>(threadIdx.x) % kPackedSplitThreads;
    const int group = static_cast<int>(threadIdx.x) / kPackedSplitThreads;
    const BlockTokens tokens = blockTokens<kTokens>(args.tokens);
    const auto prefetch = [&](int row) {
        if (row < matrix.rows) prefetchRow(packedRow(matrix, row), matrix.rowBytes, thread, kPackedSplitThreads);
    };
    const int step = static_cast<int>(gridDim.x) * kSplitGroups;
    int row = static_cast<int>(blockIdx.x) * kSplitGroups + group;
    prefetch(row);
    allowNext();
    const PackedInput input = stageTokens<kTokens>(args.x, tokens, matrix.columns, shared);
    for (int turn = 0; row - group < matrix.rows; row += step, turn ^= 1) {  // all groups as often
        prefetch(row + step);
        const bool isRow = row < matrix.rows;
        const TokenSums<float, kTokens> parts =
            warpSum(dotTokens<kTokens>(matrix, isRow ? row : row - group, thread, kPackedSplitThreads, input));
        if (thread % kWarp == 0)
#pragma unroll
            for (int t = 0; t < kTokens; ++t)
                sums[turn][group][t][thread / kWarp] = parts.of[t];
        __syncthreads();
        if (thread >= tokens.count || !isRow) continue;
        float whole = 0;
        for (int w = 0; w < kWarps; ++w)
            whole += sums[turn][group][thread][w];
        storeRow(args, {0, row}, tokens.first + thread, whole);
    }
}

int blocksFor(int pairs, const Launch& launch) {
    constexpr int kBlocksOfAMultiprocessor = 8;  // more pairs of rows than these take: blocks stay for several
    return std::min(ceilDiv(pairs, kRowThreads / kWarp), launch.multiprocessors * kBlocksOfAMultiprocessor);
}

}  // namespace

cudaError_t gemvRows(const GemvRowsArgsOf<PackedMatrix>& args, const Launch& launch) {
    assert((args.out[0] == nullptr) != (args.outBf16 == nullptr));
    const PackedMatrix& first = args.matrices[0];
    for (int i = 1; i < args.count; ++i)
        assert(args.matrices[i].columns == first.columns);
    const size_t bytesOfAToken = packedInputBytes(first.columns);
    if (args.sums == RowSums::OfGemv && first.columns > kLongestRowOfAWarp)
        return launchForTokens(args.tokens, bytesOfAToken, [&]<int kTokens>(std::integral_constant<int, kTokens>) {
            const int blocks = std::min(ceilDiv(first.rows, kSplitGroups), launch.multiprocessors);
            return launchKernel(gemv_split_rows_packed<kTokens>, gridFor(blocks, args.tokens, kTokens),
                                kSplitGroups * kPackedSplitThreads, kTokens * bytesOfAToken, launch, args);
        });
    return launchForTokens(args.tokens, bytesOfAToken, [&]<int kTokens>(std::integral_constant<int, kTokens>) {
        return launchKernel(gemv_rows_packed<kTokens>,
                            gridFor(blocksFor((allRows(args) + 1) / 2, launch), args.tokens, kTokens), kRowThreads,
                            kTokens * bytesOfAToken, launch, args);
    });
}

cudaError_t gemvGateUpRows(const GemvGateUpRowsArgsOf<PackedMatrix>& args, const Launch& launch) {
    assert(args.gate.rows == args.up.rows && args.gate.columns == args.up.columns);
    const size_t bytesOfAToken = packedInputBytes(args.gate.columns);
    return launchForTokens(args.tokens, bytesOfAToken, [&]<int kTokens>(std::integral_constant<int, kTokens>) {
        return launchKernel(gemv_gate_up_gelu_rows_packed<kTokens>,
                            gridFor(blocksFor(args.gate.rows, launch), args.tokens, kTokens), kRowThreads,
                            kTokens * bytesOfAToken, launch, args);
    });
}

}  // namespace gapscope::cuda

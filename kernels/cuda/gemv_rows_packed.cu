#include <cassert>

#include "kernels/cuda/gemv_rows.cuh"
#include "kernels/cuda/packed_unit.cuh"

namespace gapscope::cuda {

namespace {

constexpr int kLongestRowOfAWarp = 1280;  // as gemv() has it

// A row's products with the inputs of kTokens tokens: weights become numbers once. `input(token, unit, i)` as of
// dotUnits().
template <int kTokens, class Input>
__device__ __forceinline__ TokenSums<float, kTokens> dotRow(const PackedMatrix& matrix, int row, int first, int step,
                                                            Input input) {
    const DeviceRow rows[1] = {{{packedRow(matrix, row)}}};
    TokenSums<float, kTokens> sums;
    for (int unit = first; unit < matrix.columns / kUnit; unit += step) {
        Unit taken[1];
        takeUnits(matrix.type, rows, matrix.columns, unit, taken);
#pragma unroll
        for (int t = 0; t < kTokens; ++t) {
            float product[1];
            dotUnits(
                taken, hasMinimum(matrix.type), unit, [&](int u, int i) { return input(t, u, i); }, product);
            sums.of[t] += product[0];
        }
    }
    return sums;
}

template <int kTokens>
__device__ __forceinline__ TokenSums<float, kTokens> warpRow(const PackedMatrix& matrix, int row, const uint4* staged) {
    const int lane = static_cast<int>(threadIdx.x) % kWarp;
    const int columns = matrix.columns;
    return warpSum(dotRow<kTokens>(matrix, row, lane, kWarp, [=](int token, int unit, int i) {
        return staged[SwizzledUnits::vectorOf(token * (columns / kUnit) + unit, i)];
    }));
}

// The block's tokens in shared memory; what is missing of kTokens repeats the last.
template <int kTokens>
__device__ __forceinline__ uint4* stageTokens(const Bf16* x, BlockTokens tokens, int columns, float* shared) {
    waitForPrevious();
    const int vectors = columns / 8;
    auto* const staged = reinterpret_cast<uint4*>(shared);
    const auto* const from = reinterpret_cast<const uint4*>(x) + static_cast<int64_t>(tokens.first) * vectors;
    for (int i = static_cast<int>(threadIdx.x); i < kTokens * vectors; i += static_cast<int>(blockDim.x))
        staged[SwizzledUnits::of(8 * i) / 8] = from[i < tokens.count * vectors ? i : i % vectors];
    __syncthreads();
    return staged;
}

__device__ __forceinline__ void prefetchByWarp(const PackedMatrix& matrix, int row) {
    prefetchRow(packedRow(matrix, row), matrix.rowBytes, static_cast<int>(threadIdx.x) % kWarp, kWarp);
}

template <int kTokens>
__global__ void __launch_bounds__(kRowThreads, kPackedRowBlocks) gemv_rows_packed(GemvRowsArgsOf<PackedMatrix> args) {
    extern __shared__ __align__(16) float shared[];
    const int rows = allRows(args);
    const BlockTokens tokens = blockTokens<kTokens>(args.tokens);
    const auto prefetch = [&](int row) {
        if (row >= rows) return;
        const RowPlace place = placeOf(args, row);
        prefetchByWarp(args.matrices[place.matrix], place.row);
    };
    const int step = static_cast<int>(gridDim.x) * (kRowThreads / kWarp);
    int row = static_cast<int>(blockIdx.x) * (kRowThreads / kWarp) + static_cast<int>(threadIdx.x) / kWarp;
    prefetch(row);
    allowNext();
    const uint4* const staged = stageTokens<kTokens>(args.x, tokens, args.matrices[0].columns, shared);
    for (; row < rows; row += step) {
        prefetch(row + step);
        const RowPlace place = placeOf(args, row);
        const TokenSums<float, kTokens> sums = warpRow<kTokens>(args.matrices[place.matrix], place.row, staged);
        if (threadIdx.x % kWarp != 0) continue;
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
    const auto prefetch = [&](int row) {
        if (row >= args.gate.rows) return;
        prefetchByWarp(args.gate, row);
        prefetchByWarp(args.up, row);
    };
    const int step = static_cast<int>(gridDim.x) * (kRowThreads / kWarp);
    int row = static_cast<int>(blockIdx.x) * (kRowThreads / kWarp) + static_cast<int>(threadIdx.x) / kWarp;
    prefetch(row);
    allowNext();
    const uint4* const staged = stageTokens<kTokens>(args.x, tokens, args.gate.columns, shared);
    for (; row < args.gate.rows; row += step) {
        prefetch(row + step);
        const TokenSums<float, kTokens> gate = warpRow<kTokens>(args.gate, row, staged);
        const TokenSums<float, kTokens> up = warpRow<kTokens>(args.up, row, staged);
        if (threadIdx.x % kWarp != 0) continue;
#pragma unroll
        for (int t = 0; t < kTokens; ++t)
            if (t < tokens.count)
                args.out[static_cast<int64_t>(tokens.first + t) * args.gate.rows + row] =
                    fromFloat<Bf16>(geluTanh(gate.of[t]) * up.of[t]);
    }
}

// One long row a block, as gemv_split_packed.
template <int kTokens>
__global__ void __launch_bounds__(kPackedSplitThreads, kStayBlocks)
    gemv_split_rows_packed(GemvRowsArgsOf<PackedMatrix> args) {
    __shared__ float partials[kPackedSplitThreads / kWarp];
    const PackedMatrix& matrix = args.matrices[0];
    const int row = static_cast<int>(blockIdx.x);
    const int thread = static_cast<int>(threadIdx.x);
    const BlockTokens tokens = blockTokens<kTokens>(args.tokens);
    const int vectors = matrix.columns / 8;
    prefetchRow(packedRow(matrix, row), matrix.rowBytes, thread, kPackedSplitThreads);
    allowNext();
    waitForPrevious();
    const auto* const input = reinterpret_cast<const uint4*>(args.x) + static_cast<int64_t>(tokens.first) * vectors;
    const int last = tokens.count - 1;
    const TokenSums<float, kTokens> sums = dotRow<kTokens>(
        matrix, row, thread, kPackedSplitThreads,
        [=](int token, int unit, int i) { return input[min(token, last) * vectors + kUnitVectors * unit + i]; });
#pragma unroll
    for (int t = 0; t < kTokens; ++t) {
        const float whole = blockSum(sums.of[t], partials);
        if (thread == 0 && t < tokens.count) storeRow(args, {0, row}, tokens.first + t, whole);
    }
}

int blocksFor(int rows, const Launch& launch) {
    constexpr int kBlocksOfAMultiprocessor = 16;  // more rows than these take: blocks stay for several
    return std::min(ceilDiv(rows, kRowThreads / kWarp), launch.multiprocessors * kBlocksOfAMultiprocessor);
}

}  // namespace

cudaError_t gemvRows(const GemvRowsArgsOf<PackedMatrix>& args, const Launch& launch) {
    assert((args.out[0] == nullptr) != (args.outBf16 == nullptr));
    const PackedMatrix& first = args.matrices[0];
    for (int i = 1; i < args.count; ++i)
        assert(args.matrices[i].columns == first.columns);
    if (args.sums == RowSums::OfGemv && first.columns > kLongestRowOfAWarp)
        return launchForTokens(args.tokens, 0, [&]<int kTokens>(std::integral_constant<int, kTokens>) {
            return launchKernel(gemv_split_rows_packed<kTokens>, gridFor(first.rows, args.tokens, kTokens),
                                kPackedSplitThreads, 0, launch, args);
        });
    const size_t bytesOfAToken = sizeof(Bf16) * static_cast<size_t>(first.columns);
    return launchForTokens(args.tokens, bytesOfAToken, [&]<int kTokens>(std::integral_constant<int, kTokens>) {
        return launchKernel(gemv_rows_packed<kTokens>, gridFor(blocksFor(allRows(args), launch), args.tokens, kTokens),
                            kRowThreads, kTokens * bytesOfAToken, launch, args);
    });
}

cudaError_t gemvGateUpRows(const GemvGateUpRowsArgsOf<PackedMatrix>& args, const Launch& launch) {
    assert(args.gate.rows == args.up.rows && args.gate.columns == args.up.columns);
    const size_t bytesOfAToken = sizeof(Bf16) * static_cast<size_t>(args.gate.columns);
    return launchForTokens(args.tokens, bytesOfAToken, [&]<int kTokens>(std::integral_constant<int, kTokens>) {
        return launchKernel(gemv_gate_up_gelu_rows_packed<kTokens>,
                            gridFor(blocksFor(args.gate.rows, launch), args.tokens, kTokens), kRowThreads,
                            kTokens * bytesOfAToken, launch, args);
    });
}

}  // namespace gapscope::cuda

#include "kernels/cuda/gemv_packed.h"

#include <algorithm>
#include <cassert>

#include "kernels/cuda/block_pipe.cuh"
#include "kernels/cuda/gemv_stage.cuh"
#include "kernels/cuda/packed_unit.cuh"

namespace gapscope::cuda {

namespace {

constexpr int kRowsOfBlock = kRowThreads / kLanesOfRow;
constexpr int kMostSplitRows = 12;
constexpr size_t kOtherShared = 1 << 10;  // what these kernels have beside their dynamic memory
// Long rows: one block a multiprocessor, which quantises the input once, and rows by groups of kPackedSplitThreads. Its
// memory is what every GPU has when asked.
constexpr int kSplitGroups = 3;
constexpr size_t kSplitLimit = (size_t{64} << 10) - kOtherShared;

// Where in a block's dynamic memory its warps' places for rows begin, and the bytes of the longest.
struct RowRoom {
    size_t at = 0;
    int rowBytes = 0;
};

// The pairs of rows that this warp takes.
struct WarpPairs {
    int first, step;
};
__device__ __forceinline__ WarpPairs warpPairs() {
    const int warps = static_cast<int>(blockDim.x) / kWarp;
    const int warp = static_cast<int>(threadIdx.x) / kWarp;
    return {static_cast<int>(blockIdx.x) * warps + warp, static_cast<int>(gridDim.x) * warps};
}

// Rows ahead of their use: each half of a warp calls for a row before the input is there, or while it multiplies by
// another, and finds it in a place of its own in the block's memory. Kernels without kAhead, for rows that do not fit
// there, call them to the L2 cache and read them from device memory.
template <bool kAhead>
__device__ __forceinline__ void callRow(std::byte* place, const PackedMatrix& matrix, int row) {
    const std::byte* const from = packedRow(matrix, row);
    const auto bytes = static_cast<int>(matrix.rowBytes);
    if constexpr (kAhead) {
#pragma unroll 1
        for (int byte = 16 * laneOfRow(); byte < bytes; byte += 16 * kLanesOfRow)
            copyAhead(place + byte, from + byte);
    } else {
        prefetchRow(from, bytes, laneOfRow(), kLanesOfRow);
    }
}
template <bool kAhead>
__device__ __forceinline__ auto calledRow(const std::byte* place, const PackedMatrix& matrix, int row) {
    if constexpr (kAhead)
        return BlockRow{place};
    else
        return DeviceRow{{packedRow(matrix, row)}};
}
// By all lanes: what they called for is there, but for what came after the last endOfCopies().
__device__ __forceinline__ void awaitCalled() {
    waitForCopiesButLast();
    __syncwarp();
}
// The place of the half's first row.
__device__ __forceinline__ std::byte* roomOfHalf(void* shared, const RowRoom& room, int rowsOfHalf) {
    const int half = static_cast<int>(threadIdx.x) / kLanesOfRow;
    return static_cast<std::byte*>(shared) + room.at + half * rowsOfHalf * room.rowBytes;
}

template <bool kAhead>
__global__ void __launch_bounds__(kRowThreads, kPackedRowBlocks)
    gemv_norm_qkv_packed(GemvQkvArgsOf<PackedMatrix> args, RowRoom room) {
    extern __shared__ __align__(16) float shared[];
    int row = 2 * warpPairs().first + halfOfWarp();
    int which = 0;
    while (which < args.count && row >= args.matrices[which].rows)
        row -= args.matrices[which++].rows;
    const bool hasRow = which < args.count;
    std::byte* const place = roomOfHalf(shared, room, 1);
    if (hasRow) callRow<kAhead>(place, args.matrices[which], row);
    endOfCopies();
    const PackedInput input = stagePackedNorm<3>(args.input, args.matrices[0].columns, shared);
    allowNext();  // after the wait: attentionDecode() reads old keys before its own (NextStarts::AfterWait)
    endOfCopies();
    awaitCalled();
    float sum = 0;
    if (hasRow)
        sum = dotRow(args.matrices[which].type, calledRow<kAhead>(place, args.matrices[which], row), laneOfRow(),
                     kLanesOfRow, input);
    sum = rowSum(sum);
    if (hasRow && laneOfRow() == 0) args.out[which][row] = sum;
}

// Pairs of rows, a warp's in turns. `matrix`: of this half's rows. `row(pair)`: this half's of a pair, of which there
// are `pairs`. `store(pair, sum)` in all lanes, each having its row's product.
template <bool kAhead, class RowOf, class Stage, class Store>
__device__ __forceinline__ void streamPackedPairs(const PackedMatrix& matrix, int pairs, RowRoom room, void* shared,
                                                  RowOf row, Stage stage, Store store) {
    const WarpPairs mine = warpPairs();
    std::byte* const places = roomOfHalf(shared, room, 2);
    const auto call = [&](int turn, int pair) {
        if (pair < pairs) callRow<kAhead>(places + turn * room.rowBytes, matrix, row(pair));
        endOfCopies();
    };
    call(0, mine.first);
    allowNext();
    const PackedInput input = stage();
    int turn = 0;
    for (int pair = mine.first; pair < pairs; pair += mine.step, turn ^= 1) {
        __syncwarp();  // all lanes are through with the rows before
        call(turn ^ 1, pair + mine.step);
        awaitCalled();
        store(pair, rowSum(dotRow(matrix.type, calledRow<kAhead>(places + turn * room.rowBytes, matrix, row(pair)),
                                  laneOfRow(), kLanesOfRow, input)));
    }
}

// Rows of one matrix; those of a last pair may be one.
template <bool kAhead, class Stage, class Store>
__device__ __forceinline__ void streamPackedRows(const PackedMatrix& matrix, RowRoom room, void* shared, Stage stage,
                                                 Store store) {
    streamPackedPairs<kAhead>(
        matrix, (matrix.rows + 1) / 2, room, shared,
        [&](int pair) { return min(2 * pair + halfOfWarp(), matrix.rows - 1); }, stage,
        [&](int pair, float sum) { store(2 * pair + halfOfWarp(), sum); });
}

template <bool kAhead>
__global__ void __launch_bounds__(kStayThreads, kStayBlocks)
    gemv_norm_gate_up_gelu_packed(GemvGateUpArgsOf<PackedMatrix> args, RowRoom room) {
    extern __shared__ __align__(16) float shared[];
    streamPackedPairs<kAhead>(
        matrixOfHalf(args.gate, args.up), args.gate.rows, room, shared, [](int pair) { return pair; },
        [&] { return stagePackedNorm<2>(args.input, args.gate.columns, shared); },
        [&](int row, float sum) {
            const float up = __shfl_xor_sync(0xffffffffU, sum, kLanesOfRow);
            if (threadIdx.x % kWarp == 0) args.out[row] = fromFloat<Bf16>(geluTanh(sum) * up);
        });
}

template <bool kAhead>
__global__ void __launch_bounds__(kStayThreads, kStayBlocks)
    gemv_norm_head_packed(GemvHeadArgsOf<PackedMatrix> args, RowRoom room) {
    extern __shared__ __align__(16) float shared[];
    const int rows = args.head.rows;
    BestLogit best;
    streamPackedRows<kAhead>(
        args.head, room, shared, [&] { return stagePackedNorm<2>(args.input, args.head.columns, shared); },
        [&](int row, float sum) {
            if (laneOfRow() == 0 && row < rows) args.logits[row] = sum;
            const float next = __shfl_down_sync(0xffffffffU, sum, kLanesOfRow);
            best.take(sum, row);
            if (row + 1 < rows) best.take(next, row + 1);
        });
    writeBlockBest(best, args.partialValues, args.partialIndices);
}

template <bool kAhead>
__global__ void __launch_bounds__(kRowThreads, kPackedRowBlocks)
    gemv_packed(GemvArgsOf<PackedMatrix> args, RowRoom room) {
    extern __shared__ __align__(16) float shared[];
    streamPackedRows<kAhead>(
        args.matrix, room, shared, [&] { return stagePackedVector<1>(args.x, args.matrix.columns, shared); },
        [&](int row, float sum) {
            if (laneOfRow() == 0 && row < args.matrix.rows) storeRow(args, row, sum);
        });
}

template <bool kAhead>
__global__ void __launch_bounds__(kRowThreads, kPackedRowBlocks)
    gemv_combine_output_packed(GemvCombineArgsOf<PackedMatrix> args, RowRoom room) {
    extern __shared__ __align__(16) float shared[];
    streamPackedRows<kAhead>(
        args.matrix, room, shared, [&] { return stagePackedCombined(args, shared); },
        [&](int row, float sum) {
            if (laneOfRow() == 0 && row < args.matrix.rows) args.out[row] = sum;
        });
}

// Some long rows a block, each split over a group of its threads, all on their way before the input is there.
template <bool kAhead>
__global__ void __launch_bounds__(kSplitGroups* kPackedSplitThreads, 1)
    gemv_split_packed(GemvArgsOf<PackedMatrix> args, int rowsOfBlock) {
    extern __shared__ __align__(16) float shared[];
    constexpr int kHeld = 2;  // 6912 columns at once
    constexpr int kWarps = kPackedSplitThreads / kWarp;
    __shared__ float sums[kMostSplitRows][kWarps];
    const PackedMatrix& matrix = args.matrix;
    const int first = static_cast<int>(blockIdx.x) * rowsOfBlock;
    const int rows = min(rowsOfBlock, matrix.rows - first);
    const int thread = static_cast<int>(threadIdx.x) % kPackedSplitThreads, warp = thread / kWarp;
    const int group = static_cast<int>(threadIdx.x) / kPackedSplitThreads;
    const auto rowBytes = static_cast<int>(matrix.rowBytes);
    auto* const places = reinterpret_cast<std::byte*>(shared) + packedInputBytes(matrix.columns);
    if (kAhead) {  // they lie one behind the other
#pragma unroll 1
        for (int byte = 16 * static_cast<int>(threadIdx.x); byte < rows * rowBytes;
             byte += 16 * static_cast<int>(blockDim.x))
            copyAhead(places + byte, packedRow(matrix, first) + byte);
    } else {
        for (int r = group; r < rows; r += kSplitGroups)
            prefetchRow(packedRow(matrix, first + r), rowBytes, thread, kPackedSplitThreads);
    }
    allowNext();
    const PackedInput input = stagePackedVector<kHeld>(args.x, matrix.columns, shared);
    waitForCopies();
    __syncthreads();
#pragma unroll 1
    for (int r = group; r < rows; r += kSplitGroups) {
        const float sum = warpSum(dotRow(matrix.type, calledRow<kAhead>(places + r * rowBytes, matrix, first + r),
                                         thread, kPackedSplitThreads, input));
        if (thread % kWarp == 0) sums[r][warp] = sum;
    }
    __syncthreads();
    const int row = static_cast<int>(threadIdx.x);
    if (row >= rows) return;
    float whole = 0;
    for (int w = 0; w < kWarps; ++w)
        whole += sums[row][w];
    storeRow(args, first + row, whole);
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
        uint4 vectors[kUnit / 8];
    } numbers;
    eachWeight(matrix, row, static_cast<int>(at % units),
               [&](int i, float value) { numbers.halves[i] = fromFloat<Bf16>(value); });
#pragma unroll
    for (int i = 0; i < kUnit / 8; ++i)
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

// With the places for `rowsOfHalf` rows of each half of a warp behind what is staged, where there is room for them.
template <class Args>
cudaError_t launchWithRoom(void (*ahead)(Args, RowRoom), void (*plain)(Args, RowRoom), int blocks, int threads,
                           size_t staged, int64_t rowBytes, int rowsOfHalf, const Launch& launch, const Args& args) {
    if (staged > kSharedLimit) return cudaErrorInvalidConfiguration;
    const RowRoom room{(staged + 15) / 16 * 16, static_cast<int>(rowBytes)};
    const size_t bytes =
        room.at + static_cast<size_t>(threads / kLanesOfRow * rowsOfHalf) * static_cast<size_t>(rowBytes);
    const bool fits = bytes <= kSharedLimit - kOtherShared;
    return launchKernel(fits ? ahead : plain, blocks, threads, fits ? bytes : staged, launch, args, room);
}

}  // namespace

cudaError_t gemvNormQkv(const GemvQkvArgsOf<PackedMatrix>& args, const Launch& launch) {
    int rows = 0;
    int64_t rowBytes = 0;
    for (int i = 0; i < args.count; ++i) {
        assert(args.matrices[i].columns == args.matrices[0].columns);
        rows += args.matrices[i].rows;
        rowBytes = std::max(rowBytes, args.matrices[i].rowBytes);
    }
    return launchWithRoom(gemv_norm_qkv_packed<true>, gemv_norm_qkv_packed<false>, ceilDiv(rows, kRowsOfBlock),
                          kRowThreads, normSharedBytes(args.matrices[0].columns), rowBytes, 1, launch, args);
}

cudaError_t gemvNormGateUp(const GemvGateUpArgsOf<PackedMatrix>& args, const Launch& launch) {
    assert(args.gate.rows == args.up.rows && args.gate.columns == args.up.columns);
    const int blocks = std::min(ceilDiv(args.gate.rows, kStayThreads / kWarp), launch.multiprocessors * kStayBlocks);
    return launchWithRoom(gemv_norm_gate_up_gelu_packed<true>, gemv_norm_gate_up_gelu_packed<false>, blocks,
                          kStayThreads, normSharedBytes(args.gate.columns),
                          std::max(args.gate.rowBytes, args.up.rowBytes), 2, launch, args);
}

cudaError_t gemvNormHead(const GemvHeadArgsOf<PackedMatrix>& args, const Launch& launch) {
    return launchWithRoom(gemv_norm_head_packed<true>, gemv_norm_head_packed<false>, args.blocks, kStayThreads,
                          normSharedBytes(args.head.columns), args.head.rowBytes, 2, launch, args);
}

cudaError_t gemv(const GemvArgsOf<PackedMatrix>& args, const Launch& launch) {
    assert((args.out == nullptr) != (args.outBf16 == nullptr));
    constexpr int kBlocksOfAMultiprocessor = 16;  // more rows than these take: blocks stay for several
    const int rows = args.matrix.rows;
    const size_t staged = packedInputBytes(args.matrix.columns);
    if (args.matrix.columns > kLongestRowOfAWarp) {
        if (staged > kSplitLimit) return cudaErrorInvalidConfiguration;
        const auto fitting = static_cast<int>(static_cast<int64_t>(kSplitLimit - staged) / args.matrix.rowBytes);
        const int wanted = std::min(ceilDiv(rows, launch.multiprocessors), kMostSplitRows);
        const int ofBlock = fitting < 1 ? wanted : std::min(wanted, fitting);
        auto* const kernel = fitting < 1 ? gemv_split_packed<false> : gemv_split_packed<true>;
        const size_t bytes = staged + (fitting < 1 ? 0 : static_cast<size_t>(ofBlock * args.matrix.rowBytes));
        if (bytes > kSharedLimit - kOtherShared) {
            const cudaError_t error =
                cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(bytes));
            if (error != cudaSuccess) return error;
        }
        return launchKernel(kernel, ceilDiv(rows, ofBlock), kSplitGroups * kPackedSplitThreads, bytes, launch, args,
                            ofBlock);
    }
    const int blocks = std::min(ceilDiv(rows, kRowsOfBlock), launch.multiprocessors * kBlocksOfAMultiprocessor);
    return launchWithRoom(gemv_packed<true>, gemv_packed<false>, blocks, kRowThreads, staged, args.matrix.rowBytes, 2,
                          launch, args);
}

cudaError_t gemvCombine(const GemvCombineArgsOf<PackedMatrix>& args, const Launch& launch) {
    if (args.splits < 1 || args.splits > kMostCombinedSplits || args.heads > kMostCombinedHeads)
        return cudaErrorInvalidValue;
    return launchWithRoom(gemv_combine_output_packed<true>, gemv_combine_output_packed<false>,
                          ceilDiv(args.matrix.rows, kRowsOfBlock), kRowThreads, packedInputBytes(args.matrix.columns),
                          args.matrix.rowBytes, 2, launch, args);
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

#include "kernels/cuda/gemv_packed.h"

#include <algorithm>
#include <cassert>

#include "kernels/cuda/block_pipe.cuh"
#include "kernels/cuda/gemv_stage.cuh"
#include "kernels/cuda/packed_unit.cuh"

namespace gapscope::cuda {

namespace {

constexpr int kMostSplitRows = 8;
constexpr int kPackedSplitBlocks = 3;     // a multiprocessor; 7 % of a token of the 1B model against two on an H100
constexpr size_t kOtherShared = 1 << 10;  // what these kernels have beside their dynamic memory

// Where in a block's dynamic memory its warps' places for rows begin, and the bytes of the longest.
struct RowRoom {
    size_t at = 0;
    int rowBytes = 0;
};

template <class Row, class Input>
__device__ __forceinline__ float dotRow(const PackedMatrix& matrix, Row row, int first, int step, Input input) {
    const Row rows[1] = {row};
    float sum = 0;
    for (int unit = first; unit < matrix.columns / kUnit; unit += step) {
        Unit taken[1];
        float product[1];
        takeUnits(matrix.type, rows, matrix.columns, unit, taken);
        dotUnits(taken, hasMinimum(matrix.type), unit, input, product);
        sum += product[0];
    }
    return sum;
}

// The row's product by a warp, from the input that the block staged, in all lanes.
template <class Row>
__device__ __forceinline__ float warpRow(const PackedMatrix& matrix, Row row, const uint4* staged) {
    const int lane = static_cast<int>(threadIdx.x) % kWarp;
    return warpSum(dotRow(matrix, row, lane, kWarp,
                          [staged](int unit, int i) { return staged[SwizzledUnits::vectorOf(unit, i)]; }));
}
// Those of two rows.
template <class Row>
__device__ __forceinline__ float2 warpTwoRows(const PackedMatrix& first, const PackedMatrix& second, Row row,
                                              Row secondRow, const uint4* staged) {
    const float2 sum =
        dotTwoRows(PackedRow<Row>{row, first.type}, PackedRow<Row>{secondRow, second.type}, first.columns, 0, kWarp,
                   [staged](int unit, int i) { return staged[SwizzledUnits::vectorOf(unit, i)]; });
    return {warpSum(sum.x), warpSum(sum.y)};
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

// Rows ahead of their use: a warp calls for a row before the input is there, or while it multiplies by another, and
// finds it in a place of its own in the block's memory. Kernels without kAhead, for rows that do not fit there, call
// them to the L2 cache and read them from device memory.
template <bool kAhead>
__device__ __forceinline__ void callRow(std::byte* place, const PackedMatrix& matrix, int row) {
    const int lane = static_cast<int>(threadIdx.x) % kWarp;
    const std::byte* const from = packedRow(matrix, row);
    if constexpr (kAhead)
        for (int byte = 16 * lane; byte < static_cast<int>(matrix.rowBytes); byte += 16 * kWarp)
            copyAhead(place + byte, from + byte);
    else
        prefetchRow(from, matrix.rowBytes, lane, kWarp);
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
__device__ __forceinline__ std::byte* roomOfWarp(void* shared, size_t staged, int bytes) {
    return static_cast<std::byte*>(shared) + staged + static_cast<int>(threadIdx.x) / kWarp * bytes;
}

template <bool kAhead>
__global__ void __launch_bounds__(kRowThreads, kPackedRowBlocks)
    gemv_norm_qkv_packed(GemvQkvArgsOf<PackedMatrix> args, RowRoom room) {
    extern __shared__ __align__(16) float shared[];
    const WarpRows rows = warpRows();
    int row = rows.first;
    int which = 0;
    while (which < args.count && row >= args.matrices[which].rows)
        row -= args.matrices[which++].rows;
    const bool hasRow = which < args.count;
    std::byte* const place = roomOfWarp(shared, room.at, room.rowBytes);
    if (hasRow) callRow<kAhead>(place, args.matrices[which], row);
    endOfCopies();
    const int columns = args.matrices[0].columns;
    const uint4* const staged = stageNorm<3, SwizzledUnits>(args.input, columns, columns, shared);
    allowNext();  // after the wait: attentionDecode() reads old keys before its own (NextStarts::AfterWait)
    if (!hasRow) return;
    endOfCopies();
    awaitCalled();
    const float sum = warpRow(args.matrices[which], calledRow<kAhead>(place, args.matrices[which], row), staged);
    if (rows.writes) args.out[which][row] = sum;
}

template <bool kAhead>
__global__ void __launch_bounds__(kStayThreads, kStayBlocks)
    gemv_norm_gate_up_gelu_packed(GemvGateUpArgsOf<PackedMatrix> args, RowRoom room) {
    extern __shared__ __align__(16) float shared[];
    const WarpRows rows = warpRows();
    std::byte* const places = roomOfWarp(shared, room.at, 4 * room.rowBytes);
    const auto place = [&](int turn, int which) { return places + (2 * turn + which) * room.rowBytes; };
    const auto call = [&](int turn, int row) {
        if (row < args.gate.rows) {
            callRow<kAhead>(place(turn, 0), args.gate, row);
            callRow<kAhead>(place(turn, 1), args.up, row);
        }
        endOfCopies();
    };
    call(0, rows.first);
    allowNext();
    const uint4* const staged = stageNorm<2, SwizzledUnits>(args.input, args.gate.columns, args.gate.columns, shared);
    int turn = 0;
    for (int row = rows.first; row < args.gate.rows; row += rows.step, turn ^= 1) {
        __syncwarp();  // all lanes are through with the row before
        call(turn ^ 1, row + rows.step);
        awaitCalled();
        const float2 both = warpTwoRows(args.gate, args.up, calledRow<kAhead>(place(turn, 0), args.gate, row),
                                        calledRow<kAhead>(place(turn, 1), args.up, row), staged);
        if (rows.writes) args.out[row] = fromFloat<Bf16>(geluTanh(both.x) * both.y);
    }
}

// Rows of one matrix, a warp's in turns: `store(row, sum)` in all lanes.
template <bool kAhead, class Stage, class Store>
__device__ __forceinline__ void streamPackedRows(const PackedMatrix& matrix, RowRoom room, void* shared, Stage stage,
                                                 Store store) {
    const WarpRows rows = warpRows();
    std::byte* const places = roomOfWarp(shared, room.at, 2 * room.rowBytes);
    const auto call = [&](int turn, int row) {
        if (row < matrix.rows) callRow<kAhead>(places + turn * room.rowBytes, matrix, row);
        endOfCopies();
    };
    call(0, rows.first);
    allowNext();
    const uint4* const staged = stage();
    int turn = 0;
    for (int row = rows.first; row < matrix.rows; row += rows.step, turn ^= 1) {
        __syncwarp();  // all lanes are through with the row before
        call(turn ^ 1, row + rows.step);
        awaitCalled();
        store(row, warpRow(matrix, calledRow<kAhead>(places + turn * room.rowBytes, matrix, row), staged));
    }
}

template <bool kAhead>
__global__ void __launch_bounds__(kStayThreads, kStayBlocks)
    gemv_norm_head_packed(GemvHeadArgsOf<PackedMatrix> args, RowRoom room) {
    extern __shared__ __align__(16) float shared[];
    const WarpRows pairs = warpRows();
    const PackedMatrix& head = args.head;
    std::byte* const places = roomOfWarp(shared, room.at, 4 * room.rowBytes);
    const auto place = [&](int turn, int which) { return places + (2 * turn + which) * room.rowBytes; };
    const auto second = [&](int row) { return min(row + 1, head.rows - 1); };
    const auto call = [&](int turn, int row) {
        if (row < head.rows) {
            callRow<kAhead>(place(turn, 0), head, row);
            callRow<kAhead>(place(turn, 1), head, second(row));
        }
        endOfCopies();
    };
    call(0, 2 * pairs.first);
    allowNext();
    const uint4* const staged = stageNorm<2, SwizzledUnits>(args.input, head.columns, head.columns, shared);
    BestLogit best;
    int turn = 0;
    for (int row = 2 * pairs.first; row < head.rows; row += 2 * pairs.step, turn ^= 1) {
        __syncwarp();  // all lanes are through with the rows before
        call(turn ^ 1, row + 2 * pairs.step);
        awaitCalled();
        const float2 both = warpTwoRows(head, head, calledRow<kAhead>(place(turn, 0), head, row),
                                        calledRow<kAhead>(place(turn, 1), head, second(row)), staged);
        if (pairs.writes) args.logits[row] = both.x;
        best.take(both.x, row);
        if (row + 1 >= head.rows) continue;
        if (pairs.writes) args.logits[row + 1] = both.y;
        best.take(both.y, row + 1);
    }
    writeBlockBest(best, args.partialValues, args.partialIndices);
}

template <bool kAhead>
__global__ void __launch_bounds__(kRowThreads, kPackedRowBlocks)
    gemv_packed(GemvArgsOf<PackedMatrix> args, RowRoom room) {
    extern __shared__ __align__(16) float shared[];
    streamPackedRows<kAhead>(
        args.matrix, room, shared,
        [&] { return stageVector<SwizzledUnits>(args.x, args.matrix.columns / 8, reinterpret_cast<uint4*>(shared)); },
        [&](int row, float sum) {
            if (threadIdx.x % kWarp == 0) storeRow(args, row, sum);
        });
}

template <bool kAhead>
__global__ void __launch_bounds__(kRowThreads, kPackedRowBlocks)
    gemv_combine_output_packed(GemvCombineArgsOf<PackedMatrix> args, RowRoom room) {
    extern __shared__ __align__(16) float shared[];
    streamPackedRows<kAhead>(
        args.matrix, room, shared, [&] { return stageCombined<SwizzledUnits>(args, args.matrix.columns, shared); },
        [&](int row, float sum) {
            if (threadIdx.x % kWarp == 0) args.out[row] = sum;
        });
}

// A few long rows a block, each split over all its threads, all on their way before the input is there.
template <bool kAhead>
__global__ void __launch_bounds__(kPackedSplitThreads, kPackedSplitBlocks)
    gemv_split_packed(GemvArgsOf<PackedMatrix> args, int rowsOfBlock) {
    extern __shared__ __align__(16) float shared[];
    constexpr int kWarps = kPackedSplitThreads / kWarp;
    __shared__ float sums[kMostSplitRows][kWarps];
    const int first = static_cast<int>(blockIdx.x) * rowsOfBlock;
    const int rows = min(rowsOfBlock, args.matrix.rows - first);
    const int thread = static_cast<int>(threadIdx.x), warp = thread / kWarp;
    const auto rowBytes = static_cast<int>(args.matrix.rowBytes);
    auto* const places = reinterpret_cast<std::byte*>(shared);
    if (kAhead) {  // they lie one behind the other
        for (int byte = 16 * thread; byte < rows * rowBytes; byte += 16 * kPackedSplitThreads)
            copyAhead(places + byte, packedRow(args.matrix, first) + byte);
    } else {
        prefetchRow(packedRow(args.matrix, first), args.matrix.rowBytes, thread, kPackedSplitThreads);
    }
    allowNext();
    waitForPrevious();
    const auto* const input = reinterpret_cast<const uint4*>(args.x);
    waitForCopies();
    __syncthreads();
    for (int r = 0; r < rows; ++r) {
        const float sum =
            warpSum(dotRow(args.matrix, calledRow<kAhead>(places + r * rowBytes, args.matrix, first + r), thread,
                           kPackedSplitThreads, [input](int unit, int i) { return input[kUnitVectors * unit + i]; }));
        if (thread % kWarp == 0) sums[r][warp] = sum;
    }
    __syncthreads();
    if (thread >= rows) return;
    float whole = 0;
    for (int w = 0; w < kWarps; ++w)
        whole += sums[thread][w];
    storeRow(args, first + thread, whole);
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

// With the places for `rowsOfWarp` rows of each warp behind what is staged, where there is room for them.
template <class Args>
cudaError_t launchWithRoom(void (*ahead)(Args, RowRoom), void (*plain)(Args, RowRoom), int blocks, int threads,
                           size_t staged, int64_t rowBytes, int rowsOfWarp, const Launch& launch, const Args& args) {
    if (staged > kSharedLimit) return cudaErrorInvalidConfiguration;
    const RowRoom room{(staged + 15) / 16 * 16, static_cast<int>(rowBytes)};
    const size_t bytes = room.at + static_cast<size_t>(threads / kWarp * rowsOfWarp) * static_cast<size_t>(rowBytes);
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
    return launchWithRoom(gemv_norm_qkv_packed<true>, gemv_norm_qkv_packed<false>, ceilDiv(rows, kRowThreads / kWarp),
                          kRowThreads, normSharedBytes(args.matrices[0].columns), rowBytes, 1, launch, args);
}

cudaError_t gemvNormGateUp(const GemvGateUpArgsOf<PackedMatrix>& args, const Launch& launch) {
    assert(args.gate.rows == args.up.rows && args.gate.columns == args.up.columns);
    const int blocks = std::min(ceilDiv(args.gate.rows, kStayThreads / kWarp), launch.multiprocessors * kStayBlocks);
    return launchWithRoom(gemv_norm_gate_up_gelu_packed<true>, gemv_norm_gate_up_gelu_packed<false>, blocks,
                          kStayThreads, normSharedBytes(args.gate.columns),
                          std::max(args.gate.rowBytes, args.up.rowBytes), 4, launch, args);
}

cudaError_t gemvNormHead(const GemvHeadArgsOf<PackedMatrix>& args, const Launch& launch) {
    return launchWithRoom(gemv_norm_head_packed<true>, gemv_norm_head_packed<false>, args.blocks, kStayThreads,
                          normSharedBytes(args.head.columns), args.head.rowBytes, 4, launch, args);
}

cudaError_t gemv(const GemvArgsOf<PackedMatrix>& args, const Launch& launch) {
    assert((args.out == nullptr) != (args.outBf16 == nullptr));
    constexpr int kLongestRowOfAWarp = 1280;
    constexpr int kBlocksOfAMultiprocessor = 16;  // more rows than these take: blocks stay for several
    const int rows = args.matrix.rows;
    if (args.matrix.columns > kLongestRowOfAWarp) {
        const auto fitting = static_cast<int64_t>(kSharedLimit - kOtherShared) / args.matrix.rowBytes;
        const int wanted = ceilDiv(rows, launch.multiprocessors * kPackedSplitBlocks);
        const int of = static_cast<int>(std::min<int64_t>(std::min(wanted, kMostSplitRows), fitting));
        if (of < 1) return launchKernel(gemv_split_packed<false>, rows, kPackedSplitThreads, 0, launch, args, 1);
        return launchKernel(gemv_split_packed<true>, ceilDiv(rows, of), kPackedSplitThreads,
                            static_cast<size_t>(of * args.matrix.rowBytes), launch, args, of);
    }
    const int blocks = std::min(ceilDiv(rows, kRowThreads / kWarp), launch.multiprocessors * kBlocksOfAMultiprocessor);
    return launchWithRoom(gemv_packed<true>, gemv_packed<false>, blocks, kRowThreads,
                          sizeof(Bf16) * static_cast<size_t>(args.matrix.columns), args.matrix.rowBytes, 2, launch,
                          args);
}

cudaError_t gemvCombine(const GemvCombineArgsOf<PackedMatrix>& args, const Launch& launch) {
    if (args.splits < 1 || args.splits > kMostCombinedSplits || args.heads > kMostCombinedHeads)
        return cudaErrorInvalidValue;
    return launchWithRoom(gemv_combine_output_packed<true>, gemv_combine_output_packed<false>,
                          ceilDiv(args.matrix.rows, kRowThreads / kWarp), kRowThreads,
                          sizeof(Bf16) * static_cast<size_t>(args.matrix.columns), args.matrix.rowBytes, 2, launch,
                          args);
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

#include "kernels/cuda/gemv_rows.h"

#include <cassert>

#include "kernels/cuda/gemv_rows.cuh"

namespace gapscope::cuda {

namespace {

constexpr int kSplitThreads = 256;  // as gemv_split_bf16 has: they decide the order of the sums
constexpr int kSplitBlocks = 2;
constexpr int kSplitAhead = 2;  // 16-byte loads in flight a thread and row
constexpr int kManyRows = 16384;

__device__ __forceinline__ const uint4* rowOf(const WeightMatrix& matrix, int row) {
    return reinterpret_cast<const uint4*>(matrix.data + static_cast<int64_t>(row) * matrix.stride);
}

// Adds the products of one vector of weights with one of the input: dot8(), the weights unpacked once for all tokens.
__device__ __forceinline__ float dotUnpacked(const float (&weights)[8], const float (&x)[8], float sum) {
#pragma unroll
    for (int i = 0; i < 8; ++i)
        sum = fmaf(weights[i], x[i], sum);
    return sum;
}

template <int kTokens>
struct MultiplyTokens {
    int vectors;  // of a token's input, which lie one after the other
    template <int kRows>
    __device__ __forceinline__ void operator()(const uint4* input, int vector, const uint4 (&weights)[kRows],
                                               TokenSums<float, kTokens> (&sums)[kRows]) const {
        float w[kRows][8];
#pragma unroll
        for (int r = 0; r < kRows; ++r)
            unpack8(weights[r], w[r]);
#pragma unroll
        for (int t = 0; t < kTokens; ++t) {
            float x[8];
            unpack8(input[t * vectors + vector], x);
#pragma unroll
            for (int r = 0; r < kRows; ++r)
                sums[r].of[t] = dotUnpacked(w[r], x, sums[r].of[t]);
        }
    }
};

// The block's tokens in shared memory, of which there is room for kTokens: what is missing repeats the last.
template <int kTokens>
__device__ __forceinline__ uint4* stageTokens(const Bf16* x, BlockTokens tokens, int vectors, float* shared) {
    waitForPrevious();
    auto* const staged = reinterpret_cast<uint4*>(shared);
    const auto* const from = reinterpret_cast<const uint4*>(x) + static_cast<int64_t>(tokens.first) * vectors;
    for (int i = static_cast<int>(threadIdx.x); i < kTokens * vectors; i += static_cast<int>(blockDim.x))
        staged[i] = from[i < tokens.count * vectors ? i : i % vectors];
    __syncthreads();
    return staged;
}

template <int kTokens, int kRows, int kThreads, int kBlocks>
__global__ void __launch_bounds__(kThreads, kBlocks) gemv_rows_bf16(GemvRowsArgs args) {
    extern __shared__ __align__(16) float shared[];
    constexpr int kAhead = kTokens > 5 && kRows > 1 ? 3 : 5;
    const int vectors = args.matrices[0].stride / 8;
    const int rows = allRows(args);
    const BlockTokens tokens = blockTokens<kTokens>(args.tokens);
    streamRows<NextStarts::AtOnce, kRows, kAhead, TokenSums<float, kTokens>>(
        (rows + kRows - 1) / kRows, vectors,
        [&](int group, int r) {
            const RowPlace place = placeOf(args, min(group * kRows + r, rows - 1));
            return rowOf(args.matrices[place.matrix], place.row);
        },
        [&] { return stageTokens<kTokens>(args.x, tokens, vectors, shared); }, MultiplyTokens<kTokens>{vectors},
        [&](const uint4*, int group, const TokenSums<float, kTokens>(&sums)[kRows]) {
#pragma unroll
            for (int r = 0; r < kRows; ++r) {
                if (group * kRows + r >= rows) continue;
                const RowPlace place = placeOf(args, group * kRows + r);
#pragma unroll
                for (int t = 0; t < kTokens; ++t)
                    if (t < tokens.count) storeRow(args, place, tokens.first + t, sums[r].of[t]);
            }
        });
}

template <int kTokens>
__global__ void __launch_bounds__(kStayThreads, kStayBlocks) gemv_gate_up_gelu_rows_bf16(GemvGateUpRowsArgs args) {
    extern __shared__ __align__(16) float shared[];
    constexpr int kAhead = kTokens > 5 ? 3 : 5;
    const int vectors = args.gate.stride / 8;
    const BlockTokens tokens = blockTokens<kTokens>(args.tokens);
    streamRows<NextStarts::AtOnce, 2, kAhead, TokenSums<float, kTokens>>(
        args.gate.rows, vectors, [&](int row, int r) { return rowOf(r == 0 ? args.gate : args.up, row); },
        [&] { return stageTokens<kTokens>(args.x, tokens, vectors, shared); }, MultiplyTokens<kTokens>{vectors},
        [&](const uint4*, int row, const TokenSums<float, kTokens>(&sums)[2]) {
#pragma unroll
            for (int t = 0; t < kTokens; ++t)
                if (t < tokens.count)
                    args.out[static_cast<int64_t>(tokens.first + t) * args.gate.rows + row] =
                        fromFloat<Bf16>(geluTanh(sums[0].of[t]) * sums[1].of[t]);
        });
}

// gemv_split_bf16 for a few tokens: more rows a block, since each reads the inputs of all tokens.
template <int kTokens>
__global__ void __launch_bounds__(kSplitThreads, kSplitBlocks) gemv_split_rows_bf16(GemvRowsArgs args) {
    constexpr int kRows = kTokens > 5 ? 3 : 5;
    __shared__ float sums[kTokens][kRows][kSplitThreads / kWarp];
    const WeightMatrix& matrix = args.matrices[0];
    const int vectors = matrix.stride / 8;
    const int firstRow = static_cast<int>(blockIdx.x) * kRows;
    const BlockTokens tokens = blockTokens<kTokens>(args.tokens);
    const auto* const input = reinterpret_cast<const uint4*>(args.x) + static_cast<int64_t>(tokens.first) * vectors;
    uint4 ahead[kSplitAhead][kRows];
    const auto load = [&](int a, int vector) {
#pragma unroll
        for (int r = 0; r < kRows; ++r)
            ahead[a][r] = vector < vectors ? loadWeights(rowOf(matrix, min(firstRow + r, matrix.rows - 1)) + vector)
                                           : uint4{0, 0, 0, 0};
    };
    int first = static_cast<int>(threadIdx.x);
#pragma unroll
    for (int a = 0; a < kSplitAhead; ++a)
        load(a, first + a * kSplitThreads);
    allowNext();
    waitForPrevious();
    float sum[kRows][kTokens] = {};
    for (; first < vectors; first += kSplitAhead * kSplitThreads) {
#pragma unroll
        for (int a = 0; a < kSplitAhead; ++a) {
            const int vector = first + a * kSplitThreads;
            if (vector >= vectors) continue;
#pragma unroll
            for (int t = 0; t < kTokens; ++t) {
                const uint4 x = input[(t < tokens.count ? t : 0) * vectors + vector];
#pragma unroll
                for (int r = 0; r < kRows; ++r)
                    sum[r][t] = dot8(ahead[a][r], x, sum[r][t]);
            }
            load(a, vector + kSplitAhead * kSplitThreads);
        }
    }
    const int warp = static_cast<int>(threadIdx.x) / kWarp;
#pragma unroll
    for (int r = 0; r < kRows; ++r)
#pragma unroll
        for (int t = 0; t < kTokens; ++t) {
            sum[r][t] = warpSum(sum[r][t]);
            if (threadIdx.x % kWarp == 0) sums[t][r][warp] = sum[r][t];
        }
    __syncthreads();
    const int row = static_cast<int>(threadIdx.x) % kRows;
    const int token = static_cast<int>(threadIdx.x) / kRows;
    if (token >= tokens.count || firstRow + row >= matrix.rows) return;
    float whole = 0;
    for (int w = 0; w < kSplitThreads / kWarp; ++w)
        whole += sums[token][row][w];
    storeRow(args, {0, firstRow + row}, tokens.first + token, whole);
}

}  // namespace

cudaError_t gemvRows(const GemvRowsArgs& args, const Launch& launch) {
    assert((args.out[0] == nullptr) != (args.outBf16 == nullptr));
    for (int i = 1; i < args.count; ++i)
        assert(args.matrices[i].stride == args.matrices[0].stride);
    const WeightMatrix& first = args.matrices[0];
    if (args.sums == RowSums::OfGemv && first.columns > kLongestRowOfAWarp)
        return launchForTokens(args.tokens, 0, [&]<int kTokens>(std::integral_constant<int, kTokens>) {
            constexpr int kRows = kTokens > 5 ? 3 : 5;
            return launchKernel(gemv_split_rows_bf16<kTokens>,
                                gridFor(ceilDiv(first.rows, kRows), args.tokens, kTokens), kSplitThreads, 0, launch,
                                args);
        });
    const size_t bytesOfAToken = sizeof(Bf16) * static_cast<size_t>(first.stride);
    const int rows = allRows(args);
    return launchForTokens(args.tokens, bytesOfAToken, [&]<int kTokens>(std::integral_constant<int, kTokens>) {
        const size_t shared = kTokens * bytesOfAToken;
        if (rows >= kManyRows)
            return launchKernel(gemv_rows_bf16<kTokens, 2, kStayThreads, kStayBlocks>,
                                gridFor(launch.multiprocessors * kStayBlocks, args.tokens, kTokens), kStayThreads,
                                shared, launch, args);
        return launchKernel(gemv_rows_bf16<kTokens, 1, kRowThreads, 1>,
                            gridFor(ceilDiv(rows, kRowThreads / kWarp), args.tokens, kTokens), kRowThreads, shared,
                            launch, args);
    });
}

cudaError_t gemvGateUpRows(const GemvGateUpRowsArgs& args, const Launch& launch) {
    assert(args.gate.rows == args.up.rows && args.gate.stride == args.up.stride);
    const size_t bytesOfAToken = sizeof(Bf16) * static_cast<size_t>(args.gate.stride);
    const int blocks = std::min(ceilDiv(args.gate.rows, kStayThreads / kWarp), launch.multiprocessors * kStayBlocks);
    return launchForTokens(args.tokens, bytesOfAToken, [&]<int kTokens>(std::integral_constant<int, kTokens>) {
        return launchKernel(gemv_gate_up_gelu_rows_bf16<kTokens>, gridFor(blocks, args.tokens, kTokens), kStayThreads,
                            kTokens * bytesOfAToken, launch, args);
    });
}

}  // namespace gapscope::cuda

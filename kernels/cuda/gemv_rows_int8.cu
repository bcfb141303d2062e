#include <cassert>

#include "kernels/cuda/gemv_int8_stage.cuh"
#include "kernels/cuda/gemv_rows.cuh"

namespace gapscope::cuda {

namespace {

constexpr int kSplitRows = 3;

__host__ __device__ constexpr size_t alignedQuantizedBytes(int stride) {
    return (quantizedBytes(stride) + 15) / 16 * 16;
}

// Each token's input, quantised by the whole block as it is alone.
template <int kTokens>
struct TokenInputs {
    Int8Input of[kTokens];
};
template <int kTokens>
__device__ __forceinline__ TokenInputs<kTokens> stageTokens(const Bf16* x, BlockTokens tokens, int columns, int stride,
                                                            float* shared, float2* partials) {
    waitForPrevious();
    TokenInputs<kTokens> inputs;
#pragma unroll
    for (int t = 0; t < kTokens; ++t) {
        if (t >= tokens.count) {
            inputs.of[t] = inputs.of[0];
            continue;
        }
        const Bf16* const values = x + static_cast<int64_t>(tokens.first + t) * columns;
        auto* const out = reinterpret_cast<std::byte*>(shared) + t * alignedQuantizedBytes(stride);
        inputs.of[t] =
            quantizeInput<kInt8HeldVectors>(values, columns, stride, reinterpret_cast<uint4*>(out), partials);
    }
    return inputs;
}

template <int kTokens>
struct MultiplyTokens {
    template <int kRows>
    __device__ __forceinline__ void operator()(const TokenInputs<kTokens>& inputs, int vector,
                                               const uint4 (&weights)[kRows],
                                               TokenSums<Int8Sum, kTokens> (&sums)[kRows]) const {
#pragma unroll
        for (int t = 0; t < kTokens; ++t)
#pragma unroll
            for (int r = 0; r < kRows; ++r)
                addProducts(inputs.of[t], vector, weights[r], sums[r].of[t]);
    }
};

template <int kTokens>
__global__ void __launch_bounds__(kRowThreads) gemv_rows_int8(GemvRowsArgsOf<Int8Matrix> args) {
    extern __shared__ __align__(16) float shared[];
    __shared__ float2 partials[kRowThreads / kWarp];
    const Int8Matrix& matrix = args.matrices[0];
    const BlockTokens tokens = blockTokens<kTokens>(args.tokens);
    streamRows<NextStarts::AtOnce, 1, 3, TokenSums<Int8Sum, kTokens>>(
        allRows(args), matrix.stride / kInt8Vector,
        [&](int row, int) {
            const RowPlace place = placeOf(args, row);
            return rowOf(args.matrices[place.matrix], place.row);
        },
        [&] { return stageTokens<kTokens>(args.x, tokens, matrix.columns, matrix.stride, shared, partials); },
        MultiplyTokens<kTokens>{},
        [&](const TokenInputs<kTokens>& inputs, int row, const TokenSums<Int8Sum, kTokens>(&sums)[1]) {
            const RowPlace place = placeOf(args, row);
#pragma unroll
            for (int t = 0; t < kTokens; ++t)
                if (t < tokens.count)
                    storeRow(args, place, tokens.first + t,
                             resultOf(inputs.of[t], sums[0].of[t], args.matrices[place.matrix].absmax[place.row]));
        });
}

template <int kTokens>
__global__ void __launch_bounds__(kRowThreads) gemv_gate_up_gelu_rows_int8(GemvGateUpRowsArgsOf<Int8Matrix> args) {
    extern __shared__ __align__(16) float shared[];
    __shared__ float2 partials[kRowThreads / kWarp];
    const BlockTokens tokens = blockTokens<kTokens>(args.tokens);
    streamRows<NextStarts::AtOnce, 2, 3, TokenSums<Int8Sum, kTokens>>(
        args.gate.rows, args.gate.stride / kInt8Vector,
        [&](int row, int r) { return rowOf(r == 0 ? args.gate : args.up, row); },
        [&] { return stageTokens<kTokens>(args.x, tokens, args.gate.columns, args.gate.stride, shared, partials); },
        MultiplyTokens<kTokens>{},
        [&](const TokenInputs<kTokens>& inputs, int row, const TokenSums<Int8Sum, kTokens>(&sums)[2]) {
#pragma unroll
            for (int t = 0; t < kTokens; ++t) {
                if (t >= tokens.count) continue;
                const float gate = resultOf(inputs.of[t], sums[0].of[t], args.gate.absmax[row]);
                const float up = resultOf(inputs.of[t], sums[1].of[t], args.up.absmax[row]);
                args.out[static_cast<int64_t>(tokens.first + t) * args.gate.rows + row] =
                    fromFloat<Bf16>(geluTanh(gate) * up);
            }
        });
}

// kSplitRows rows a block, split over all its threads as gemv_split_int8 does it.
template <int kTokens>
__global__ void __launch_bounds__(kInt8SplitThreads, 1) gemv_split_rows_int8(GemvRowsArgsOf<Int8Matrix> args) {
    extern __shared__ __align__(16) float shared[];
    __shared__ Int8Sum sums[kTokens][kSplitRows][kInt8SplitThreads / kWarp];
    __shared__ float2 partials[kInt8SplitThreads / kWarp];
    const Int8Matrix& matrix = args.matrices[0];
    const int vectors = matrix.stride / kInt8Vector;
    const int firstRow = static_cast<int>(blockIdx.x) * kSplitRows;
    const BlockTokens tokens = blockTokens<kTokens>(args.tokens);
    uint4 ahead[kSplitRows];
    const auto load = [&](int vector) {
#pragma unroll
        for (int r = 0; r < kSplitRows; ++r)
            ahead[r] = vector < vectors ? loadWeights(rowOf(matrix, min(firstRow + r, matrix.rows - 1)) + vector)
                                        : uint4{0, 0, 0, 0};
    };
    int vector = static_cast<int>(threadIdx.x);
    load(vector);
    allowNext();
    const TokenInputs<kTokens> inputs =
        stageTokens<kTokens>(args.x, tokens, matrix.columns, matrix.stride, shared, partials);
    TokenSums<Int8Sum, kTokens> sum[kSplitRows];
    for (; vector < vectors; vector += kInt8SplitThreads) {
        MultiplyTokens<kTokens>{}(inputs, vector, ahead, sum);
        load(vector + kInt8SplitThreads);
    }
#pragma unroll
    for (int t = 0; t < kTokens; ++t)
#pragma unroll
        for (int r = 0; r < kSplitRows; ++r) {
            Int8Sum& own = sum[r].of[t];
            own.products = warpSum(own.products);
            if (inputs.of[t].hasOutliers) own.outliers = warpSum(own.outliers);
            if (threadIdx.x % kWarp == 0) sums[t][r][threadIdx.x / kWarp] = own;
        }
    __syncthreads();
    if (threadIdx.x != 0) return;
#pragma unroll
    for (int t = 0; t < kTokens; ++t) {
        if (t >= tokens.count) continue;
#pragma unroll
        for (int r = 0; r < kSplitRows; ++r) {
            if (firstRow + r >= matrix.rows) continue;
            Int8Sum whole;
            for (const Int8Sum& part : sums[t][r]) {
                whole.products += part.products;
                whole.outliers += part.outliers;
            }
            storeRow(args, {0, firstRow + r}, tokens.first + t,
                     resultOf(inputs.of[t], whole, matrix.absmax[firstRow + r]));
        }
    }
}

}  // namespace

cudaError_t gemvRows(const GemvRowsArgsOf<Int8Matrix>& args, const Launch& launch) {
    assert((args.out[0] == nullptr) != (args.outBf16 == nullptr));
    const Int8Matrix& first = args.matrices[0];
    if (first.columns % 8 != 0) return cudaErrorInvalidValue;
    const size_t bytesOfAToken = alignedQuantizedBytes(first.stride);
    return launchForTokens(args.tokens, bytesOfAToken, [&]<int kTokens>(std::integral_constant<int, kTokens>) {
        const size_t shared = kTokens * bytesOfAToken;
        if (args.sums == RowSums::OfGemv)
            return launchKernel(gemv_split_rows_int8<kTokens>,
                                gridFor(ceilDiv(first.rows, kSplitRows), args.tokens, kTokens), kInt8SplitThreads,
                                shared, launch, args);
        return launchKernel(gemv_rows_int8<kTokens>,
                            gridFor(ceilDiv(allRows(args), kRowThreads / kWarp), args.tokens, kTokens), kRowThreads,
                            shared, launch, args);
    });
}

cudaError_t gemvGateUpRows(const GemvGateUpRowsArgsOf<Int8Matrix>& args, const Launch& launch) {
    assert(args.gate.rows == args.up.rows && args.gate.stride == args.up.stride);
    if (args.gate.columns % 8 != 0) return cudaErrorInvalidValue;
    const size_t bytesOfAToken = alignedQuantizedBytes(args.gate.stride);
    return launchForTokens(args.tokens, bytesOfAToken, [&]<int kTokens>(std::integral_constant<int, kTokens>) {
        return launchKernel(gemv_gate_up_gelu_rows_int8<kTokens>,
                            gridFor(ceilDiv(args.gate.rows, kRowThreads / kWarp), args.tokens, kTokens), kRowThreads,
                            kTokens * bytesOfAToken, launch, args);
    });
}

}  // namespace gapscope::cuda

#include "kernels/cuda/gemv_int8.h"

#include <algorithm>
#include <cassert>

#include "kernels/cuda/gemv_int8_stage.cuh"

namespace gapscope::cuda {

namespace {

// Every block quantises the whole input, so there is one a multiprocessor, with all of its rows' weights in flight:
// nine of the 1B model's down rows on 132 of them.
constexpr int kMostSplitRows = 9;
__device__ __forceinline__ unsigned outlierBits(uint2 four) {
    return (isOutlier(lowHalf(four.x)) ? 1U : 0U) | (isOutlier(highHalf(four.x)) ? 2U : 0U) |
           (isOutlier(lowHalf(four.y)) ? 4U : 0U) | (isOutlier(highHalf(four.y)) ? 8U : 0U);
}

// The normed input (gemv_stage.cuh), quantised while threads still hold it. The integers take the place that long
// vectors use on the way; those are quantised afterwards.
template <int kHeld>
__device__ __forceinline__ Int8Input stageQuantizedNorm(const NormInput& input, int columns, int stride,
                                                        float* shared) {
    auto* const partials = reinterpret_cast<float2*>(shared + 2 * kWarp);  // behind what the norm sums up in
    auto* const integers = reinterpret_cast<unsigned*>(shared + 4 * kWarp + stride / 2);
    auto* const masks = reinterpret_cast<uint8_t*>(integers) + stride;
    Range range;
    bool done = false;
    const auto whenHeld = [&](const uint2(&packed)[kHeld]) {
#pragma unroll
        for (const uint2 four : packed) {
            range.take(lowHalf(four.x));
            range.take(highHalf(four.x));
            range.take(lowHalf(four.y));
            range.take(highHalf(four.y));
        }
        range = blockRange(range, partials);
        const float scale = int8Scale(range.largest);
#pragma unroll
        for (int i = 0; i < kHeld; ++i) {
            const int at = static_cast<int>(threadIdx.x) + i * static_cast<int>(blockDim.x);
            if (range.outliers) {
                // Two neighbours' four bits make the byte of eight elements.
                const unsigned mask = outlierBits(packed[i]);
                const unsigned next4 = __shfl_xor_sync(0xffffffffU, mask, 1);
                if (threadIdx.x % 2 == 0 && 4 * at < stride) masks[at / 2] = static_cast<uint8_t>(mask | next4 << 4);
            }
            if (4 * at < stride)
                integers[at] =
                    packBytes(quantized(lowHalf(packed[i].x), scale), quantized(highHalf(packed[i].x), scale),
                              quantized(lowHalf(packed[i].y), scale), quantized(highHalf(packed[i].y), scale));
        }
        done = true;
    };
    const uint4* const normed = stageNorm<kHeld>(input, columns, stride, shared, whenHeld);
    const auto* const values = reinterpret_cast<const Bf16*>(normed);
    if (done)
        return {reinterpret_cast<const uint4*>(integers), values, reinterpret_cast<const uint16_t*>(masks),
                range.largest, range.outliers};
    return quantizeInput<1>(values, stride, stride, reinterpret_cast<uint4*>(integers), partials);
}

__global__ void __launch_bounds__(kRowThreads) gemv_norm_qkv_int8(GemvQkvArgsOf<Int8Matrix> args) {
    extern __shared__ __align__(16) float shared[];
    const int first = args.matrices[0].rows;
    const int second = first + (args.count > 1 ? args.matrices[1].rows : 0);
    const int rows = second + (args.count > 2 ? args.matrices[2].rows : 0);
    const auto place = [&](int row, int& inMatrix) {
        const int matrix = row < first ? 0 : row < second ? 1 : 2;
        inMatrix = matrix == 0 ? row : matrix == 1 ? row - first : row - second;
        return matrix;
    };
    streamRows<NextStarts::AfterWait, 1, 3, Int8Sum>(
        rows, args.matrices[0].stride / kInt8Vector,
        [&](int group, int) {
            int row = 0;
            const int matrix = place(group, row);
            return rowOf(args.matrices[matrix], row);
        },
        [&] { return stageQuantizedNorm<3>(args.input, args.matrices[0].columns, args.matrices[0].stride, shared); },
        MultiplyInt8{},
        [&](const Int8Input& input, int group, const Int8Sum(&sums)[1]) {
            int row = 0;
            const int matrix = place(group, row);
            args.out[matrix][row] = resultOf(input, sums[0], args.matrices[matrix].absmax[row]);
        });
}

__global__ void __launch_bounds__(kStayThreads, kStayBlocks)
    gemv_norm_gate_up_gelu_int8(GemvGateUpArgsOf<Int8Matrix> args) {
    extern __shared__ __align__(16) float shared[];
    streamRows<NextStarts::AtOnce, 2, 3, Int8Sum>(
        args.gate.rows, args.gate.stride / kInt8Vector,
        [&](int row, int r) { return rowOf(r == 0 ? args.gate : args.up, row); },
        [&] { return stageQuantizedNorm<2>(args.input, args.gate.columns, args.gate.stride, shared); }, MultiplyInt8{},
        [&](const Int8Input& input, int row, const Int8Sum(&sums)[2]) {
            const float gate = resultOf(input, sums[0], args.gate.absmax[row]);
            const float up = resultOf(input, sums[1], args.up.absmax[row]);
            args.out[row] = fromFloat<Bf16>(geluTanh(gate) * up);
        });
}

__global__ void __launch_bounds__(kRowThreads) gemv_combine_output_int8(GemvCombineArgsOf<Int8Matrix> args) {
    extern __shared__ __align__(16) float shared[];
    const int stride = args.matrix.stride;
    streamRows<NextStarts::AtOnce, 1, 2, Int8Sum>(
        args.matrix.rows, stride / kInt8Vector, [&](int row, int) { return rowOf(args.matrix, row); },
        [&] {
            auto* const partials =
                reinterpret_cast<float2*>(shared + stride / 2 + (quantizedBytes(stride) + 7) / 8 * 2);
            const auto* const joined = reinterpret_cast<const Bf16*>(stageCombined(args, stride, shared));
            return quantizeInput<1>(joined, stride, stride, reinterpret_cast<uint4*>(shared + stride / 2), partials);
        },
        MultiplyInt8{},
        [&](const Int8Input& input, int row, const Int8Sum(&sums)[1]) {
            args.out[row] = resultOf(input, sums[0], args.matrix.absmax[row]);
        });
}

// kRows rows a block, split over all its threads.
template <int kRows>
__global__ void __launch_bounds__(kInt8SplitThreads, 1) gemv_split_int8(GemvArgsOf<Int8Matrix> args) {
    extern __shared__ __align__(16) float shared[];
    __shared__ Int8Sum sums[kRows][kInt8SplitThreads / kWarp];
    __shared__ float2 partials[kInt8SplitThreads / kWarp];
    const int vectors = args.matrix.stride / kInt8Vector;
    const int firstRow = static_cast<int>(blockIdx.x) * kRows;
    uint4 ahead[kRows];
    const auto load = [&](int vector) {
#pragma unroll
        for (int r = 0; r < kRows; ++r)
            ahead[r] = vector < vectors
                           ? loadWeights(rowOf(args.matrix, min(firstRow + r, args.matrix.rows - 1)) + vector)
                           : uint4{0, 0, 0, 0};
    };
    int vector = static_cast<int>(threadIdx.x);
    load(vector);
    allowNext();
    waitForPrevious();
    const Int8Input input = quantizeInput<kInt8HeldVectors>(args.x, args.matrix.columns, args.matrix.stride,
                                                            reinterpret_cast<uint4*>(shared), partials);
    Int8Sum sum[kRows];
    for (; vector < vectors; vector += kInt8SplitThreads) {
        MultiplyInt8{}(input, vector, ahead, sum);
        load(vector + kInt8SplitThreads);
    }
#pragma unroll
    for (int r = 0; r < kRows; ++r) {
        sum[r].products = gapscope::cuda::warpSum(sum[r].products);
        if (input.hasOutliers) sum[r].outliers = gapscope::cuda::warpSum(sum[r].outliers);
        if (threadIdx.x % kWarp == 0) sums[r][threadIdx.x / kWarp] = sum[r];
    }
    __syncthreads();
    const int row = static_cast<int>(threadIdx.x);
    if (row >= kRows || firstRow + row >= args.matrix.rows) return;
    Int8Sum whole;
    for (const Int8Sum& part : sums[row]) {
        whole.products += part.products;
        whole.outliers += part.outliers;
    }
    storeRow(args, firstRow + row, resultOf(input, whole, args.matrix.absmax[firstRow + row]));
}

}  // namespace

cudaError_t gemvNormQkv(const GemvQkvArgsOf<Int8Matrix>& args, const Launch& launch) {
    int rows = 0;
    for (int i = 0; i < args.count; ++i) {
        assert(args.matrices[i].stride == args.matrices[0].stride);
        rows += args.matrices[i].rows;
    }
    const size_t shared = normSharedBytes(args.matrices[0].stride);
    if (args.matrices[0].columns % 4 != 0) return cudaErrorInvalidValue;
    if (shared > kSharedLimit) return cudaErrorInvalidConfiguration;
    return launchKernel(gemv_norm_qkv_int8, ceilDiv(rows, kRowThreads / kWarp), kRowThreads, shared, launch, args);
}

cudaError_t gemvNormGateUp(const GemvGateUpArgsOf<Int8Matrix>& args, const Launch& launch) {
    assert(args.gate.rows == args.up.rows && args.gate.stride == args.up.stride);
    const size_t shared = normSharedBytes(args.gate.stride);
    if (args.gate.columns % 4 != 0) return cudaErrorInvalidValue;
    if (shared > kSharedLimit) return cudaErrorInvalidConfiguration;
    const int blocks = std::min(ceilDiv(args.gate.rows, kStayThreads / kWarp), launch.multiprocessors * kStayBlocks);
    return launchKernel(gemv_norm_gate_up_gelu_int8, blocks, kStayThreads, shared, launch, args);
}

cudaError_t gemv(const GemvArgsOf<Int8Matrix>& args, const Launch& launch) {
    assert((args.out == nullptr) != (args.outBf16 == nullptr));
    const size_t shared = quantizedBytes(args.matrix.stride);
    if (args.matrix.columns % 8 != 0) return cudaErrorInvalidValue;
    if (shared > kSharedLimit - (size_t{4} << 10)) return cudaErrorInvalidConfiguration;
    const auto withRows = [&](auto* kernel, int rows) {
        return launchKernel(kernel, ceilDiv(args.matrix.rows, rows), kInt8SplitThreads, shared, launch, args);
    };
    const int wanted = ceilDiv(args.matrix.rows, launch.multiprocessors);
    if (wanted <= 3) return withRows(gemv_split_int8<3>, 3);
    if (wanted <= 5) return withRows(gemv_split_int8<5>, 5);
    return withRows(gemv_split_int8<kMostSplitRows>, kMostSplitRows);
}

cudaError_t gemvCombine(const GemvCombineArgsOf<Int8Matrix>& args, const Launch& launch) {
    if (args.splits < 1 || args.splits > kMostCombinedSplits || args.heads > kMostCombinedHeads)
        return cudaErrorInvalidValue;
    // bf16 values, their integers, a pair a warp.
    const size_t shared = sizeof(Bf16) * static_cast<size_t>(args.matrix.stride) +
                          (quantizedBytes(args.matrix.stride) + 7) / 8 * 8 + sizeof(float2) * kWarp;
    if (shared > kSharedLimit) return cudaErrorInvalidConfiguration;
    return launchKernel(gemv_combine_output_int8, ceilDiv(args.matrix.rows, kRowThreads / kWarp), kRowThreads, shared,
                        launch, args);
}

}  // namespace gapscope::cuda

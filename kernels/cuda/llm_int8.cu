#include "kernels/cuda/llm_int8.h"

#include <algorithm>

#include "kernels/cuda/int8_math.cuh"

namespace gapscope::cuda {

namespace {

constexpr int kThreads = 256;
constexpr int kScanThreads = 1024;

__device__ __forceinline__ int64_t elementIndex() {
    return static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
}

__global__ void __launch_bounds__(kThreads) cast_to_half(const Bf16* in, Half* out, int64_t count) {
    const int64_t at = elementIndex();
    if (at < count) out[at] = fromFloat<Half>(toFloat(in[at]));
}

__global__ void __launch_bounds__(kThreads) cast_half_to_bf16(const Half* in, Bf16* out, int64_t count) {
    const int64_t at = elementIndex();
    if (at < count) out[at] = fromFloat<Bf16>(toFloat(in[at]));
}

__global__ void __launch_bounds__(kThreads) abs_f16(const Half* in, Half* out, int64_t count) {
    const int64_t at = elementIndex();
    if (at < count) out[at] = {static_cast<uint16_t>(in[at].bits & 0x7fffU)};
}

__global__ void __launch_bounds__(kThreads) ge_scalar_f16(const Half* in, uint8_t* mask, int64_t count) {
    const int64_t at = elementIndex();
    if (at < count) mask[at] = isOutlier(toFloat(in[at])) ? 1 : 0;
}

__global__ void __launch_bounds__(kScanThreads) any_or(const uint8_t* mask, int64_t count, int32_t* flag) {
    bool any = false;
    const int64_t vectors = count / 16;
    const auto* const wide = reinterpret_cast<const uint4*>(mask);
    for (int64_t i = threadIdx.x; i < vectors; i += kScanThreads) {
        const uint4 value = wide[i];
        any |= (value.x | value.y | value.z | value.w) != 0;
    }
    for (int64_t i = 16 * vectors + threadIdx.x; i < count; i += kScanThreads)
        any |= mask[i] != 0;
    any = __syncthreads_or(any) != 0;
    if (threadIdx.x == 0) *flag = any ? 1 : 0;
}

// A warp's width of columns a block, whose warps share the rows.
template <class T>
__global__ void __launch_bounds__(kScanThreads) outlier_columns(const T* x, int rows, int columns, uint8_t* flags) {
    __shared__ uint8_t found[kWarp];
    const int lane = static_cast<int>(threadIdx.x) % kWarp;
    const int column = static_cast<int>(blockIdx.x) * kWarp + lane;
    if (threadIdx.x < kWarp) found[lane] = 0;
    __syncthreads();
    bool any = false;
    if (column < columns)
        for (int row = static_cast<int>(threadIdx.x) / kWarp; row < rows; row += kScanThreads / kWarp)
            any |= isOutlier(toFloat(x[static_cast<int64_t>(row) * columns + column]));
    if (any) found[lane] = 1;
    __syncthreads();
    if (threadIdx.x < kWarp && column < columns) flags[column] = found[lane];
}

__global__ void __launch_bounds__(kScanThreads) list_outlier_columns(int columns, OutlierColumns out) {
    __shared__ int warpCounts[kScanThreads / kWarp];
    const int warp = static_cast<int>(threadIdx.x) / kWarp;
    const int lane = static_cast<int>(threadIdx.x) % kWarp;
    int before = 0;
    for (int first = 0; first < columns; first += kScanThreads) {
        const int column = first + static_cast<int>(threadIdx.x);
        const bool marked = column < columns && out.flags[column] != 0;
        const unsigned ballot = __ballot_sync(0xffffffffU, marked);
        if (lane == 0) warpCounts[warp] = __popc(ballot);
        __syncthreads();
        int place = before;
        for (int w = 0; w < kScanThreads / kWarp; ++w) {
            if (w < warp) place += warpCounts[w];
            before += warpCounts[w];
        }
        if (marked) out.numbers[place + __popc(ballot & ((1U << lane) - 1U))] = column;
        __syncthreads();
    }
    if (threadIdx.x == 0) *out.count = before;
}

template <class T>
__global__ void __launch_bounds__(kThreads) int8_vector_quant(const T* x, QuantizeRows args) {
    __shared__ float shared[kThreads / kWarp];
    const int row = static_cast<int>(blockIdx.x);
    const T* const from = x + static_cast<int64_t>(row) * args.columns;
    float largest = 0;
    for (int k = static_cast<int>(threadIdx.x); k < args.columns; k += kThreads) {
        const float value = toFloat(from[k]);
        if (!isOutlier(value)) largest = fmaxf(largest, fabsf(value));
    }
    largest = blockMax(largest, shared);
    const float scale = int8Scale(largest);
    int8_t* const to = args.out + static_cast<int64_t>(row) * args.stride;
    for (int k = static_cast<int>(threadIdx.x); k < args.stride; k += kThreads) {
        const bool zero = k >= args.columns || (args.zeroColumns != nullptr && args.zeroColumns[k] != 0);
        to[k] = zero ? int8_t{0} : static_cast<int8_t>(quantized(toFloat(from[k]), scale));
    }
    if (threadIdx.x == 0) args.absmax[row] = largest;
}

// One token.
__global__ void __launch_bounds__(kThreads) gemv_int8_i32(Int8Matrix matrix, const int8_t* x, int32_t* out) {
    const int row = static_cast<int>(blockIdx.x) * (kThreads / kWarp) + static_cast<int>(threadIdx.x) / kWarp;
    if (row >= matrix.rows) return;
    const int lane = static_cast<int>(threadIdx.x) % kWarp;
    const auto* const weights = reinterpret_cast<const uint4*>(matrix.data + static_cast<int64_t>(row) * matrix.stride);
    const auto* const input = reinterpret_cast<const uint4*>(x);
    int sum = 0;
#pragma unroll 4
    for (int vector = lane; vector < matrix.stride / 16; vector += kWarp)
        sum = dot16(loadWeights(weights + vector), input[vector], sum);
    sum = warpSum(sum);
    if (lane == 0) out[row] = sum;
}

constexpr int kTile = 64;      // tokens and rows a block makes
constexpr int kPerThread = 4;  // by four: a thread's outputs
constexpr int kWords = 16;     // of four columns, in shared memory at a time

__global__ void __launch_bounds__(kThreads)
    gemm_int8_i32(Int8Matrix matrix, const int8_t* x, int tokens, int32_t* out) {
    __shared__ int xs[kWords][kTile + 1];
    __shared__ int ws[kWords][kTile + 1];
    const int firstRow = static_cast<int>(blockIdx.x) * kTile;
    const int firstToken = static_cast<int>(blockIdx.y) * kTile;
    const int rowGroup = static_cast<int>(threadIdx.x) % (kTile / kPerThread);
    const int tokenGroup = static_cast<int>(threadIdx.x) / (kTile / kPerThread);
    const int words = matrix.stride / 4;
    const auto wordAt = [words](const int8_t* data, int line, int lines, int word) {
        if (line >= lines || word >= words) return 0;
        return reinterpret_cast<const int*>(data)[static_cast<int64_t>(line) * words + word];
    };
    int sums[kPerThread][kPerThread] = {};
    for (int first = 0; first < words; first += kWords) {
        for (int i = static_cast<int>(threadIdx.x); i < kTile * kWords; i += kThreads) {
            const int word = first + i % kWords;
            const int line = i / kWords;
            xs[i % kWords][line] = wordAt(x, firstToken + line, tokens, word);
            ws[i % kWords][line] = wordAt(matrix.data, firstRow + line, matrix.rows, word);
        }
        __syncthreads();
#pragma unroll
        for (int k = 0; k < kWords; ++k)
#pragma unroll
            for (int t = 0; t < kPerThread; ++t)
#pragma unroll
                for (int r = 0; r < kPerThread; ++r)
                    sums[t][r] = __dp4a(xs[k][tokenGroup + t * (kTile / kPerThread)],
                                        ws[k][rowGroup + r * (kTile / kPerThread)], sums[t][r]);
        __syncthreads();
    }
#pragma unroll
    for (int t = 0; t < kPerThread; ++t)
#pragma unroll
        for (int r = 0; r < kPerThread; ++r) {
            const int token = firstToken + tokenGroup + t * (kTile / kPerThread);
            const int row = firstRow + rowGroup + r * (kTile / kPerThread);
            if (token < tokens && row < matrix.rows) out[static_cast<int64_t>(token) * matrix.rows + row] = sums[t][r];
        }
}

// Blocks of products: x counts rows of the matrix, y tokens.
__device__ __forceinline__ float dequantized(const Int8Matrix& matrix, const DequantizeProducts& args, int row,
                                             int64_t at) {
    return static_cast<float>(args.products[at]) * (args.absmax[blockIdx.y] * kInt8ProductScale) * matrix.absmax[row];
}

dim3 productBlocks(const Int8Matrix& matrix, const DequantizeProducts& args) {
    return {static_cast<unsigned>(ceilDiv(matrix.rows, kThreads)), static_cast<unsigned>(args.tokens)};
}

__global__ void __launch_bounds__(kThreads)
    dequant_mm_int32_f16(Int8Matrix matrix, DequantizeProducts args, Half* out) {
    const auto row = static_cast<int>(elementIndex());
    if (row >= matrix.rows) return;
    const int64_t at = static_cast<int64_t>(blockIdx.y) * matrix.rows + row;
    out[at] = fromFloat<Half>(dequantized(matrix, args, row, at));
}

__global__ void __launch_bounds__(kThreads) dequant_mm_add_outliers(Int8Matrix matrix, DequantizeProducts args,
                                                                    const Bf16* x, OutlierColumns columns, float* out) {
    const auto row = static_cast<int>(elementIndex());
    if (row >= matrix.rows) return;
    const int64_t at = static_cast<int64_t>(blockIdx.y) * matrix.rows + row;
    const Bf16* const values = x + static_cast<int64_t>(blockIdx.y) * matrix.columns;
    const int8_t* const weights = matrix.data + static_cast<int64_t>(row) * matrix.stride;
    float sum = 0;
    for (int i = 0; i < *columns.count; ++i) {
        const int column = columns.numbers[i];
        sum = fmaf(toFloat(values[column]), static_cast<float>(weights[column]), sum);
    }
    out[at] = dequantized(matrix, args, row, at) + sum * matrix.absmax[row] / kInt8Top;
}

__global__ void __launch_bounds__(kThreads)
    gather_outliers_f16(const Half* x, int tokens, int columns, OutlierColumns outliers, Half* values) {
    const int count = *outliers.count;
    for (int64_t at = elementIndex(); at < static_cast<int64_t>(tokens) * count;
         at += static_cast<int64_t>(gridDim.x) * kThreads)
        values[at] = x[at / count * columns + outliers.numbers[at % count]];
}

__global__ void __launch_bounds__(kThreads)
    dequantize_columns_f16(Int8Matrix matrix, OutlierColumns outliers, Half* weights) {
    const int count = *outliers.count;
    for (int64_t at = elementIndex(); at < static_cast<int64_t>(matrix.rows) * count;
         at += static_cast<int64_t>(gridDim.x) * kThreads) {
        const int64_t row = at / count;
        const auto weight = static_cast<float>(matrix.data[row * matrix.stride + outliers.numbers[at % count]]);
        weights[at] = fromFloat<Half>(weight * matrix.absmax[row] / kInt8Top);
    }
}

__global__ void __launch_bounds__(kThreads) addmm_outliers_f16(const Half* values, const Half* weights, int tokens,
                                                               int rows, OutlierColumns outliers, Half* out) {
    const int count = *outliers.count;
    const int64_t at = elementIndex();
    if (at >= static_cast<int64_t>(tokens) * rows || count == 0) return;
    float sum = 0;
    for (int i = 0; i < count; ++i)
        sum = fmaf(toFloat(values[at / rows * count + i]), toFloat(weights[at % rows * count + i]), sum);
    out[at] = fromFloat<Half>(toFloat(out[at]) + sum);
}

}  // namespace

cudaError_t castToHalf(const Bf16* in, Half* out, int64_t count, const Launch& launch) {
    return launchKernel(cast_to_half, ceilDiv(count, kThreads), kThreads, 0, launch, in, out, count);
}

cudaError_t castToBf16(const Half* in, Bf16* out, int64_t count, const Launch& launch) {
    return launchKernel(cast_half_to_bf16, ceilDiv(count, kThreads), kThreads, 0, launch, in, out, count);
}

cudaError_t absolute(const Half* in, Half* out, int64_t count, const Launch& launch) {
    return launchKernel(abs_f16, ceilDiv(count, kThreads), kThreads, 0, launch, in, out, count);
}

cudaError_t markOutliers(const Half* in, uint8_t* mask, int64_t count, const Launch& launch) {
    return launchKernel(ge_scalar_f16, ceilDiv(count, kThreads), kThreads, 0, launch, in, mask, count);
}

cudaError_t anyMarked(const uint8_t* mask, int64_t count, int32_t* flag, const Launch& launch) {
    return launchKernel(any_or, 1, kScanThreads, 0, launch, mask, count, flag);
}

cudaError_t findOutlierColumns(const Half* x, int rows, int columns, const OutlierColumns& out, const Launch& launch) {
    return launchKernel(outlier_columns<Half>, ceilDiv(columns, kWarp), kScanThreads, 0, launch, x, rows, columns,
                        out.flags);
}

cudaError_t findOutlierColumns(const Bf16* x, int rows, int columns, const OutlierColumns& out, const Launch& launch) {
    return launchKernel(outlier_columns<Bf16>, ceilDiv(columns, kWarp), kScanThreads, 0, launch, x, rows, columns,
                        out.flags);
}

cudaError_t listOutlierColumns(int columns, const OutlierColumns& out, const Launch& launch) {
    return launchKernel(list_outlier_columns, 1, kScanThreads, 0, launch, columns, out);
}

cudaError_t quantizeRows(const Half* x, const QuantizeRows& args, const Launch& launch) {
    return launchKernel(int8_vector_quant<Half>, args.rows, kThreads, 0, launch, x, args);
}

cudaError_t quantizeRows(const Bf16* x, const QuantizeRows& args, const Launch& launch) {
    return launchKernel(int8_vector_quant<Bf16>, args.rows, kThreads, 0, launch, x, args);
}

cudaError_t matmulInt8(const Int8Matrix& matrix, const int8_t* x, int tokens, int32_t* out, const Launch& launch) {
    if (tokens == 1)
        return launchKernel(gemv_int8_i32, ceilDiv(matrix.rows, kThreads / kWarp), kThreads, 0, launch, matrix, x, out);
    const dim3 grid(static_cast<unsigned>(ceilDiv(matrix.rows, kTile)), static_cast<unsigned>(ceilDiv(tokens, kTile)));
    return launchKernel(gemm_int8_i32, grid, kThreads, 0, launch, matrix, x, tokens, out);
}

cudaError_t dequantizeProducts(const Int8Matrix& matrix, const DequantizeProducts& args, Half* out,
                               const Launch& launch) {
    return launchKernel(dequant_mm_int32_f16, productBlocks(matrix, args), kThreads, 0, launch, matrix, args, out);
}

cudaError_t dequantizeAddOutliers(const Int8Matrix& matrix, const DequantizeProducts& args, const Bf16* x,
                                  const OutlierColumns& columns, float* out, const Launch& launch) {
    return launchKernel(dequant_mm_add_outliers, productBlocks(matrix, args), kThreads, 0, launch, matrix, args, x,
                        columns, out);
}

// How many outliers there are is known on the device alone, so these take a fixed number of blocks.
cudaError_t gatherOutliers(const Half* x, int tokens, int columns, const OutlierColumns& outliers, Half* values,
                           const Launch& launch) {
    return launchKernel(gather_outliers_f16, launch.multiprocessors, kThreads, 0, launch, x, tokens, columns, outliers,
                        values);
}

cudaError_t dequantizeColumns(const Int8Matrix& matrix, const OutlierColumns& outliers, Half* weights,
                              const Launch& launch) {
    return launchKernel(dequantize_columns_f16, launch.multiprocessors, kThreads, 0, launch, matrix, outliers, weights);
}

cudaError_t addOutlierProducts(const Half* values, const Half* weights, int tokens, int rows,
                               const OutlierColumns& outliers, Half* out, const Launch& launch) {
    return launchKernel(addmm_outliers_f16, ceilDiv(static_cast<int64_t>(tokens) * rows, kThreads), kThreads, 0, launch,
                        values, weights, tokens, rows, outliers, out);
}

}  // namespace gapscope::cuda

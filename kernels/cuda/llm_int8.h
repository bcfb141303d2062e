// LLM.int8() (Dettmers et al. 2022) step by step, as bitsandbytes 0.50 launches it: activations in fp16, one scale a
// row, whole columns with an outlier (|x| >= 6) apart. Eager mode runs these one by one; the prefill of other modes
// takes bf16 activations and two of the steps in one. Source of every formula: bitsandbytes csrc/kernels.cu
// (kInt8VectorQuant, kdequant_mm_int32_fp16) and backends/default/ops.py (int8_mixed_scaled_mm).
#pragma once

#include "kernels/cuda/int8_matrix.h"
#include "kernels/cuda/launch.h"

namespace gapscope::cuda {

[[nodiscard]] cudaError_t castToHalf(const Bf16* in, Half* out, int64_t count, const Launch& launch);
[[nodiscard]] cudaError_t castToBf16(const Half* in, Bf16* out, int64_t count, const Launch& launch);
[[nodiscard]] cudaError_t absolute(const Half* in, Half* out, int64_t count, const Launch& launch);
// mask[i] = 1 where in[i] >= kOutlierThreshold, else 0.
[[nodiscard]] cudaError_t markOutliers(const Half* in, uint8_t* mask, int64_t count, const Launch& launch);
// *flag = whether any of `mask` is not 0. One block: enough for what a layer has.
[[nodiscard]] cudaError_t anyMarked(const uint8_t* mask, int64_t count, int32_t* flag, const Launch& launch);

// Columns of x [rows, columns] that hold an outlier: flags[k] = 1 or 0, then their numbers, rising, and how many.
struct OutlierColumns {
    uint8_t* flags = nullptr;    // [columns]
    int32_t* numbers = nullptr;  // [columns]
    int32_t* count = nullptr;
};
[[nodiscard]] cudaError_t findOutlierColumns(const Half* x, int rows, int columns, const OutlierColumns& out,
                                             const Launch& launch);
[[nodiscard]] cudaError_t findOutlierColumns(const Bf16* x, int rows, int columns, const OutlierColumns& out,
                                             const Launch& launch);
[[nodiscard]] cudaError_t listOutlierColumns(int columns, const OutlierColumns& out, const Launch& launch);

// absmax[r] = largest magnitude below the threshold in row r; out[r, k] = round(x[r, k] * (127 / absmax[r])) to nearest
// even, 0 for an outlier and in columns marked by `zeroColumns`, if given.
struct QuantizeRows {
    int rows = 0;
    int columns = 0;
    const uint8_t* zeroColumns = nullptr;  // [columns]
    int8_t* out = nullptr;                 // [rows, stride], the padding 0
    int stride = 0;                        // paddedInt8Columns(columns)
    float* absmax = nullptr;               // [rows]
};
[[nodiscard]] cudaError_t quantizeRows(const Half* x, const QuantizeRows& args, const Launch& launch);
[[nodiscard]] cudaError_t quantizeRows(const Bf16* x, const QuantizeRows& args, const Launch& launch);

// out[t, n] = sum of x[t, k] * matrix[n, k], exact; x [tokens, matrix.stride]. One token: a row a warp; more: where
// cuBLASLt is not there or refuses.
[[nodiscard]] cudaError_t matmulInt8(const Int8Matrix& matrix, const int8_t* x, int tokens, int32_t* out,
                                     const Launch& launch);

// out[t, n] = products[t, n] * absmax[t] * matrix.absmax[n] / 127^2.
struct DequantizeProducts {
    const int32_t* products = nullptr;  // [tokens, matrix.rows]
    const float* absmax = nullptr;      // [tokens]
    int tokens = 0;
};
[[nodiscard]] cudaError_t dequantizeProducts(const Int8Matrix& matrix, const DequantizeProducts& args, Half* out,
                                             const Launch& launch);
// The same in fp32, with the outlier columns' products added: x[t, c] * matrix[n, c] * matrix.absmax[n] / 127.
[[nodiscard]] cudaError_t dequantizeAddOutliers(const Int8Matrix& matrix, const DequantizeProducts& args, const Bf16* x,
                                                const OutlierColumns& columns, float* out, const Launch& launch);

// The outlier columns apart, as PyTorch does it: values[t, i] = x[t, numbers[i]]; weights[n, i] = matrix[n, numbers[i]]
// dequantised; out += values * weights^T in fp32, rounded once. Both are [.., *count]; nothing happens for a count of
// 0.
[[nodiscard]] cudaError_t gatherOutliers(const Half* x, int tokens, int columns, const OutlierColumns& outliers,
                                         Half* values, const Launch& launch);
[[nodiscard]] cudaError_t dequantizeColumns(const Int8Matrix& matrix, const OutlierColumns& outliers, Half* weights,
                                            const Launch& launch);
[[nodiscard]] cudaError_t addOutlierProducts(const Half* values, const Half* weights, int tokens, int rows,
                                             const OutlierColumns& outliers, Half* out, const Launch& launch);

}  // namespace gapscope::cuda

// Products of a few tokens with a matrix, each of whose weights is read once: what checks drafts (speculative
// decoding). Every token gets the bits that the GEMVs of gemv.h, gemv_packed.h and gemv_int8.h give it alone: the same
// threads add the same products in the same order. Weights meet up to kMostTokensOfABlock tokens at a time, or as many
// as fit into shared memory; for more they are read again.
#pragma once

#include "kernels/cuda/gemv.h"
#include "kernels/cuda/int8_matrix.h"
#include "kernels/cuda/packed_matrix.h"

namespace gapscope::cuda {

inline constexpr int kMostTokensOfABlock = 8;

// Whose order of sums: of the products that take a row a warp, or of gemv(), which splits long rows over a block.
enum class RowSums { OfAWarp, OfGemv };

// out[i][t] = matrices[i] * x[t], fp32 [tokens, matrices[i].rows]; or, of one matrix, outBf16.
template <class Matrix>
struct GemvRowsArgsOf {
    Matrix matrices[3];  // the same columns; those of another order than a warp's: one
    int count = 1;
    const Bf16* x = nullptr;  // [tokens, matrix.stride] (columns, where the matrix has no stride or is int8)
    int tokens = 1;
    float* out[3] = {};
    Bf16* outBf16 = nullptr;
    RowSums sums = RowSums::OfAWarp;
};
using GemvRowsArgs = GemvRowsArgsOf<WeightMatrix>;
[[nodiscard]] cudaError_t gemvRows(const GemvRowsArgs& args, const Launch& launch);
[[nodiscard]] cudaError_t gemvRows(const GemvRowsArgsOf<PackedMatrix>& args, const Launch& launch);
[[nodiscard]] cudaError_t gemvRows(const GemvRowsArgsOf<Int8Matrix>& args, const Launch& launch);

// out[t] = gelu_tanh(gate * x[t]) * (up * x[t]), bf16 [tokens, gate.rows].
template <class Matrix>
struct GemvGateUpRowsArgsOf {
    Matrix gate, up;
    const Bf16* x = nullptr;  // as above
    int tokens = 1;
    Bf16* out = nullptr;
};
using GemvGateUpRowsArgs = GemvGateUpRowsArgsOf<WeightMatrix>;
[[nodiscard]] cudaError_t gemvGateUpRows(const GemvGateUpRowsArgs& args, const Launch& launch);
[[nodiscard]] cudaError_t gemvGateUpRows(const GemvGateUpRowsArgsOf<PackedMatrix>& args, const Launch& launch);
[[nodiscard]] cudaError_t gemvGateUpRows(const GemvGateUpRowsArgsOf<Int8Matrix>& args, const Launch& launch);

}  // namespace gapscope::cuda

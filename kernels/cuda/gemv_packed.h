// The GEMVs of gemv.h and the embedding for matrices in GGUF block types. The input is quantised to int8 for each 32
// elements (packed_input.cuh says how, and what comes of a NaN), products of 32 are integers, sums of those fp32. A
// matrix of another type than its neighbours' is fine. Columns are a multiple of 32.
#pragma once

#include "kernels/cuda/embedding.h"
#include "kernels/cuda/gemv.h"
#include "kernels/cuda/packed_matrix.h"

namespace gapscope::cuda {

[[nodiscard]] cudaError_t gemvNormQkv(const GemvQkvArgsOf<PackedMatrix>& args, const Launch& launch);
[[nodiscard]] cudaError_t gemvNormGateUp(const GemvGateUpArgsOf<PackedMatrix>& args, const Launch& launch);
[[nodiscard]] cudaError_t gemvNormHead(const GemvHeadArgsOf<PackedMatrix>& args, const Launch& launch);
[[nodiscard]] cudaError_t gemv(const GemvArgsOf<PackedMatrix>& args, const Launch& launch);
[[nodiscard]] cudaError_t gemvCombine(const GemvCombineArgsOf<PackedMatrix>& args, const Launch& launch);

// The matrix as bf16 [rows, columns], each weight rounded to nearest even: for matmuls of many tokens.
[[nodiscard]] cudaError_t dequantize(const PackedMatrix& matrix, Bf16* out, const Launch& launch);

[[nodiscard]] cudaError_t embedding(const EmbeddingArgsOf<PackedMatrix>& args, const Launch& launch);

}  // namespace gapscope::cuda

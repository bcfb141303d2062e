// The GEMVs of gemv.h as LLM.int8() multiplies (kernels/cuda/llm_int8.h has the steps one by one): the input, rounded
// to bf16, is quantised with one scale, its outliers stay out and meet the dequantised weights; integer sums are exact.
// Bits of one element differ from the step-by-step way only where an input below 2^-14 would be a denormal in fp16, and
// in the results, which stay fp32 instead of becoming fp16.
#pragma once

#include "kernels/cuda/gemv.h"
#include "kernels/cuda/int8_matrix.h"

namespace gapscope::cuda {

[[nodiscard]] cudaError_t gemvNormQkv(const GemvQkvArgsOf<Int8Matrix>& args, const Launch& launch);
[[nodiscard]] cudaError_t gemvNormGateUp(const GemvGateUpArgsOf<Int8Matrix>& args, const Launch& launch);
// x: matrix.columns bf16, a multiple of 8; at most 40,000.
[[nodiscard]] cudaError_t gemv(const GemvArgsOf<Int8Matrix>& args, const Launch& launch);
[[nodiscard]] cudaError_t gemvCombine(const GemvCombineArgsOf<Int8Matrix>& args, const Launch& launch);

}  // namespace gapscope::cuda

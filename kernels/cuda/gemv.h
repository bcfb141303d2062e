// Matrix times vector for decode: one token against the weights at the speed of device memory. The arguments are the
// same for every weight format; this file has the products of bf16 weights, gemv_packed.h and gemv_int8.h those of
// others.
#pragma once

#include "kernels/cuda/launch.h"

namespace gapscope::cuda {

// How a GEMV with a norm gets its input: x' = x + rms(y) * postWeights (x' = x without y), then rms(x') * nextWeights
// rounded to bf16; columns are a multiple of 4, all pointers aligned to 16 bytes. Every block computes it for itself,
// which costs less than a kernel of its own: one block cannot hide its latencies. One block writes x'; xOut must not be
// x, because other blocks still read it.
struct NormInput {
    const float* x = nullptr;  // [columns], the residual stream
    const float* y = nullptr;  // [columns], the sublayer's output; may be null
    const float* postWeights = nullptr;
    const float* nextWeights = nullptr;
    float* xOut = nullptr;  // with y only
    float epsilon = 1e-6F;
};

// out[i] = matrices[i] * rms input, fp32.
template <class Matrix>
struct GemvQkvArgsOf {
    NormInput input;
    Matrix matrices[3];  // the same columns
    float* out[3] = {};
    int count = 3;
};
using GemvQkvArgs = GemvQkvArgsOf<WeightMatrix>;
[[nodiscard]] cudaError_t gemvNormQkv(const GemvQkvArgs& args, const Launch& launch);

// out = gelu_tanh(gate * x) * (up * x), bf16.
template <class Matrix>
struct GemvGateUpArgsOf {
    NormInput input;
    Matrix gate, up;
    Bf16* out = nullptr;
};
using GemvGateUpArgs = GemvGateUpArgsOf<WeightMatrix>;
[[nodiscard]] cudaError_t gemvNormGateUp(const GemvGateUpArgs& args, const Launch& launch);

// logits = head * x, fp32, and the largest of each block's logits. gemvHeadBlocks() partials are written.
template <class Matrix>
struct GemvHeadArgsOf {
    NormInput input;
    Matrix head;
    float* logits = nullptr;
    float* partialValues = nullptr;
    int32_t* partialIndices = nullptr;
    int blocks = 0;  // gemvHeadBlocks()
};
using GemvHeadArgs = GemvHeadArgsOf<WeightMatrix>;
int gemvHeadBlocks(int multiprocessors);
[[nodiscard]] cudaError_t gemvNormHead(const GemvHeadArgs& args, const Launch& launch);

// out = matrix * x for x of matrix.stride bf16, its padding zero (columns bf16, where the matrix has no stride). Long
// rows are split over the warps of a block; which are, every kernel that is to give the same bits must know.
inline constexpr int kLongestRowOfAWarp = 1280;  // columns
template <class Matrix>
struct GemvArgsOf {
    Matrix matrix;
    const Bf16* x = nullptr;
    float* out = nullptr;  // one of the two
    Bf16* outBf16 = nullptr;
};
using GemvArgs = GemvArgsOf<WeightMatrix>;
[[nodiscard]] cudaError_t gemv(const GemvArgs& args, const Launch& launch);

// out = matrix * the attention output joined from its parts (attention.h), heads * headDim columns; fp32.
template <class Matrix>
struct GemvCombineArgsOf {
    Matrix matrix;
    const float* partials = nullptr;
    int heads = 0;
    int headDim = 0;
    int splits = 1;  // at most kMostCombinedSplits
    float* out = nullptr;
};
using GemvCombineArgs = GemvCombineArgsOf<WeightMatrix>;
inline constexpr int kMostCombinedSplits = 32;
inline constexpr int kMostCombinedHeads = 64;
[[nodiscard]] cudaError_t gemvCombine(const GemvCombineArgs& args, const Launch& launch);

}  // namespace gapscope::cuda

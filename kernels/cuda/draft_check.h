// What stands between the products of gemv_rows.h when drafts are checked or a batch takes a step: norms, the cache's
// new rows, attention and the choice, of a few tokens at once. Each token gets the bits that the fused kernels of one
// token give it.
#pragma once

#include "kernels/cuda/attention.h"
#include "kernels/cuda/gemv.h"

namespace gapscope::cuda {

// How many threads the norm's sums are spread over: as in gemvNormQkv(), or as in gemvNormGateUp() and gemvNormHead().
enum class NormThreads { OfQkv, OfGateUp };

// For each token: x' = x + rms(y) * postWeights (x' = x without y), then out = rms(x') * nextWeights, bf16.
struct NormRowsArgs {
    NormInput input;  // x, y and xOut are of the first token; xOut may be x
    int tokens = 0;
    int columns = 0;      // a multiple of 8
    Bf16* out = nullptr;  // [tokens, columns]
    NormThreads threads = NormThreads::OfQkv;
};
[[nodiscard]] cudaError_t normRows(const NormRowsArgs& args, const Launch& launch);

// Keys normed and roped, and values, of each token into the cache.
struct RopeCacheRowsArgs {
    QkNormRope rope;
    const float* k = nullptr;  // [tokens, kvHeads, headDim]
    const float* v = nullptr;
    int tokens = 0;
    const StepState* state = nullptr;
    KvCache cache;
    // [2, headDim / 2] of the first token, cosSinStride floats from token to token.
    const float* cosSin = nullptr;
    int cosSinStride = 0;
    PagedRows paged;  // if positions are given, state is not used
};
[[nodiscard]] cudaError_t ropeCacheRows(const RopeCacheRowsArgs& args, const Launch& launch);

// Queries normed and roped, and attention of each over the keys up to its own, which the cache holds. Parts go to
// attention.partials; the last block of some heads joins theirs as gemvCombine() does: attention.out. splits > 1.
struct AttentionRowsArgs {
    AttentionArgs attention;       // q is not used
    PagedRows paged;               // if positions are given, attention.state is not used
    unsigned* arrivals = nullptr;  // [tokens, heads]; zeros before and after
    QkNormRope rope;
    const float* q = nullptr;  // [tokens, heads, headDim]
    const float* cosSin = nullptr;
    int cosSinStride = 0;
};
[[nodiscard]] cudaError_t attentionRows(const AttentionRowsArgs& args, const Launch& launch);

}  // namespace gapscope::cuda

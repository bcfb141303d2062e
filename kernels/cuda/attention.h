// Causal attention of one or many new tokens against a ring cache in bf16, with an optional window, split over keys.
#pragma once

#include "kernels/cuda/launch.h"

namespace gapscope::cuda {

// Position p lives in row p % slots of keys and of values, both [slots, kvHeads * headDim].
struct KvCache {
    Bf16* keys = nullptr;
    Bf16* values = nullptr;
    int slots = 0;
    int kvHeads = 0;
    int headDim = 0;  // a multiple of 8, at most 256
};

// Rows that are each the next one of a sequence of their own, whose keys and values lie in pages of a cache of
// pages * kPagePositions slots: position p of row r is in slot table[p / kPagePositions] * kPagePositions +
// p % kPagePositions, where table is pages + r * *tableStride. All of it is on the device, so that a captured graph
// serves sequences that come and go.
inline constexpr int kPagePositions = 32;
struct PagedRows {
    const int32_t* positions = nullptr;    // [tokens]; null: rows follow each other from state->position on, in a ring
    const int32_t* splits = nullptr;       // [tokens] parts of each row's keys, from 2 to AttentionArgs::splits
    const int32_t* tableStride = nullptr;  // [1]
    const int32_t* pages = nullptr;        // [tokens, *tableStride]
};

inline constexpr int kMaxHeadDim = 256;

// What turns a projection into a query or key: norm per head, then rope (NEOX pairs).
struct QkNormRope {
    const float* queryWeights = nullptr;  // [headDim], 1 + w
    const float* keyWeights = nullptr;    // [headDim]
    float epsilon = 1e-6F;
};

// Query t is at position state->position + t and sees keys j with 0 <= i - j, and i - j < window if window > 0. Softmax
// in fp32, without a pass over the scores: each warp keeps a running maximum. Query head h reads kv head
// h / (heads / kvHeads). The ring must still hold every visible key.
struct AttentionArgs {
    const Bf16* q = nullptr;  // [tokens, heads, headDim], normed and roped
    int tokens = 1;
    int heads = 0;
    int window = 0;
    float scale = 1;
    const StepState* state = nullptr;
    KvCache cache;
    int splits = 1;             // parts of the keys of one query; > 1 needs partials and attentionCombine()
    float* partials = nullptr;  // attentionPartialFloats(), aligned to 16 bytes
    Bf16* out = nullptr;        // [tokens, heads, headDim]; written with splits == 1
};
// Partials hold the unscaled outputs [tokens, heads, splits, headDim], then maximum and sum [tokens, heads, splits, 2].
// A part without keys has the sum 0.
GAPSCOPE_HOST_DEVICE constexpr int64_t attentionStatisticsAt(int tokens, int heads, int headDim, int splits) {
    return static_cast<int64_t>(tokens) * heads * splits * headDim;
}
constexpr int64_t attentionPartialFloats(int tokens, int heads, int headDim, int splits) {
    return static_cast<int64_t>(tokens) * heads * splits * (headDim + 2);
}
[[nodiscard]] cudaError_t attention(const AttentionArgs& args, const Launch& launch);

// One decode step, fused: q, k and v as the projections left them (fp32); norm, rope and the cache's new row are done
// here. args.q is not used; tokens is 1.
struct AttentionDecodeArgs {
    AttentionArgs attention;
    QkNormRope rope;
    const float* q = nullptr;  // [heads, headDim]
    const float* k = nullptr;  // [kvHeads, headDim]
    const float* v = nullptr;
    const float* cosSin = nullptr;  // [2, headDim / 2] of the position, from ropeTable() (rope.h)
};
[[nodiscard]] cudaError_t attentionDecode(const AttentionDecodeArgs& args, const Launch& launch);

// Joins the parts of every query to `out`.
[[nodiscard]] cudaError_t attentionCombine(const AttentionArgs& args, const Launch& launch);

}  // namespace gapscope::cuda

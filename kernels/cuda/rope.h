// Rotary position embedding (NEOX pairs: element i with i + headDim / 2) of many tokens, fused with the norms of q and
// k and the write to the cache; and the tables that eager Gemma 3 multiplies by.
#pragma once

#include "kernels/cuda/attention.h"

namespace gapscope::cuda {

// q: norm and rope, to bf16. k: the same, into the cache's row of position state->position + t. v: copied to the cache.
// Tokens must not be more than cache.slots. Inputs are aligned to 16 bytes, and so are their rows.
struct QkNormRopeArgs {
    QkNormRope rope;
    const float* cosSin = nullptr;  // of token t at t * cosSinStride: [2, headDim / 2], from ropeTable()
    int cosSinStride = 0;
    const float* q = nullptr;  // [tokens, heads, headDim], rows qStride apart
    const float* k = nullptr;  // [tokens, kvHeads, headDim], rows kvStride apart
    const float* v = nullptr;  // likewise
    int qStride = 0;
    int kvStride = 0;
    int tokens = 0;
    int heads = 0;
    const StepState* state = nullptr;
    KvCache cache;
    Bf16* out = nullptr;  // [tokens, heads, headDim]
};
[[nodiscard]] cudaError_t qkNormRope(const QkNormRopeArgs& args, const Launch& launch);

// cos and sin of (state->position + t) * inverseFrequencies[i] / positionScale, computed in fp32 and rounded to bf16 as
// transformers does: [tokens, 2 * half], the second half a copy of the first.
struct CosSinArgs {
    const StepState* state = nullptr;
    const float* inverseFrequencies = nullptr;  // [half]
    int tokens = 0;
    int half = 0;
    float positionScale = 1;
    Bf16* cos = nullptr;
    Bf16* sin = nullptr;
};
[[nodiscard]] cudaError_t cosSin(const CosSinArgs& args, const Launch& launch);

// cos and sin of state->position + t for both thetas, fp32, once a step: [tokens, 2, 2, half], local cos, local
// sin, global cos, global sin.
struct RopeTableArgs {
    const StepState* state = nullptr;
    const float* localFrequencies = nullptr;  // [half]
    const float* globalFrequencies = nullptr;
    int half = 0;
    float globalScale = 1;  // positions of global layers are divided by it
    float* out = nullptr;
    int tokens = 1;
    const int32_t* positions = nullptr;  // [tokens]; null: state->position + t
};
[[nodiscard]] cudaError_t ropeTable(const RopeTableArgs& args, const Launch& launch);

// New rows, [tokens, kvHeads * headDim] bf16, to one half of the ring (KvCache::keys or ::values).
struct CacheWriteArgs {
    const Bf16* x = nullptr;
    int tokens = 0;
    int columns = 0;
    const StepState* state = nullptr;
    Bf16* cache = nullptr;  // [slots, columns]
    int slots = 0;
};
[[nodiscard]] cudaError_t cacheWrite(const CacheWriteArgs& args, const Launch& launch);

}  // namespace gapscope::cuda

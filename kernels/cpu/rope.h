// Rotary position embedding (NEOX pairs: element i with i + headDim / 2), alone and fused with the q and k norms.
#pragma once

#include <cstdint>

#include "kernels/cpu/kv_cache_view.h"

namespace gapscope {

// cos and sin of position * inverseFrequencies[i] / positionScale, computed in fp32 as PyTorch does. Both outputs are
// [tokens, 2 * half], the second half a copy of the first (the shape Hugging Face's modules multiply by); the rope ops
// read the first half. Once a pass for each theta, not once a layer. Parts split over tokens.
struct CosSinArgs {
    const int32_t* positions = nullptr;  // [tokens]
    int64_t tokens = 0;
    const float* inverseFrequencies = nullptr;  // [half]: theta^(-2i / headDim)
    int64_t half = 0;                           // headDim / 2
    float positionScale = 1;
    float* cos = nullptr;
    float* sin = nullptr;
};

// x[t, h, :] in place. Parts split over (token, head).
struct RopeArgs {
    float* x = nullptr;   // [tokens, heads, headDim]
    int64_t xStride = 0;  // from token to token
    int64_t tokens = 0;
    int64_t heads = 0;
    int64_t headDim = 0;
    const float* cos = nullptr;  // [tokens, headDim] from cosSin
    const float* sin = nullptr;
};

// q: per-head norm and rope, in place. k: the same, into the ring at position firstPosition + t, or where `rows` say.
// v, if given: copied to the same place. k and v themselves are not changed. Parts split over (token, head).
// Tokens must not be more than cache.slots.
struct QkNormRopeArgs {
    float* q = nullptr;  // [tokens, heads, headDim]
    int64_t qStride = 0;
    const float* k = nullptr;  // [tokens, cache.kvHeads, headDim]
    int64_t kStride = 0;
    const float* v = nullptr;  // [tokens, cache.kvHeads, headDim] or null
    int64_t vStride = 0;
    int64_t tokens = 0;
    int64_t heads = 0;
    const float* queryWeights = nullptr;  // [headDim]
    const float* keyWeights = nullptr;    // [headDim]
    float epsilon = 1e-6F;
    const float* cos = nullptr;  // [tokens, headDim] from cosSin
    const float* sin = nullptr;
    int64_t firstPosition = 0;
    KvCacheView cache;
    KvRows rows = {};  // of a paged cache
};

}  // namespace gapscope

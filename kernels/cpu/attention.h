// Causal attention of new tokens against the cache, with an optional window.
#pragma once

#include <cstdint>

#include "kernels/cpu/kv_cache_view.h"

namespace gapscope {

// Query t is at position i = firstPosition + t (or as `rows` say) and sees keys j with 0 <= i - j, and i - j < window
// if window > 0. Softmax in fp32. Query head h reads kv head h / (heads / kvHeads). out may be q. Every visible key
// must still be in the ring, this pass's own keys written already:
//   slots >= min(firstPosition + tokens, window - 1 + tokens)   (window > 0; else slots >= firstPosition + tokens)
// so a runner with a ring of `window` slots feeds a prompt through it in chunks, or gives the ring more slots.
// Where the keys lie decides nothing about the sums: ring and pages give the same bits.
// Parts split over (token, head); one part keeps heads that share keys together.
struct AttentionArgs {
    const float* q = nullptr;  // [tokens, heads, headDim]
    int64_t qStride = 0;
    int64_t tokens = 0;
    int64_t heads = 0;  // a multiple of cache.kvHeads
    int64_t firstPosition = 0;
    int64_t window = 0;  // keys seen, the own one included; 0: all
    float scale = 1;
    KvCacheView cache;
    KvRows rows = {};           // of a paged cache
    float* out = nullptr;  // [tokens, heads, headDim]
    int64_t outStride = 0;
};

}  // namespace gapscope

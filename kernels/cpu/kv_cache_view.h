// A ring of keys and values of one layer, as the ops see it. The runner owns the memory.
#pragma once

#include <cstdint>

namespace gapscope {

enum class KvType : uint8_t { F32, F16 };

constexpr int64_t kvElementBytes(KvType type) {
    return type == KvType::F32 ? 4 : 2;
}

// Position p lives in row p % slots of keys and of values, both [slots, kvHeads * headDim] of `type`.
struct KvCacheView {
    KvType type = KvType::F32;
    void* keys = nullptr;
    void* values = nullptr;
    int64_t slots = 0;
    int64_t kvHeads = 0;
    int64_t headDim = 0;
};

// k, v [tokens, kvHeads * headDim] of positions firstPosition + t into the ring. Parts split over tokens.
// With tokens > slots only the last `slots` tokens are written.
struct KvWriteArgs {
    const float* k = nullptr;
    int64_t kStride = 0;
    const float* v = nullptr;
    int64_t vStride = 0;
    int64_t tokens = 0;
    int64_t firstPosition = 0;
    KvCacheView cache;
};

}  // namespace gapscope

// Keys and values of one layer, as the ops see them: a ring, or pages. The runner owns the memory.
#pragma once

#include <cstdint>

namespace gapscope {

enum class KvType : uint8_t { F32, F16 };

constexpr int64_t kvElementBytes(KvType type) {
    return type == KvType::F32 ? 4 : 2;
}

// Keys and values are [slots, kvHeads * headDim] of `type`. In a ring position p lives in row p % slots of both; in a
// paged cache KvRows says where.
struct KvCacheView {
    KvType type = KvType::F32;
    void* keys = nullptr;
    void* values = nullptr;
    int64_t slots = 0;
    int64_t kvHeads = 0;
    int64_t headDim = 0;
};

// Positions of a page of a paged cache. A block of attention's keys (64) then lies in three pages at most.
inline constexpr int64_t kKvPagePositions = 32;

// The rows of a pass over a paged cache: row t is at positions[t] of its sequence, whose position p lives in row
// pages[t * tableStride + p / kKvPagePositions] * kKvPagePositions + p % kKvPagePositions. With a tableStride of 0 all
// rows are of one sequence. Rows of one pass must not write to one another's pages at the same position.
struct KvRows {
    const int32_t* positions = nullptr;  // null: a ring, and rows at positions that follow each other
    const int32_t* pages = nullptr;
    int64_t tableStride = 0;
};

static inline int64_t kvPosition(const KvRows& rows, int64_t firstPosition, int64_t t) {
    return rows.positions ? rows.positions[t] : firstPosition + t;
}

// Where the sequence of row t has its position.
static inline int64_t kvSlot(const KvCacheView& cache, const KvRows& rows, int64_t t, int64_t position) {
    if (!rows.positions) return position % cache.slots;
    return rows.pages[t * rows.tableStride + position / kKvPagePositions] * kKvPagePositions +
           position % kKvPagePositions;
}

// How many positions from there on lie one after the other.
static inline int64_t kvRunLength(const KvCacheView& cache, const KvRows& rows, int64_t position) {
    return rows.positions ? kKvPagePositions - position % kKvPagePositions : cache.slots - position % cache.slots;
}

// k, v [tokens, kvHeads * headDim] of positions firstPosition + t into the ring, or of `rows` into pages. Parts
// split over tokens. With tokens > slots only the last `slots` tokens are written.
struct KvWriteArgs {
    const float* k = nullptr;
    int64_t kStride = 0;
    const float* v = nullptr;
    int64_t vStride = 0;
    int64_t tokens = 0;
    int64_t firstPosition = 0;  // of a ring
    KvCacheView cache;
    KvRows rows = {};
};

}  // namespace gapscope

// Attention in SIMD: up to four query heads that share keys walk them together, a block of keys at a time, with the
// softmax kept up to date (running largest score and sum). Blocks are cut by position alone, so that a ring's end or a
// page's changes no sum. Included once per instruction set.
#pragma once

#include "kernels/cpu/attention.h"
#include "kernels/cpu/simd/elementwise_ops.h"
#include "kernels/cpu/work_split.h"

namespace gapscope {
namespace {

constexpr int64_t kKeyBlock = 64;
constexpr int64_t kMaxHeadDim = 1024;

inline FloatV loadHalvesFirst(const uint16_t* from, int64_t count) {
    if (count == kLanes) return loadHalves(from);
    uint16_t halves[kLanes] = {};
    for (int64_t i = 0; i < count; ++i)
        halves[i] = from[i];
    return loadHalves(halves);
}

inline FloatV loadElements(const float* from, int64_t count) {
    return count == kLanes ? loadF(from) : loadFirst(from, count);
}
inline FloatV loadElements(const uint16_t* from, int64_t count) {
    return loadHalvesFirst(from, count);
}

// A block may cross two ends of pages, or a ring's end once (a ring holds all keys seen).
constexpr int64_t kMostRuns = kKeyBlock / kKvPagePositions + 1;

// Keys in the order of their positions: runs of them lie one after the other.
template <typename Element>
struct KeyBlock {
    struct Run {
        const Element* keys;  // of the tile's kv head
        const Element* values;
        int64_t count;
    };
    Run runs[kMostRuns];
    int64_t runCount;
    int64_t stride;  // from position to position in a run
    int64_t count;   // of keys in all runs
};

template <int64_t kHeads>
struct HeadTile {
    const float* q[kHeads];
    int64_t headDim;
    float scale;
    alignas(64) float scores[kHeads][kKeyBlock];
    float largest[kHeads];
    float total[kHeads];
    alignas(64) float mixed[kHeads][kMaxHeadDim];
};

// `first` is the place of the run's first key in the block.
template <int64_t kHeads, typename Element>
inline void scoreRun(HeadTile<kHeads>& tile, const Element* keys, int64_t stride, int64_t keyCount, int64_t first) {
    for (int64_t j = 0; j < keyCount; ++j) {
        const Element* const key = keys + j * stride;
        FloatV sums[kHeads][2];
#pragma GCC unroll 4
        for (int64_t h = 0; h < kHeads; ++h)
            sums[h][0] = sums[h][1] = zeroF();
        int64_t d = 0;
        for (; d + 2 * kLanes <= tile.headDim; d += 2 * kLanes) {
            const FloatV low = loadElements(key + d, kLanes);
            const FloatV high = loadElements(key + d + kLanes, kLanes);
#pragma GCC unroll 4
            for (int64_t h = 0; h < kHeads; ++h) {
                sums[h][0] = fmaF(low, loadF(tile.q[h] + d), sums[h][0]);
                sums[h][1] = fmaF(high, loadF(tile.q[h] + d + kLanes), sums[h][1]);
            }
        }
        for (; d < tile.headDim; d += kLanes) {
            const int64_t count = tile.headDim - d < kLanes ? tile.headDim - d : kLanes;
            const FloatV low = loadElements(key + d, count);
            for (int64_t h = 0; h < kHeads; ++h)
                sums[h][0] = fmaF(low, loadFirst(tile.q[h] + d, count), sums[h][0]);
        }
#pragma GCC unroll 4
        for (int64_t h = 0; h < kHeads; ++h)
            tile.scores[h][first + j] = sumF(addF(sums[h][0], sums[h][1])) * tile.scale;
    }
}

// Scores become weights e^(score - largest); what was summed so far is scaled by the returned factors.
template <int64_t kHeads>
inline void softmaxBlock(HeadTile<kHeads>& tile, int64_t count, float* factors) {
    for (int64_t h = 0; h < kHeads; ++h) {
        float* const scores = tile.scores[h];
        float largest = tile.largest[h];
        for (int64_t j = 0; j < count; ++j)
            largest = scores[j] > largest ? scores[j] : largest;
        FloatV total = zeroF();
        for (int64_t j = 0; j < count; j += kLanes) {
            const int64_t lanes = count - j < kLanes ? count - j : kLanes;
            const FloatV weights = expF(subF(loadF(scores + j), setF(largest)));
            storeF(scores + j, weights);
            // Lanes past the end hold what an earlier block left: they are stored but neither summed nor used.
            total = addF(total, loadFirst(scores + j, lanes));
        }
        alignas(64) float factor[kLanes];
        storeF(factor, expF(setF(tile.largest[h] - largest)));
        factors[h] = factor[0];
        tile.total[h] = tile.total[h] * factors[h] + sumF(total);
        tile.largest[h] = largest;
    }
}

template <int64_t kHeads, typename Element>
inline void mixBlock(HeadTile<kHeads>& tile, const KeyBlock<Element>& block, const float* factors) {
    int64_t d = 0;
    for (; d + 2 * kLanes <= tile.headDim; d += 2 * kLanes) {
        FloatV sums[kHeads][2];
#pragma GCC unroll 4
        for (int64_t h = 0; h < kHeads; ++h) {
            sums[h][0] = mulF(loadF(tile.mixed[h] + d), setF(factors[h]));
            sums[h][1] = mulF(loadF(tile.mixed[h] + d + kLanes), setF(factors[h]));
        }
        int64_t place = 0;
        for (int64_t r = 0; r < block.runCount; ++r) {
            const Element* value = block.runs[r].values + d;
            for (const int64_t end = place + block.runs[r].count; place < end; ++place, value += block.stride) {
                const FloatV first = loadElements(value, kLanes);
                const FloatV second = loadElements(value + kLanes, kLanes);
#pragma GCC unroll 4
                for (int64_t h = 0; h < kHeads; ++h) {
                    const FloatV weight = setF(tile.scores[h][place]);
                    sums[h][0] = fmaF(weight, first, sums[h][0]);
                    sums[h][1] = fmaF(weight, second, sums[h][1]);
                }
            }
        }
#pragma GCC unroll 4
        for (int64_t h = 0; h < kHeads; ++h) {
            storeF(tile.mixed[h] + d, sums[h][0]);
            storeF(tile.mixed[h] + d + kLanes, sums[h][1]);
        }
    }
    for (; d < tile.headDim; d += kLanes) {
        const int64_t lanes = tile.headDim - d < kLanes ? tile.headDim - d : kLanes;
        for (int64_t h = 0; h < kHeads; ++h) {
            FloatV sum = mulF(loadFirst(tile.mixed[h] + d, lanes), setF(factors[h]));
            int64_t place = 0;
            for (int64_t r = 0; r < block.runCount; ++r) {
                const Element* value = block.runs[r].values + d;
                for (const int64_t end = place + block.runs[r].count; place < end; ++place, value += block.stride)
                    sum = fmaF(setF(tile.scores[h][place]), loadElements(value, lanes), sum);
            }
            storeFirst(tile.mixed[h] + d, sum, lanes);
        }
    }
}

// Heads [head, head + kHeads) of token t, which share a kv head.
template <int64_t kHeads, typename Element>
void attendHeads(const AttentionArgs& args, int64_t t, int64_t head) {
    const KvCacheView& cache = args.cache;
    HeadTile<kHeads> tile;
    tile.headDim = cache.headDim;
    tile.scale = args.scale;
    for (int64_t h = 0; h < kHeads; ++h) {
        tile.q[h] = args.q + t * args.qStride + (head + h) * cache.headDim;
        tile.largest[h] = -__builtin_inff();
        tile.total[h] = 0;
        mapRange(tile.q[h], tile.mixed[h], 0, cache.headDim, [](FloatV) { return zeroF(); });
        for (int64_t j = 0; j < kKeyBlock; j += kLanes)
            storeF(tile.scores[h] + j, zeroF());
    }
    const int64_t kvFirst = head / (args.heads / cache.kvHeads) * cache.headDim;
    const int64_t last = kvPosition(args.rows, args.firstPosition, t);
    int64_t position = args.window > 0 && last - args.window + 1 > 0 ? last - args.window + 1 : 0;
    KeyBlock<Element> block{};
    block.stride = cache.kvHeads * cache.headDim;
    for (; position <= last; position += block.count) {
        const int64_t wanted = last + 1 - position < kKeyBlock ? last + 1 - position : kKeyBlock;
        block.count = 0;
        for (block.runCount = 0; block.count < wanted; ++block.runCount) {
            const int64_t from = position + block.count;
            const int64_t element = kvSlot(cache, args.rows, t, from) * block.stride + kvFirst;
            const int64_t length = kvRunLength(cache, args.rows, from);
            typename KeyBlock<Element>::Run& run = block.runs[block.runCount];
            run.keys = static_cast<const Element*>(cache.keys) + element;
            run.values = static_cast<const Element*>(cache.values) + element;
            run.count = length < wanted - block.count ? length : wanted - block.count;
            scoreRun(tile, run.keys, block.stride, run.count, block.count);
            block.count += run.count;
        }
        float factors[kHeads];
        softmaxBlock(tile, block.count, factors);
        mixBlock(tile, block, factors);
    }
    for (int64_t h = 0; h < kHeads; ++h) {
        const FloatV share = setF(1.0F / tile.total[h]);
        mapRange(tile.mixed[h], args.out + t * args.outStride + (head + h) * cache.headDim, 0, cache.headDim,
                 [&](FloatV v) { return mulF(v, share); });
    }
}

template <typename Element>
void attendRange(const AttentionArgs& args, WorkRange range) {
    const int64_t group = args.heads / args.cache.kvHeads;
    for (int64_t item = range.begin; item < range.end;) {
        const int64_t t = item / args.heads;
        const int64_t head = item % args.heads;
        const int64_t inGroup = group - head % group;
        const int64_t count = inGroup < range.end - item ? inGroup : range.end - item;
        if (count >= 4) {
            attendHeads<4, Element>(args, t, head);
            item += 4;
        } else if (count >= 2) {
            attendHeads<2, Element>(args, t, head);
            item += 2;
        } else {
            attendHeads<1, Element>(args, t, head);
            item += 1;
        }
    }
}

void attention(const AttentionArgs& args, Part part) {
    // Contiguous shares of tokens would give the last part, whose tokens see the most keys, the longest work; but
    // shares of one token each would let two parts split heads that share keys. Tokens are dealt out in turns instead.
    if (args.tokens < 2 * part.count) {
        const WorkRange range = workRange(args.tokens * args.heads, part);
        if (args.cache.type == KvType::F32)
            attendRange<float>(args, range);
        else
            attendRange<uint16_t>(args, range);
        return;
    }
    for (int64_t t = part.index; t < args.tokens; t += part.count) {
        const WorkRange range{t * args.heads, (t + 1) * args.heads};
        if (args.cache.type == KvType::F32)
            attendRange<float>(args, range);
        else
            attendRange<uint16_t>(args, range);
    }
}

}  // namespace
}  // namespace gapscope

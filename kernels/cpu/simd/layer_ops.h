// Embedding, norms, rope and cache writes in SIMD. Included once per instruction set.
#pragma once

#include "kernels/cpu/kv_cache_view.h"
#include "kernels/cpu/rms_norm.h"
#include "kernels/cpu/rope.h"
#include "kernels/cpu/simd/elementwise_ops.h"
#include "kernels/cpu/work_split.h"

namespace gapscope {
namespace {

inline float sumOfSquares(const float* x, int64_t columns) {
    FloatV sums[2] = {zeroF(), zeroF()};
    int64_t i = 0;
    for (; i + 2 * kLanes <= columns; i += 2 * kLanes) {
        const FloatV a = loadF(x + i);
        const FloatV b = loadF(x + i + kLanes);
        sums[0] = fmaF(a, a, sums[0]);
        sums[1] = fmaF(b, b, sums[1]);
    }
    for (; i < columns; i += kLanes) {
        const FloatV a = loadFirst(x + i, columns - i < kLanes ? columns - i : kLanes);
        sums[0] = fmaF(a, a, sums[0]);
    }
    return sumF(addF(sums[0], sums[1]));
}

inline float rmsFactor(const float* x, int64_t columns, float epsilon) {
    return 1.0F / __builtin_sqrtf(sumOfSquares(x, columns) / static_cast<float>(columns) + epsilon);
}

inline void normRow(const float* x, const float* weights, int64_t columns, float epsilon, float* out) {
    const FloatV factor = setF(rmsFactor(x, columns, epsilon));
    zipRange(x, weights, out, 0, columns, [&](FloatV a, FloatV w) { return mulF(mulF(a, factor), w); });
}

void rmsNorm(const RmsNormArgs& args, Part part) {
    const WorkRange range = workRange(args.rows, part);
    for (int64_t r = range.begin; r < range.end; ++r)
        normRow(args.x + r * args.xStride, args.weights, args.columns, args.epsilon, args.out + r * args.outStride);
}

void addRmsNorm(const AddRmsNormArgs& args, Part part) {
    const WorkRange range = workRange(args.rows, part);
    for (int64_t r = range.begin; r < range.end; ++r) {
        const float* const y = args.y + r * args.yStride;
        float* const x = args.x + r * args.xStride;
        const FloatV factor = setF(rmsFactor(y, args.columns, args.epsilon));
        for (int64_t i = 0; i < args.columns; i += kLanes) {
            const int64_t count = args.columns - i < kLanes ? args.columns - i : kLanes;
            const FloatV normed = mulF(mulF(loadFirst(y + i, count), factor), loadFirst(args.postWeights + i, count));
            storeFirst(x + i, addF(loadFirst(x + i, count), normed), count);
        }
        normRow(x, args.nextWeights, args.columns, args.epsilon, args.out + r * args.outStride);
    }
}

// x * factor * weights, then rotated; store(element, value, count) receives both halves. weights null: neither.
template <typename Store>
inline void ropeHead(const float* x, int64_t headDim, float factor, const float* weights, const float* cos,
                     const float* sin, const Store& store) {
    const int64_t half = headDim / 2;
    const FloatV factors = setF(factor);
    for (int64_t i = 0; i < half; i += kLanes) {
        const int64_t count = half - i < kLanes ? half - i : kLanes;
        FloatV a = loadFirst(x + i, count);
        FloatV b = loadFirst(x + half + i, count);
        if (weights) {
            a = mulF(mulF(a, factors), loadFirst(weights + i, count));
            b = mulF(mulF(b, factors), loadFirst(weights + half + i, count));
        }
        const FloatV c = loadFirst(cos + i, count);
        const FloatV s = loadFirst(sin + i, count);
        store(i, subF(mulF(a, c), mulF(b, s)), count);
        store(half + i, addF(mulF(b, c), mulF(a, s)), count);
    }
}

void rope(const RopeArgs& args, Part part) {
    const WorkRange range = workRange(args.tokens * args.heads, part);
    for (int64_t item = range.begin; item < range.end; ++item) {
        const int64_t t = item / args.heads;
        float* const x = args.x + t * args.xStride + item % args.heads * args.headDim;
        ropeHead(x, args.headDim, 1.0F, nullptr, args.cos + t * args.headDim, args.sin + t * args.headDim,
                 [&](int64_t i, FloatV v, int64_t count) { storeFirst(x + i, v, count); });
    }
}

// `element` counts floats from the start of the position's row.
inline void storeKv(const KvCacheView& cache, void* plane, int64_t slot, int64_t element, FloatV v, int64_t count) {
    const int64_t index = slot * cache.kvHeads * cache.headDim + element;
    if (cache.type == KvType::F32) {
        storeFirst(static_cast<float*>(plane) + index, v, count);
    } else if (count == kLanes) {
        storeHalves(static_cast<uint16_t*>(plane) + index, v);
    } else {
        uint16_t halves[kLanes];
        storeHalves(halves, v);
        for (int64_t i = 0; i < count; ++i)
            static_cast<uint16_t*>(plane)[index + i] = halves[i];
    }
}

inline void storeKvRow(const KvCacheView& cache, void* plane, int64_t slot, int64_t element, const float* from,
                       int64_t columns) {
    for (int64_t i = 0; i < columns; i += kLanes) {
        const int64_t count = columns - i < kLanes ? columns - i : kLanes;
        storeKv(cache, plane, slot, element + i, loadFirst(from + i, count), count);
    }
}

void qkNormRope(const QkNormRopeArgs& args, Part part) {
    const KvCacheView& cache = args.cache;
    const int64_t headDim = cache.headDim;
    const int64_t itemsPerToken = args.heads + 2 * cache.kvHeads;
    const WorkRange range = workRange(args.tokens * itemsPerToken, part);
    for (int64_t item = range.begin; item < range.end; ++item) {
        const int64_t t = item / itemsPerToken;
        const int64_t head = item % itemsPerToken;
        const int64_t slot = kvSlot(cache, args.rows, t, kvPosition(args.rows, args.firstPosition, t));
        const float* const cos = args.cos + t * headDim;
        const float* const sin = args.sin + t * headDim;
        if (head < args.heads) {
            float* const q = args.q + t * args.qStride + head * headDim;
            ropeHead(q, headDim, rmsFactor(q, headDim, args.epsilon), args.queryWeights, cos, sin,
                     [&](int64_t i, FloatV v, int64_t count) { storeFirst(q + i, v, count); });
        } else if (head < args.heads + cache.kvHeads) {
            const int64_t first = (head - args.heads) * headDim;
            const float* const k = args.k + t * args.kStride + first;
            ropeHead(
                k, headDim, rmsFactor(k, headDim, args.epsilon), args.keyWeights, cos, sin,
                [&](int64_t i, FloatV v, int64_t count) { storeKv(cache, cache.keys, slot, first + i, v, count); });
        } else if (args.v) {
            const int64_t first = (head - args.heads - cache.kvHeads) * headDim;
            storeKvRow(cache, cache.values, slot, first, args.v + t * args.vStride + first, headDim);
        }
    }
}

void kvWrite(const KvWriteArgs& args, Part part) {
    const KvCacheView& cache = args.cache;
    const int64_t skipped = args.tokens > cache.slots ? args.tokens - cache.slots : 0;
    const WorkRange range = workRange(args.tokens - skipped, part);
    const int64_t columns = cache.kvHeads * cache.headDim;
    for (int64_t t = skipped + range.begin; t < skipped + range.end; ++t) {
        const int64_t slot = kvSlot(cache, args.rows, t, kvPosition(args.rows, args.firstPosition, t));
        storeKvRow(cache, cache.keys, slot, 0, args.k + t * args.kStride, columns);
        storeKvRow(cache, cache.values, slot, 0, args.v + t * args.vStride, columns);
    }
}

}  // namespace
}  // namespace gapscope

// Plain C++: embedding, norms, rope, cache writes and attention.
#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>

#include "kernels/cpu/dequantize.h"
#include "kernels/cpu/scalar/scalar_ops.h"
#include "kernels/cpu/work_split.h"

namespace gapscope::scalar {

namespace {

float rmsFactor(const float* x, int64_t columns, float epsilon) {
    double sum = 0;
    for (int64_t i = 0; i < columns; ++i)
        sum += static_cast<double>(x[i]) * x[i];
    return 1.0F / std::sqrt(static_cast<float>(sum / static_cast<double>(columns)) + epsilon);
}

// out may be x.
void ropeHead(const float* x, int64_t headDim, const float* cos, const float* sin, float* out) {
    const int64_t half = headDim / 2;
    for (int64_t i = 0; i < half; ++i) {
        const float a = x[i];
        const float b = x[half + i];
        out[i] = a * cos[i] - b * sin[i];
        out[half + i] = b * cos[i] + a * sin[i];
    }
}

void storeKv(const KvCacheView& cache, void* plane, int64_t slot, int64_t element, float value) {
    const int64_t index = slot * cache.kvHeads * cache.headDim + element;
    if (cache.type == KvType::F32)
        static_cast<float*>(plane)[index] = value;
    else
        static_cast<uint16_t*>(plane)[index] = floatToHalf(value);
}

float loadKv(const KvCacheView& cache, const void* plane, int64_t slot, int64_t element) {
    const int64_t index = slot * cache.kvHeads * cache.headDim + element;
    if (cache.type == KvType::F32) return static_cast<const float*>(plane)[index];
    return halfToFloat(static_cast<const uint16_t*>(plane)[index]);
}

}  // namespace

void embedding(const EmbeddingArgs& args, Part part) {
    const WorkRange range = workRange(args.tokens, part);
    for (int64_t t = range.begin; t < range.end; ++t) {
        assert(args.ids[t] >= 0 && args.ids[t] < args.table.rows);
        float* const out = args.out + t * args.outStride;
        dequantizeRow(args.table.type, args.table.row(args.ids[t]), args.table.columns, out);
        for (int64_t i = 0; i < args.table.columns; ++i)
            out[i] *= args.scale;
    }
}

void rmsNorm(const RmsNormArgs& args, Part part) {
    const WorkRange range = workRange(args.rows, part);
    for (int64_t r = range.begin; r < range.end; ++r) {
        const float* const x = args.x + r * args.xStride;
        float* const out = args.out + r * args.outStride;
        const float factor = rmsFactor(x, args.columns, args.epsilon);
        for (int64_t i = 0; i < args.columns; ++i)
            out[i] = x[i] * factor * args.weights[i];
    }
}

void addRmsNorm(const AddRmsNormArgs& args, Part part) {
    const WorkRange range = workRange(args.rows, part);
    for (int64_t r = range.begin; r < range.end; ++r) {
        const float* const y = args.y + r * args.yStride;
        float* const x = args.x + r * args.xStride;
        float* const out = args.out + r * args.outStride;
        const float postFactor = rmsFactor(y, args.columns, args.epsilon);
        for (int64_t i = 0; i < args.columns; ++i)
            x[i] += y[i] * postFactor * args.postWeights[i];
        const float nextFactor = rmsFactor(x, args.columns, args.epsilon);
        for (int64_t i = 0; i < args.columns; ++i)
            out[i] = x[i] * nextFactor * args.nextWeights[i];
    }
}

void cosSin(const CosSinArgs& args, Part part) {
    const WorkRange range = workRange(args.tokens, part);
    for (int64_t t = range.begin; t < range.end; ++t) {
        float* const cos = args.cos + t * 2 * args.half;
        float* const sin = args.sin + t * 2 * args.half;
        const float position = static_cast<float>(args.positions[t]) / args.positionScale;
        for (int64_t i = 0; i < args.half; ++i) {
            const float angle = position * args.inverseFrequencies[i];
            cos[i] = cos[args.half + i] = std::cos(angle);
            sin[i] = sin[args.half + i] = std::sin(angle);
        }
    }
}

void rope(const RopeArgs& args, Part part) {
    const WorkRange range = workRange(args.tokens * args.heads, part);
    for (int64_t item = range.begin; item < range.end; ++item) {
        const int64_t t = item / args.heads;
        float* const x = args.x + t * args.xStride + item % args.heads * args.headDim;
        ropeHead(x, args.headDim, args.cos + t * args.headDim, args.sin + t * args.headDim, x);
    }
}

void qkNormRope(const QkNormRopeArgs& args, Part part) {
    const KvCacheView& cache = args.cache;
    const int64_t headDim = cache.headDim;
    assert(args.tokens <= cache.slots);
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
            const float factor = rmsFactor(q, headDim, args.epsilon);
            for (int64_t i = 0; i < headDim; ++i)
                q[i] *= factor * args.queryWeights[i];
            ropeHead(q, headDim, cos, sin, q);
        } else if (head < args.heads + cache.kvHeads) {
            const int64_t first = (head - args.heads) * headDim;
            const float* const k = args.k + t * args.kStride + first;
            const float factor = rmsFactor(k, headDim, args.epsilon);
            const int64_t half = headDim / 2;
            for (int64_t i = 0; i < half; ++i) {
                const float a = k[i] * factor * args.keyWeights[i];
                const float b = k[half + i] * factor * args.keyWeights[half + i];
                storeKv(cache, cache.keys, slot, first + i, a * cos[i] - b * sin[i]);
                storeKv(cache, cache.keys, slot, first + half + i, b * cos[i] + a * sin[i]);
            }
        } else if (args.v) {
            const int64_t first = (head - args.heads - cache.kvHeads) * headDim;
            for (int64_t i = first; i < first + headDim; ++i)
                storeKv(cache, cache.values, slot, i, args.v[t * args.vStride + i]);
        }
    }
}

void kvWrite(const KvWriteArgs& args, Part part) {
    const int64_t skipped = std::max<int64_t>(0, args.tokens - args.cache.slots);
    const WorkRange range = workRange(args.tokens - skipped, part);
    for (int64_t t = skipped + range.begin; t < skipped + range.end; ++t) {
        const int64_t slot = kvSlot(args.cache, args.rows, t, kvPosition(args.rows, args.firstPosition, t));
        for (int64_t i = 0; i < args.cache.kvHeads * args.cache.headDim; ++i) {
            storeKv(args.cache, args.cache.keys, slot, i, args.k[t * args.kStride + i]);
            storeKv(args.cache, args.cache.values, slot, i, args.v[t * args.vStride + i]);
        }
    }
}

// Three passes over the keys (largest score, sum, weighted values), so that no scores need be stored.
void attention(const AttentionArgs& args, Part part) {
    const KvCacheView& cache = args.cache;
    const int64_t headDim = cache.headDim;
    const int64_t group = args.heads / cache.kvHeads;
    constexpr int64_t kMaxHeadDim = 1024;
    assert(headDim <= kMaxHeadDim);
    const WorkRange range = workRange(args.tokens * args.heads, part);
    for (int64_t item = range.begin; item < range.end; ++item) {
        const int64_t t = item / args.heads;
        const int64_t head = item % args.heads;
        const int64_t kvFirst = head / group * headDim;
        const int64_t last = kvPosition(args.rows, args.firstPosition, t);
        const int64_t first = args.window > 0 ? std::max<int64_t>(0, last - args.window + 1) : 0;
        const float* const q = args.q + t * args.qStride + head * headDim;
        const auto score = [&](int64_t position) {
            const int64_t slot = kvSlot(cache, args.rows, t, position);
            float sum = 0;
            for (int64_t d = 0; d < headDim; ++d)
                sum += q[d] * loadKv(cache, cache.keys, slot, kvFirst + d);
            return sum * args.scale;
        };
        float largest = score(first);
        for (int64_t j = first + 1; j <= last; ++j)
            largest = std::max(largest, score(j));
        float total = 0;
        float mixed[kMaxHeadDim] = {};
        for (int64_t j = first; j <= last; ++j) {
            const float weight = std::exp(score(j) - largest);
            const int64_t slot = kvSlot(cache, args.rows, t, j);
            total += weight;
            for (int64_t d = 0; d < headDim; ++d)
                mixed[d] += weight * loadKv(cache, cache.values, slot, kvFirst + d);
        }
        float* const out = args.out + t * args.outStride + head * headDim;
        for (int64_t d = 0; d < headDim; ++d)
            out[d] = mixed[d] / total;
    }
}

}  // namespace gapscope::scalar

// What multiplies in a block of the persistent decode step: norms, products, attention and the choice of the token, in
// the order of the layers, with barriers over all blocks between them. See persistent_decode.h.
#pragma once

#include "kernels/cuda/attention_block.cuh"
#include "kernels/cuda/persistent_stream.cuh"

namespace gapscope::cuda {

#if __CUDA_ARCH__ >= 900

// The multiplying side of one block. One piece of code multiplies for all steps: the instructions of a copy for each
// would not stay in the caches.
class Consumer {
public:
    __device__ __forceinline__ Consumer(const Kernel& kernel, const Ring& ring)
        : m_args(kernel.args), m_layout(kernel.layout), m_ring(ring), m_arrived(kernel.args.arrived) {}

    __device__ __forceinline__ void run() {
        begin();
        int step = kQkv;
        for (int layer = 0;;) {
            const PersistentLayer& weights = layers()[layer & 1];
            const bool isLong = step == kDown && weights.down.columns > kLongestRowOfAWarp;
            Held held;
            if (isLong && weights.down.stride <= 8 * kHeldVectors * kConsumers) {
                waitForAll();
                holdActivated(held, weights.down.stride / 8);
            } else {
                prepareInput(step, layer, weights);
                if (!isLong) hold(held, inputStride(step, weights) / 8);
            }
            if (step == kHead) {
                head(held);
                break;
            }
            multiply(held, isLong);
            finish(step, weights, isLong);
            arriveAll();
            if (step == kQkv) {
                fetchLayer(layer + 1);
                attention(weights);
            }
            if (++step < kStepsOfLayer) continue;
            step = ++layer < m_args.layerCount ? kQkv : kHead;
        }
        chooseToken();
    }

private:
    static __device__ __forceinline__ int thread() { return static_cast<int>(threadIdx.x); }
    static __device__ __forceinline__ int lane() { return static_cast<int>(threadIdx.x) % kWarp; }
    static __device__ __forceinline__ int warp() { return static_cast<int>(threadIdx.x) / kWarp; }

    template <class T>
    static __device__ __forceinline__ T* at(int offset) {
        return reinterpret_cast<T*>(blockMemory() + offset);
    }
    __device__ __forceinline__ float* residual() const { return at<float>(m_layout.residualAt); }
    __device__ __forceinline__ Bf16* input() const { return at<Bf16>(m_layout.inputAt); }
    __device__ __forceinline__ float* results() const { return at<float>(m_layout.resultsAt); }
    __device__ __forceinline__ float* rope() const { return at<float>(m_layout.ropeAt); }
    __device__ __forceinline__ PersistentLayer* layers() const { return at<PersistentLayer>(m_layout.layersAt); }
    __device__ __forceinline__ StepState* state() const { return at<StepState>(m_layout.stateAt); }

    // What this block wrote is there for all that wait for it.
    __device__ __forceinline__ void arriveBlock() {
        syncConsumers();
        if (thread() == 0) asm volatile("red.release.gpu.global.add.u32 [%0], 1;" ::"l"(m_args.arrivals) : "memory");
    }
    __device__ __forceinline__ void arriveAll() {
        m_arrived += gridDim.x;
        arriveBlock();
    }
    __device__ __forceinline__ void waitForAll() {
        if (thread() == 0) {
            unsigned seen = 0;
            do {
                asm volatile("ld.relaxed.gpu.global.u32 %0, [%1];" : "=r"(seen) : "l"(m_args.arrivals) : "memory");
            } while (static_cast<int>(seen - m_arrived) < 0);
            asm volatile("fence.acq_rel.gpu;" ::: "memory");
        }
        syncConsumers();
    }

    // A layer's description, while the one before is at hand.
    __device__ __forceinline__ void fetchLayer(int layer) {
        constexpr int kParts = sizeof(PersistentLayer) / sizeof(uint4);
        if (layer < m_args.layerCount && thread() < kParts)
            reinterpret_cast<uint4*>(layers() + (layer & 1))[thread()] =
                __ldg(reinterpret_cast<const uint4*>(m_args.layers + layer) + thread());
    }

    // The residual stream of the token, and its rope tables.
    __device__ __forceinline__ void begin() {
        fetchLayer(0);
        const WeightMatrix& table = m_args.table;
        const Bf16* const row = table.data + static_cast<int64_t>(m_args.ids[0]) * table.stride;
        for (int i = thread(); i < table.columns; i += kConsumers)
            residual()[i] = m_args.embeddingScale * toFloat(row[i]);
        const int half = m_args.headDim / 2;
        const StepState now = *m_args.state;
        if (thread() == 0) *state() = now;
        const float position = static_cast<float>(now.position);
        for (int i = thread(); i < 2 * half; i += kConsumers) {
            const int pair = i % half;
            const bool global = i >= half;
            const float angle = global ? position * m_args.globalFrequencies[pair] / m_args.globalScale
                                       : position * m_args.localFrequencies[pair];
            sincosf(angle, &rope()[(2 * global + 1) * half + pair], &rope()[2 * global * half + pair]);
        }
        syncConsumers();
    }

    __device__ __forceinline__ int inputStride(int step, const PersistentLayer& weights) const {
        return step == kQkv      ? weights.query.stride
               : step == kOutput ? weights.output.stride
               : step == kGateUp ? weights.gate.stride
               : step == kDown   ? weights.down.stride
                                 : m_args.head.stride;
    }
    __device__ __forceinline__ void prepareInput(int step, int layer, const PersistentLayer& weights) {
        if (step == kOutput) return combineInput(weights);
        if (step == kDown) {
            waitForAll();
            const auto* const activated = reinterpret_cast<const uint4*>(m_args.activated);
            for (int i = thread(); i < weights.down.stride / 8; i += kConsumers)
                reinterpret_cast<uint4*>(input())[i] = fresh(activated + i);
            return syncConsumers();
        }
        const float* const before = layer > 0 ? layers()[(layer - 1) & 1].postFeedForwardNorm : nullptr;
        if (step == kQkv) return norm(before, weights.inputNorm, weights.query.columns, weights.query.stride, 128, 3);
        if (step == kHead) return norm(before, m_args.outputNorm, m_args.head.columns, m_args.head.stride, 256, 2);
        norm(weights.postAttentionNorm, weights.preFeedForwardNorm, weights.gate.columns, weights.gate.stride, 256, 2);
    }

    static __device__ __forceinline__ void syncFirst(int threads) {
        asm volatile("bar.sync 2, %0;" ::"r"(threads) : "memory");
    }

    // Over the first `threads`, warp after warp.
    __device__ __forceinline__ float4 sum4(float4 value, int threads) const {
        value.x = warpSum(value.x);
        value.y = warpSum(value.y);
        value.z = warpSum(value.z);
        value.w = warpSum(value.w);
        auto* const sums = reinterpret_cast<float4*>(results());
        if (lane() == 0) sums[warp()] = value;
        syncFirst(threads);
        float4 sum{0, 0, 0, 0};
        for (int w = 0; w < threads / kWarp; ++w) {
            sum.x += sums[w].x;
            sum.y += sums[w].y;
            sum.z += sums[w].z;
            sum.w += sums[w].w;
        }
        return sum;
    }

    static __device__ __forceinline__ float4 four(const float* from, int at, bool inside) {
        return inside ? *reinterpret_cast<const float4*>(from + at) : float4{0, 0, 0, 0};
    }
    static __device__ __forceinline__ uint2 packed(float4 values) {
        return {
            static_cast<unsigned>(fromFloat<Bf16>(values.x)) | static_cast<unsigned>(fromFloat<Bf16>(values.y)) << 16,
            static_cast<unsigned>(fromFloat<Bf16>(values.z)) | static_cast<unsigned>(fromFloat<Bf16>(values.w)) << 16};
    }

    // stageNorm<mostHeld>() of gemv_stage.cuh as blocks of `threads` run it; the stream stays in the block. Without
    // `post` there is nothing to add and to wait for.
    __device__ __forceinline__ void norm(const float* post, const float* next, int columns, int stride, int threads,
                                         int mostHeld) {
        const bool held = columns <= 4 * mostHeld * threads;
        const bool hasY = post != nullptr;
        float4 p[kMostHeld], n[kMostHeld];
#pragma unroll
        for (int i = 0; i < kMostHeld; ++i) {
            const int at = 4 * (thread() + i * threads);
            const bool inside = held && thread() < threads && at < columns;
            n[i] = four(next, at, inside);
            p[i] = four(post, at, inside && hasY);
        }
        if (hasY) waitForAll();
        if (thread() < threads) {
            if (held)
                normHeld(p, n, hasY, columns, stride, threads);
            else
                normPlainly(post, next, columns, stride, threads);
        }
        syncConsumers();
    }

    static constexpr int kMostHeld = 3;
    __device__ __forceinline__ void normHeld(float4 (&post)[kMostHeld], const float4 (&next)[kMostHeld], bool hasY,
                                             int columns, int stride, int threads) {
        const float inverse = 1.0F / static_cast<float>(columns);
        float4 x[kMostHeld], y[kMostHeld];
        float4 sum{0, 0, 0, 0};
#pragma unroll
        for (int i = 0; i < kMostHeld; ++i) {
            const int at = 4 * (thread() + i * threads);
            y[i] = hasY && at < columns ? fresh(reinterpret_cast<const float4*>(m_args.projected + at))
                                        : float4{0, 0, 0, 0};
            x[i] = four(residual(), at, at < columns);
        }
        const auto take = [&](float xi, float yi, float& pi) {
            pi *= yi;
            sum.x = fmaf(yi, yi, sum.x);
            sum.y = fmaf(xi, xi, sum.y);
            sum.z = fmaf(xi, pi, sum.z);
            sum.w = fmaf(pi, pi, sum.w);
        };
#pragma unroll
        for (int i = 0; i < kMostHeld; ++i) {
            take(x[i].x, y[i].x, post[i].x);
            take(x[i].y, y[i].y, post[i].y);
            take(x[i].z, y[i].z, post[i].z);
            take(x[i].w, y[i].w, post[i].w);
        }
        sum = sum4(sum, threads);
        const float r = rsqrtf(sum.x * inverse + m_args.epsilon);
        const float squares = hasY ? fmaxf(sum.y + r * (2 * sum.z + r * sum.w), 0.0F) : sum.y;
        const float scale = rsqrtf(squares * inverse + m_args.epsilon);
#pragma unroll
        for (int i = 0; i < kMostHeld; ++i) {
            const int at = 4 * (thread() + i * threads);
            if (at >= stride) continue;
            if (hasY && at < columns) {
                x[i].x = fmaf(post[i].x, r, x[i].x);
                x[i].y = fmaf(post[i].y, r, x[i].y);
                x[i].z = fmaf(post[i].z, r, x[i].z);
                x[i].w = fmaf(post[i].w, r, x[i].w);
                *reinterpret_cast<float4*>(residual() + at) = x[i];
            }
            *reinterpret_cast<uint2*>(input() + at) = packed({x[i].x * scale * next[i].x, x[i].y * scale * next[i].y,
                                                              x[i].z * scale * next[i].z, x[i].w * scale * next[i].w});
        }
    }

    __device__ __forceinline__ void normPlainly(const float* post, const float* next, int columns, int stride,
                                                int threads) {
        const float inverse = 1.0F / static_cast<float>(columns);
        const bool hasY = post != nullptr;
        const float* const y = m_args.projected;
        float4 sum{0, 0, 0, 0};
        for (int i = thread(); hasY && i < columns; i += threads)
            sum.x = fmaf(fresh(y + i), fresh(y + i), sum.x);
        const float r = rsqrtf(sum4(sum, threads).x * inverse + m_args.epsilon);
        sum = float4{0, 0, 0, 0};
        for (int i = thread(); i < columns; i += threads) {
            float value = residual()[i];
            if (hasY) {
                value += fresh(y + i) * r * post[i];
                residual()[i] = value;
            }
            sum.x = fmaf(value, value, sum.x);
        }
        syncFirst(threads);
        const float scale = rsqrtf(sum4(sum, threads).x * inverse + m_args.epsilon);
        for (int i = thread(); i < stride; i += threads)
            input()[i] = i < columns ? fromFloat<Bf16>(residual()[i] * scale * next[i]) : Bf16{0};
    }

    // stageCombined() of gemv_stage.cuh.
    __device__ __forceinline__ void combineInput(const PersistentLayer& weights) {
        const int headDim = m_args.headDim;
        const int splits = weights.splits;
        const auto* const statistics =
            reinterpret_cast<const float2*>(m_args.partials + attentionStatisticsAt(1, m_args.heads, headDim, splits));
        for (int column = 4 * thread(); column < weights.output.stride; column += 4 * kConsumers) {
            float4 sum{0, 0, 0, 0};
            float maximum = -INFINITY;
            float total = 0;
            const int head = column / headDim;
            const float* const part =
                m_args.partials + static_cast<int64_t>(head) * splits * headDim + column % headDim;
            for (int from = 0; column < weights.output.columns && from < splits; from += kPartsAhead) {
                float2 statistic[kPartsAhead];  // maximum, total
                float4 value[kPartsAhead];
#pragma unroll
                for (int i = 0; i < kPartsAhead; ++i) {
                    const bool inside = from + i < splits;
                    statistic[i] = inside ? fresh(statistics + head * splits + from + i) : float2{0, 0};
                    value[i] = inside ? fresh(reinterpret_cast<const float4*>(part + (from + i) * headDim))
                                      : float4{0, 0, 0, 0};
                }
#pragma unroll
                for (int i = 0; i < kPartsAhead; ++i) {
                    if (statistic[i].y <= 0) continue;  // no keys fell to it
                    const float larger = fmaxf(maximum, statistic[i].x);
                    const float before = __expf(maximum - larger);
                    const float weight = __expf(statistic[i].x - larger);
                    maximum = larger;
                    total = total * before + statistic[i].y * weight;
                    sum.x = sum.x * before + value[i].x * weight;
                    sum.y = sum.y * before + value[i].y * weight;
                    sum.z = sum.z * before + value[i].z * weight;
                    sum.w = sum.w * before + value[i].w * weight;
                }
            }
            const float scale = total > 0 ? 1.0F / total : 0.0F;
            *reinterpret_cast<uint2*>(input() + column) =
                packed({sum.x * scale, sum.y * scale, sum.z * scale, sum.w * scale});
        }
        syncConsumers();
    }

    // A lane's part of the input, the same for all rows of the step: of short rows vectors lane + 32 i, of long ones,
    // which all warps share, thread + 256 i.
    struct Held {
        float values[kHeldVectors][8];
    };
    __device__ __forceinline__ void hold(Held& held, int vectors) const {
        const auto* const x = reinterpret_cast<const uint4*>(input());
#pragma unroll
        for (int i = 0; i < kHeldVectors; ++i) {
            const int vector = lane() + i * kWarp;
            unpack8(vector < vectors ? x[vector] : uint4{0, 0, 0, 0}, held.values[i]);
        }
    }
    __device__ __forceinline__ void holdActivated(Held& held, int vectors) const {
        const auto* const activated = reinterpret_cast<const uint4*>(m_args.activated);
#pragma unroll
        for (int i = 0; i < kHeldVectors; ++i) {
            const int vector = thread() + i * kConsumers;
            unpack8(vector < vectors ? fresh(activated + vector) : uint4{0, 0, 0, 0}, held.values[i]);
        }
    }
    static __device__ __forceinline__ float dot(uint4 weights, const float (&x)[8], float sum) {
        float w[8];
        unpack8(weights, w);
#pragma unroll
        for (int i = 0; i < 8; ++i)
            sum = fmaf(w[i], x[i], sum);
        return sum;
    }

    // All rows of a step, or of what waits for its end: sums to results(). How many rows they were.
    __device__ __forceinline__ int multiply(const Held& held, bool isLong) {
        for (;;) {
            waitForPhase(m_ring.full(), m_ring.parity);
            const Tile tile = m_ring.tiles[m_ring.slot];
            if (isLong)
                longRows(tile, held);
            else
                shortRows(tile, held);
            __syncwarp();
            if (lane() == 0) arrive(m_ring.empty());
            m_ring.advance();
            if (tile.isLast) return tile.inStep + tile.rows;
        }
    }

    // Two rows a warp; pairs go round the warps. All loads first: the latency of shared memory is paid once a pair.
    __device__ __forceinline__ void shortRows(const Tile& tile, const Held& held) {
        const int pairs = (tile.rows + 1) / 2;
        const auto* const data = reinterpret_cast<const uint4*>(m_ring.data());
        for (int pair = (warp() - m_pairs) & (kConsumerWarps - 1); pair < pairs; pair += kConsumerWarps) {
            const int row = 2 * pair;
            const bool both = row + 1 < tile.rows;
            const uint4* const first = data + row * tile.vectors;
            const uint4* const second = first + (both ? tile.vectors : 0);
            uint4 a[kHeldVectors], b[kHeldVectors];
#pragma unroll
            for (int i = 0; i < kHeldVectors; ++i) {
                const int vector = lane() + i * kWarp;
                a[i] = vector < tile.vectors ? first[vector] : uint4{0, 0, 0, 0};
                b[i] = vector < tile.vectors ? second[vector] : uint4{0, 0, 0, 0};
            }
            float sum[2] = {};
#pragma unroll
            for (int i = 0; i < kHeldVectors; ++i) {
                if (i > 0 && i * kWarp >= tile.vectors) break;
                sum[0] = dot(a[i], held.values[i], sum[0]);
                sum[1] = dot(b[i], held.values[i], sum[1]);
            }
            const auto* const x = reinterpret_cast<const uint4*>(input());
            for (int vector = kHeldVectors * kWarp + lane(); vector < tile.vectors; vector += kWarp) {
                const uint4 part = x[vector];
                sum[0] = dot8(first[vector], part, sum[0]);
                sum[1] = dot8(second[vector], part, sum[1]);
            }
            sum[0] = warpSum(sum[0]);
            sum[1] = warpSum(sum[1]);
            if (lane() != 0) continue;
            results()[tile.inStep + row] = sum[0];
            if (both) results()[tile.inStep + row + 1] = sum[1];
        }
        m_pairs += pairs;
    }

    // As gemv_split_bf16 splits them: each warp a part of every row.
    __device__ __forceinline__ void longRows(const Tile& tile, const Held& held) {
        static_assert(kConsumers == 256);
        for (int row = 0; row < tile.rows; ++row) {
            const auto* const data = reinterpret_cast<const uint4*>(m_ring.data()) + row * tile.vectors;
            uint4 a[kHeldVectors];
#pragma unroll
            for (int i = 0; i < kHeldVectors; ++i) {
                const int vector = thread() + i * kConsumers;
                a[i] = vector < tile.vectors ? data[vector] : uint4{0, 0, 0, 0};
            }
            float sum = 0;
            if (tile.vectors <= kHeldVectors * kConsumers) {
#pragma unroll
                for (int i = 0; i < kHeldVectors; ++i)
                    sum = dot(a[i], held.values[i], sum);
            } else {
                const auto* const x = reinterpret_cast<const uint4*>(input());
                for (int vector = thread(); vector < tile.vectors; vector += kConsumers)
                    sum = dot8(data[vector], x[vector], sum);
            }
            sum = warpSum(sum);
            if (lane() == 0) results()[(tile.inStep + row) * kConsumerWarps + warp()] = sum;
        }
    }

    // The sums to where the next step reads them.
    __device__ __forceinline__ void finish(int step, const PersistentLayer& weights, bool isLong) {
        syncConsumers();
        const int queries = weights.query.rows, keys = weights.key.rows;
        const Share share(step == kQkv      ? queries + keys + weights.value.rows
                          : step == kOutput ? weights.output.rows
                          : step == kGateUp ? weights.gate.rows
                                            : weights.down.rows);
        for (int row = thread(); row < share.rows(); row += kConsumers) {
            const int to = share.first + row;
            float sum = results()[row];
            if (step == kGateUp) {
                m_args.activated[to] = fromFloat<Bf16>(geluTanh(sum) * results()[share.rows() + row]);
                continue;
            }
            if (isLong) {
                sum = 0;
                for (int part = 0; part < kConsumerWarps; ++part)
                    sum += results()[row * kConsumerWarps + part];
            }
            if (step != kQkv)
                m_args.projected[to] = sum;
            else if (to < queries)
                m_args.query[to] = sum;
            else if (to < queries + keys)
                m_args.key[to - queries] = sum;
            else
                m_args.value[to - queries - keys] = sum;
        }
    }

    // Some blocks attend, a head and a part of its keys each; all wait for them.
    __device__ __forceinline__ void attention(const PersistentLayer& weights) {
        const int tasks = m_args.heads * weights.splits;
        const int attending = min(tasks, static_cast<int>(gridDim.x));
        if (static_cast<int>(blockIdx.x) < attending) {
            AttentionDecodeArgs all;
            all.attention.tokens = 1;
            all.attention.heads = m_args.heads;
            all.attention.window = weights.window;
            all.attention.scale = m_args.attentionScale;
            all.attention.state = state();
            all.attention.cache = weights.cache;
            all.attention.splits = weights.splits;
            all.attention.partials = m_args.partials;
            all.rope.queryWeights = weights.queryNorm;
            all.rope.keyWeights = weights.keyNorm;
            all.rope.epsilon = m_args.epsilon;
            all.q = m_args.query;
            all.k = m_args.key;
            all.v = m_args.value;
            all.cosSin = rope() + weights.global * m_args.headDim;
            bool waited = false;
            for (int task = static_cast<int>(blockIdx.x); task < tasks; task += static_cast<int>(gridDim.x)) {
                if (waited) syncConsumers();
                decodeAttention<1>(
                    all, task % weights.splits, task / weights.splits, *at<DecodeShared<1>>(m_layout.attentionAt),
                    [&] {
                        if (!waited) waitForAll();
                        waited = true;
                    },
                    [] { syncConsumers(); });
            }
            arriveBlock();
        }
        m_arrived += static_cast<unsigned>(attending);
        waitForAll();
    }

    struct Best {
        float value;
        int32_t index;  // -1: none
    };
    static __device__ __forceinline__ Best better(Best a, Best b) {
        if (b.index < 0) return a;
        if (a.index < 0) return b;
        return b.value > a.value || (b.value == a.value && b.index < a.index) ? b : a;
    }

    __device__ __forceinline__ void head(const Held& held) {
        const Share share(m_args.head.rows);
        for (int first = share.first; first < share.end;) {
            const int rows = multiply(held, false);
            syncConsumers();
            for (int row = thread(); row < rows; row += kConsumers) {
                const float logit = results()[row];
                m_args.logits[first + row] = logit;
                if (logit == logit) m_best = better(m_best, Best{logit, first + row});
            }
            first += rows;
            syncConsumers();
        }
    }

    // Over the block, in thread 0.
    __device__ __forceinline__ Best blockBest(Best best) const {
#pragma unroll
        for (int offset = kWarp / 2; offset > 0; offset /= 2)
            best = better(best, Best{__shfl_xor_sync(0xffffffffU, best.value, offset),
                                     __shfl_xor_sync(0xffffffffU, best.index, offset)});
        auto* const bests = reinterpret_cast<Best*>(results());
        if (lane() == 0) bests[warp()] = best;
        syncConsumers();
        for (int w = 0; thread() == 0 && w < kConsumerWarps; ++w)
            best = better(best, bests[w]);
        syncConsumers();
        return best;
    }

    // The block's best logit; the block that arrives last chooses among all and moves the state on.
    __device__ __forceinline__ void chooseToken() {
        Best best = blockBest(m_best);
        m_arrived += gridDim.x;
        auto* const isLast = reinterpret_cast<int*>(results());
        if (thread() == 0) {
            m_args.partialValues[blockIdx.x] = best.value;
            m_args.partialIndices[blockIdx.x] = best.index;
            unsigned before = 0;
            asm volatile("atom.acq_rel.gpu.global.add.u32 %0, [%1], 1;"
                         : "=r"(before)
                         : "l"(m_args.arrivals)
                         : "memory");
            *isLast = before + 1 == m_arrived;
        }
        syncConsumers();
        const bool chooses = *isLast != 0;
        syncConsumers();
        if (!chooses) return;
        best = {0, -1};
        for (int block = thread(); block < static_cast<int>(gridDim.x); block += kConsumers)
            best = better(best, Best{fresh(m_args.partialValues + block), fresh(m_args.partialIndices + block)});
        best = blockBest(best);
        if (thread() != 0) return;
        const int32_t token = best.index < 0 ? 0 : best.index;
        const int32_t position = state()->position + 1;
        m_args.ids[0] = token;
        m_args.state->token = token;
        m_args.state->position = position;
        if (m_args.ring == nullptr) return;
        m_args.ring[position % m_args.ringSize] = token;
        __threadfence_system();
    }

    const PersistentDecodeArgs& m_args;
    const Layout& m_layout;
    Ring m_ring;
    unsigned m_arrived;  // blocks at the barriers so far
    int m_pairs = 0;     // of rows, that went round the warps
    Best m_best{0, -1};
};

#endif

}  // namespace gapscope::cuda

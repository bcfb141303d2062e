// What a block of the persistent decode step does between its products: the token's embedding, norms, and the gathering
// of what the blocks computed. See persistent_decode.h.
#pragma once

#include <type_traits>

#include "kernels/cuda/attention_block.cuh"
#include "kernels/cuda/attention_join.cuh"
#include "kernels/cuda/gemv_int8_stage.cuh"
#include "kernels/cuda/packed_unit.cuh"
#include "kernels/cuda/persistent_stream.cuh"

namespace gapscope::cuda {

#if __CUDA_ARCH__ >= 900

// Brings the input of each step into shared memory. By all multiplying threads of a block, unless said otherwise.
template <class Matrix>
class StepInput {
public:
    __device__ __forceinline__ explicit StepInput(const KernelOf<Matrix>& kernel)
        : m_kernel(kernel),
          m_args(kernel.args),
          m_layout(kernel.layout),
          m_exchange(kernel.exchange),
          m_number(kernel.number) {}

protected:
    using Layer = PersistentLayerOf<Matrix>;
    static constexpr bool kQuantizes = std::is_same_v<Matrix, Int8Matrix>;  // inputs of all steps but the head
    static constexpr bool kPacked = std::is_same_v<Matrix, PackedMatrix>;

    static __device__ __forceinline__ int thread() { return static_cast<int>(threadIdx.x); }
    static __device__ __forceinline__ unsigned addressOf(int offset) {
        return sharedAddress(blockMemory()) + static_cast<unsigned>(offset);
    }
    static __device__ __forceinline__ bool isTeam() { return threadIdx.x < kConsumers; }
    static __device__ __forceinline__ int lane() { return static_cast<int>(threadIdx.x) % kWarp; }
    static __device__ __forceinline__ int warp() { return static_cast<int>(threadIdx.x) / kWarp; }

    template <class T>
    static __device__ __forceinline__ T* at(int offset) {
        return reinterpret_cast<T*>(blockMemory() + offset);
    }
    __device__ __forceinline__ float* residual() const { return at<float>(m_layout.residualAt); }
    // Two in turns: a step's input is written while warps may still read that of the step before. That of down is read
    // where it was gathered.
    __device__ __forceinline__ int inputAt(int step) const {
        return step == kDown ? m_layout.gatheredAt : m_layout.inputAt + (step == kOutput ? m_layout.inputBytes : 0);
    }
    __device__ __forceinline__ const float* gathered() const { return at<float>(m_layout.gatheredAt); }
    __device__ __forceinline__ float* results() const { return at<float>(m_layout.resultsAt); }
    __device__ __forceinline__ float4* sums() const { return at<float4>(m_layout.sumsAt); }
    __device__ __forceinline__ float* norms() const { return at<float>(m_layout.normsAt); }
    __device__ __forceinline__ float* rope() const { return at<float>(m_layout.ropeAt); }
    __device__ __forceinline__ Layer* layers() const { return at<Layer>(m_layout.layersAt); }
    __device__ __forceinline__ Share* shares() const { return at<Share>(m_layout.sharesAt); }  // by step
    __device__ __forceinline__ uint32_t* stamps() const { return at<uint32_t>(m_layout.stampsAt); }
    __device__ __forceinline__ StepState* state() const { return at<StepState>(m_layout.stateAt); }

    __device__ __forceinline__ Message* projected() const {
        return reinterpret_cast<Message*>(m_args.exchange + m_exchange.projectedAt);
    }
    __device__ __forceinline__ Message* stacked() const {
        return reinterpret_cast<Message*>(m_args.exchange + m_exchange.stackedAt);
    }
    __device__ __forceinline__ uint32_t* activated() const {
        return reinterpret_cast<uint32_t*>(m_args.exchange + m_exchange.activatedAt);
    }
    __device__ __forceinline__ uint32_t* joined() const {
        return reinterpret_cast<uint32_t*>(m_args.exchange + m_exchange.joinedAt);
    }
    __device__ __forceinline__ Message* parts() const {
        return reinterpret_cast<Message*>(m_args.exchange + m_exchange.partsAt);
    }

    // A layer's description, while the one before is at hand.
    __device__ __forceinline__ void fetchLayer(int layer) {
        constexpr int kParts = sizeof(Layer) / sizeof(uint4);
        if (layer < m_args.layerCount && thread() < kParts)
            reinterpret_cast<uint4*>(layers() + (layer & 1))[thread()] =
                __ldg(reinterpret_cast<const uint4*>(m_args.layers + layer) + thread());
    }

    // The residual stream of the token, and its rope tables.
    __device__ __forceinline__ void begin() {
        fetchLayer(0);
        const auto& table = m_args.table;
        if constexpr (kPacked) {
#pragma unroll 1
            for (int unit = thread(); unit < table.columns / kUnit; unit += kMultiplying)
                eachWeight(table, m_args.ids[0], unit,
                           [&](int i, float value) { residual()[kUnit * unit + i] = m_args.embeddingScale * value; });
        } else {
            const Bf16* const row = table.data + static_cast<int64_t>(m_args.ids[0]) * table.stride;
#pragma unroll 1
            for (int i = thread(); i < table.columns; i += kMultiplying)
                residual()[i] = m_args.embeddingScale * toFloat(row[i]);
        }
        const int half = m_args.headDim / 2;
        const StepState now = *m_args.state;
        if (thread() == 0) *state() = now;
        if (thread() < kSteps) shares()[thread()] = Share(m_kernel.shapes[thread()].rows);
        const float position = static_cast<float>(now.position);
#pragma unroll 1
        for (int i = thread(); i < 2 * half; i += kMultiplying) {
            const int pair = i % half;
            const bool global = i >= half;
            const float angle = global ? position * m_args.globalFrequencies[pair] / m_args.globalScale
                                       : position * m_args.localFrequencies[pair];
            sincosf(angle, &rope()[(2 * global + 1) * half + pair], &rope()[2 * global * half + pair]);
        }
        syncMultiplying();
        aheadOfNorm(nullptr, layers()[0].inputNorm, kQkv);
    }

    __device__ __forceinline__ void prepareInput(int step, int layer, const Layer& weights) {
        if constexpr (kQuantizes)
            if (step != kHead) aheadOfScales(step, weights);
        bringInput(step, layer, weights);
        if constexpr (kQuantizes)
            if (step != kHead) quantize(step);
        if constexpr (kPacked) quantizeUnits(step);
    }

    __device__ __forceinline__ void bringInput(int step, int layer, const Layer& weights) {
        if (step == kOutput) return combineInput(weights);
        if (step == kDown) {
            const int count = m_kernel.shapes[kDown].inputs;
            waitFirst(count / 6);
            gatherHalves<kMultiplying, 4>(activated(), count, m_number + kActivated, addressOf(m_layout.gatheredAt));
            return syncMultiplying();
        }
        const bool afterAttention = step == kGateUp;
        const float* const before = layer > 0 ? layers()[(layer - 1) & 1].postFeedForwardNorm : nullptr;
        norm(afterAttention ? weights.postAttentionNorm : before,
             afterAttention  ? weights.preFeedForwardNorm
             : step == kHead ? m_args.outputNorm
                             : weights.inputNorm,
             afterAttention ? m_number + kAttended : m_number, step);
    }

    // The scales of the step's rows in this block: of gate's, then of up's.
    __device__ __forceinline__ float* scales(int step) const {
        return at<float>(m_layout.scalesAt) + (step & 1) * m_layout.mostScales;
    }
    __device__ __forceinline__ void aheadOfScales(int step, const Layer& weights) const {
        const Share share = shares()[step];
        const int rows = share.rows();
        const auto scaleOf = [&](int i) {
            const int row = share.first + i;
            if (step == kGateUp) return i < rows ? weights.gate.absmax + row : weights.up.absmax + row - rows;
            if (step != kQkv) return (step == kOutput ? weights.output.absmax : weights.down.absmax) + row;
            const int queries = weights.query.rows, keys = queries + weights.key.rows;
            return row < queries ? weights.query.absmax + row
                   : row < keys  ? weights.key.absmax + row - queries
                                 : weights.value.absmax + row - keys;
        };
#pragma unroll 1
        for (int i = thread(); i < (step == kGateUp ? 2 * rows : rows); i += kMultiplying)
            copyFourAhead(scales(step) + i, scaleOf(i));
    }

    // quantizeInput() of gemv_int8_stage.cuh: the integers lie behind the input, then a bit an element for outliers.
    __device__ __forceinline__ int integersAt(int step) const {
        return inputAt(step) + 2 * m_kernel.shapes[step].inputs;
    }
    __device__ __forceinline__ void quantize(int step) {
        const int count = m_kernel.shapes[step].inputs, from = inputAt(step), to = integersAt(step);
        auto* const partials = reinterpret_cast<float2*>(sums());
        static_assert(kMultiplyingWarps * sizeof(float2) <= kConsumerWarps * sizeof(float4));
        waitForCopies();  // of the scales
        Range range;
#pragma unroll 1
        for (int i = 8 * thread(); i < count; i += 8 * kMultiplying) {
            float x[8];
            unpack8(*at<const uint4>(from + 2 * i), x);
#pragma unroll
            for (const float value : x)
                range.take(value);
        }
        const auto overWarp = [&] {
            range.largest = warpMax(range.largest);
            range.outliers = __any_sync(0xffffffffU, range.outliers) != 0;
        };
        overWarp();
        if (lane() == 0) partials[warp()] = {range.largest, range.outliers ? 1.0F : 0.0F};
        syncMultiplying();
        const float2 part = partials[min(lane(), kMultiplyingWarps - 1)];
        range = {part.x, part.y != 0};
        overWarp();
        const float scale = int8Scale(range.largest);
#pragma unroll 1
        for (int i = 8 * thread(); i < count; i += 8 * kMultiplying) {
            const QuantizedEight eight = quantizeEight(*at<const uint4>(from + 2 * i), scale);
            *at<uint2>(to + i) = eight.integers;
            if (range.outliers) *at<uint8_t>(to + count + i / 8) = static_cast<uint8_t>(eight.outliers);
        }
        m_range = range;
        syncMultiplying();
    }

    // The integers lie behind the input here, too.
    __device__ __forceinline__ PackedInput packedInput(int step) const {
        return {at<std::byte>(integersAt(step)), m_kernel.shapes[step].inputs / kUnit};
    }
    __device__ __forceinline__ void quantizeUnits(int step) const {
        const int from = inputAt(step);
        packedInput(step).quantizeAll<1>(kMultiplying, [=](int i) { return *at<const uint4>(from + 16 * i); });
        syncMultiplying();
    }

    // Before the first look at what all blocks give at about the same time: who asks at once asks twice, and what all
    // ask for at once keeps the L2 cache from the weights. The longer, the more there is to gather; measured on an
    // H100, where it is 4 % of a token of the 1B model.
    static constexpr int kLongestFirstWaitNs = 800;
    static __device__ __forceinline__ void waitFirst(int ns) {
        // int8 and packed weights come in half the time: 1 % of a token (int8).
        __nanosleep(static_cast<unsigned>(kQuantizes || kPacked ? ns / 2 : ns));
    }

    // The norms have the shapes of those of the fused kernels' blocks.
    static __device__ __forceinline__ int normThreads(int step) {
        return step == kQkv ? 128 : 256;
    }
    __device__ __forceinline__ bool normIsHeld(int step) const {
        return m_args.table.columns <= 4 * (step == kQkv ? 3 : 2) * normThreads(step);
    }
    // Starts to bring the weights of the norm before `step`; each thread brings what it will read itself.
    __device__ __forceinline__ void aheadOfNorm(const float* post, const float* next, int step) const {
        const int columns = m_args.table.columns, threads = normThreads(step);
        if (!normIsHeld(step) || thread() >= threads) return;
#pragma unroll 1
        for (int at = 4 * thread(); at < columns; at += 4 * threads) {
            if (post != nullptr) copyAhead(norms() + at, post + at);
            copyAhead(norms() + columns + at, next + at);
        }
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
        if (lane() == 0) sums()[warp()] = value;
        syncFirst(threads);
        // Each lane adds one of the four over the warps.
        float sum = 0;
#pragma unroll
        for (int w = 0; w < kConsumerWarps; ++w)
            if (w < threads / kWarp) sum += reinterpret_cast<const float*>(sums() + w)[lane() & 3];
        return {__shfl_sync(0xffffffffU, sum, 0), __shfl_sync(0xffffffffU, sum, 1), __shfl_sync(0xffffffffU, sum, 2),
                __shfl_sync(0xffffffffU, sum, 3)};
    }

    static __device__ __forceinline__ float4 four(const float* from, int at, bool inside) {
        return inside ? *reinterpret_cast<const float4*>(from + at) : float4{0, 0, 0, 0};
    }
    // Rounded as fromFloat() rounds, in one instruction for two.
    static __device__ __forceinline__ unsigned packTwo(float low, float high) {
        unsigned two = 0;
        asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(two) : "f"(high), "f"(low));
        return two;
    }
    static __device__ __forceinline__ uint2 packed(float4 values) {
        return {packTwo(values.x, values.y), packTwo(values.z, values.w)};
    }

    // stageNorm<mostHeld>() of gemv_stage.cuh as blocks of `threads` run it; the stream stays in the block. What is to
    // be added comes by exchange `number`; without `post` there is nothing to add and to wait for.
    __device__ __forceinline__ void norm(const float* post, const float* next, unsigned number, int step) {
        int threads = normThreads(step);
        asm volatile("" : "+r"(threads));  // one copy of the code for both
        const int columns = m_args.table.columns;
        const int stride = m_kernel.shapes[step].inputs;
        Bf16* const normed = at<Bf16>(inputAt(step));
        waitForCopies();
        if (post != nullptr) {
            waitFirst(columns / 4);
            gather<kMultiplying, 2>(projected(), columns, number, addressOf(m_layout.gatheredAt));
        }
        syncMultiplying();
        if (thread() < threads) {
            if (normIsHeld(step))
                normHeld(post != nullptr, normed, stride, threads);
            else
                normPlainly(post, next, normed, stride, threads);
        }
        syncMultiplying();
    }

    __device__ __forceinline__ void normHeld(bool hasY, Bf16* normed, int stride, int threads) {
        const int columns = m_args.table.columns;
        const float inverse = 1.0F / static_cast<float>(columns);
        float4 sum{0, 0, 0, 0};
        const auto take = [&](float xi, float yi, float& pi) {
            pi *= yi;
            sum.x = fmaf(yi, yi, sum.x);
            sum.y = fmaf(xi, xi, sum.y);
            sum.z = fmaf(xi, pi, sum.z);
            sum.w = fmaf(pi, pi, sum.w);
        };
#pragma unroll 1
        for (int at = 4 * thread(); at < columns; at += 4 * threads) {
            float4 p = four(norms(), at, hasY);
            const float4 x = four(residual(), at, true);
            const float4 y = four(gathered(), at, hasY);
            take(x.x, y.x, p.x);
            take(x.y, y.y, p.y);
            take(x.z, y.z, p.z);
            take(x.w, y.w, p.w);
            *reinterpret_cast<float4*>(norms() + at) = p;
        }
        sum = sum4(sum, threads);
        const float r = rsqrtf(fmaf(sum.x, inverse, m_args.epsilon));
        const float squares = hasY ? squaresOfSum(sum.y, sum.z, sum.w, r) : sum.y;
        const float scale = rsqrtf(fmaf(squares, inverse, m_args.epsilon));
#pragma unroll 1
        for (int at = 4 * thread(); at < stride; at += 4 * threads) {
            const bool inside = at < columns;
            float4 x = four(residual(), at, inside);
            const float4 p = four(norms(), at, inside), next = four(norms() + columns, at, inside);
            if (hasY && inside) {
                x = {fmaf(p.x, r, x.x), fmaf(p.y, r, x.y), fmaf(p.z, r, x.z), fmaf(p.w, r, x.w)};
                *reinterpret_cast<float4*>(residual() + at) = x;
            }
            *reinterpret_cast<uint2*>(normed + at) =
                packed({x.x * scale * next.x, x.y * scale * next.y, x.z * scale * next.z, x.w * scale * next.w});
        }
    }

    __device__ __forceinline__ void normPlainly(const float* post, const float* next, Bf16* normed, int stride,
                                                int threads) {
        const int columns = m_args.table.columns;
        const float inverse = 1.0F / static_cast<float>(columns);
        const bool hasY = post != nullptr;
        float4 sum{0, 0, 0, 0};
#pragma unroll 1
        for (int i = thread(); hasY && i < columns; i += threads)
            sum.x = fmaf(gathered()[i], gathered()[i], sum.x);
        const float r = rsqrtf(fmaf(sum4(sum, threads).x, inverse, m_args.epsilon));
        sum = float4{0, 0, 0, 0};
#pragma unroll 1
        for (int i = thread(); i < columns; i += threads) {
            float value = residual()[i];
            if (hasY) {
                value = fmaf(gathered()[i] * r, post[i], value);
                residual()[i] = value;
            }
            sum.x = fmaf(value, value, sum.x);
        }
        syncFirst(threads);
        const float scale = rsqrtf(fmaf(sum4(sum, threads).x, inverse, m_args.epsilon));
#pragma unroll 1
        for (int i = thread(); i < stride; i += threads)
            normed[i] = i < columns ? fromFloat<Bf16>(residual()[i] * scale * next[i]) : Bf16{0};
    }

    // stageCombined() of gemv_stage.cuh. Few parts every block joins for itself; many are joined by some blocks for
    // all, which together would ask L2 for more than it gives in the time of another exchange.
    __device__ __forceinline__ void combineInput(const Layer& weights) {
        const int splits = weights.splits, messages = splits * m_args.heads * messagesOfPart(m_args.headDim);
        const bool isJoinedHere = splits <= kSplitsGathered;
        if (!isJoinedHere && warp() == 0) joinParts(weights);
        if (static_cast<int>(blockIdx.x) >= m_args.heads * splits) waitFirst(min(messages / 4, kLongestFirstWaitNs));
        if (isJoinedHere) {
            gather<kMultiplying, kSplitsGathered>(parts(), messages, m_number + kParts, addressOf(m_layout.gatheredAt));
            syncMultiplying();
#pragma unroll 1
            for (int column = 4 * thread(); column < weights.output.columns; column += 4 * kMultiplying)
                joinFour(weights, column);
        } else {
            gatherHalves<kMultiplying, 1>(joined(), m_kernel.shapes[kOutput].inputs, m_number + kJoined,
                                          addressOf(inputAt(kOutput)));
        }
        syncMultiplying();
    }
    __device__ __forceinline__ void joinFour(const Layer& weights, int column) const {
        const int headDim = m_args.headDim, head = column / headDim, at = (column - head * headDim) / 2;
        const auto* part = reinterpret_cast<const float2*>(gathered() + head * messagesOfPart(headDim));
        Bf16* const input = StepInput::at<Bf16>(inputAt(kOutput));
        JoinedFour joined;
#pragma unroll 1
        for (int split = 0; split < weights.splits; ++split) {
            const float2 low = part[at], high = part[at + 1];
            joined.take(part[headDim / 2], {low.x, low.y, high.x, high.y});
            part += m_args.heads * messagesOfPart(headDim) / 2;
        }
        *reinterpret_cast<uint2*>(input + column) = packed(joined.mean());
    }
    // By a warp: a lane brings two columns of every fourth part, and joins all parts of these columns.
    __device__ __forceinline__ void joinParts(const Layer& weights) const {
        constexpr int kPairs = 8, kGroups = kWarp / kPairs, kAhead = 4;
        const int headDim = m_args.headDim, inputs = m_kernel.shapes[kOutput].inputs;
        const int ofSplit = m_args.heads * messagesOfPart(headDim), blocks = static_cast<int>(gridDim.x);
        const int pair = lane() % kPairs, group = lane() / kPairs;
        // From the last block on: the first ones attend.
#pragma unroll 1
        for (int first = 2 * kPairs * (blocks - 1 - static_cast<int>(blockIdx.x)); first < inputs;
             first += 2 * kPairs * blocks) {
            const int column = first + 2 * pair, head = column / headDim;
            const Message* const part = parts() + head * messagesOfPart(headDim);
            JoinedFour mine;  // two of them
#pragma unroll 1
            for (int split = 0; split < weights.splits; split += kAhead * kGroups) {
                uint4 pairs[2 * kAhead];
                receive(pairs, m_number + kParts, [&](int i) -> const Message* {
                    const int own = split + i / 2 * kGroups + group;
                    if (head >= m_args.heads || own >= weights.splits) return nullptr;
                    return part + own * ofSplit + (i % 2 == 0 ? column - head * headDim : headDim);
                });
#pragma unroll
                for (int i = 0; i < kAhead; ++i) {
                    if (split + i * kGroups >= weights.splits) break;
#pragma unroll 1
                    for (int from = pair; from < kWarp; from += kPairs) {
                        const auto of = [&](unsigned value) {
                            return __uint_as_float(__shfl_sync(0xffffffffU, value, from));
                        };
                        const float2 statistic{of(pairs[2 * i + 1].x), of(pairs[2 * i + 1].z)};
                        mine.take(statistic, {of(pairs[2 * i].x), of(pairs[2 * i].z), 0, 0});
                    }
                }
            }
            const float4 mean = mine.mean();
            if (group != 0 || column >= inputs) continue;
            sendHalf(joined() + column, fromFloat<Bf16>(mean.x), m_number + kJoined);
            sendHalf(joined() + column + 1, fromFloat<Bf16>(mean.y), m_number + kJoined);
        }
    }

    const KernelOf<Matrix>& m_kernel;
    const PersistentDecodeArgsOf<Matrix>& m_args;
    const Layout& m_layout;
    const ExchangeLayout& m_exchange;
    unsigned m_number;  // of the last exchange before the layer
    Range m_range;      // of the input that was quantised last
};

#endif

}  // namespace gapscope::cuda

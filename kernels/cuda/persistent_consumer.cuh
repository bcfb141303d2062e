// What multiplies in a block of the persistent decode step: norms, products, attention and the choice of the token, in
// the order of the layers; between them blocks hand one another what they computed. See persistent_decode.h.
#pragma once

#include <climits>

#include "kernels/cuda/attention_block.cuh"
#include "kernels/cuda/persistent_head.cuh"
#include "kernels/cuda/persistent_input.cuh"

namespace gapscope::cuda {

#if __CUDA_ARCH__ >= 900

// A packed row in the ring.
struct RingRow {
    int at;
    __device__ __forceinline__ uint4 vector(int byte) const { return *from<uint4>(byte); }
    __device__ __forceinline__ unsigned word(int byte) const { return *from<unsigned>(byte); }
    __device__ __forceinline__ float half(int byte) const { return __half2float(*from<__half>(byte)); }
    __device__ __forceinline__ int2 signedBytes(int byte) const {
        return {from<signed char>(byte)[0], from<signed char>(byte)[1]};
    }
    template <class T>
    __device__ __forceinline__ const T* from(int byte) const {
        return reinterpret_cast<const T*>(blockMemory() + at + byte);
    }
};

// The packed matrices of a step, one below the other; gate and up, beside one another.
struct PackedStep {
    WeightType types[3];
    int bytes[3];   // of a row
    int begins[2];  // the rows where the second and the third begin
    __device__ __forceinline__ WeightType typeOf(int row) const {
        return row < begins[0] ? types[0] : row < begins[1] ? types[1] : types[2];
    }
    __device__ __forceinline__ int bytesBetween(int from, int to) const {
        const auto clamped = [&](int row) { return max(min(row, begins[1]), begins[0]); };
        return (min(to, begins[0]) - min(from, begins[0])) * bytes[0] + (clamped(to) - clamped(from)) * bytes[1] +
               (max(to, begins[1]) - max(from, begins[1])) * bytes[2];
    }
};

// As dotRow(). Not inlined: for all steps of short rows the same instructions.
__device__ __noinline__ float dotPacked(WeightType type, int rowAt, int first, int step, int inputAt, int units) {
    return dotRow(type, RingRow{rowAt}, first, step, PackedInput(blockMemory() + inputAt, units));
}

// Of two rows of one type, whose latencies cover one another.
__device__ __noinline__ float2 dotTwoPacked(WeightType type, int firstAt, int secondAt, int first, int step,
                                            int inputAt, int units) {
    const PackedInput input(blockMemory() + inputAt, units);
    float2 sum{0, 0};
    withUnits(type, units * kUnit, [&](auto take) {
#pragma unroll 1
        for (int unit = first; unit < units; unit += step) {
            const InputUnit x = input.unit(unit);
            sum.x += dotUnit(take(RingRow{firstAt}, unit), x);
            sum.y += dotUnit(take(RingRow{secondAt}, unit), x);
        }
    });
    return sum;
}

// The multiplying side of one block. One piece of code multiplies for all steps: the instructions of a copy for each
// would not stay in the caches.
template <class Matrix, bool kStamps>
class Consumer : private StepInput<Matrix> {
public:
    __device__ __forceinline__ Consumer(const KernelOf<Matrix>& kernel, const Ring& ring)
        : Base(kernel), m_ring(ring), m_arrived(kernel.arrived) {}

    __device__ __forceinline__ void run() {
        stamp(0);
        begin();
        int step = kQkv;
        for (int layer = 0;;) {
            const Layer& weights = layers()[layer & 1];
            const StepShape& shape = m_kernel.shapes[step];
            const bool isLong = !kQuantizes && shape.isLong != 0;
            stamp(1 + kStagesOfLayer * layer + inputStage(step));
            prepareInput(step, layer, weights);
            stamp(2 + kStagesOfLayer * layer + inputStage(step));
            if (step == kOutput)
                aheadOfNorm(weights.postAttentionNorm, weights.preFeedForwardNorm, kGateUp);
            else if (step == kGateUp && layer + 1 < m_args.layerCount)
                aheadOfNorm(weights.postFeedForwardNorm, layers()[(layer + 1) & 1].inputNorm, kQkv);
            else if (step == kGateUp)
                aheadOfNorm(weights.postFeedForwardNorm, m_args.outputNorm, kHead);
            if (!kPacked && step == kHead && m_args.upper.data != nullptr) break;
            if (!isLong)
                multiplyShort(step, shape, weights);
            else if (isTeam())
                multiplyLong(shape, weights);
            else
                skipLong(shape);
            if (step == kHead) break;
            if (step == kQkv) {
                fetchLayer(layer + 1);
                stamp(3 + kStagesOfLayer * layer);
                if (isTeam()) attention(weights);
            }
            if (++step < kStepsOfLayer) continue;
            m_number += kExchangesOfLayer;
            step = ++layer < m_args.layerCount ? kQkv : kHead;
        }
        if constexpr (!kPacked)
            if (m_args.upper.data != nullptr) {
                const BestRow best =
                    headByBounds(m_kernel, m_ring, shares()[kHead], inputAt(kHead), m_tile, m_number + 1);
                m_best = {best.value, best.row};
            }
        const int afterLayers = 1 + kStagesOfLayer * m_args.layerCount;
        stamp(afterLayers + 2);
        chooseToken();
        stamp(afterLayers + 3);
        if constexpr (kStamps) tellStamps(afterLayers + 4);
    }

private:
    using Base = StepInput<Matrix>;
    using Layer = typename Base::Layer;
    using Base::activated, Base::aheadOfNorm, Base::begin, Base::fetchLayer, Base::inputAt, Base::integersAt,
        Base::isTeam, Base::lane, Base::layers, Base::parts, Base::prepareInput, Base::projected, Base::results,
        Base::stamps, Base::rope, Base::scales, Base::shares, Base::stacked, Base::state, Base::sums, Base::thread,
        Base::warp;
    using Base::kPacked, Base::kQuantizes;
    using Base::m_args, Base::m_kernel, Base::m_layout, Base::m_number, Base::m_range;
    template <class T>
    static __device__ __forceinline__ T* at(int offset) {
        return Base::template at<T>(offset);
    }

    // Stamp 0 is the begin, each other one the end of the stage before it. They are kept in the block until the end:
    // writing one out would take longer than some of the stages.
    static constexpr int kStagesOfLayer = static_cast<int>(persistentStageCount(1) - persistentStageCount(0));
    static __device__ __forceinline__ int inputStage(int step) { return step % kStepsOfLayer == 0 ? 0 : 2 * step + 1; }
    __device__ __forceinline__ void stamp(int number) const {
        if constexpr (kStamps)
            if (blockIdx.x == 0 && thread() == 0) stamps()[number] = static_cast<uint32_t>(clock());
    }
    __device__ __forceinline__ void tellStamps(int count) const {
        if (blockIdx.x != 0 || thread() != 0) return;
#pragma unroll 1
        for (int i = 0; i < count; ++i)
            m_kernel.stamps[i] = stamps()[i];
    }

    static __device__ __forceinline__ int tilesOf(const StepShape& shape, int units) {
        return static_cast<int>(shape.unitsOfTile.quotient(static_cast<unsigned>(units) + shape.unitsOfTile.value - 1));
    }

    // Rows short enough for a warp, two at a time: the warps take turns, and each waits only for tiles that hold rows
    // of its own.
    __device__ __forceinline__ void multiplyShort(int step, const StepShape& shape, const Layer& weights) {
        const Share share = shares()[step];
        const bool gated = step == kGateUp;
        const int rowBytes = 16 * shape.vectors, rows = share.rows(), warps = shape.warps;
        const int ofTile = static_cast<int>(shape.unitsOfTile.value), slots = static_cast<int>(m_layout.slots.value);
        const int units = gated ? rows : (rows + 1) / 2;
        const int tileStep = static_cast<int>(shape.unitsOfTile.quotient(static_cast<unsigned>(warps)));
        const int inTileStep = warps - tileStep * ofTile;
        int tile = static_cast<int>(shape.unitsOfTile.quotient(static_cast<unsigned>(warp())));
        int inTile = warp() - tile * ofTile;
        const Ring::Slot firstSlot = m_ring.slotOf(m_tile + tile);
        int slot = static_cast<int>(firstSlot.full - m_ring.fullAt) / 8;
        unsigned parity = firstSlot.parity;
        PackedStep packed;
        if constexpr (kPacked) packed = packedStep(step, weights);
        float kept = 0;  // sums of the lane % 16th unit kept: of its first row, and in the upper half its second
        int keptCount = 0, firstKept = warp();
#pragma unroll 1
        for (int unit = warp() < warps ? warp() : units; unit < units; unit += warps) {
            const unsigned full = m_ring.fullAt + 8U * static_cast<unsigned>(slot);
            const int inThis = min(ofTile, units - (unit - inTile));
            const int tileAt = m_ring.dataAt + slot * m_ring.slotBytes;
            const int first = tileAt + inTile * (gated ? rowBytes : 2 * rowBytes);
            const int second = first + (gated ? inThis * rowBytes : 2 * unit + 1 < rows ? rowBytes : 0);
            waitForPhase(full, parity);
            float both = 0;
            if constexpr (kPacked)
                both = multiplyPacked(step, packed, tileAt, inTile, inThis, share.first + 2 * unit, share.end);
            else
                both = multiplyTwo(step, first, second, shape.vectors, gated ? unit : 2 * unit,
                                   gated ? unit + rows : 2 * unit + 1);
            __syncwarp();
            if (lane() == 0)  // together kMostUnits a tile
                arrive(full + (m_ring.emptyAt - m_ring.fullAt), inTile == 0 ? kMostUnits - inThis + 1 : 1);
            kept = lane() % 16 == keptCount ? both : kept;
            if (++keptCount == 16 || unit + warps >= units) {
                keep(step, share, gated, firstKept, warps, keptCount, kept);
                keptCount = 0;
                firstKept = unit + warps;
            }
            inTile += inTileStep;
            slot += tileStep;
            if (inTile >= ofTile) {
                inTile -= ofTile;
                ++slot;
            }
            if (slot >= slots) {
                slot -= slots;
                parity ^= 1;
            }
        }
        m_tile += tilesOf(shape, units);
        if (step == kDown) syncMultiplying();  // no warp gathers anew before all have used this input
        if (gated && blockIdx.x == gridDim.x - 1)
            for (int row = shape.rows + thread(); row < 8 * m_kernel.shapes[kDown].vectors; row += kMultiplying)
                sendHalf(activated() + row, 0, m_number + kActivated);
    }

    // Each warp of the team a part of every row, two rows at a time.
    __device__ __forceinline__ void multiplyLong(const StepShape& shape, const Layer& weights) {
        const Share share = shares()[kDown];
        const int rows = share.rows();
        int rowBytes = 16 * shape.vectors;
        if constexpr (kPacked) rowBytes = static_cast<int>(weights.down.rowBytes);
        const int ofTile = static_cast<int>(shape.unitsOfTile.value);
        int inTile = 0;
        const auto take = [&](int row, unsigned& empty) {
            const Ring::Slot slot = m_ring.slotOf(m_tile);
            waitForPhase(slot.full, slot.parity);
            const int at = slot.at + inTile * rowBytes;
            if (++inTile == ofTile || row + 1 == rows) {
                empty = slot.empty;
                inTile = 0;
                ++m_tile;
            }
            return at;
        };
#pragma unroll 1
        for (int row = 0; row < rows; row += 2) {
            unsigned empty = 0, secondEmpty = 0;
            const int first = take(row, empty);
            const int second = row + 1 < rows ? take(row + 1, secondEmpty) : first;
            float2 sums{0, 0};
            if constexpr (kPacked)
                sums = dotTwoPacked(weights.down.type, first, second, thread(), kPackedSplitThreads, integersAt(kDown),
                                    shape.inputs / kUnit);
            else
                sums = dotTwo<kConsumers>(first, second, inputAt(kDown), shape.vectors);
            const float both = sumTwo(sums);
            __syncwarp();
            const unsigned toTell = lane() == 0 ? empty : lane() == 1 ? secondEmpty : 0U;
            if (toTell != 0) arrive(toTell, kMostUnits / kConsumerWarps);
            const int of = row + lane() / 16;
            if (lane() % 16 == 0 && of < rows) results()[of * kConsumerWarps + warp()] = both;
        }
        syncMultiplying();  // and no warp gathers anew before all have used this input
#pragma unroll 1
        for (int row = thread(); row < rows; row += kConsumers) {
            float sum = 0;
#pragma unroll
            for (int part = 0; part < kConsumerWarps; ++part)
                sum += results()[row * kConsumerWarps + part];
            send(projected() + share.first + row, sum, m_number + kLayerDone);
        }
    }

    // What the other warps do meanwhile.
    __device__ __forceinline__ void skipLong(const StepShape& shape) {
        m_tile += tilesOf(shape, shares()[kDown].rows());
        syncMultiplying();
    }

    __device__ __forceinline__ PackedStep packedStep(int step, const Layer& weights) const {
        PackedStep packed;
        const auto take = [&](int i, const PackedMatrix& matrix) {
            packed.types[i] = matrix.type;
            packed.bytes[i] = static_cast<int>(matrix.rowBytes);
        };
        packed.begins[0] = packed.begins[1] = INT_MAX;
        take(0, step == kQkv      ? weights.query
                : step == kOutput ? weights.output
                : step == kGateUp ? weights.gate
                                  : weights.down);
        take(1, step == kQkv ? weights.key : weights.up);
        take(2, weights.value);
        if (step == kQkv) {
            packed.begins[0] = weights.query.rows;
            packed.begins[1] = packed.begins[0] + weights.key.rows;
        }
        if (step == kHead) take(0, m_args.head);
        return packed;
    }
    // The unit's two rows, of which each half of the warp takes one: gate's and up's, or of the block's rows `row` and
    // the next; where there is no next, the same again.
    __device__ __forceinline__ float multiplyPacked(int step, const PackedStep& packed, int tileAt, int inTile,
                                                    int ofTile, int row, int end) const {
        const bool upper = halfOfWarp() != 0;
        WeightType type = upper ? packed.types[1] : packed.types[0];
        int at = upper ? ofTile * packed.bytes[0] + inTile * packed.bytes[1] : inTile * packed.bytes[0];
        if (step != kGateUp) {
            const int mine = upper ? min(row + 1, end - 1) : row;
            type = packed.typeOf(mine);
            at = packed.bytesBetween(row - 2 * inTile, mine);
        }
        return rowSum(dotPacked(type, tileAt + at, laneOfRow(), kLanesOfRow, integersAt(step),
                                m_kernel.shapes[step].inputs / kUnit));
    }

    // Of the two rows as sumTwo() gives them; theirs are these of the step's scales.
    __device__ __forceinline__ float multiplyTwo(int step, int first, int second, int vectors, int scale,
                                                 int secondScale) const {
        if constexpr (kQuantizes)
            if (step != kHead) {
                const Int8Sum sum = dotTwoQuantized(step, first, second, vectors);
                return resultOf(Int8Input{nullptr, nullptr, nullptr, m_range.largest, m_range.outliers}, sum,
                                scales(step)[lane() < kWarp / 2 ? scale : secondScale]);
            }
        return sumTwo(dotTwo<kWarp>(first, second, inputAt(step), vectors));
    }

    __device__ __forceinline__ Int8Sum dotTwoQuantized(int step, int first, int second, int vectors) const {
        const int input = integersAt(step);
        int2 products{0, 0};
#pragma unroll 1
        for (int byte = 16 * lane(); byte < 16 * vectors; byte += 16 * kWarp) {
            const uint4 x = *at<const uint4>(input + byte);
            products.x = dot16(*at<const uint4>(first + byte), x, products.x);
            products.y = dot16(*at<const uint4>(second + byte), x, products.y);
        }
        products = {__reduce_add_sync(0xffffffffU, products.x), __reduce_add_sync(0xffffffffU, products.y)};
        return {lane() < kWarp / 2 ? products.x : products.y,
                m_range.outliers ? outliersOfTwo(step, first, second, vectors) : 0.0F};
    }

    // In the order of mode graph, where down's rows are shared by kInt8SplitThreads threads.
    __device__ __forceinline__ float outliersOfTwo(int step, int first, int second, int vectors) const {
        const int stride = step == kDown ? kInt8SplitThreads : kWarp;
        const int values = inputAt(step), masks = integersAt(step) + kInt8Vector * vectors;
        float sum = 0;
#pragma unroll 1
        for (int part = 0; part < stride; part += kWarp) {
            float2 ofPart{0, 0};
#pragma unroll 1
            for (int vector = part + lane(); vector < vectors; vector += stride)
#pragma unroll 1
                for (unsigned mask = *at<const uint16_t>(masks + 2 * vector); mask != 0; mask &= mask - 1) {
                    const int i = kInt8Vector * vector + __ffs(static_cast<int>(mask)) - 1;
                    const float x = toFloat(*at<const Bf16>(values + 2 * i));
                    ofPart.x = fmaf(static_cast<float>(*at<const signed char>(first + i)), x, ofPart.x);
                    ofPart.y = fmaf(static_cast<float>(*at<const signed char>(second + i)), x, ofPart.y);
                }
            sum += sumTwo(ofPart);
        }
        return sum;
    }

    // A lane's part of the products of two rows with the input, of which kThreads threads take vectors in turns.
    template <int kThreads>
    static __device__ __forceinline__ float2 dotTwo(int first, int second, int input, int vectors) {
        float2 sum{0, 0};
#pragma unroll 1
        for (int byte = 16 * (thread() % kThreads); byte < 16 * vectors; byte += 16 * kThreads) {
            const uint4 x = *at<const uint4>(input + byte);
            sum.x = dot8(*at<const uint4>(first + byte), x, sum.x);
            sum.y = dot8(*at<const uint4>(second + byte), x, sum.y);
        }
        return sum;
    }

    // Two sums over the warp: the lower half of it gets the first, the upper half the second. Each adds in the order of
    // warpSum().
    static __device__ __forceinline__ float sumTwo(float2 sums) {
        const bool upper = lane() >= kWarp / 2;
        float sum = upper ? sums.y : sums.x;
        sum += __shfl_xor_sync(0xffffffffU, upper ? sums.x : sums.y, kWarp / 2);
#pragma unroll
        for (int offset = kWarp / 4; offset > 0; offset /= 2)
            sum += __shfl_xor_sync(0xffffffffU, sum, offset);
        return sum;
    }

    // What `count` units, every `warps`th from `first` on, gave, to where the next step reads it.
    __device__ __forceinline__ void keep(int step, const Share& share, bool gated, int first, int warps, int count,
                                         float sum) {
        const int index = lane() % 16;
        const int upper = lane() / 16;
        const float other = __shfl_xor_sync(0xffffffffU, sum, 16);
        const int unit = first + warps * index;
        const int row = share.first + (gated ? unit : 2 * unit + upper);
        if (index >= count || row >= share.end) return;
        if (step == kGateUp) {
            if (upper == 0) sendHalf(activated() + row, fromFloat<Bf16>(geluTanh(sum) * other), m_number + kActivated);
            return;
        }
        if (step == kHead) {
            m_args.logits[row] = sum;
            if (sum == sum) m_best = better(m_best, Best{sum, row});
            return;
        }
        Message* const to = step == kQkv ? stacked() : projected();
        send(to + row, sum, m_number + (step == kQkv ? kStacked : step == kOutput ? kAttended : kLayerDone));
    }

    // What the projections of this layer's attention come by, and where its parts go to.
    struct Projections {
        const Message* stacked;
        unsigned number;
        int heads, kvHeads, headDim;
        __device__ __forceinline__ void await() const {}
        __device__ __forceinline__ void load(Projection which, int head, bool inside, float (&to)[kPerLane]) const {
            const int stackedHead = head + (which == Projection::Query ? 0
                                            : which == Projection::Key ? heads
                                                                       : heads + kvHeads);
            uint4 pairs[kPerLane / 2];
            receive(pairs, number, [&](int i) {
                return inside ? stacked + stackedHead * headDim + lane() * kPerLane + 2 * i : nullptr;
            });
#pragma unroll
            for (int i = 0; i < kPerLane / 2; ++i) {
                to[2 * i] = __uint_as_float(pairs[i].x);
                to[2 * i + 1] = __uint_as_float(pairs[i].z);
            }
        }
    };
    struct Parts {
        Message* values;  // of the one part that is computed
        int headDim;
        unsigned number;
        __device__ __forceinline__ void keep(int64_t, int d, float value) const { send(values + d, value, number); }
        __device__ __forceinline__ void keepStatistics(int64_t, float maximum, float total) const {
            send(values + headDim, maximum, number);
            send(values + headDim + 1, total, number);
        }
    };

    // Some blocks attend, a head and a part of its keys each.
    __device__ __forceinline__ void attention(const Layer& weights) {
        const int tasks = m_args.heads * weights.splits;
        if (static_cast<int>(blockIdx.x) >= tasks) return;
        AttentionDecodeArgs all;
        all.attention.tokens = 1;
        all.attention.heads = m_args.heads;
        all.attention.window = weights.window;
        all.attention.scale = m_args.attentionScale;
        all.attention.state = state();
        all.attention.cache = weights.cache;
        all.attention.splits = weights.splits;
        all.rope.queryWeights = weights.queryNorm;
        all.rope.keyWeights = weights.keyNorm;
        all.rope.epsilon = m_args.epsilon;
        all.cosSin = rope() + weights.global * m_args.headDim;
        const Projections projections{stacked(), m_number + kStacked, m_args.heads, weights.cache.kvHeads,
                                      m_args.headDim};
#pragma unroll 1
        for (int task = static_cast<int>(blockIdx.x); task < tasks; task += static_cast<int>(gridDim.x)) {
            if (task >= static_cast<int>(gridDim.x)) syncConsumers();
            const int split = task % weights.splits, head = task / weights.splits, part = split * m_args.heads + head;
            const Parts to{parts() + part * messagesOfPart(m_args.headDim), m_args.headDim, m_number + kParts};
            decodeAttention<1>(all, split, head, *at<DecodeShared<1>>(m_layout.attentionAt), projections, to,
                               [] { syncConsumers(); });
        }
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

    // Over the block, in thread 0.
    __device__ __forceinline__ Best blockBest(Best best) const {
        static_assert(kMultiplyingWarps * sizeof(Best) <= kConsumerWarps * sizeof(float4));
#pragma unroll
        for (int offset = kWarp / 2; offset > 0; offset /= 2)
            best = better(best, Best{__shfl_xor_sync(0xffffffffU, best.value, offset),
                                     __shfl_xor_sync(0xffffffffU, best.index, offset)});
        auto* const bests = reinterpret_cast<Best*>(sums());
        if (lane() == 0) bests[warp()] = best;
        syncMultiplying();
#pragma unroll 1
        for (int w = 0; thread() == 0 && w < kMultiplyingWarps; ++w)
            best = better(best, bests[w]);
        syncMultiplying();
        return best;
    }

    // The block's best logit; the block that arrives last chooses among all and moves the state on.
    __device__ __forceinline__ void chooseToken() {
        Best best = blockBest(m_best);
        auto* const isLast = reinterpret_cast<int*>(sums());
        if (thread() == 0) {
            m_args.partialValues[blockIdx.x] = best.value;
            m_args.partialIndices[blockIdx.x] = best.index;
            unsigned before = 0;
            asm volatile("atom.acq_rel.gpu.global.add.u32 %0, [%1], 1;"
                         : "=r"(before)
                         : "l"(m_args.arrivals)
                         : "memory");
            *isLast = before + 1 == m_arrived + gridDim.x;
        }
        syncMultiplying();
        const bool chooses = *isLast != 0;
        syncMultiplying();
        if (!chooses) return;
        best = {0, -1};
#pragma unroll 1
        for (int block = thread(); block < static_cast<int>(gridDim.x); block += kMultiplying)
            best = better(best, Best{__ldcg(m_args.partialValues + block), __ldcg(m_args.partialIndices + block)});
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

    const Ring m_ring;
    int m_tile = 0;      // the first of the step, of all
    unsigned m_arrived;  // blocks at the choices of all launches before
    Best m_best{0, -1};
};

#endif

}  // namespace gapscope::cuda

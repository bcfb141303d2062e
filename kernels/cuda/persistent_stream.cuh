// What streams the weights through a block of the persistent decode step: the block's shared memory, the ring of tiles
// in it, and the thread that fills the ring. See persistent_decode.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "kernels/cuda/block_pipe.cuh"
#include "kernels/cuda/device_math.cuh"
#include "kernels/cuda/gemv.h"
#include "kernels/cuda/persistent_decode.h"
#include "kernels/cuda/persistent_exchange.cuh"

namespace gapscope::cuda {

// The team: as many warps as the parts of a long row and as attention has. Norms and attention are its.
constexpr int kConsumerWarps = 8;
constexpr int kConsumers = kConsumerWarps * kWarp;
// With the warps that help it to multiply short rows, and one that streams: four on each of a multiprocessor's
// schedulers, whose latencies cover one another.
constexpr int kMultiplyingWarps = 15;
constexpr int kMultiplying = kMultiplyingWarps * kWarp;
constexpr int kBlockThreads = kMultiplying + kWarp;
constexpr int kSmallestSlot = 12 << 10;
constexpr int kLargestSlot = 32 << 10;
constexpr int kMostSlots = 24;
constexpr int kSplitsGathered = 4;  // of attention, that every block joins for itself
// Of a block, on their way; at least a tile. More make messages wait behind them; in the head there are none.
constexpr int kBytesInFlight = 28 << 10;
constexpr int kHeadBytesInFlight = 84 << 10;
constexpr int kPackedHeadBytesInFlight = 50'000;

// A number by which others are divided: exact below 2^32 / itself.
struct Divisor {
    unsigned value = 1, factor = 0;  // 2^32 / value, rounded up; 0 for 1
    GAPSCOPE_HOST_DEVICE static Divisor of(unsigned value) {
        return {value, value == 1 ? 0U : static_cast<unsigned>((0xffffffffULL + value) / value)};
    }
    __device__ __forceinline__ unsigned quotient(unsigned number) const {
        return value == 1 ? number : __umulhi(number, factor);
    }
};

// What lies where in a block's shared memory, in bytes.
struct Layout {
    int slotBytes = 0;
    Divisor slots;
    int residualAt = 0;  // float[hidden], the residual stream
    int inputAt = 0;     // two inputs, bf16, and what they are quantised to: of o_proj and of the other steps
    int inputBytes = 0;  // of the latter
    int gatheredAt = 0;  // float[hidden]; or parts of attention; or down's input, bf16
    int resultsAt = 0;   // float[rows of down of a block, kConsumerWarps], parts of long rows
    int sumsAt = 0;      // float4[kConsumerWarps]; as many bytes hold a float and an index of each warp
    int ropeAt = 0;      // float[2, 2, headDim / 2]: local cos, local sin, global cos, global sin
    int layersAt = 0;    // PersistentLayer[2], of the layer at hand and the next
    int stateAt = 0;     // StepState, a copy
    int sharesAt = 0;    // Share[kSteps]
    int stampsAt = 0;    // uint32_t[persistentStageCount() + 1], clocks
    int scalesAt = 0;    // float[2, mostScales] of the int8 rows of this step and of the one before, in turns
    int mostScales = 0;
    int normsAt = 0;      // float[2, hidden] of the next norm; in the same place, while there is none:
    int attentionAt = 0;  // DecodeShared<1>
    int ringAt = 0;
    int bytes = 0;
};

// Steps of a layer; the head comes after the last.
enum Step : int { kQkv, kOutput, kGateUp, kDown, kStepsOfLayer, kHead = kStepsOfLayer, kSteps };

// What a step multiplies, in all layers alike. A warp takes a unit at a time: two rows, or gate's and up's of one
// number; of a long row all warps take a part. Of a head by bounds a row is a panel, and so is a unit.
struct StepShape {
    int rows = 0;         // of all blocks; pairs for gate and up; queries, keys and values below one another
    int vectors = 0;      // of 16 bytes, a row; of packed weights the longest of all layers
    int inputs = 0;       // elements of the input, with its padding
    int rowsOfUnit = 2;   // as rows are counted here
    int rowsHeld = 2;     // by a unit in a tile
    Divisor unitsOfTile;  // at most kMostUnits; a tile holds whole units
    int isLong = 0;
    int inFlight = 0;  // tiles on their way, at most
    int warps = 0;     // that take units of short rows: as many as leave no warp a round of the ring behind the stream
};
constexpr int kMostUnits = 64;

template <class Matrix>
struct KernelOf {
    PersistentDecodeArgsOf<Matrix> args;
    Layout layout;
    StepShape shapes[kSteps];
    ExchangeLayout exchange;
    unsigned number = 0;         // of the last exchange before this launch
    unsigned arrived = 0;        // blocks that came to the choice in all launches before
    uint32_t* stamps = nullptr;  // as PersistentDecode::launch() has it
};

#if __CUDA_ARCH__ >= 900

// A block's dynamic shared memory. Always reached by this name, so that the compiler knows which memory it is: generic
// loads made the products several times slower.
__device__ __forceinline__ std::byte* blockMemory() {
    extern __shared__ __align__(128) std::byte memory[];
    return memory;
}

__device__ __forceinline__ void syncConsumers() {
    syncThreads<1, kConsumers>();
}
__device__ __forceinline__ void syncMultiplying() {
    syncThreads<3, kMultiplying>();
}

// The block's share of `rows`, [first, end).
struct Share {
    int first, end;
    __device__ __forceinline__ explicit Share(int rows)
        : first(static_cast<int>(static_cast<unsigned>(rows) * blockIdx.x / gridDim.x)),
          end(static_cast<int>(static_cast<unsigned>(rows) * (blockIdx.x + 1) / gridDim.x)) {}
    __device__ __forceinline__ int rows() const { return end - first; }
};

// The slots that tiles of whole units go through, in the order of their use, from 0 on.
struct Ring {
    unsigned fullAt;   // shared addresses of the slots' barriers: a tile has landed
    unsigned emptyAt;  // all of its units were used; kMostUnits arrivals
    int dataAt;        // in the block's memory
    int slotBytes;
    Divisor slots;
    struct Slot {
        unsigned full, empty, parity;
        int at;
    };
    __device__ __forceinline__ Slot slotOf(int tile) const {
        const unsigned round = slots.quotient(static_cast<unsigned>(tile));
        const unsigned slot = static_cast<unsigned>(tile) - round * slots.value;
        return {fullAt + 8U * slot, emptyAt + 8U * slot, round & 1U, dataAt + static_cast<int>(slot) * slotBytes};
    }
};

// One thread: the tiles into the ring, as soon as there is room for them, with so many on their way as keep memory
// busy. More make the messages of the multiplying side wait behind them.
template <class Matrix>
class Producer {
public:
    __device__ __forceinline__ Producer(const KernelOf<Matrix>& kernel, const Ring& ring)
        : m_kernel(kernel), m_ring(ring), m_policy(readOncePolicy()) {}

    __device__ __forceinline__ void run() {
        const PersistentDecodeArgsOf<Matrix>& args = m_kernel.args;
        Sources next = sourcesOf(args.layers);
#pragma unroll 1
        for (int layer = 0; layer < args.layerCount; ++layer) {
            const Sources now = next;
            if (layer + 1 < args.layerCount) next = sourcesOf(args.layers + layer + 1);
                // One loop for all: its code is large.
#pragma unroll 1
            for (int step = kQkv; step < kStepsOfLayer; ++step)
                stream(step,
                       step == kQkv      ? now.query
                       : step == kOutput ? now.output
                       : step == kGateUp ? now.gate
                                         : now.down,
                       step == kQkv      ? now.key
                       : step == kGateUp ? now.up
                                         : Source{},
                       step == kQkv ? now.value : Source{});
        }
        Source head{reinterpret_cast<const std::byte*>(args.head.data), 0};
        if constexpr (kPacked)
            head.rowBytes = static_cast<unsigned>(args.head.rowBytes);
        else if (args.upper.data != nullptr)
            head.data = args.upper.data;
        stream(kHead, head, {}, {});
    }

private:
    static constexpr bool kPacked = std::is_same_v<Matrix, PackedMatrix>;
    struct Source {
        const std::byte* data = nullptr;
        unsigned rowBytes = 0;  // of packed weights; rows of others have the step's
    };
    struct Sources {
        Source query, key, value, output, gate, up, down;
    };
    static __device__ __forceinline__ Source sourceOf(const Matrix& matrix) {
        const auto load = [](const auto& field) { return __ldg(reinterpret_cast<const unsigned long long*>(&field)); };
        Source source{reinterpret_cast<const std::byte*>(load(matrix.data)), 0};
        if constexpr (kPacked) source.rowBytes = static_cast<unsigned>(load(matrix.rowBytes));
        return source;
    }
    static __device__ __forceinline__ Sources sourcesOf(const PersistentLayerOf<Matrix>* layer) {
        return {sourceOf(layer->query), sourceOf(layer->key), sourceOf(layer->value), sourceOf(layer->output),
                sourceOf(layer->gate),  sourceOf(layer->up),  sourceOf(layer->down)};
    }

    __device__ __forceinline__ void stream(int step, Source first, Source second, Source third) {
        const StepShape& shape = m_kernel.shapes[step];
        const Share share(shape.rows);
        const int rowsOfTile = static_cast<int>(shape.unitsOfTile.value) * shape.rowsOfUnit;
        const auto bytesOf = [&](const Source& source) {
            return kPacked ? source.rowBytes : 16U * static_cast<unsigned>(shape.vectors);
        };
        const int keysAt = m_kernel.args.heads * m_kernel.args.headDim;
        const int valuesAt = (keysAt + shape.rows) / 2;
#pragma unroll 1
        for (int row = share.first; row < share.end; row += rowsOfTile) {
            const int end = min(row + rowsOfTile, share.end);
            const auto bytesBetween = [&](const Source& source, int begins, int ends) {
                return static_cast<unsigned>(max(min(end, ends) - max(row, begins), 0)) * bytesOf(source);
            };
            unsigned bytes = bytesBetween(first, row, end);
            if (kPacked && step == kQkv)
                bytes = bytesBetween(first, 0, keysAt) + bytesBetween(second, keysAt, valuesAt) +
                        bytesBetween(third, valuesAt, shape.rows);
            if (m_tile >= shape.inFlight) {
                const Ring::Slot landed = m_ring.slotOf(m_tile - shape.inFlight);
                waitForPhase(landed.full, landed.parity);
            }
            m_slot = m_ring.slotOf(m_tile++);
            waitForPhase(m_slot.empty, m_slot.parity ^ 1);
            arriveExpecting(m_slot.full, step == kGateUp ? bytes + bytesBetween(second, row, end) : bytes);
            if (step == kQkv) {
                unsigned to = 0;
                const auto copyPart = [&](const Source& source, int begins, int ends) {
                    const unsigned count = bytesBetween(source, begins, ends);
                    if (count != 0) copy(to, source.data, max(row, begins) - begins, bytesOf(source), count);
                    to += count;
                };
                copyPart(first, 0, keysAt);
                copyPart(second, keysAt, valuesAt);
                copyPart(third, valuesAt, shape.rows);
            } else {
                copy(0, first.data, row, bytesOf(first), bytes);
                if (step == kGateUp) copy(bytes, second.data, row, bytesOf(second), bytesBetween(second, row, end));
            }
        }
    }
    __device__ __forceinline__ void copy(unsigned to, const std::byte* matrix, int row, unsigned rowBytes,
                                         unsigned bytes) {
        const std::byte* const from = matrix + static_cast<int64_t>(row) * rowBytes;
        copyBulk(blockMemory() + m_slot.at + to, from, bytes, m_slot.full, m_policy);
    }

    const KernelOf<Matrix>& m_kernel;
    Ring m_ring;
    Ring::Slot m_slot{};
    uint64_t m_policy;
    int m_tile = 0;
};

#endif

}  // namespace gapscope::cuda

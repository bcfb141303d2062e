// What streams the weights through a block of the persistent decode step: the block's shared memory, the ring of tiles
// in it, and the thread that fills the ring. See persistent_decode.h.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/cuda/block_pipe.cuh"
#include "kernels/cuda/device_math.cuh"
#include "kernels/cuda/persistent_decode.h"

namespace gapscope::cuda {

// As many as the parts of a long row and as attention has: more would leave each too few registers.
constexpr int kConsumerWarps = 8;
constexpr int kConsumers = kConsumerWarps * kWarp;
constexpr int kBlockThreads = kConsumers + kWarp;  // and the warp that streams
constexpr int kLongestRowOfAWarp = 1280;           // as gemv() has it; longer rows are split over the warps
constexpr int kHeldVectors = 5;                    // of the input, a lane: 1280 columns, 10240 of a long row
constexpr int kPartsAhead = 8;                     // of the attention's output, that a thread loads at once
constexpr size_t kSmallestSlot = 16 << 10;
constexpr int kMostSlots = 32;
constexpr int kInFlight = 3;        // tiles of a block on their way; at most as many as slots
constexpr int kMostResults = 1024;  // sums of a block that wait for the end of a step

// What lies where in a block's shared memory, in bytes.
struct Layout {
    int slotBytes = 0;
    int slots = 0;
    int residualAt = 0;   // float[hidden], the residual stream
    int inputAt = 0;      // bf16 of the longest input
    int resultsAt = 0;    // float[kMostResults]
    int ropeAt = 0;       // float[2, 2, headDim / 2]: local cos, local sin, global cos, global sin
    int layersAt = 0;     // PersistentLayer[2], of the layer at hand and the next
    int stateAt = 0;      // StepState, a copy
    int attentionAt = 0;  // DecodeShared<1>
    int ringAt = 0;
    int bytes = 0;
};

struct Kernel {
    PersistentDecodeArgs args;
    Layout layout;
};

#if __CUDA_ARCH__ >= 900

// Steps of a layer; the head comes after the last.
enum Step : int { kQkv, kOutput, kGateUp, kDown, kStepsOfLayer, kHead = kStepsOfLayer };

// A block's dynamic shared memory. Always reached by this name, so that the compiler knows which memory it is: generic
// loads made the products several times slower.
__device__ __forceinline__ std::byte* blockMemory() {
    extern __shared__ __align__(128) std::byte memory[];
    return memory;
}

// What other blocks wrote in this launch: from the L2 cache.
template <class T>
__device__ __forceinline__ T fresh(const T* address) {
    return __ldcg(address);
}

__device__ __forceinline__ void syncConsumers() {
    syncThreads<1, kConsumers>();
}

// The block's share of `rows`, [first, end).
struct Share {
    int first, end;
    __device__ __forceinline__ explicit Share(int rows)
        : first(static_cast<int>(static_cast<int64_t>(rows) * blockIdx.x / gridDim.x)),
          end(static_cast<int>(static_cast<int64_t>(rows) * (blockIdx.x + 1) / gridDim.x)) {}
    __device__ __forceinline__ int rows() const { return end - first; }
};

// Some whole rows of one matrix, in a slot of the ring.
struct Tile {
    int rows;
    int vectors;  // of 16 bytes, a row
    int inStep;   // of its first row, among the block's rows of the step
    int isLast;   // of the step, or of as many rows as wait for its end
};

struct Ring {
    Tile* tiles;
    unsigned fullAt;  // shared addresses of the slots' barriers
    unsigned emptyAt;
    int dataAt;  // in the block's memory
    int slotBytes;
    int slots;
    int slot = 0;
    unsigned parity = 0;
    __device__ __forceinline__ std::byte* data() const { return blockMemory() + dataAt + slot * slotBytes; }
    __device__ __forceinline__ unsigned full() const { return fullAt + 8U * static_cast<unsigned>(slot); }
    __device__ __forceinline__ unsigned empty() const { return emptyAt + 8U * static_cast<unsigned>(slot); }
    __device__ __forceinline__ void advance() {
        if (++slot < slots) return;
        slot = 0;
        parity ^= 1;
    }
};

// All tiles of a block in the order of their use: use(tile, first byte, bytes).
class TileWalk {
public:
    __device__ __forceinline__ explicit TileWalk(int slotBytes) : m_slotBytes(slotBytes) {}

    template <class Use>
    __device__ __forceinline__ void run(const PersistentDecodeArgs& args, Use use) const {
        for (int i = 0; i < args.layerCount; ++i) {
            const PersistentLayer& layer = args.layers[i];
            // Below one another, split as if they were one.
            const Share stacked(layer.query.rows + layer.key.rows + layer.value.rows);
            const Share output(layer.output.rows), pairs(layer.gate.rows), down(layer.down.rows);
            const int keysAt = layer.query.rows, valuesAt = keysAt + layer.key.rows;
            // One call for all: its code is large.
            for (int part = 0; part < 7; ++part) {
                const WeightMatrix& matrix = part == 0   ? layer.query
                                             : part == 1 ? layer.key
                                             : part == 2 ? layer.value
                                             : part == 3 ? layer.output
                                             : part == 4 ? layer.gate
                                             : part == 5 ? layer.up
                                                         : layer.down;
                const int base = part == 1 ? keysAt : part == 2 ? valuesAt : 0;
                const Share& share = part < 3 ? stacked : part == 3 ? output : part < 6 ? pairs : down;
                const int first = max(share.first, base), end = max(first, min(share.end, base + matrix.rows));
                const int inStep = part < 3 ? first - share.first : part == 5 ? pairs.rows() : 0;
                rows(matrix, first - base, end - base, inStep, part == 2 || part == 3 || part > 4, use);
            }
        }
        const Share share(args.head.rows);
        const int most = kMostResults / tileRows(args.head) * tileRows(args.head);
        for (int first = share.first; first < share.end; first += most)
            rows(args.head, first, min(first + most, share.end), 0, true, use);
    }

private:
    __device__ __forceinline__ int tileRows(const WeightMatrix& matrix) const {
        return max(1, m_slotBytes / (matrix.stride * static_cast<int>(sizeof(Bf16))));
    }
    // Rows [first, end); the end of a step is told even if this block has none of its rows.
    template <class Use>
    __device__ __forceinline__ void rows(const WeightMatrix& matrix, int first, int end, int inStep, bool endsStep,
                                         Use use) const {
        const int most = tileRows(matrix);
        for (int row = first; row < end || (row == first && endsStep); row += most) {
            const int count = min(most, end - row);
            use(Tile{count, matrix.stride / 8, inStep + row - first, endsStep && row + most >= end},
                matrix.data + static_cast<int64_t>(row) * matrix.stride,
                static_cast<unsigned>(count * matrix.stride) * static_cast<unsigned>(sizeof(Bf16)));
        }
    }

    int m_slotBytes;
};

// One thread: the tiles into the ring, as soon as there is room for them, with so many on their way as keep memory
// busy. More make the barriers and small loads of the multiplying side wait behind them: 5 % of a token on an H100.
__device__ __forceinline__ void produce(const PersistentDecodeArgs& args, Ring ring) {
    const uint64_t policy = readOncePolicy();
    Ring landed = ring;
    int count = 0;
    TileWalk(ring.slotBytes).run(args, [&](const Tile& tile, const Bf16* from, unsigned bytes) {
        if (count >= kInFlight) {
            waitForPhase(landed.full(), landed.parity);
            landed.advance();
        }
        waitForPhase(ring.empty(), ring.parity ^ 1);
        ring.tiles[ring.slot] = tile;
        arriveExpecting(ring.full(), bytes);
        if (bytes > 0) copyBulk(ring.data(), from, bytes, ring.full(), policy);
        ring.advance();
        ++count;
    });
}

#endif

}  // namespace gapscope::cuda

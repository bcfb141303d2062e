// The head by bounds (bounded_head.h) in the persistent decode step: the copy of its upper bits comes through the ring,
// a panel a unit; then each block tells the others the product of its row that looks largest, and computes those of its
// rows in full that may still win.
#pragma once

#include "kernels/cuda/bounded_head.cuh"
#include "kernels/cuda/persistent_stream.cuh"

namespace gapscope::cuda {

#if __CUDA_ARCH__ >= 900

// By all multiplying threads of a block, the input being at `inputAt` and the head's first tile `tile`. `number` is
// that of the exchange. Returns each warp's largest product, in all its lanes.
template <class Matrix>
__device__ __forceinline__ BestRow headByBounds(const KernelOf<Matrix>& kernel, const Ring& ring, const Share& share,
                                                int inputAt, int tile, unsigned number) {
    const PersistentDecodeArgsOf<Matrix>& args = kernel.args;
    const Layout& layout = kernel.layout;
    const StepShape& shape = kernel.shapes[kHead];
    const int thread = static_cast<int>(threadIdx.x), lane = thread % kWarp, warp = thread / kWarp;
    const int columns = args.head.columns, steps = panelSteps(columns);
    const auto* const x = reinterpret_cast<const uint4*>(blockMemory() + inputAt);
    const BoundedInput input = boundedInputAt(blockMemory() + layout.normsAt, columns);
    quantizeBounded(reinterpret_cast<const Bf16*>(x), columns, input, warp, kMultiplyingWarps);
    syncMultiplying();

    BestRow best{-INFINITY, -1};
    const int panels = share.rows(), ofTile = static_cast<int>(shape.unitsOfTile.value);
#pragma unroll 1
    for (int unit = warp < shape.warps ? warp : panels; unit < panels; unit += shape.warps) {
        const int tileOfUnit = static_cast<int>(shape.unitsOfTile.quotient(static_cast<unsigned>(unit)));
        const int inTile = unit - tileOfUnit * ofTile;
        const Ring::Slot slot = ring.slotOf(tile + tileOfUnit);
        const std::byte* const panel = blockMemory() + slot.at + inTile * 16 * shape.vectors;
        waitForPhase(slot.full, slot.parity);
        float bound = lane < kPanelRows ? kLeastBound : 0.0F;
#pragma unroll 1
        for (int step = 0; step < steps; ++step)
            bound = boundOf(panelStepAt(panel + step * kPanelStepBytes, lane), step, input, bound);
        __syncwarp();
        if (lane == 0)  // together kMostUnits a tile
            arrive(slot.empty, inTile == 0 ? kMostUnits - min(ofTile, panels - unit) + 1 : 1);
        bound += __shfl_xor_sync(0xffffffffU, bound, kPanelRows);
        const int row = (share.first + unit) * kPanelRows + lane;
        if (lane >= kPanelRows || row >= args.head.rows) continue;
        args.logits[row] = bound;
        best = better(best, BestRow{bound, row});
    }
    __syncwarp();
    best = warpBest(best);
    static_assert(kMultiplyingWarps * sizeof(BestRow) <= kConsumerWarps * sizeof(float4));
    auto* const bests = reinterpret_cast<BestRow*>(blockMemory() + layout.sumsAt);
    if (lane == 0) bests[warp] = best;
    syncMultiplying();

    // All tiles have come and were used: the ring's memory is free.
    constexpr int kRowsOfRound = 4096;
    static_assert(sizeof(float) * (4 + kMostProbes + kRowsOfRound) <= 3 * kSmallestSlot);
    auto* const count = reinterpret_cast<int*>(blockMemory() + layout.ringAt);
    auto* const products = reinterpret_cast<float*>(count + 4);
    auto* const candidates = reinterpret_cast<int*>(products + kMostProbes);
    auto* const probes = reinterpret_cast<Message*>(args.exchange + kernel.exchange.probesAt);
    const int blocks = static_cast<int>(gridDim.x);
    if (warp == 0) {
        best = warpBest(lane < kMultiplyingWarps ? bests[lane] : BestRow{0, -1});
        float product = -INFINITY;
        if (!canBeBounded(input, columns, args.upper.largest))
            product = NAN;
        else if (best.row >= 0)
            product = productInFull<kFullAhead>(args.head, best.row, x);
        if (lane == 0) {
            *count = 0;
            send(probes + blockIdx.x, product, number);
            // Messages are looked at in pairs.
            if (static_cast<int>(blockIdx.x) == blocks - 1) send(probes + blocks, -INFINITY, number);
        }
    }
    gather<kMultiplying, 1>(probes, (blocks + 1) / 2 * 2, number, sharedAddress(products));
    syncMultiplying();
    const float threshold = thresholdOf(products, blocks, lane, kWarp);

    best = {-INFINITY, -1};
    const int end = min(share.end * kPanelRows, args.head.rows);
#pragma unroll 1
    for (int first = share.first * kPanelRows; first < end; first += kRowsOfRound) {
        const int last = min(first + kRowsOfRound, end);
#pragma unroll 1
        for (int row = first + thread; row < last; row += kMultiplying)
            if (!(args.logits[row] < threshold)) candidates[atomicAdd(count, 1)] = row;
        syncMultiplying();
        const int taken = *count;
#pragma unroll 1
        for (int i = warp; i < taken; i += kMultiplyingWarps) {
            const float product = productInFull<kFullAhead>(args.head, candidates[i], x);
            if (product == product) best = better(best, BestRow{product, candidates[i]});
        }
        syncMultiplying();
        if (thread != 0) continue;
        *count = 0;
        if (taken > 0 && args.rowsInFull != nullptr) atomicAdd(args.rowsInFull, static_cast<unsigned long long>(taken));
    }
    return best;
}

#endif

}  // namespace gapscope::cuda

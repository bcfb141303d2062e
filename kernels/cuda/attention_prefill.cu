// Some rows (a token's query head each, those that share a kv head beside each other) and the keys that any of them
// sees are the work of a cluster of blocks, which share the keys. Each warp has 16 rows and every kKeyParts-th 16 keys
// of its block, with a running maximum, sum and output of its own; at the end the parts are merged in their order, so
// that the same rows and keys give the same bits.
#include "kernels/cuda/attention_prefill.h"

#include "kernels/cuda/attention_tile.cuh"
#include "kernels/cuda/device_math.cuh"

namespace gapscope::cuda {

namespace {

constexpr int kKeyParts = 2;  // warps that share 16 rows; in merging them two is what is assumed
constexpr int kSlots = 2;     // groups of keys and values in shared memory: one in use, one on its way
constexpr int kRowPad = 8;    // floats between rows of an output to be merged: no two rows of four in one bank
constexpr int kMostClusterBlocks = 4;

// More row tiles read keys less often from L2, fewer make more blocks; more key tiles have more loads on their way.
template <int kHeadDim, int kRowTiles, int kKeyTiles>
struct Tiling {
    static constexpr int kWarps = kRowTiles * kKeyParts;
    static constexpr int kThreads = kWarps * kWarp;
    static constexpr int kRows = kRowTiles * kTile;
    static constexpr int kPartKeys = kKeyTiles * kTile;  // of a slot, for one warp
    static constexpr int kKeys = kKeyParts * kPartKeys;  // of a slot
    static constexpr int kQueryBytes = kRows * kHeadDim * static_cast<int>(sizeof(Bf16));
    static constexpr int kHalfBytes = kKeys * kHeadDim * static_cast<int>(sizeof(Bf16));
    static constexpr int kSlotBytes = 2 * kHalfBytes;
    static constexpr int kMergeStride = kHeadDim + kRowPad;
    static constexpr int kMergeBytes = kRows * (kMergeStride + 2) * static_cast<int>(sizeof(float));
    static constexpr int kLoopBytes = kQueryBytes + kSlots * kSlotBytes;
    static constexpr int kSharedBytes = kLoopBytes > kMergeBytes ? kLoopBytes : kMergeBytes;
};

#if __CUDA_ARCH__ >= 800

// Keys and values of positions [first, first + kKeys) to a slot, zeros from `end` on and beyond the head's size.
template <int kHeadDim, class T>
__device__ __forceinline__ void fillSlot(const KvCache& cache, int kvHead, int first, int end, unsigned slot) {
    constexpr int kChunks = kHeadDim / kChunk;
    constexpr int kStepRows = T::kThreads / kChunks;
    const int firstRow = first % cache.slots;
    const int64_t stride = static_cast<int64_t>(cache.kvHeads) * cache.headDim;
    const int ownRow = static_cast<int>(threadIdx.x) / kChunks;
    const int chunk = static_cast<int>(threadIdx.x) % kChunks;
    if (first + T::kKeys <= end && firstRow + T::kKeys <= cache.slots && cache.headDim == kHeadDim) {
        const int64_t from = (firstRow + ownRow) * stride + kvHead * kHeadDim + chunk * kChunk;
        const Bf16* keys = cache.keys + from;
        const Bf16* values = cache.values + from;
#pragma unroll
        for (int i = 0; i < T::kKeys / kStepRows; ++i) {
            const unsigned to = slot + tileAddress<kHeadDim>(ownRow + i * kStepRows, chunk);
            copyOrZero(to, keys, true);
            copyOrZero(to + T::kHalfBytes, values, true);
            keys += kStepRows * stride;
            values += kStepRows * stride;
        }
        return;
    }
#pragma unroll 2  // it is rare
    for (int i = 0; i < T::kKeys / kStepRows; ++i) {
        const int row = ownRow + i * kStepRows;
        const bool inside = first + row < end && chunk * kChunk < cache.headDim;
        int ringRow = firstRow + row;
        if (ringRow >= cache.slots) ringRow -= cache.slots;  // keys that are inside wrap once at most
        const int64_t from = inside ? ringRow * stride + kvHead * cache.headDim + chunk * kChunk : 0;
        const unsigned to = slot + tileAddress<kHeadDim>(row, chunk);
        copyOrZero(to, cache.keys + from, inside);
        copyOrZero(to + T::kHalfBytes, cache.values + from, inside);
    }
}

#endif

template <int kHeadDim, int kRowTiles, int kKeyTiles>
__global__ void __launch_bounds__(kRowTiles* kKeyParts* kWarp)
    attention_prefill_bf16(AttentionArgs args, int clusterBlocks) {
#if __CUDA_ARCH__ >= 800
    using T = Tiling<kHeadDim, kRowTiles, kKeyTiles>;
    extern __shared__ __align__(16) unsigned char shared[];
    waitForPrevious();
    allowNext();
    const int lane = static_cast<int>(threadIdx.x) % kWarp;
    const int warp = static_cast<int>(threadIdx.x) / kWarp;
    const int part = warp % kKeyParts;
    const int group = args.heads / args.cache.kvHeads;
    const int rows = args.tokens * group;
    // The last tokens see most keys: their blocks start first.
    const int firstRow = static_cast<int>((gridDim.x - 1 - blockIdx.x) / clusterBlocks) * T::kRows;
    const int rank = static_cast<int>(blockIdx.x) % clusterBlocks;
    const int tileRow = firstRow + warp / kKeyParts * kTile;
    const int kvHead = static_cast<int>(blockIdx.y);
    const int position = args.state->position;
    const auto positionOf = [&](int row) { return position + min(row, rows - 1) / group; };
    const auto firstKeyOf = [&](int at) { return args.window > 0 ? max(0, at + 1 - args.window) : 0; };
    const auto elementOf = [&](int row) {
        return (static_cast<int64_t>(row / group) * args.heads + kvHead * group + row % group) * args.cache.headDim;
    };
    const int firstKey = firstKeyOf(positionOf(firstRow));
    const int lastKey = positionOf(firstRow + T::kRows - 1);
    const int fills = (lastKey - firstKey) / T::kKeys + 1;  // of the cluster
    const int share = (fills + clusterBlocks - 1) / clusterBlocks;
    const int begin = firstKey + rank * share * T::kKeys;
    const int end = min(begin + share * T::kKeys, lastKey + 1);
    const int count = max(0, end - begin + T::kKeys - 1) / T::kKeys;
    const auto queries = static_cast<unsigned>(__cvta_generic_to_shared(shared));
    const unsigned slots = queries + T::kQueryBytes;
    const auto fill = [&](int index) {
        if (index < count)
            fillSlot<kHeadDim, T>(args.cache, kvHead, begin + index * T::kKeys, end,
                                  slots + static_cast<unsigned>(index % kSlots * T::kSlotBytes));
    };
    // Where the queries and outputs of a row are: once a row, since it takes a division.
    __shared__ int64_t elements[T::kRows];
    for (int row = static_cast<int>(threadIdx.x); row < T::kRows; row += T::kThreads)
        elements[row] = elementOf(min(firstRow + row, rows - 1));
    fill(0);
    __syncthreads();
    constexpr int kChunks = kHeadDim / kChunk;
#pragma unroll
    for (int i = 0; i < T::kRows * kChunks / T::kThreads; ++i) {
        const int at = static_cast<int>(threadIdx.x) + i * T::kThreads;
        const int row = at / kChunks;
        const int chunk = at % kChunks;
        const bool inside = firstRow + row < rows && chunk * kChunk < args.cache.headDim;
        copyOrZero(queries + tileAddress<kHeadDim>(row, chunk), args.q + (inside ? elements[row] + chunk * kChunk : 0),
                   inside);
    }

    RowTile<kHeadDim> tile;
    const int position0 = positionOf(tileRow + lane / 4);  // of the two rows that a lane has parts of
    const int position1 = positionOf(tileRow + lane / 4 + kTile / 2);
    const int firstPosition = positionOf(tileRow);
    const int lastPosition = positionOf(tileRow + kTile - 1);
    const float scale = args.scale * kLog2E;
    const unsigned tileQueries =
        queries + static_cast<unsigned>(warp / kKeyParts * kTile * kHeadDim * static_cast<int>(sizeof(Bf16)));
    for (int i = 0; i < count; ++i) {
        waitForCopiesOfAll();  // and none still reads the slot that is filled next
        fill(i + 1);
        const int key = begin + i * T::kKeys + part * T::kPartKeys;
        if (key > lastPosition || key + T::kPartKeys <= firstKeyOf(firstPosition)) continue;
        const unsigned keys = slots + static_cast<unsigned>(i % kSlots * T::kSlotBytes) +
                              static_cast<unsigned>(part * T::kPartKeys * kHeadDim * static_cast<int>(sizeof(Bf16)));
        const bool whole = key + T::kPartKeys - 1 <= firstPosition && key >= firstKeyOf(lastPosition);
        const auto sees = [&](int at, int of) { return whole || (at <= of && at >= firstKeyOf(of)); };
        tile.template attend<kKeyTiles>(tileQueries, keys, keys + T::kHalfBytes, scale, [&](int half, int offset) {
            return sees(key + offset, half == 0 ? position0 : position1);
        });
    }

    // The two parts of a row's keys, then those of the cluster's blocks, each of which merges some rows.
    waitForCopiesOfAll();
    auto* const outputs = reinterpret_cast<float*>(shared);          // [kRows, kMergeStride]
    float* const statistics = outputs + T::kRows * T::kMergeStride;  // [kRows, 2]
    float* const tileOutputs = outputs + warp / kKeyParts * kTile * T::kMergeStride;
    float* const tileStatistics = statistics + warp / kKeyParts * kTile * 2;
    if (part == 1) tile.keep(tileOutputs, T::kMergeStride, tileStatistics);
    __syncthreads();
    if (part == 0) tile.mergeAndKeep(tileOutputs, T::kMergeStride, tileStatistics);
    syncCluster(clusterBlocks);
    const int mergedRows = T::kRows / clusterBlocks;
    __shared__ float mergeWeights[T::kRows][kMostClusterBlocks];
    if (static_cast<int>(threadIdx.x) < mergedRows) {
        const float* const from = statistics + (rank * mergedRows + static_cast<int>(threadIdx.x)) * 2;
        float2 of[kMostClusterBlocks];
#pragma unroll
        for (int block = 0; block < kMostClusterBlocks; ++block)
            of[block] = block < clusterBlocks ? loadCluster2(from, block, clusterBlocks) : float2{-INFINITY, 0};
        float maximum = -INFINITY;
#pragma unroll
        for (const float2& each : of)
            maximum = fmaxf(maximum, each.x);
        float total = 0;
#pragma unroll
        for (float2& each : of) {
            each.x = exp2Fast(each.x - maximum);  // 0 where a block had no keys for the row
            total = fmaf(each.y, each.x, total);
        }
#pragma unroll
        for (int block = 0; block < kMostClusterBlocks; ++block)
            mergeWeights[threadIdx.x][block] = of[block].x / total;
    }
    __syncthreads();
#pragma unroll 2
    for (int at = static_cast<int>(threadIdx.x); at < mergedRows * kChunks; at += T::kThreads) {
        const int chunk = at % kChunks;
        const int row = rank * mergedRows + at / kChunks;
        if (firstRow + row >= rows || chunk * kChunk >= args.cache.headDim) continue;
        const float* const from = outputs + row * T::kMergeStride + chunk * kChunk;
        float4 parts[kMostClusterBlocks][2];
#pragma unroll
        for (int block = 0; block < kMostClusterBlocks; ++block)
#pragma unroll
            for (int half = 0; half < 2; ++half)
                parts[block][half] =
                    block < clusterBlocks ? loadCluster4(from + 4 * half, block, clusterBlocks) : float4{0, 0, 0, 0};
        float sums[kChunk] = {};
#pragma unroll
        for (int block = 0; block < kMostClusterBlocks; ++block) {
            const float weight = mergeWeights[at / kChunks][block];
#pragma unroll
            for (int half = 0; half < 2; ++half) {
                sums[4 * half] = fmaf(parts[block][half].x, weight, sums[4 * half]);
                sums[4 * half + 1] = fmaf(parts[block][half].y, weight, sums[4 * half + 1]);
                sums[4 * half + 2] = fmaf(parts[block][half].z, weight, sums[4 * half + 2]);
                sums[4 * half + 3] = fmaf(parts[block][half].w, weight, sums[4 * half + 3]);
            }
        }
        *reinterpret_cast<uint4*>(args.out + elements[row] + chunk * kChunk) = roundEight(sums);
    }
    syncCluster(clusterBlocks);  // others may still read what is here
#endif
}

template <int kHeadDim, int kRowTiles, int kKeyTiles>
cudaError_t launchTiling(const AttentionArgs& args, int clusterBlocks, const Launch& launch) {
    using T = Tiling<kHeadDim, kRowTiles, kKeyTiles>;
    const auto kernel = attention_prefill_bf16<kHeadDim, kRowTiles, kKeyTiles>;
    if (const cudaError_t error =
            cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, T::kSharedBytes);
        error != cudaSuccess)
        return error;
    const int rows = args.tokens * (args.heads / args.cache.kvHeads);
    const dim3 grid(static_cast<unsigned>(ceilDiv(rows, T::kRows) * clusterBlocks),
                    static_cast<unsigned>(args.cache.kvHeads));
    return launchClusters(kernel, grid, T::kThreads, T::kSharedBytes, clusterBlocks, launch, args, clusterBlocks);
}

// Two row tiles: with four, half the blocks read half as much from L2, but on an H100 they took 20 µs where these take
// 15 (512 tokens). Blocks share keys until all multiprocessors have some.
template <int kHeadDim>
cudaError_t launchFor(const AttentionArgs& args, bool clusters, const Launch& launch) {
    if (!clusters) return launchTiling<kHeadDim, 2, 1>(args, 1, launch);  // 80 KB: all have that
    const int rows = args.tokens * (args.heads / args.cache.kvHeads);
    const int blocks = ceilDiv(rows, Tiling<kHeadDim, 2, 2>::kRows) * args.cache.kvHeads;
    int clusterBlocks = 1;
    while (clusterBlocks < kMostClusterBlocks && 2 * clusterBlocks * blocks <= launch.multiprocessors)
        clusterBlocks *= 2;
    return launchTiling<kHeadDim, 2, 2>(args, clusterBlocks, launch);
}

}  // namespace

cudaError_t attentionPrefill(const AttentionArgs& args, const Launch& launch) {
    const KvCache& cache = args.cache;
    if (args.splits != 1 || cache.headDim % 16 != 0 || cache.headDim > kMaxHeadDim || cache.slots <= 0 ||
        cache.kvHeads <= 0 || args.heads % cache.kvHeads != 0)
        return cudaErrorInvalidValue;
    int device = 0, major = 0;
    cudaError_t error = cudaGetDevice(&device);
    if (error == cudaSuccess) error = cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device);
    if (error != cudaSuccess) return error;
    if (major < 8) return attention(args, launch);
    const bool clusters = major >= 9;
    return cache.headDim > 128  ? launchFor<256>(args, clusters, launch)
           : cache.headDim > 64 ? launchFor<128>(args, clusters, launch)
                                : launchFor<64>(args, clusters, launch);
}

}  // namespace gapscope::cuda

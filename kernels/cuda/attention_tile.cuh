// 16 rows of queries by 16 keys with tensor cores (PTX: ldmatrix, mma.m16n8k16), keys and values in shared memory.
#pragma once

#include <cuda_runtime.h>

#include "kernels/cuda/device_math.cuh"

namespace gapscope::cuda {

constexpr int kTile = 16;  // rows, keys and elements of a head that the instructions take together
constexpr int kChunk = 8;  // bf16 of 16 bytes, the unit that is copied
constexpr float kLog2E = 1.4426950408889634F;

#if __CUDA_ARCH__ >= 800

// Where 16 bytes of a row are in a tile of rows of kHeadDim: moved about, so that eight rows' same 16 bytes lie in
// different banks.
template <int kHeadDim>
__device__ __forceinline__ unsigned tileAddress(int row, int chunk) {
    return static_cast<unsigned>(row * kHeadDim * static_cast<int>(sizeof(Bf16)) + ((chunk ^ (row & 7)) << 4));
}

__device__ __forceinline__ void copyOrZero(unsigned to, const Bf16* from, bool copies) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(from), "r"(copies ? 16 : 0) : "memory");
}
// All threads of the block have what all have copied.
__device__ __forceinline__ void waitForCopiesOfAll() {
    asm volatile("cp.async.wait_all;" ::: "memory");
    __syncthreads();
}

__device__ __forceinline__ float exp2Fast(float x) {
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}

// Of all threads of a cluster's blocks; what was written before it is seen after it. One block is no cluster.
__device__ __forceinline__ void syncCluster(int blocks) {
    if (blocks == 1) {
        __syncthreads();
        return;
    }
#if __CUDA_ARCH__ >= 900
    asm volatile("barrier.cluster.arrive.release.aligned;\nbarrier.cluster.wait.acquire.aligned;" ::: "memory");
#endif
}

// Where block `block` of the cluster has what this one has at `address` of its shared memory.
__device__ __forceinline__ unsigned clusterAddress(const float* address, int block) {
    unsigned there = static_cast<unsigned>(__cvta_generic_to_shared(address));
#if __CUDA_ARCH__ >= 900
    asm("mapa.shared::cluster.u32 %0, %0, %1;" : "+r"(there) : "r"(block));
#endif
    return there;
}
__device__ __forceinline__ float2 loadCluster2(const float* address, int block, int blocks) {
    if (blocks == 1) return *reinterpret_cast<const float2*>(address);
    float2 value{};
#if __CUDA_ARCH__ >= 900
    asm volatile("ld.shared::cluster.v2.f32 {%0, %1}, [%2];"
                 : "=f"(value.x), "=f"(value.y)
                 : "r"(clusterAddress(address, block)));
#endif
    return value;
}
__device__ __forceinline__ float4 loadCluster4(const float* address, int block, int blocks) {
    if (blocks == 1) return *reinterpret_cast<const float4*>(address);
    float4 value{};
#if __CUDA_ARCH__ >= 900
    asm volatile("ld.shared::cluster.v4.f32 {%0, %1, %2, %3}, [%4];"
                 : "=f"(value.x), "=f"(value.y), "=f"(value.z), "=f"(value.w)
                 : "r"(clusterAddress(address, block)));
#endif
    return value;
}

__device__ __forceinline__ unsigned packBf16(float low, float high) {
    unsigned packed;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(packed) : "f"(high), "f"(low));
    return packed;
}

__device__ __forceinline__ void loadMatrices(unsigned (&to)[4], unsigned address) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
                 : "r"(address));
}
__device__ __forceinline__ void loadMatricesTransposed(unsigned (&to)[4], unsigned address) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
                 : "r"(address));
}

// sum[16, 8] += a[16, 16] * b[16, 8]
__device__ __forceinline__ void multiplyAdd(float (&sum)[4], const unsigned (&a)[4], unsigned b0, unsigned b1) {
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

// The output of a warp's 16 rows: of each two a lane has parts, rows lane / 4 ("half" 0) and lane / 4 + 8 ("half" 1).
template <int kHeadDim>
struct RowTile {
    static constexpr int kSteps = kHeadDim / kTile;
    float out[kHeadDim / 8][4];
    float maximum[2], total[2];  // scores are in units of log2; `total` is the lane's own part

    __device__ __forceinline__ RowTile() {
#pragma unroll
        for (auto& tile : out)
            tile[0] = tile[1] = tile[2] = tile[3] = 0;
        maximum[0] = maximum[1] = -INFINITY;
        total[0] = total[1] = 0;
    }

    // The rows' queries and kKeyTiles times 16 keys and values, all in shared memory. `sees(half, key)`: whether the
    // lane's row sees the key of that number.
    template <int kKeyTiles, class Sees>
    __device__ __forceinline__ void attend(unsigned queries, unsigned keys, unsigned values, float scale,
                                           const Sees& sees) {
        constexpr int kTileBytes = kTile * kHeadDim * static_cast<int>(sizeof(Bf16));
        const int lane = static_cast<int>(threadIdx.x) % kWarp;
        const int matrix = lane / 8;
        float weights[2 * kKeyTiles][4] = {};  // scores at first
        const int upperRow = matrix % 2 * 8 + lane % 8;
        const int upperKey = matrix / 2 * 8 + lane % 8;
#pragma unroll
        for (int step = 0; step < kSteps; ++step) {
            unsigned q[4];
            loadMatrices(q, queries + tileAddress<kHeadDim>(upperRow, 2 * step + matrix / 2));
#pragma unroll
            for (int t = 0; t < kKeyTiles; ++t) {
                unsigned k[4];
                loadMatrices(k, keys + t * kTileBytes + tileAddress<kHeadDim>(upperKey, 2 * step + matrix % 2));
                multiplyAdd(weights[2 * t], q, k[0], k[1]);
                multiplyAdd(weights[2 * t + 1], q, k[2], k[3]);
            }
        }
        float most[2] = {maximum[0], maximum[1]};
#pragma unroll
        for (int n = 0; n < 2 * kKeyTiles; ++n)
#pragma unroll
            for (int i = 0; i < 4; ++i) {
                weights[n][i] = sees(i / 2, n * 8 + 2 * (lane % 4) + i % 2) ? weights[n][i] * scale : -INFINITY;
                most[i / 2] = fmaxf(most[i / 2], weights[n][i]);
            }
        float base[2], correction[2];
        bool changes = false;
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            most[half] = fmaxf(most[half], __shfl_xor_sync(0xffffffffU, most[half], 1));
            most[half] = fmaxf(most[half], __shfl_xor_sync(0xffffffffU, most[half], 2));
            base[half] = most[half] == -INFINITY ? 0.0F : most[half];  // no key seen yet
            correction[half] = exp2Fast(maximum[half] - base[half]);
            changes = changes || most[half] != maximum[half];
            maximum[half] = most[half];
        }
        if (__any_sync(0xffffffffU, changes)) {
#pragma unroll
            for (auto& tile : out) {
                tile[0] *= correction[0];
                tile[1] *= correction[0];
                tile[2] *= correction[1];
                tile[3] *= correction[1];
            }
            total[0] *= correction[0];
            total[1] *= correction[1];
        }
        unsigned p[kKeyTiles][4];
#pragma unroll
        for (int n = 0; n < 2 * kKeyTiles; ++n) {
#pragma unroll
            for (int i = 0; i < 4; ++i) {
                weights[n][i] = exp2Fast(weights[n][i] - base[i / 2]);
                total[i / 2] += weights[n][i];
            }
            p[n / 2][n % 2 * 2] = packBf16(weights[n][0], weights[n][1]);
            p[n / 2][n % 2 * 2 + 1] = packBf16(weights[n][2], weights[n][3]);
        }
#pragma unroll
        for (int step = 0; step < kSteps; ++step)
#pragma unroll
            for (int t = 0; t < kKeyTiles; ++t) {
                unsigned v[4];
                loadMatricesTransposed(
                    v, values + t * kTileBytes + tileAddress<kHeadDim>(upperRow, 2 * step + matrix / 2));
                multiplyAdd(out[2 * step], p[t], v[0], v[1]);
                multiplyAdd(out[2 * step + 1], p[t], v[2], v[3]);
            }
    }

    // Outputs, unscaled, to [kTile, stride]; maximum (in log2) and sum of each row to [kTile, 2].
    __device__ __forceinline__ void keep(float* outputs, int stride, float* statistics) {
        const int lane = static_cast<int>(threadIdx.x) % kWarp;
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            const int row = lane / 4 + half * 8;
#pragma unroll
            for (int n = 0; n < kHeadDim / 8; ++n)
                *reinterpret_cast<float2*>(outputs + row * stride + n * 8 + 2 * (lane % 4)) =
                    float2{out[n][2 * half], out[n][2 * half + 1]};
            const float sum = quadSum(total[half]);
            if (lane % 4 == 0) *reinterpret_cast<float2*>(statistics + 2 * row) = float2{maximum[half], sum};
        }
    }

    // The same, with what another warp kept there for the same rows and other keys.
    __device__ __forceinline__ void mergeAndKeep(float* outputs, int stride, float* statistics) {
        const int lane = static_cast<int>(threadIdx.x) % kWarp;
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            const int row = lane / 4 + half * 8;
            const float2 other = *reinterpret_cast<const float2*>(statistics + 2 * row);
            const float most = fmaxf(maximum[half], other.x);
            const float base = most == -INFINITY ? 0.0F : most;
            const float ownWeight = exp2Fast(maximum[half] - base);
            const float otherWeight = exp2Fast(other.x - base);
#pragma unroll
            for (int n = 0; n < kHeadDim / 8; ++n) {
                auto* const at = reinterpret_cast<float2*>(outputs + row * stride + n * 8 + 2 * (lane % 4));
                const float2 value = *at;
                *at = float2{fmaf(value.x, otherWeight, out[n][2 * half] * ownWeight),
                             fmaf(value.y, otherWeight, out[n][2 * half + 1] * ownWeight)};
            }
            const float sum = fmaf(other.y, otherWeight, quadSum(total[half]) * ownWeight);
            __syncwarp();  // all lanes have read the other's
            if (lane % 4 == 0) *reinterpret_cast<float2*>(statistics + 2 * row) = float2{most, sum};
        }
    }

    // Of the four lanes that share a row.
    static __device__ __forceinline__ float quadSum(float value) {
        value += __shfl_xor_sync(0xffffffffU, value, 1);
        return value + __shfl_xor_sync(0xffffffffU, value, 2);
    }
};

#endif

}  // namespace gapscope::cuda

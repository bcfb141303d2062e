#include "kernels/cuda/matmul.h"

#include <cassert>

#include "kernels/cuda/device_math.cuh"

namespace gapscope::cuda {

namespace {

constexpr int kTile = 64;      // tokens and rows a block makes
constexpr int kDepth = 16;     // columns in shared memory at a time
constexpr int kPerThread = 4;  // by four: a thread's outputs
constexpr int kThreads = (kTile / kPerThread) * (kTile / kPerThread);

__global__ void __launch_bounds__(kThreads) matmul_bf16(MatmulArgs args) {
    __shared__ float xs[kDepth][kTile + 1];
    __shared__ float ws[kDepth][kTile + 1];
    waitForPrevious();
    allowNext();
    const int firstRow = static_cast<int>(blockIdx.x) * kTile;
    const int firstToken = static_cast<int>(blockIdx.y) * kTile;
    const int rowGroup = static_cast<int>(threadIdx.x) % (kTile / kPerThread);
    const int tokenGroup = static_cast<int>(threadIdx.x) / (kTile / kPerThread);
    float sums[kPerThread][kPerThread] = {};
    for (int first = 0; first < args.matrix.columns; first += kDepth) {
        for (int i = static_cast<int>(threadIdx.x); i < kTile * kDepth; i += kThreads) {
            const int k = first + i % kDepth;
            const int line = i / kDepth;
            const int token = firstToken + line;
            const int row = firstRow + line;
            const bool inside = k < args.matrix.columns;
            xs[i % kDepth][line] =
                inside && token < args.tokens ? toFloat(args.x[static_cast<int64_t>(token) * args.xStride + k]) : 0.0F;
            ws[i % kDepth][line] = inside && row < args.matrix.rows
                                       ? toFloat(args.matrix.data[static_cast<int64_t>(row) * args.matrix.stride + k])
                                       : 0.0F;
        }
        __syncthreads();
#pragma unroll
        for (int k = 0; k < kDepth; ++k)
#pragma unroll
            for (int t = 0; t < kPerThread; ++t)
#pragma unroll
                for (int r = 0; r < kPerThread; ++r)
                    sums[t][r] = fmaf(xs[k][tokenGroup + t * (kTile / kPerThread)],
                                      ws[k][rowGroup + r * (kTile / kPerThread)], sums[t][r]);
        __syncthreads();
    }
#pragma unroll
    for (int t = 0; t < kPerThread; ++t)
#pragma unroll
        for (int r = 0; r < kPerThread; ++r) {
            const int token = firstToken + tokenGroup + t * (kTile / kPerThread);
            const int row = firstRow + rowGroup + r * (kTile / kPerThread);
            if (token >= args.tokens || row >= args.matrix.rows) continue;
            const int64_t at = static_cast<int64_t>(token) * args.matrix.rows + row;
            if (args.out != nullptr)
                args.out[at] = sums[t][r];
            else
                args.outBf16[at] = fromFloat<Bf16>(sums[t][r]);
        }
}

}  // namespace

cudaError_t matmul(const MatmulArgs& args, const Launch& launch) {
    assert((args.out == nullptr) != (args.outBf16 == nullptr));
    const dim3 grid(static_cast<unsigned>(ceilDiv(args.matrix.rows, kTile)),
                    static_cast<unsigned>(ceilDiv(args.tokens, kTile)));
    return launchKernel(matmul_bf16, grid, kThreads, 0, launch, args);
}

}  // namespace gapscope::cuda

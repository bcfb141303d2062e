#include "kernels/cuda/rms_norm.h"

#include "kernels/cuda/device_math.cuh"

namespace gapscope::cuda {

namespace {

constexpr int kPerThread = 8;  // elements of a row, in registers: all are on their way together
constexpr int kMostThreads = kMostNormColumns / kPerThread;

// Element i of a thread is at column threadIdx.x + i * blockDim.x.
struct RowPart {
    float values[kPerThread];
    __device__ __forceinline__ void load(const float* row, int columns) {
#pragma unroll
        for (int i = 0; i < kPerThread; ++i) {
            const int at = static_cast<int>(threadIdx.x + i * blockDim.x);
            values[i] = at < columns ? row[at] : 0.0F;
        }
    }
    // 1 / sqrt(mean of squares + epsilon)
    __device__ __forceinline__ float scale(int columns, float epsilon, float* shared) const {
        float sum = 0;
#pragma unroll
        for (int i = 0; i < kPerThread; ++i)
            sum = fmaf(values[i], values[i], sum);
        return rsqrtf(blockSum(sum, shared) / static_cast<float>(columns) + epsilon);
    }
    __device__ __forceinline__ void writeNormed(float scale, const RowPart& weights, int columns, Bf16* out,
                                                int outStride) const {
#pragma unroll
        for (int i = 0; i < kPerThread; ++i) {
            const int at = static_cast<int>(threadIdx.x + i * blockDim.x);
            if (at < columns) out[at] = fromFloat<Bf16>(values[i] * scale * weights.values[i]);
        }
        for (int at = columns + static_cast<int>(threadIdx.x); at < outStride; at += static_cast<int>(blockDim.x))
            out[at] = 0;
    }
};

__global__ void __launch_bounds__(kMostThreads) rms_norm(RmsNormArgs args) {
    __shared__ float sums[kMostThreads / kWarp];
    RowPart weights;
    weights.load(args.weights, args.columns);
    waitForPrevious();
    allowNext();
    const int64_t row = blockIdx.x;
    RowPart x;
    x.load(args.x + row * args.columns, args.columns);
    x.writeNormed(x.scale(args.columns, args.epsilon, sums), weights, args.columns, args.out + row * args.outStride,
                  args.outStride);
}

__global__ void __launch_bounds__(kMostThreads) add_rms_norm(AddRmsNormArgs args) {
    __shared__ float sums[kMostThreads / kWarp];
    RowPart postWeights, nextWeights;
    postWeights.load(args.postWeights, args.columns);
    nextWeights.load(args.nextWeights, args.columns);
    waitForPrevious();
    allowNext();
    const int64_t row = blockIdx.x;
    float* const stream = args.x + row * args.columns;
    RowPart y, x;
    y.load(args.y + row * args.columns, args.columns);
    x.load(stream, args.columns);
    const float scale = y.scale(args.columns, args.epsilon, sums);
#pragma unroll
    for (int i = 0; i < kPerThread; ++i) {
        x.values[i] += y.values[i] * scale * postWeights.values[i];
        const int at = static_cast<int>(threadIdx.x + i * blockDim.x);
        if (at < args.columns) stream[at] = x.values[i];
    }
    x.writeNormed(x.scale(args.columns, args.epsilon, sums), nextWeights, args.columns, args.out + row * args.outStride,
                  args.outStride);
}

int threadsFor(int columns) {
    return ceilDiv(columns, kPerThread * kWarp) * kWarp;
}

}  // namespace

cudaError_t rmsNorm(const RmsNormArgs& args, const Launch& launch) {
    if (args.columns > kMostNormColumns) return cudaErrorInvalidValue;
    return launchKernel(rms_norm, args.rows, threadsFor(args.columns), 0, launch, args);
}

cudaError_t addRmsNorm(const AddRmsNormArgs& args, const Launch& launch) {
    if (args.columns > kMostNormColumns) return cudaErrorInvalidValue;
    return launchKernel(add_rms_norm, args.rows, threadsFor(args.columns), 0, launch, args);
}

}  // namespace gapscope::cuda

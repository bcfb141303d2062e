#include "kernels/cuda/rms_norm.h"

#include "kernels/cuda/device_math.cuh"

namespace gapscope::cuda {

namespace {

constexpr int kThreads = 256;

__device__ __forceinline__ void writeNormed(const float* x, int columns, float scale, const float* weights, Bf16* out,
                                            int outStride) {
    for (int i = static_cast<int>(threadIdx.x); i < outStride; i += kThreads)
        out[i] = i < columns ? fromFloat<Bf16>(x[i] * scale * weights[i]) : Bf16{0};
}

__global__ void __launch_bounds__(kThreads) rms_norm(RmsNormArgs args) {
    __shared__ float sums[kThreads / kWarp];
    waitForPrevious();
    allowNext();
    const int64_t row = blockIdx.x;
    const float* const x = args.x + row * args.columns;
    float sum = 0;
    for (int i = static_cast<int>(threadIdx.x); i < args.columns; i += kThreads)
        sum = fmaf(x[i], x[i], sum);
    const float scale = rsqrtf(blockSum(sum, sums) / static_cast<float>(args.columns) + args.epsilon);
    writeNormed(x, args.columns, scale, args.weights, args.out + row * args.outStride, args.outStride);
}

__global__ void __launch_bounds__(kThreads) add_rms_norm(AddRmsNormArgs args) {
    __shared__ float sums[kThreads / kWarp];
    waitForPrevious();
    allowNext();
    const int64_t row = blockIdx.x;
    const float* const y = args.y + row * args.columns;
    float* const x = args.x + row * args.columns;
    float sum = 0;
    for (int i = static_cast<int>(threadIdx.x); i < args.columns; i += kThreads)
        sum = fmaf(y[i], y[i], sum);
    float scale = rsqrtf(blockSum(sum, sums) / static_cast<float>(args.columns) + args.epsilon);
    sum = 0;
    for (int i = static_cast<int>(threadIdx.x); i < args.columns; i += kThreads) {
        const float value = x[i] + y[i] * scale * args.postWeights[i];
        x[i] = value;  // read again below by the thread that wrote it
        sum = fmaf(value, value, sum);
    }
    scale = rsqrtf(blockSum(sum, sums) / static_cast<float>(args.columns) + args.epsilon);
    writeNormed(x, args.columns, scale, args.nextWeights, args.out + row * args.outStride, args.outStride);
}

}  // namespace

cudaError_t rmsNorm(const RmsNormArgs& args, const Launch& launch) {
    return launchKernel(rms_norm, args.rows, kThreads, 0, launch, args);
}

cudaError_t addRmsNorm(const AddRmsNormArgs& args, const Launch& launch) {
    return launchKernel(add_rms_norm, args.rows, kThreads, 0, launch, args);
}

}  // namespace gapscope::cuda

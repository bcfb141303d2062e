#include "kernels/cuda/embedding.h"

#include "kernels/cuda/device_math.cuh"

namespace gapscope::cuda {

namespace {

constexpr int kThreads = 256;

__global__ void __launch_bounds__(kThreads) embedding_bf16(EmbeddingArgs args) {
    allowNext();
    waitForPrevious();
    const int column = static_cast<int>(blockIdx.x) * kThreads + static_cast<int>(threadIdx.x);
    const int token = static_cast<int>(blockIdx.y);
    if (column >= args.table.columns) return;
    const float value =
        args.scale * toFloat(args.table.data[static_cast<int64_t>(args.ids[token]) * args.table.stride + column]);
    const int64_t at = static_cast<int64_t>(token) * args.table.columns + column;
    if (args.out != nullptr)
        args.out[at] = value;
    else
        args.outBf16[at] = fromFloat<Bf16>(value);
}

__global__ void set_position(StepState* state, int32_t position) {
    allowNext();
    waitForPrevious();
    state->position = position;
}

}  // namespace

cudaError_t embedding(const EmbeddingArgs& args, const Launch& launch) {
    const dim3 grid(static_cast<unsigned>(ceilDiv(args.table.columns, kThreads)), static_cast<unsigned>(args.tokens));
    return launchKernel(embedding_bf16, grid, kThreads, 0, launch, args);
}

cudaError_t setPosition(StepState* state, int32_t position, const Launch& launch) {
    return launchKernel(set_position, 1, 1, 0, launch, state, position);
}

}  // namespace gapscope::cuda

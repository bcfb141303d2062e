#include "tests/core/capture/gpu_workload.h"

namespace gapscope::testing_support {

namespace {

__global__ void spin_for(int64_t nanoseconds) {
    uint64_t begin, now;
    asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(begin));
    do {
        asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(now));
    } while (now - begin < static_cast<uint64_t>(nanoseconds));
}

__global__ void add_one(float* values, int count) {
    const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
    if (i < count) values[i] += 1.0F;
}

}  // namespace

cudaError_t launchSpin(int64_t nanoseconds, cudaStream_t stream) {
    spin_for<<<1, 32, 0, stream>>>(nanoseconds);
    return cudaGetLastError();
}

cudaError_t launchAddOne(float* values, int count, cudaStream_t stream) {
    add_one<<<static_cast<unsigned>((count + 255) / 256), 256, 0, stream>>>(values, count);
    return cudaGetLastError();
}

}  // namespace gapscope::testing_support

// GPUs that runs can use, in a build with CUDA. (cuda_missing.cpp answers in one without.)
#include "core/runner/devices.h"
#include "kernels/cuda/memory_bandwidth.h"

namespace gapscope {

CudaDevices cudaDevices() {
    CudaDevices found;
    const cuda::DeviceList list = cuda::listDevices();
    for (const cuda::DeviceDescription& device : list.devices)
        found.devices.push_back({"cuda:" + std::to_string(device.id),
                                 device.name,
                                 {Mode::Eager, Mode::Fused, Mode::Graph},
                                 {Precision::File, Precision::Bf16, Precision::Int8}});
    found.problem = list.error;
    return found;
}

}  // namespace gapscope

// GPUs that runs can use, in a build with CUDA. (cuda_missing.cpp answers in one without.)
#include <cuda_runtime_api.h>

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
                                 {Precision::File, Precision::Bf16, Precision::Int8},
                                 device.totalMemoryBytes,
                                 device.pciBusId});
    if (!found.devices.empty()) return found;
    int driver = 0, runtime = 0;
    if (cudaDriverGetVersion(&driver) != cudaSuccess) driver = 0;
    cudaRuntimeGetVersion(&runtime);  // cannot fail: it is linked in
    found.problem = gpuProblem(driver, runtime, list.error);
    return found;
}

}  // namespace gapscope

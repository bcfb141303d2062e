// GPUs that runs can use, in a build with CUDA. (cuda_missing.cpp answers in one without.)
#include <cuda_runtime_api.h>

#include <string>
#include <utility>
#include <vector>

#include "core/runner/devices.h"
#include "kernels/cuda/memory_bandwidth.h"
#include "kernels/cuda/persistent_decode.h"

namespace gapscope {

CudaDevices cudaDevices() {
    CudaDevices found;
    const cuda::DeviceList list = cuda::listDevices();
    for (const cuda::DeviceDescription& device : list.devices) {
        std::vector<Mode> modes = {Mode::Eager, Mode::Fused, Mode::Graph};
        if (device.computeMajor >= cuda::kPersistentCapability) modes.push_back(Mode::Persistent);
        found.devices.push_back({"cuda:" + std::to_string(device.id),
                                 device.name,
                                 std::move(modes),
                                 {Precision::File, Precision::Bf16, Precision::Int8},
                                 device.totalMemoryBytes,
                                 device.pciBusId});
    }
    if (!found.devices.empty()) return found;
    int driver = 0, runtime = 0;
    if (cudaDriverGetVersion(&driver) != cudaSuccess) driver = 0;
    cudaRuntimeGetVersion(&runtime);  // cannot fail: it is linked in
    found.problem = gpuProblem(driver, runtime, list.error);
    return found;
}

}  // namespace gapscope

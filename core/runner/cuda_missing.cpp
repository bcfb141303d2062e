// What a build without CUDA answers. (cuda_devices.cpp and cuda_backend.cpp in one with it.)
#include "core/runner/backend.h"
#include "core/runner/device_peaks.h"
#include "core/runner/devices.h"

namespace gapscope {

CudaDevices cudaDevices() {
    return {{}, "this program was built without CUDA"};
}

Result<std::unique_ptr<Backend>> createCudaBackend(const Model&, const BackendSettings&, ActivityLog&) {
    return fail("This program was built without CUDA; run on the CPU.", ErrorKind::WrongUse);
}

Result<DevicePeakRates> gpuPeaks(const std::string& deviceName) {
    return fail("The peaks of " + deviceName + " cannot be measured: this program was built without CUDA.");
}

}  // namespace gapscope

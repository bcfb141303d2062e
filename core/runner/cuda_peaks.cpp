#include "core/runner/cuda_peaks.h"

#include <algorithm>
#include <memory>
#include <type_traits>

#include "core/runner/cuda_libraries.h"
#include "core/runner/device_peaks.h"
#include "core/runner/devices.h"
#include "kernels/cuda/memory_bandwidth.h"

namespace gapscope {

namespace {

constexpr int kSide = 4096;
constexpr int kProducts = 4;  // a timed run: one is too short for the events' clock
constexpr int kRuns = 5;

struct FreeDevice {
    void operator()(void* memory) const { cudaFree(memory); }
};
struct DestroyEvent {
    void operator()(cudaEvent_t event) const { cudaEventDestroy(event); }
};
using DeviceMemory = std::unique_ptr<void, FreeDevice>;
using Event = std::unique_ptr<std::remove_pointer_t<cudaEvent_t>, DestroyEvent>;

DeviceMemory allocate(size_t bytes) {
    void* memory = nullptr;
    if (cudaMalloc(&memory, bytes) != cudaSuccess) {
        cudaGetLastError();  // a later call must not find it
        return nullptr;
    }
    return DeviceMemory(memory);
}

Event makeEvent() {
    cudaEvent_t event = nullptr;
    return cudaEventCreate(&event) == cudaSuccess ? Event(event) : nullptr;
}

struct DestroyStream {
    void operator()(cudaStream_t stream) const { cudaStreamDestroy(stream); }
};
using Stream = std::unique_ptr<std::remove_pointer_t<cudaStream_t>, DestroyStream>;

// "NAME, 85.0 GB, sm_90", as CudaBackend names it: the size is left out here, because drivers differ about it.
bool isCalled(const cuda::DeviceDescription& device, const std::string& deviceName) {
    return deviceName.starts_with(device.name + ", ") &&
           deviceName.ends_with(", sm_" + std::to_string(device.computeMajor) + std::to_string(device.computeMinor));
}

}  // namespace

Result<DevicePeakRates> gpuPeaks(const std::string& deviceName) {
    const cuda::DeviceList list = cuda::listDevices();
    if (list.devices.empty())
        return fail("The peaks of " + deviceName + " cannot be measured: " + cudaDevices().problem + ".");
    const auto device =
        std::ranges::find_if(list.devices, [&](const auto& found) { return isCalled(found, deviceName); });
    if (device == list.devices.end())
        return fail("This was recorded on " + deviceName + "; this machine has " + list.devices.front().name +
                    ", whose peaks say nothing of it.");
    if (const cudaError_t error = cudaSetDevice(device->id); error != cudaSuccess)
        return fail("The GPU " + device->name + " could not be opened: " + cudaGetErrorString(error) + ".");
    const cuda::BandwidthMeasurement memory = cuda::measureReadBandwidth(device->id, 5);
    if (memory.bytesPerSecond <= 0)
        return fail("The memory bandwidth of " + device->name + " could not be measured: " + memory.error + ".");
    cudaStream_t made = nullptr;
    if (const cudaError_t error = cudaStreamCreateWithFlags(&made, cudaStreamNonBlocking); error != cudaSuccess)
        return fail("The GPU " + device->name + " gave no stream: " + cudaGetErrorString(error) + ".");
    const Stream stream(made);
    ASSIGN_OR_RETURN(const auto cublas, CublasLt::open());
    return devicePeaks(devicePeaksFile(), "gpu, " + deviceName + ", bf16",
                       {memory.bytesPerSecond, measureArithmeticRate(*cublas, stream.get())});
}

double measureArithmeticRate(CublasLt& cublas, cudaStream_t stream) {
    constexpr size_t kElements = size_t{kSide} * kSide;
    const DeviceMemory weights = allocate(kElements * sizeof(cuda::Bf16));
    const DeviceMemory x = allocate(kElements * sizeof(cuda::Bf16));
    const DeviceMemory out = allocate(kElements * sizeof(cuda::Bf16));
    const DeviceMemory workspace = allocate(CublasLt::kWorkspaceBytes);
    const Event begin = makeEvent(), end = makeEvent();
    if (!weights || !x || !out || !workspace || !begin || !end) return 0;
    // 0x3C3C is bf16 0.0115: zeros draw less power than numbers, and would let the clock rise.
    if (cudaMemsetAsync(weights.get(), 0x3C, kElements * sizeof(cuda::Bf16), stream) != cudaSuccess ||
        cudaMemsetAsync(x.get(), 0x3C, kElements * sizeof(cuda::Bf16), stream) != cudaSuccess)
        return 0;
    const cuda::WeightMatrix matrix{
        .data = static_cast<const cuda::Bf16*>(weights.get()), .rows = kSide, .columns = kSide, .stride = kSide};
    const auto multiply = [&] {
        return cublas
            .matmul(matrix, static_cast<const cuda::Bf16*>(x.get()), kSide, out.get(), true, workspace.get(), stream)
            .has_value();
    };
    double best = 0;
    bool works = multiply();
    for (int run = 0; works && run < kRuns; ++run) {
        cudaEventRecord(begin.get(), stream);
        for (int i = 0; works && i < kProducts; ++i)
            works = multiply();
        cudaEventRecord(end.get(), stream);
        float milliseconds = 0;
        works = works && cudaEventSynchronize(end.get()) == cudaSuccess &&
                cudaEventElapsedTime(&milliseconds, begin.get(), end.get()) == cudaSuccess && milliseconds > 0;
        if (!works) break;
        constexpr double kFlops = 2.0 * kSide * kSide * kSide * kProducts;
        best = std::max(best, kFlops * 1e3 / static_cast<double>(milliseconds));
    }
    cudaStreamSynchronize(stream);
    return best;
}

}  // namespace gapscope

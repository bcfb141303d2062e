#include "core/capture/nvml_library.h"

#include <array>

namespace gapscope {

namespace {

// It comes with the driver and has had this name since there is an NVML.
constexpr std::array<std::string_view, 1> kSonames = {"libnvidia-ml.so.1"};

}  // namespace

std::string NvmlApi::resultText(int32_t result) const {
    const char* text = errorString ? errorString(result) : nullptr;
    return std::string(text ? text : "NVML error") + " (" + std::to_string(result) + ")";
}

NvmlLibrary NvmlLibrary::from(const CudaLibrary& library) {
    NvmlLibrary found;
    found.path = library.path();
    found.attempts = library.attempts();
    if (!library) {
        found.problem = "NVML (libnvidia-ml.so.1) was not found. It comes with NVIDIA's display driver.";
        return found;
    }
    NvmlApi& api = found.api;
    const char* missing = nullptr;
    const auto need = [&](const char* name, auto& function) {
        if (!library.resolve(name, function) && !missing) missing = name;
    };
    need("nvmlInit_v2", api.init);
    need("nvmlShutdown", api.shutdown);
    need("nvmlErrorString", api.errorString);
    need("nvmlDeviceGetHandleByPciBusId_v2", api.deviceByPciBusId);
    library.resolve("nvmlDeviceGetMemoryInfo", api.memoryInfo);
    library.resolve("nvmlDeviceGetClockInfo", api.clockMegahertz);
    library.resolve("nvmlDeviceGetPowerUsage", api.powerMilliwatts);
    library.resolve("nvmlDeviceGetTemperature", api.temperatureCelsius);
    // Renamed with CUDA 12.2; drivers before know the former name only.
    if (!library.resolve("nvmlDeviceGetCurrentClocksEventReasons", api.clockEventReasons))
        library.resolve("nvmlDeviceGetCurrentClocksThrottleReasons", api.clockEventReasons);
    if (missing) found.problem = "NVML in " + found.path + " lacks the function " + missing + "; update the driver.";
    return found;
}

NvmlLibrary NvmlLibrary::open() {
    return from(CudaLibrary::open(kSonames));
}

NvmlLibrary NvmlLibrary::openIn(std::span<const std::filesystem::path> folders) {
    return from(CudaLibrary::openIn(folders, kSonames));
}

}  // namespace gapscope

// NVML, the driver's own reporting library, found and opened at run time: its functions as a table that tests fill with
// their own. Only functions that read are in it. The values below are those of NVIDIA's documented interface.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/base/cuda_library.h"

namespace gapscope {

namespace nvml {

inline constexpr int32_t kSuccess = 0;
inline constexpr int32_t kNotFound = 6;
inline constexpr int32_t kGpuIsLost = 15;  // fallen off the bus, or not to be reached in another way

inline constexpr int32_t kClockSm = 1;         // NVML_CLOCK_SM
inline constexpr int32_t kTemperatureGpu = 0;  // NVML_TEMPERATURE_GPU

struct Memory {  // nvmlMemory_t
    uint64_t totalBytes = 0;
    uint64_t freeBytes = 0;
    uint64_t usedBytes = 0;  // by all processes, and what the driver keeps for itself
};

}  // namespace nvml

// All return an nvmlReturn_t. Null where the library is too old for it, but for the first four.
struct NvmlApi {
    int32_t (*init)() = nullptr;  // counted: each wants its shutdown
    int32_t (*shutdown)() = nullptr;
    const char* (*errorString)(int32_t result) = nullptr;
    int32_t (*deviceByPciBusId)(const char* pciBusId, void** device) = nullptr;
    int32_t (*memoryInfo)(void* device, nvml::Memory* memory) = nullptr;
    int32_t (*clockMegahertz)(void* device, int32_t clock, uint32_t* megahertz) = nullptr;
    int32_t (*powerMilliwatts)(void* device, uint32_t* milliwatts) = nullptr;
    int32_t (*clockEventReasons)(void* device, uint64_t* reasons) = nullptr;
    int32_t (*temperatureCelsius)(void* device, int32_t sensor, uint32_t* celsius) = nullptr;

    std::string resultText(int32_t result) const;  // "Not Supported (3)"
};

struct NvmlLibrary {
    NvmlApi api;
    std::string path;                      // of the file in use; empty when there is none
    std::vector<LibraryAttempt> attempts;  // in order
    std::string problem;                   // one sentence; empty when NVML can be used

    explicit operator bool() const { return problem.empty(); }

    static NvmlLibrary open();
    static NvmlLibrary openIn(std::span<const std::filesystem::path> folders);

private:
    static NvmlLibrary from(const CudaLibrary& library);
};

}  // namespace gapscope

// What this machine has for runs on a GPU and for tracing them, for the device menu and `doctor`.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/capture/nvml_library.h"
#include "core/runner/devices.h"
#include "core/runner/gpu_libraries.h"

namespace gapscope {

// What runs can be done on now. CUDA counts GPUs when it starts and does not look again; one that has fallen off the
// bus since is left out, if NVML is there to tell.
struct FoundDevices {
    std::vector<RunDevice> devices;  // GPUs, then the CPU
    std::string gpuProblem;          // a sentence; empty when a GPU can be used
};
FoundDevices findDevices();
// The same from what CUDA and NVML say, for tests.
FoundDevices findDevices(const CudaDevices& counted, const NvmlLibrary& nvml);

struct GpuLibraryFacts {
    std::vector<GpuLibrary> libraries;              // driver, CUPTI, cuBLASLt, NVML
    std::vector<std::filesystem::path> folders;     // looked in beside the loader's own, in order
    size_t namedFolders = 0;                        // as many of them come before the loader
    std::vector<std::filesystem::path> setFolders;  // the person's setting, in the file that is named next
    std::filesystem::path settingFile;
};
// Loads what it finds; off the UI thread.
GpuLibraryFacts findGpuLibraryFacts();

// "CUPTI is missing: install cuda-cupti-13-0 ..."; empty for a library that can be used.
std::string gpuLibraryAdvice(const GpuLibrary& library);

}  // namespace gapscope

#include "core/runner/gpu_libraries.h"

#include <string_view>
#include <system_error>

#include "core/base/cuda_library.h"

namespace gapscope {

namespace fs = std::filesystem;

namespace {

void find(GpuLibrary& library) {
    const std::vector<std::string_view> names(library.fileNames.begin(), library.fileNames.end());
    const CudaLibrary opened = CudaLibrary::open(names);
    if (opened) {
        library.found = fs::path(opened.attempts().back().path).filename().string();
        library.path = opened.path();
    }
    std::error_code ignored;
    for (const LibraryAttempt& attempt : opened.attempts())
        if (attempt.outcome != "opened" && attempt.path.starts_with('/') && fs::exists(attempt.path, ignored))
            library.problem = attempt.path + " does not load: " + attempt.outcome;
}

}  // namespace

std::vector<fs::path> gpuLibraryFolders() {
    return cudaLibraryFolders();
}

std::vector<GpuLibrary> findGpuLibraries() {
    std::vector<GpuLibrary> libraries = {
        {.name = "CUDA driver",
         .purpose = "runs on an NVIDIA GPU",
         .fileNames = {"libcuda.so.1"},
         .install = "NVIDIA's display driver (Debian: nvidia-driver)"},
        {.name = "CUPTI",
         .purpose = "kernels and copies of the GPU on the timeline",
         .fileNames = {"libcupti.so.13", "libcupti.so.12", "libcupti.so"},
         .install = "cuda-cupti-13-0 from NVIDIA's repository, or pip's nvidia-cuda-cupti"},
        {.name = "cuBLASLt",
         .purpose = "fast matrix products while the prompt is processed",
         .fileNames = {"libcublasLt.so.13", "libcublasLt.so.12"},
         .install = "libcublas-13-0 from NVIDIA's repository, or pip's nvidia-cublas"},
        {.name = "NVML",
         .purpose = "memory, clock and power of the GPU on the timeline",
         .fileNames = {"libnvidia-ml.so.1"},
         .install = "NVIDIA's display driver (Debian: libnvidia-ml1)"},
    };
    for (GpuLibrary& library : libraries)
        find(library);
    return libraries;
}

}  // namespace gapscope

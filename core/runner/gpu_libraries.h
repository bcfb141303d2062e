// Which of NVIDIA's libraries are on this machine: looked for at run time, none of them is needed to start.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace gapscope {

struct GpuLibrary {
    std::string name;                    // "CUDA driver"
    std::string purpose;                 // what is missing without it, for people
    std::vector<std::string> fileNames;  // tried in this order: "libcupti.so.13"
    std::string found;                   // the file name that loaded; empty: none
    std::filesystem::path path;          // where it was loaded from
    std::string problem;                 // of a file that is there but does not load
    std::string install;                 // what to install
};

// Driver, CUPTI, cuBLASLt and NVML, in this order, searched as a run does it (core/base/cuda_library.h): what is
// reported here is what a run would open. They stay loaded.
std::vector<GpuLibrary> findGpuLibraries();

// The folders looked in beside the loader's own, in order; only those that exist.
std::vector<std::filesystem::path> gpuLibraryFolders();

}  // namespace gapscope

// What a run can be done on here: the CPU always, with one worker thread for each physical core by default.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/runner/generate.h"

namespace gapscope {

int64_t physicalCores();  // that this process may run on; at least 1
std::string cpuName();    // "AMD EPYC 9B14"
RunDevice cpuDevice();

// "auto" resolves to the first usable GPU, else to "cpu"; "cuda" to the first GPU. Another id is WrongUse and the
// sentence says what there is.
Result<std::string> resolveDevice(const std::string& id);

int cudaDeviceId(const std::string& id);  // 2 of "cuda:2"; 0 of others

// GPUs that runs can use, and why there are none ("built without CUDA", the driver's words).
struct CudaDevices {
    std::vector<RunDevice> devices;
    std::string problem;
};
CudaDevices cudaDevices();

// What is wrong where CUDA finds no GPU and says `reported`, whose "driver version is insufficient" also means that
// there is none. Versions as CUDA writes them: 13020 is 13.2; 0: no driver.
std::string gpuProblem(int driverVersion, int runtimeVersion, const std::string& reported);

}  // namespace gapscope

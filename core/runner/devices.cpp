#include "core/runner/devices.h"

#include <sched.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <set>
#include <thread>

namespace gapscope {

int64_t physicalCores() {
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0)
        return std::max<int64_t>(1, static_cast<int64_t>(std::thread::hardware_concurrency()));
    // Hardware threads of one core list the same siblings.
    std::set<std::string> cores;
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
        if (!CPU_ISSET(cpu, &allowed)) continue;
        std::ifstream file("/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/thread_siblings_list");
        std::string siblings;
        if (!std::getline(file, siblings)) siblings = "cpu " + std::to_string(cpu);
        cores.insert(siblings);
    }
    return std::max<int64_t>(1, static_cast<int64_t>(cores.size()));
}

std::string cpuName() {
    std::ifstream file("/proc/cpuinfo");
    std::string line;
    while (std::getline(file, line)) {
        if (!line.starts_with("model name")) continue;
        const size_t colon = line.find(':');
        if (colon == std::string::npos) break;
        const size_t begin = line.find_first_not_of(' ', colon + 1);
        if (begin != std::string::npos) return line.substr(begin);
    }
    return "CPU";
}

RunDevice cpuDevice() {
    return {.id = "cpu",
            .name = cpuName(),
            .modes = {Mode::Eager, Mode::Fused, Mode::Graph},
            .precisions = {Precision::File, Precision::Fp32}};
}

std::vector<RunDevice> runDevices() {
    std::vector<RunDevice> devices = cudaDevices().devices;
    devices.push_back(cpuDevice());
    return devices;
}

std::string gpuProblem(int driverVersion, int runtimeVersion, const std::string& reported) {
    const auto name = [](int version) {
        return "CUDA " + std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
    };
    if (driverVersion == 0) return "no NVIDIA driver is loaded";
    // A driver serves every minor version of its own major one.
    if (driverVersion / 1000 < runtimeVersion / 1000)
        return "the NVIDIA driver is too old: it knows " + name(driverVersion) + " and this program needs " +
               name(runtimeVersion) + "; update the driver";
    return reported;
}

int cudaDeviceId(const std::string& id) {
    const size_t colon = id.find(':');
    int number = 0;
    if (colon != std::string::npos) std::from_chars(id.data() + colon + 1, id.data() + id.size(), number);
    return number;
}

Result<std::string> resolveDevice(const std::string& id) {
    if (id == "cpu") return id;
    const CudaDevices cuda = cudaDevices();
    if (id == "auto") return cuda.devices.empty() ? std::string("cpu") : cuda.devices.front().id;
    if (id == "cuda" && !cuda.devices.empty()) return cuda.devices.front().id;
    std::string known;
    for (const RunDevice& device : cuda.devices) {
        if (device.id == id) return id;
        known += device.id + ", ";
    }
    std::string text = "There is no device \"" + id + "\" to run on; this machine has: " + known + "cpu.";
    if (cuda.devices.empty()) text += " No GPU can be used: " + cuda.problem + ".";
    return fail(text, ErrorKind::WrongUse);
}

}  // namespace gapscope

#include "core/runner/devices.h"

#include <sched.h>

#include <algorithm>
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

std::vector<RunDevice> runDevices() {
    return {{"cpu", cpuName(), {Mode::Eager, Mode::Fused, Mode::Graph}, {Precision::File, Precision::Fp32}}};
}

Result<std::string> resolveDevice(const std::string& id) {
    if (id == "auto" || id == "cpu") return std::string("cpu");
    std::string known;
    for (const RunDevice& device : runDevices()) {
        if (!known.empty()) known += ", ";
        known += device.id;
    }
    return fail("There is no device \"" + id + "\" to run on; this machine has: " + known + ".", ErrorKind::WrongUse);
}

}  // namespace gapscope

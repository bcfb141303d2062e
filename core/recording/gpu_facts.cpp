#include "core/recording/gpu_facts.h"

#include <algorithm>
#include <utility>

#include "core/base/cuda_folder_setting.h"
#include "core/base/cuda_library.h"
#include "core/capture/cupti_library.h"

namespace gapscope {

namespace {

// NVML's answer for the bus id, while it is started.
class NvmlLook {
public:
    explicit NvmlLook(const NvmlLibrary& library)
        : m_api(library.api), m_started(library && library.api.init && library.api.init() == nvml::kSuccess) {}
    ~NvmlLook() {
        if (m_started) m_api.shutdown();
    }
    NvmlLook(const NvmlLook&) = delete;
    NvmlLook& operator=(const NvmlLook&) = delete;

    // Empty, or why the GPU cannot be reached. Other answers (no permission, an unknown id) do not say that it is gone.
    std::string reasonGone(const RunDevice& device) const {
        if (!m_started || device.pciBusId.empty()) return {};
        void* handle = nullptr;
        int32_t result = m_api.deviceByPciBusId(device.pciBusId.c_str(), &handle);
        if (nvml::Memory memory; result == nvml::kSuccess && m_api.memoryInfo)
            result = m_api.memoryInfo(handle, &memory);
        return result == nvml::kGpuIsLost || result == nvml::kNotFound ? m_api.resultText(result) : std::string();
    }

private:
    const NvmlApi& m_api;
    const bool m_started;
};

}  // namespace

FoundDevices findDevices(const CudaDevices& counted, const NvmlLibrary& nvml) {
    FoundDevices found;
    found.devices.push_back(cpuDevice());
    if (counted.devices.empty()) {
        found.gpuProblem = "No GPU can be used: " + counted.problem + ".";
        return found;
    }
    const NvmlLook look(nvml);
    std::string gone;
    for (const RunDevice& device : counted.devices) {
        const std::string reason = look.reasonGone(device);
        if (reason.empty())
            found.devices.insert(found.devices.end() - 1, device);
        else
            gone += (gone.empty() ? "" : " ") + device.name + " at " + device.pciBusId +
                    " cannot be reached any more: " + reason + ".";
    }
    if (found.devices.size() == 1) found.gpuProblem = gone;
    return found;
}

FoundDevices findDevices() {
    const CudaDevices counted = cudaDevices();
    return findDevices(counted, counted.devices.empty() ? NvmlLibrary() : NvmlLibrary::open());
}

GpuLibraryFacts findGpuLibraryFacts() {
    GpuLibraryFacts facts{.libraries = findGpuLibraries(),
                          .folders = gpuLibraryFolders(),
                          .namedFolders = namedCudaFolders().size(),
                          .setFolders = readCudaFolderSetting(),
                          .settingFile = cudaFolderSettingFile()};
    for (GpuLibrary& library : facts.libraries) {  // one that loads may still be too old, or another library's file
        if (library.found.empty()) continue;
        if (library.name == "CUPTI") library.problem = CuptiLibrary::open().problem;
        if (library.name == "NVML") library.problem = NvmlLibrary::open().problem;
    }
    return facts;
}

std::string gpuLibraryAdvice(const GpuLibrary& library) {
    if (!library.problem.empty()) return library.problem;
    return library.found.empty() ? library.name + " is missing: install " + library.install + "." : std::string();
}

}  // namespace gapscope

// Which devices are offered: what CUDA counted, less what NVML says has gone.
#include "core/recording/gpu_facts.h"

#include <gtest/gtest.h>

#include <string>

namespace gapscope {
namespace {

int started = 0;

// The GPU at bus 3b is there, the one at 5e has fallen off, the one at 86 may not be asked.
NvmlLibrary fakeNvml() {
    NvmlLibrary library;
    library.api.init = [] {
        ++started;
        return nvml::kSuccess;
    };
    library.api.shutdown = [] {
        --started;
        return nvml::kSuccess;
    };
    library.api.errorString = [](int32_t) { return "GPU is lost"; };
    library.api.deviceByPciBusId = [](const char* pciBusId, void** device) {
        static char present;
        *device = &present;
        const std::string id = pciBusId;
        return id == "0000:5e:00.0" ? nvml::kGpuIsLost : id == "0000:86:00.0" ? 4 : nvml::kSuccess;
    };
    library.api.memoryInfo = [](void*, nvml::Memory*) { return nvml::kSuccess; };
    return library;
}

RunDevice gpu(const char* id, const char* pciBusId) {
    return {.id = id, .name = "NVIDIA H200", .memoryBytes = 150'000'000'000, .pciBusId = pciBusId};
}

TEST(FindDevices, LeavesOutWhatHasFallenOffTheBus) {
    const CudaDevices counted{
        {gpu("cuda:0", "0000:5e:00.0"), gpu("cuda:1", "0000:3b:00.0"), gpu("cuda:2", "0000:86:00.0")}, ""};
    const FoundDevices found = findDevices(counted, fakeNvml());
    ASSERT_EQ(found.devices.size(), 3u);
    EXPECT_EQ(found.devices[0].id, "cuda:1");
    EXPECT_EQ(found.devices[1].id, "cuda:2");
    EXPECT_EQ(found.devices[2].id, "cpu");
    EXPECT_TRUE(found.gpuProblem.empty());
    EXPECT_EQ(started, 0);
}

TEST(FindDevices, SaysWhyNoGpuIsLeft) {
    const FoundDevices gone = findDevices({{gpu("cuda:0", "0000:5e:00.0")}, ""}, fakeNvml());
    ASSERT_EQ(gone.devices.size(), 1u);
    EXPECT_EQ(gone.gpuProblem, "NVIDIA H200 at 0000:5e:00.0 cannot be reached any more: GPU is lost (15).");
    const FoundDevices none = findDevices({{}, "no CUDA-capable device is detected"}, NvmlLibrary());
    EXPECT_EQ(none.gpuProblem, "No GPU can be used: no CUDA-capable device is detected.");
    EXPECT_EQ(none.devices.front().id, "cpu");
}

TEST(FindDevices, WithoutNvmlWhatCudaCountedStands) {
    NvmlLibrary missing;
    missing.problem = "NVML was not found.";
    EXPECT_EQ(findDevices({{gpu("cuda:0", "0000:5e:00.0")}, ""}, missing).devices.size(), 2u);
}

TEST(GpuLibraries, AdviceIsOneSentenceForWhatIsMissingOrBroken) {
    const GpuLibrary missing{.name = "CUPTI", .install = "cuda-cupti-13-0"};
    EXPECT_EQ(gpuLibraryAdvice(missing), "CUPTI is missing: install cuda-cupti-13-0.");
    const GpuLibrary broken{.name = "CUPTI", .found = "libcupti.so.13", .problem = "It is too old."};
    EXPECT_EQ(gpuLibraryAdvice(broken), "It is too old.");
    EXPECT_EQ(gpuLibraryAdvice({.name = "CUPTI", .found = "libcupti.so.13"}), "");
    const GpuLibraryFacts facts = findGpuLibraryFacts();
    ASSERT_EQ(facts.libraries.size(), 4u);
    EXPECT_EQ(facts.libraries[3].name, "NVML");
}

}  // namespace
}  // namespace gapscope

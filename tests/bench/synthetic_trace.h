// A PyTorch trace of any length, laid out as libkineto lays it out, with sums that are known while it is written.
#pragma once

#include <cstdint>
#include <filesystem>

namespace gapscope::bench {

struct SyntheticSums {
    int64_t kernelCount = 0;
    int64_t selfGpuNs = 0;
    int64_t busyNs = 0;
};

// About 1,500 bytes a kernel: the kernel, its launch, two flow events and one or two operators. The same N, the same
// bytes. False: the file could not be written.
bool writeSyntheticTrace(const std::filesystem::path& path, int64_t kernelCount, SyntheticSums& sums);

}  // namespace gapscope::bench

#include "core/runner/devices.h"

#include <gtest/gtest.h>

namespace gapscope {

TEST(GpuProblem, TellsAMissingDriverFromAnOldOneAndElseRepeatsWhatCudaSays) {
    EXPECT_EQ(gpuProblem(0, 13000, "driver version is insufficient"), "no NVIDIA driver is loaded");
    EXPECT_EQ(gpuProblem(12040, 13020, "driver version is insufficient"),
              "the NVIDIA driver is too old: it knows CUDA 12.4 and this program needs CUDA 13.2; update the driver");
    EXPECT_EQ(gpuProblem(13000, 13020, "no CUDA-capable device is detected"), "no CUDA-capable device is detected");
}

}  // namespace gapscope

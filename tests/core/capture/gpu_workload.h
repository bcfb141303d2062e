// Device work of a known amount, for the test that watches it through CUPTI.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

namespace gapscope::testing_support {

// One block that stays busy for `nanoseconds` by the device's own timer.
[[nodiscard]] cudaError_t launchSpin(int64_t nanoseconds, cudaStream_t stream);
// values[i] += 1
[[nodiscard]] cudaError_t launchAddOne(float* values, int count, cudaStream_t stream);

}  // namespace gapscope::testing_support

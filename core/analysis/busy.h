// When each device worked.
#pragma once

#include <cstdint>
#include <stop_token>
#include <vector>

#include "core/trace/trace.h"

namespace gapscope {

struct DeviceBusy {
    uint32_t deviceId = 0;
    std::vector<TimeRange> busy;  // union of its operations, clipped to the window
    int64_t busyNs = 0;
    int64_t idleNs = 0;  // window - busy
    int64_t selfNs = 0;  // sum of clipped durations: overlaps count twice
    // What begins inside the window:
    int64_t kernelCount = 0;
    int64_t copyCount = 0;
    int64_t setCount = 0;
    int64_t graphLaunchCount = 0;  // busy time known only as whole graph launches
};

// One entry a device that has operations anywhere in the trace, by id.
std::vector<DeviceBusy> deviceBusy(const Trace& trace, TimeRange window, std::stop_token stop = {});

}  // namespace gapscope

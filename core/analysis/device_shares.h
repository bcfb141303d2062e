// What each device of a trace (each rank of a distributed run) did with its time: computing, communicating, copying.
#pragma once

#include <cstdint>
#include <stop_token>
#include <vector>

#include "core/trace/trace.h"

namespace gapscope {

// Unions of intervals, clipped to the window. Busy is computing, plus exposed communication, plus exposed copies: the
// parts add up (as TraceLens splits them). HTA's "compute" is the same union.
struct DeviceShares {
    uint32_t deviceId = 0;
    int64_t busyNs = 0;
    int64_t idleNs = 0;
    int64_t computeNs = 0;               // kernels and whole graph launches other than communication
    int64_t communicationNs = 0;         // kernels of category communication
    int64_t exposedCommunicationNs = 0;  // while nothing computes
    int64_t copyNs = 0;                  // copies and sets
    int64_t exposedCopyNs = 0;           // while nothing computes or communicates
};

// One entry a device that has operations anywhere in the trace, by id.
std::vector<DeviceShares> deviceShares(const Trace& trace, TimeRange window, std::stop_token stop = {});

}  // namespace gapscope

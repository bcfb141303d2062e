// Kernels with the API calls that launched them, as Nsight Systems' reports cuda_kern_exec_trace and cuda_kern_exec_sum
// define them (by their documentation): one row a kernel, also of a graph launch, whose kernels share the call's times.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <vector>

#include "core/analysis/launches.h"

namespace gapscope {

struct KernelExecution {
    uint32_t op = kNoRow;    // row of deviceOps(), a kernel
    uint32_t call = kNoRow;  // row of apiCalls()
    int64_t apiNs = 0;
    std::optional<int64_t> queueNs;  // call end -> kernel begin, where it is above 0
    int64_t kernelNs = 0;
    int64_t totalNs = 0;  // call begin -> the later of call end and kernel end: not the sum of the three
};

// Calls and kernels of one name, process, thread and device.
struct KernelExecutionRow {
    StringId apiName;
    StringId kernelName;
    uint64_t globalTid = 0;
    uint32_t deviceId = 0;
    Distribution total, api, queue, kernel;  // total.count is Count, queue.count is QCount
};

struct KernelExecutionTable {
    std::vector<KernelExecution> executions;  // whose call begins in the window, by call begin; durations not clipped
    std::vector<KernelExecutionRow> rows;     // largest total first
};
KernelExecutionTable kernelExecutions(const Trace& trace, const LaunchJoin& join, TimeRange window,
                                      std::stop_token stop = {});

}  // namespace gapscope

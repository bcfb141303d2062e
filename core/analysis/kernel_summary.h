// The kernel table: one row a kernel name.
#pragma once

#include <stop_token>
#include <vector>

#include "core/analysis/launches.h"

namespace gapscope {

struct KernelRow {
    StringId name;
    Category category = Category::Other;  // of its first operation in the window
    DeviceOpKind kind = DeviceOpKind::Kernel;
    Distribution times;  // count, total, avg, med, min, max, std; durations clipped to the window
    double share = 0;    // of all rows' total time
};

struct KernelSummary {
    std::vector<KernelRow> kernels;  // largest total first; kernels only
    std::vector<KernelRow> others;   // copies, sets and graph launches, the same way
    int64_t totalNs = 0;             // of both
};
// Operations that begin inside the window.
KernelSummary kernelSummary(const Trace& trace, TimeRange window, std::stop_token stop = {});

}  // namespace gapscope

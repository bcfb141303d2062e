// What a stretch of time holds, as numbers to read beside it: kernels, streams, API calls.
#pragma once

#include <cstdint>
#include <vector>

#include "core/analysis/prepared_window.h"

namespace gapscope {

struct KernelStatistics {  // of kernels that begin inside; durations clipped to the window
    int64_t count = 0;
    int64_t totalNs = 0;
    double avgNs = 0;
    int64_t minNs = 0;
    int64_t maxNs = 0;
    double stdNs = 0;  // of the sample (n - 1); 0 below two
};

struct StreamStatistics {
    uint32_t deviceId = 0;
    TrackId track;
    int64_t count = 0;   // operations of any kind that begin inside
    int64_t selfNs = 0;  // sum of durations, clipped
};

struct ApiCallStatistics {
    StringId name;
    int64_t count = 0;    // calls that begin inside
    int64_t totalNs = 0;  // clipped; calls within calls count in both
    int64_t minNs = 0;    // of those that begin inside
    int64_t maxNs = 0;
};

struct RangeStatistics {
    KernelStatistics kernels;
    std::vector<StreamStatistics> streams;  // by device, then track
    std::vector<ApiCallStatistics> calls;   // largest total first
};
RangeStatistics rangeStatistics(const PreparedWindow& of);

}  // namespace gapscope

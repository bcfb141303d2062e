// What stands out among the launches of a window: how latencies are spread, kernels too short for what it cost to
// launch them, calls that took long, operations that waited long.
#pragma once

#include <cstdint>
#include <span>
#include <stop_token>
#include <vector>

#include "core/analysis/launches.h"

namespace gapscope {

// The cutoffs of Holistic Trace Analysis (HTA 0.5.0, get_cuda_kernel_launch_stats).
struct LaunchThresholds {
    int64_t runtimeNs = 50'000;  // a call longer than this is a runtime outlier
    int64_t delayNs = 100'000;   // an operation that begins longer than this after its call returned is a delay outlier
};

struct Percentiles {  // the smallest value that at least so many per cent of the values do not exceed; 0 without values
    int64_t p50Ns = 0, p90Ns = 0, p99Ns = 0;
};
Percentiles percentilesOf(std::vector<int64_t> values);

struct HistogramBin {  // values from fromNs on and below toNs
    int64_t fromNs = 0, toNs = 0;
    int64_t count = 0;
};
// [0, 1), [1, 2), [2, 4), [4, 8) ...: from the first bin that has values to the last. Negative values are left out.
std::vector<HistogramBin> histogramOf(std::span<const int64_t> values);

// The same questions as HTA asks them: of each operation of the calls that HTA knows by name (launches of single
// kernels, asynchronous copies and sets), so that its counts can be compared.
struct HtaLaunchCounts {
    int64_t operationCount = 0;
    int64_t shortCount = 0;           // call not over runtimeNs, and the operation shorter than the call
    int64_t runtimeOutlierCount = 0;  // call over runtimeNs
    int64_t delayOutlierCount = 0;    // begins more than delayNs after the call's end
    bool operator==(const HtaLaunchCounts&) const = default;
};

struct LaunchStatistics {
    LaunchThresholds thresholds;
    Percentiles latency;     // negative ones left out
    Percentiles queueDelay;  // of launches that have one
    std::vector<HistogramBin> latencyHistogram;
    std::vector<HistogramBin> queueDelayHistogram;
    // Indices into the launches, in their order:
    std::vector<uint32_t> shortLaunches;         // its operations together take less device time than the call took
    std::vector<uint32_t> runtimeOutliers;       // call over runtimeNs
    std::vector<uint32_t> delayOutliers;         // queue delay over delayNs
    int64_t shortDeviceNs = 0, shortCallNs = 0;  // of the short ones: device time, and time in their calls
    HtaLaunchCounts hta;
};
// `launches` is what launchTable() of the same trace and join gave.
LaunchStatistics launchStatistics(const Trace& trace, const LaunchJoin& join, std::span<const Launch> launches,
                                  const LaunchThresholds& thresholds = {}, std::stop_token stop = {});

}  // namespace gapscope

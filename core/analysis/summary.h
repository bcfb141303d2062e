// Everything `summary` prints and the window's right panel shows, in one pass.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <vector>

#include "core/analysis/category_times.h"
#include "core/analysis/gaps.h"
#include "core/analysis/host_times.h"
#include "core/analysis/phases.h"
#include "core/analysis/stages.h"
#include "core/analysis/throughput.h"
#include "core/analysis/verdict.h"

namespace gapscope {

struct Summary {
    TimeRange window;
    int64_t selfGpuNs = 0;  // sums over devices
    int64_t gpuBusyNs = 0;
    int64_t gpuIdleNs = 0;
    int64_t kernelCount = 0;
    int64_t copyCount = 0;         // copies and sets
    int64_t graphLaunchCount = 0;  // device time known only as whole graph launches
    int64_t gapCount = 0;
    GapCauses gapCauses;
    HostTimes host;  // selfCpuNs, cpuLaunchingNs, hostNs, launchCount ...
    CategoryTimes categories;
    std::vector<DeviceBusy> devices;
    ThroughputTable throughput;
    Distribution launchLatency;
    Distribution queueDelay;
    std::optional<Phases> phases;  // own runs
    Verdict verdict;
    std::vector<Diagnostic> diagnostics;  // the trace's own and those found on the way
};
Summary summarize(const Trace& trace, TimeRange window, std::stop_token stop = {});

// What a summary is put together from; its other fields follow from these.
struct SummaryParts {
    std::vector<DeviceBusy> devices;
    int64_t gapCount = 0;
    GapCauses gapCauses;
    HostTimes host;
    CategoryTimes categories;
    ThroughputTable throughput;
    Distribution launchLatency;
    Distribution queueDelay;
    int64_t negativeLatencyCount = 0;
    int64_t unlaunchedOpCount = 0;
    std::optional<Phases> phases;
    StageShares stages;
};
Summary summaryOf(const Trace& trace, TimeRange window, SummaryParts parts);

// The same with what it was made from, for a caller that shows gaps as well.
struct Analysis {
    Summary summary;
    GapTable gaps;
    LaunchJoin join;
};
Analysis analyze(const Trace& trace, TimeRange window, std::stop_token stop = {});

}  // namespace gapscope

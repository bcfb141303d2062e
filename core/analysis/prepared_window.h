// The numbers of one window, from a prepared trace: the same as the functions of those names give for a trace and a
// window (a property test holds them equal), without looking at every row. In DeviceBusy `busy` stays empty.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "core/analysis/kernel_summary.h"
#include "core/analysis/layer_table.h"
#include "core/analysis/prepared_trace.h"
#include "core/analysis/summary.h"

namespace gapscope {

// What lies in a window, found once for all questions about it. The prepared trace must outlive it.
struct PreparedWindow {
    PreparedWindow(const PreparedTrace& trace, TimeRange range)
        : prepared(trace),
          window(range),
          ops(trace.ops().window(range)),
          own(trace.hasOverlap() ? trace.ownTimes().window(range) : IntervalIndex::Window{}),
          calls(trace.calls().window(range)) {}

    // Time of classes with overlaps counted once.
    const std::vector<IntervalIndex::Part>& ownParts() const { return prepared.hasOverlap() ? own.parts : ops.parts; }

    const PreparedTrace& prepared;
    const TimeRange window;
    const IntervalIndex::Window ops;
    const IntervalIndex::Window own;
    const IntervalIndex::Window calls;
};

struct WindowAnalysis {
    Summary summary;
    WindowGaps gaps;
};
WindowAnalysis analyze(const PreparedWindow& of);

// Calls that begin in the window and own operations, by begin.
std::span<const Launch> launchesIn(const PreparedWindow& of);
HostTimes hostTimes(const PreparedWindow& of);
CategoryTimes categoryTimes(const PreparedWindow& of);
ThroughputTable throughput(const PreparedWindow& of);
KernelSummary kernelSummary(const PreparedWindow& of);
LayerTable layerTable(const PreparedWindow& of);
TokenTable tokenTable(const PreparedWindow& of);

}  // namespace gapscope

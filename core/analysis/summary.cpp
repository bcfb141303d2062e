#include "core/analysis/summary.h"

namespace gapscope {

Summary summaryOf(const Trace& trace, TimeRange window, SummaryParts parts) {
    Summary summary;
    summary.window = window;
    summary.devices = std::move(parts.devices);
    for (const DeviceBusy& device : summary.devices) {
        summary.selfGpuNs += device.selfNs;
        summary.gpuBusyNs += device.busyNs;
        summary.gpuIdleNs += device.idleNs;
        summary.kernelCount += device.kernelCount;
        summary.copyCount += device.copyCount + device.setCount;
        summary.graphLaunchCount += device.graphLaunchCount;
    }
    summary.gapCount = parts.gapCount;
    summary.gapCauses = parts.gapCauses;
    summary.host = std::move(parts.host);
    summary.categories = parts.categories;
    summary.throughput = parts.throughput;
    summary.launchLatency = parts.launchLatency;
    summary.queueDelay = parts.queueDelay;
    summary.phases = parts.phases;
    summary.verdict =
        verdict(window, summary.gpuBusyNs, summary.gpuIdleNs, summary.gapCauses, summary.throughput, parts.stages);

    Diagnostics diagnostics = trace.diagnostics();
    diagnostics.add("negative_launch_latency", Severity::Info, parts.negativeLatencyCount,
                    "Operations that began before their launch call: the clocks of host and device disagree.");
    diagnostics.add("operation_without_launch", Severity::Info, parts.unlaunchedOpCount,
                    "Device operations whose launch call is not in the trace: gaps before them have no known cause.");
    diagnostics.add(
        "graph_level_time", Severity::Info, summary.graphLaunchCount,
        "Graph launches traced as a whole: their time counts as busy, kernels and gaps inside are not seen.");
    summary.diagnostics = diagnostics.entries();
    return summary;
}

Analysis analyze(const Trace& trace, TimeRange window, std::stop_token stop) {
    Analysis analysis;
    analysis.join = joinLaunches(trace, stop);
    if (stop.stop_requested()) return analysis;
    analysis.gaps = findGaps(trace, analysis.join, window, stop);
    const LaunchTable launches = launchTable(trace, analysis.join, window, stop);
    analysis.summary = summaryOf(trace, window,
                                 {.devices = analysis.gaps.devices,
                                  .gapCount = static_cast<int64_t>(analysis.gaps.gaps.size()),
                                  .gapCauses = analysis.gaps.causes,
                                  .host = analysis.gaps.host,
                                  .categories = categoryTimes(trace, window, stop),
                                  .throughput = throughput(trace, window, stop),
                                  .launchLatency = launches.latency,
                                  .queueDelay = launches.queueDelay,
                                  .negativeLatencyCount = launches.negativeLatencyCount,
                                  .unlaunchedOpCount = launches.unlaunchedOpCount,
                                  .phases = phases(trace, window, stop),
                                  .stages = StageIndex(trace).shares(window)});
    return analysis;
}

Summary summarize(const Trace& trace, TimeRange window, std::stop_token stop) {
    return analyze(trace, window, stop).summary;
}

}  // namespace gapscope

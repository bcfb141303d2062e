#include "core/analysis/summary.h"

namespace gapscope {

Analysis analyze(const Trace& trace, TimeRange window, std::stop_token stop) {
    Analysis analysis;
    analysis.join = joinLaunches(trace, stop);
    if (stop.stop_requested()) return analysis;
    analysis.gaps = findGaps(trace, analysis.join, window, stop);

    Summary& summary = analysis.summary;
    summary.window = window;
    summary.devices = analysis.gaps.devices;
    for (const DeviceBusy& device : summary.devices) {
        summary.selfGpuNs += device.selfNs;
        summary.gpuBusyNs += device.busyNs;
        summary.gpuIdleNs += device.idleNs;
        summary.kernelCount += device.kernelCount;
        summary.copyCount += device.copyCount + device.setCount;
        summary.graphLaunchCount += device.graphLaunchCount;
    }
    summary.gapCount = static_cast<int64_t>(analysis.gaps.gaps.size());
    summary.gapCauses = analysis.gaps.causes;
    summary.host = analysis.gaps.host;
    summary.categories = categoryTimes(trace, window, stop);
    summary.throughput = throughput(trace, window, stop);
    const LaunchTable launches = launchTable(trace, analysis.join, window, stop);
    summary.launchLatency = launches.latency;
    summary.queueDelay = launches.queueDelay;
    summary.phases = phases(trace, window, stop);
    summary.verdict = verdict(window, summary.gpuBusyNs, summary.gpuIdleNs, summary.gapCauses, summary.throughput);

    Diagnostics diagnostics = trace.diagnostics();
    diagnostics.add("negative_launch_latency", Severity::Info, launches.negativeLatencyCount,
                    "Operations that began before their launch call: the clocks of host and device disagree.");
    diagnostics.add("operation_without_launch", Severity::Info, launches.unlaunchedOpCount,
                    "Device operations whose launch call is not in the trace: gaps before them have no known cause.");
    diagnostics.add(
        "graph_level_time", Severity::Info, summary.graphLaunchCount,
        "Graph launches traced as a whole: their time counts as busy, kernels and gaps inside are not seen.");
    summary.diagnostics = diagnostics.entries();
    return analysis;
}

Summary summarize(const Trace& trace, TimeRange window, std::stop_token stop) {
    return analyze(trace, window, stop).summary;
}

}  // namespace gapscope

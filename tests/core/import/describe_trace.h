// A trace's rows as lines of text, in the order of its tables: what a test expects can then be read.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "core/trace/trace.h"

namespace gapscope {

inline std::string describeThread(uint64_t globalTid) {
    return " on " + std::to_string(processIdOf(globalTid)) + "/" + std::to_string(threadIdOf(globalTid));
}

inline std::string describeTimes(int64_t startNs, int64_t endNs) {
    return " " + std::to_string(startNs) + "-" + std::to_string(endNs) + " ";
}

inline std::string describeTriple(const std::array<int32_t, 3>& size) {
    return std::to_string(size[0]) + "," + std::to_string(size[1]) + "," + std::to_string(size[2]);
}

inline std::string describeDeviceOp(const Trace& trace, size_t index) {
    static constexpr const char* kKinds[] = {"kernel", "copy", "set", "graph"};
    const DeviceOpRow op = rowAt(trace.deviceOps(), index);
    const TrackRow& track = trace.tracks()[op.track.value];
    std::string line = kKinds[static_cast<size_t>(op.kind)] + describeTimes(op.startNs, op.endNs) +
                       std::string(trace.string(op.name)) + " " + std::string(categoryName(op.category)) + " device " +
                       std::to_string(track.deviceId) + " context " + std::to_string(track.contextId) + " stream " +
                       std::to_string(track.streamId) + " process " + std::to_string(processIdOf(track.globalPid)) +
                       " #" + std::to_string(op.correlationId);
    if (op.copyBytes != 0) line += " " + std::to_string(op.copyBytes) + " B";
    if (op.graphNodeId != 0) line += " node " + std::to_string(op.graphNodeId);
    if (op.config.valid()) {
        const LaunchConfigRow& config = trace.launchConfigs()[op.config.value];
        line += " grid " + describeTriple(config.grid) + " block " + describeTriple(config.block) + " registers " +
                std::to_string(config.registersPerThread) + " shared " +
                std::to_string(config.staticSharedBytes + config.dynamicSharedBytes);
        if (config.occupancyPercent >= 0) line += " occupancy " + std::to_string(config.occupancyPercent);
    }
    return line;
}

inline std::vector<std::string> describeRows(const Trace& trace) {
    std::vector<std::string> lines;
    for (size_t i = 0; i < trace.deviceOps().startNs.size(); ++i)
        lines.push_back(describeDeviceOp(trace, i));
    for (size_t i = 0; i < trace.apiCalls().startNs.size(); ++i) {
        const ApiCallRow call = rowAt(trace.apiCalls(), i);
        lines.push_back((call.apiClass == ApiClass::Driver ? "driver" : "runtime") +
                        describeTimes(call.startNs, call.endNs) + std::string(trace.string(call.name)) +
                        describeThread(call.globalTid) + " #" + std::to_string(call.correlationId));
    }
    static constexpr const char* kKinds[] = {"user", "op", "python", "wait"};
    for (size_t i = 0; i < trace.ranges().startNs.size(); ++i) {
        const RangeRow range = rowAt(trace.ranges(), i);
        lines.push_back(kKinds[static_cast<size_t>(range.kind)] + describeTimes(range.startNs, range.endNs) +
                        std::string(trace.string(range.name)) + describeThread(range.globalTid));
    }
    for (size_t i = 0; i < trace.overheads().startNs.size(); ++i) {
        const OverheadRow overhead = rowAt(trace.overheads(), i);
        lines.push_back("overhead" + describeTimes(overhead.startNs, overhead.endNs) +
                        std::string(trace.string(overhead.name)) + describeThread(overhead.globalTid));
    }
    for (size_t i = 0; i < trace.counterSamples().timeNs.size(); ++i) {
        const CounterSampleRow sample = rowAt(trace.counterSamples(), i);
        const CounterRow counter = trace.counters()[sample.counter.value];
        lines.push_back("counter " + std::to_string(sample.timeNs) + " " + std::string(trace.string(counter.name)) +
                        " = " + std::to_string(std::llround(sample.value)) + " " +
                        std::string(kCounterUnitNames[static_cast<size_t>(counter.unit)]) + " of device " +
                        std::to_string(counter.deviceId));
    }
    return lines;
}

inline std::vector<std::string> describeDiagnostics(const Trace& trace) {
    std::vector<std::string> lines;
    for (const Diagnostic& entry : trace.diagnostics().entries())
        lines.push_back(entry.name + " " + std::to_string(entry.count));
    return lines;
}

}  // namespace gapscope

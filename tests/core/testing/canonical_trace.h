// A trace as sorted lines of text with every id resolved: two traces are the same if these are, whatever order their
// rows and texts came in.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "core/trace/annotations.h"
#include "core/trace/run_fields.h"
#include "core/trace/trace.h"

namespace gapscope {

inline std::vector<std::string> canonicalRows(const Trace& trace) {
    std::vector<std::string> lines;
    const auto add = [&](const auto&... parts) {
        std::ostringstream line;
        line.precision(17);
        ((line << parts << '|'), ...);
        lines.push_back(line.str());
    };
    const auto text = [&](StringId id) { return trace.string(id); };
    for (size_t row = 0; row < trace.deviceOps().startNs.size(); ++row) {
        const DeviceOpRow op = rowAt(trace.deviceOps(), row);
        const TrackRow track = op.track.valid() ? trace.tracks()[op.track.value] : TrackRow{};
        const OpRow role = op.op.valid() ? trace.ops()[op.op.value] : OpRow{};
        const LaunchConfigRow config = op.config.valid() ? trace.launchConfigs()[op.config.value] : LaunchConfigRow{};
        add("op", op.startNs, op.endNs, text(op.name), static_cast<int>(op.kind), categoryName(op.category),
            op.correlationId, op.token, op.repeat, op.copyBytes, op.graphNodeId, track.globalPid, track.deviceId,
            track.contextId, track.streamId, op.op.valid(), text(role.name), text(role.shapes), text(role.dtype),
            role.layer, role.bytes, role.flops, op.config.valid(), text(config.fullName), config.grid[0],
            config.grid[1], config.grid[2], config.block[0], config.block[1], config.block[2],
            config.registersPerThread, config.staticSharedBytes, config.dynamicSharedBytes, config.occupancyPercent);
    }
    for (size_t row = 0; row < trace.stages().startNs.size(); ++row) {
        const StageRow stage = rowAt(trace.stages(), row);
        const TrackRow track = trace.tracks()[stage.track.value];
        const OpRow role = stage.op.valid() ? trace.ops()[stage.op.value] : OpRow{};
        add("stage", stage.startNs, stage.endNs, text(stage.name), categoryName(stage.category), stage.correlationId,
            stage.token, stage.repeat, track.globalPid, track.deviceId, track.contextId, track.streamId,
            stage.op.valid(), text(role.name), text(role.dtype), role.layer);
    }
    for (size_t row = 0; row < trace.apiCalls().startNs.size(); ++row) {
        const ApiCallRow call = rowAt(trace.apiCalls(), row);
        add("call", call.startNs, call.endNs, text(call.name), call.globalTid, call.correlationId,
            static_cast<int>(call.apiClass));
    }
    for (size_t row = 0; row < trace.ranges().startNs.size(); ++row) {
        const RangeRow range = rowAt(trace.ranges(), row);
        add("range", range.startNs, range.endNs, text(range.name), range.globalTid, static_cast<int>(range.kind));
    }
    for (size_t row = 0; row < trace.overheads().startNs.size(); ++row) {
        const OverheadRow overhead = rowAt(trace.overheads(), row);
        add("overhead", overhead.startNs, overhead.endNs, text(overhead.name), overhead.globalTid);
    }
    for (size_t row = 0; row < trace.tokens().emittedNs.size(); ++row) {
        const TokenRow token = rowAt(trace.tokens(), row);
        add("token", token.emittedNs, token.repeat, token.index, token.id, text(token.text), token.drafted,
            token.accepted, token.place, token.sequence);
    }
    for (size_t row = 0; row < trace.counterSamples().timeNs.size(); ++row) {
        const CounterSampleRow sample = rowAt(trace.counterSamples(), row);
        const CounterRow& counter = trace.counters()[sample.counter.value];
        add("sample", sample.timeNs, sample.value, text(counter.name), static_cast<int>(counter.unit),
            counter.deviceId);
    }
    for (const DeviceRow& device : trace.devices())
        add("device", device.id, static_cast<int>(device.kind), device.name, device.totalMemoryBytes,
            device.peakBytesPerSecond, device.peakFlopsPerSecond);
    for (const ThreadRow& thread : trace.threads())
        add("thread", thread.globalTid, text(thread.name));
    for (const Note& note : trace.annotations().notes)
        add("note", note.range.startNs, note.range.endNs, note.text);
    add("origin", trace.origin().steadyNs, trace.origin().utcEpochNs);
    std::ranges::sort(lines);
    return lines;
}

inline void expectSameRows(const Trace& expected, const Trace& actual) {
    const std::vector<std::string> a = canonicalRows(expected), b = canonicalRows(actual);
    std::vector<std::string> missing, added;
    std::ranges::set_difference(a, b, std::back_inserter(missing));
    std::ranges::set_difference(b, a, std::back_inserter(added));
    EXPECT_TRUE(missing.empty()) << missing.size() << " rows are missing, the first: " << missing.front();
    EXPECT_TRUE(added.empty()) << added.size() << " rows are new, the first: " << added.front();
}

}  // namespace gapscope

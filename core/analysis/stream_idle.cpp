#include "core/analysis/stream_idle.h"

#include <algorithm>

namespace gapscope {

std::vector<StreamIdle> streamIdle(const Trace& trace, const LaunchJoin& join, TimeRange window, int64_t kernelWaitNs,
                                   std::stop_token stop) {
    const DeviceOps& ops = trace.deviceOps();
    const ApiCalls& calls = trace.apiCalls();
    std::vector<StreamIdle> streams;
    if (join.callOfOp.size() != ops.startNs.size()) return streams;
    std::vector<std::vector<uint32_t>> rowsOf(trace.tracks().size());
    for (uint32_t row = 0; row < ops.startNs.size(); ++row) {
        if ((row & 0xFFFF) == 0 && stop.stop_requested()) return streams;
        if (window.contains(ops.startNs[row]) && ops.track[row].value < rowsOf.size())
            rowsOf[ops.track[row].value].push_back(row);
    }
    const auto startsBefore = [&](uint32_t a, uint32_t b) {
        return ops.startNs[a] != ops.startNs[b] ? ops.startNs[a] < ops.startNs[b] : a < b;
    };
    for (size_t track = 0; track < rowsOf.size(); ++track) {
        std::vector<uint32_t>& rows = rowsOf[track];
        if (rows.empty()) continue;
        if (stop.stop_requested()) return streams;
        if (!std::ranges::is_sorted(rows, startsBefore)) std::ranges::sort(rows, startsBefore);
        StreamIdle stream{.track = TrackId{static_cast<uint16_t>(track)},
                          .operationCount = static_cast<int64_t>(rows.size())};
        std::array<std::vector<int64_t>, kStreamIdleClassCount> intervals;
        for (size_t i = 1; i < rows.size(); ++i) {
            const int64_t previousEndNs = ops.endNs[rows[i - 1]];
            const int64_t idleNs = ops.startNs[rows[i]] - previousEndNs;
            const uint32_t call = join.callOfOp[rows[i]];
            StreamIdleClass of = StreamIdleClass::Other;
            if (call != kNoRow && calls.startNs[call] > previousEndNs) {
                of = StreamIdleClass::HostWait;
            } else if (idleNs < kernelWaitNs) {
                of = StreamIdleClass::KernelWait;
            }
            intervals[static_cast<size_t>(of)].push_back(idleNs);
        }
        for (size_t of = 0; of < intervals.size(); ++of)
            stream.classes[of] = distributionOf(std::move(intervals[of]));
        streams.push_back(std::move(stream));
    }
    return streams;
}

}  // namespace gapscope

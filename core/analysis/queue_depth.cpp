#include "core/analysis/queue_depth.h"

#include <algorithm>

namespace gapscope {

namespace {

struct Waits {
    std::vector<int64_t> calledNs, begunNs;  // the same number of both
};

QueueDepth depthOf(TrackId track, Waits waits, TimeRange window) {
    const auto sort = [](std::vector<int64_t>& times) {
        if (!std::ranges::is_sorted(times)) std::ranges::sort(times);
    };
    QueueDepth result{.track = track, .launchCount = static_cast<int64_t>(waits.calledNs.size())};
    sort(waits.calledNs);
    sort(waits.begunNs);
    size_t called = 0, begun = 0;
    double weighted = 0;
    int64_t depth = 0, sinceNs = window.startNs;
    const auto pass = [&](int64_t toNs) {  // `depth` held from sinceNs on
        if (toNs <= sinceNs) return;
        if (result.points.empty() || result.points.back().depth != depth) result.points.push_back({sinceNs, depth});
        result.maxDepth = std::max(result.maxDepth, depth);
        weighted += static_cast<double>(depth) * static_cast<double>(toNs - sinceNs);
        if (depth == 0) result.emptyNs += toNs - sinceNs;
        if (depth >= kFullQueueDepth) result.fullNs += toNs - sinceNs;
        sinceNs = toNs;
    };
    while (begun < waits.begunNs.size()) {  // a launch begins no earlier than it is called
        const bool isCall = called < waits.calledNs.size() && waits.calledNs[called] <= waits.begunNs[begun];
        const int64_t timeNs = isCall ? waits.calledNs[called++] : waits.begunNs[begun++];
        if (timeNs >= window.endNs) break;
        pass(timeNs);
        depth += isCall ? 1 : -1;
    }
    pass(window.endNs);
    if (!window.empty()) result.meanDepth = weighted / static_cast<double>(window.durationNs());
    return result;
}

}  // namespace

std::vector<QueueDepth> queueDepths(const Trace& trace, const LaunchJoin& join, TimeRange window,
                                    std::stop_token stop) {
    const DeviceOps& ops = trace.deviceOps();
    const ApiCalls& calls = trace.apiCalls();
    std::vector<QueueDepth> depths;
    if (join.firstOpOf.size() != calls.startNs.size() + 1) return depths;
    std::vector<Waits> waits(trace.tracks().size());
    std::vector<uint32_t> seen(trace.tracks().size(), kNoRow);  // the call that a stream's first operation is known of
    for (uint32_t call = 0; call < calls.startNs.size(); ++call) {
        if ((call & 0xFFFF) == 0 && stop.stop_requested()) return depths;
        for (const uint32_t op : join.opsOf(call)) {  // by start
            const size_t track = ops.track[op].value;
            if (seen[track] == call) continue;
            seen[track] = call;
            const TimeRange waiting{calls.startNs[call], ops.startNs[op]};
            if (waiting.clippedTo(window).empty()) continue;  // also one that ends before it begins
            waits[track].calledNs.push_back(waiting.startNs);
            waits[track].begunNs.push_back(waiting.endNs);
        }
    }
    for (size_t track = 0; track < waits.size(); ++track) {
        if (stop.stop_requested()) return depths;
        if (waits[track].calledNs.empty()) continue;
        depths.push_back(depthOf(TrackId{static_cast<uint16_t>(track)}, std::move(waits[track]), window));
    }
    return depths;
}

}  // namespace gapscope

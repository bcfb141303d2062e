#include "core/analysis/own_time.h"

#include <algorithm>
#include <limits>
#include <map>
#include <utility>
#include <vector>

namespace gapscope {

const OpRow* knownPlanOf(const Trace& trace, OpId op) {
    if (!op.valid() || op.value >= trace.ops().size()) return nullptr;
    const OpRow& row = trace.ops()[op.value];
    return row.bytes > 0 || row.flops > 0 ? &row : nullptr;
}

ColumnView<int64_t> ownStartNs(const Trace& trace, std::stop_token stop) {
    const DeviceOps& ops = trace.deviceOps();
    std::vector<uint32_t> planned;
    for (uint32_t row = 0; row < ops.startNs.size(); ++row)
        if (knownPlanOf(trace, ops.op[row])) planned.push_back(row);
    const auto startOf = [&](uint32_t row) { return ops.startNs[row]; };
    if (!std::ranges::is_sorted(planned, {}, startOf)) std::ranges::stable_sort(planned, {}, startOf);

    std::map<uint32_t, int64_t> busyUntil;            // of each device
    std::vector<std::pair<uint32_t, int64_t>> moved;  // rows that begin before their own time
    for (size_t i = 0; i < planned.size(); ++i) {
        if ((i & 0xFFFF) == 0 && stop.stop_requested()) return {};
        const uint32_t row = planned[i];
        const size_t track = ops.track[row].value;
        const uint32_t device = track < trace.tracks().size() ? trace.tracks()[track].deviceId : 0;
        int64_t& until = busyUntil.try_emplace(device, std::numeric_limits<int64_t>::min()).first->second;
        const int64_t endNs = ops.endNs[row];
        if (until > ops.startNs[row] && endNs > ops.startNs[row]) moved.emplace_back(row, std::min(until, endNs));
        until = std::max(until, endNs);
    }
    if (moved.empty()) return {};
    std::ranges::sort(moved);
    ColumnWriter<int64_t> starts;
    auto next = moved.begin();
    for (uint32_t row = 0; row < ops.startNs.size(); ++row) {
        const bool isMoved = next != moved.end() && next->first == row;
        starts.push(isMoved ? next++->second : ops.startNs[row]);
    }
    return starts.view();
}

}  // namespace gapscope

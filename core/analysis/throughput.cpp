#include "core/analysis/throughput.h"

#include <algorithm>
#include <map>

#include "core/analysis/own_time.h"

namespace gapscope {

void findPeaks(const Trace& trace, std::span<const int64_t> nsOfTrack, ThroughputTable& table) {
    std::map<uint32_t, int64_t> nsOfDevice;
    for (size_t track = 0; track < nsOfTrack.size(); ++track)
        nsOfDevice[trace.tracks()[track].deviceId] += nsOfTrack[track];
    if (nsOfDevice.empty()) return;
    const uint32_t busiest =
        std::ranges::max_element(nsOfDevice, {}, [](const auto& entry) { return entry.second; })->first;
    const auto device = std::ranges::find(trace.devices(), busiest, &DeviceRow::id);
    if (device != trace.devices().end()) {
        table.peakBytesPerSecond = device->peakBytesPerSecond;
        table.peakFlopsPerSecond = device->peakFlopsPerSecond;
    }
}

ThroughputTable throughput(const Trace& trace, TimeRange window, std::stop_token stop) {
    const DeviceOps& ops = trace.deviceOps();
    ThroughputTable table;
    std::vector<int64_t> nsOfTrack(trace.tracks().size());
    const ColumnView<int64_t> ownStarts = ownStartNs(trace, stop);
    for (size_t row = 0; row < ops.startNs.size(); ++row) {
        if ((row & 0xFFFF) == 0 && stop.stop_requested()) return table;
        const TimeRange range{ops.startNs[row], ops.endNs[row]};
        const int64_t ns = range.clippedTo(window).durationNs();
        if (ns == 0) continue;
        if (ops.track[row].value < nsOfTrack.size()) nsOfTrack[ops.track[row].value] += ns;
        const OpRow* plan = knownPlanOf(trace, ops.op[row]);
        if (!plan) continue;
        const double share = static_cast<double>(ns) / static_cast<double>(range.durationNs());
        const int64_t own = ownNsWithin(window, ownStarts, row, range);
        for (Throughput* part : {&table.all, &table.categories[static_cast<size_t>(ops.category[row])]}) {
            part->bytes += static_cast<double>(plan->bytes) * share;
            part->flops += static_cast<double>(plan->flops) * share;
            part->ns += own;
        }
    }
    findPeaks(trace, nsOfTrack, table);
    return table;
}

}  // namespace gapscope

#include "core/analysis/throughput.h"

#include <algorithm>
#include <map>

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
    for (size_t row = 0; row < ops.startNs.size(); ++row) {
        if ((row & 0xFFFF) == 0 && stop.stop_requested()) return table;
        const TimeRange range{ops.startNs[row], ops.endNs[row]};
        const int64_t ns = range.clippedTo(window).durationNs();
        if (ns == 0) continue;
        if (ops.track[row].value < nsOfTrack.size()) nsOfTrack[ops.track[row].value] += ns;
        if (!ops.op[row].valid() || ops.op[row].value >= trace.ops().size()) continue;
        const OpRow& op = trace.ops()[ops.op[row].value];
        if (op.bytes <= 0 && op.flops <= 0) continue;
        const double share = static_cast<double>(ns) / static_cast<double>(range.durationNs());
        for (Throughput* part : {&table.all, &table.categories[static_cast<size_t>(ops.category[row])]}) {
            part->bytes += static_cast<double>(op.bytes) * share;
            part->flops += static_cast<double>(op.flops) * share;
            part->ns += ns;
        }
    }
    findPeaks(trace, nsOfTrack, table);
    return table;
}

}  // namespace gapscope

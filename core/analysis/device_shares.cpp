#include "core/analysis/device_shares.h"

#include <algorithm>
#include <map>

#include "core/analysis/intervals.h"

namespace gapscope {

namespace {

struct Kinds {
    std::vector<TimeRange> compute, communication, copies;
};

std::vector<TimeRange> joined(const std::vector<TimeRange>& a, const std::vector<TimeRange>& b) {
    std::vector<TimeRange> all = a;
    all.insert(all.end(), b.begin(), b.end());
    return unionOf(std::move(all));
}

}  // namespace

std::vector<DeviceShares> deviceShares(const Trace& trace, TimeRange window, std::stop_token stop) {
    const DeviceOps& ops = trace.deviceOps();
    std::map<uint32_t, Kinds> devices;
    for (size_t row = 0; row < ops.startNs.size(); ++row) {
        if ((row & 0xFFFF) == 0 && stop.stop_requested()) break;
        const TrackId track = ops.track[row];
        Kinds& kinds =
            devices[track.valid() && track.value < trace.tracks().size() ? trace.tracks()[track.value].deviceId : 0];
        const TimeRange range = TimeRange{ops.startNs[row], ops.endNs[row]}.clippedTo(window);
        if (range.empty()) continue;
        const bool isCopy = ops.kind[row] == DeviceOpKind::Copy || ops.kind[row] == DeviceOpKind::Set;
        (isCopy                                         ? kinds.copies
         : ops.category[row] == Category::Communication ? kinds.communication
                                                        : kinds.compute)
            .push_back(range);
    }
    std::vector<DeviceShares> shares;
    for (auto& [id, kinds] : devices) {
        const std::vector<TimeRange> compute = unionOf(std::move(kinds.compute));
        const std::vector<TimeRange> communication = unionOf(std::move(kinds.communication));
        const std::vector<TimeRange> copies = unionOf(std::move(kinds.copies));
        const std::vector<TimeRange> kernels = joined(compute, communication);
        DeviceShares share{.deviceId = id};
        share.computeNs = totalNs(compute);
        share.communicationNs = totalNs(communication);
        share.copyNs = totalNs(copies);
        share.exposedCommunicationNs = totalNs(kernels) - share.computeNs;
        share.busyNs = totalNs(joined(kernels, copies));
        share.exposedCopyNs = share.busyNs - totalNs(kernels);
        share.idleNs = std::max<int64_t>(0, window.durationNs()) - share.busyNs;
        shares.push_back(share);
    }
    return shares;
}

}  // namespace gapscope

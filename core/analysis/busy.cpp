#include "core/analysis/busy.h"

#include <algorithm>
#include <array>

#include "core/analysis/intervals.h"

namespace gapscope {

std::vector<DeviceBusy> deviceBusy(const Trace& trace, TimeRange window, std::stop_token stop) {
    const DeviceOps& ops = trace.deviceOps();
    std::vector<DeviceBusy> devices;
    std::vector<uint32_t> deviceOfTrack;  // place in `devices`, made on the track's first operation
    deviceOfTrack.assign(trace.tracks().size() + 1, UINT32_MAX);
    for (size_t row = 0; row < ops.startNs.size(); ++row) {
        if ((row & 0xFFFF) == 0 && stop.stop_requested()) break;
        const size_t track = std::min<size_t>(ops.track[row].value, trace.tracks().size());
        if (deviceOfTrack[track] == UINT32_MAX) {
            const uint32_t id = track < trace.tracks().size() ? trace.tracks()[track].deviceId : 0;
            const auto known = std::ranges::find(devices, id, &DeviceBusy::deviceId);
            deviceOfTrack[track] = static_cast<uint32_t>(known - devices.begin());
            if (known == devices.end()) devices.push_back({.deviceId = id});
        }
        DeviceBusy& device = devices[deviceOfTrack[track]];
        const TimeRange range{ops.startNs[row], ops.endNs[row]};
        if (window.contains(range.startNs)) {
            switch (ops.kind[row]) {
                case DeviceOpKind::Kernel:
                    ++device.kernelCount;
                    break;
                case DeviceOpKind::Copy:
                    ++device.copyCount;
                    break;
                case DeviceOpKind::Set:
                    ++device.setCount;
                    break;
                case DeviceOpKind::GraphLaunch:
                    ++device.graphLaunchCount;
                    break;
            }
        }
        const TimeRange clipped = range.clippedTo(window);
        if (clipped.empty()) continue;
        device.selfNs += clipped.durationNs();
        // In-order streams arrive sorted: extending the last range keeps the list short while it is built.
        if (!device.busy.empty() && clipped.startNs >= device.busy.back().startNs &&
            clipped.startNs <= device.busy.back().endNs) {
            device.busy.back().endNs = std::max(device.busy.back().endNs, clipped.endNs);
        } else {
            device.busy.push_back(clipped);
        }
    }
    for (DeviceBusy& device : devices) {
        device.busy = unionOf(std::move(device.busy));
        device.busyNs = totalNs(device.busy);
        device.idleNs = std::max<int64_t>(0, window.durationNs()) - device.busyNs;
    }
    std::ranges::sort(devices, {}, &DeviceBusy::deviceId);
    return devices;
}

}  // namespace gapscope

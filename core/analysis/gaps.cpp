#include "core/analysis/gaps.h"

#include <numeric>

#include "core/analysis/api_calls.h"
#include "core/analysis/gap_cutter.h"
#include "core/analysis/intervals.h"

namespace gapscope {

int64_t GapCauses::totalNs() const {
    return std::accumulate(ns.begin(), ns.end(), int64_t{0});
}

int64_t GapCauses::hostNs() const {
    return (*this)[GapCause::HostWaiting] + (*this)[GapCause::HostApi] + (*this)[GapCause::HostOutside] +
           (*this)[GapCause::Profiler];
}

GapCauses& GapCauses::operator+=(const GapCauses& other) {
    for (size_t i = 0; i < ns.size(); ++i)
        ns[i] += other.ns[i];
    return *this;
}

std::string hostText(const Trace& trace, const Gap& gap) {
    std::string text(trace.string(gap.hostName));
    if (!gap.hostCall.valid() || gap.hostCall == gap.hostName) return text;
    return std::string(trace.string(gap.hostCall)) + " in " + text;
}

GapTable findGaps(const Trace& trace, const LaunchJoin& join, TimeRange window, std::stop_token stop) {
    GapTable table;
    if (join.callOfOp.size() != trace.deviceOps().startNs.size() || join.firstOpOf.empty()) return table;
    const std::vector<uint32_t> outermost = outermostCalls(trace, stop);
    table.devices = deviceBusy(trace, window, stop);
    table.host = hostTimes(trace, join, outermost, window, stop);
    GapCutter cutter(trace, join, outermost, window);
    std::vector<uint64_t> threads;  // whose host part it is, for each gap
    const uint64_t launchingThread =
        table.host.threads.empty() ? HostActivity::kNoThread : table.host.threads[0].globalTid;
    size_t most = 0;
    for (const DeviceBusy& device : table.devices)
        most += device.busy.size() + 1;
    table.gaps.reserve(most);
    threads.reserve(most);
    for (const DeviceBusy& device : table.devices) {
        for (const TimeRange range : complementOf(device.busy, window)) {
            if (stop.stop_requested()) return table;
            uint64_t thread = launchingThread;
            table.gaps.push_back(cutter.cut(device.deviceId, range, window, thread));
            table.causes += table.gaps.back().causes;
            threads.push_back(thread);
        }
    }
    cutter.nameHosts(table.gaps, threads, stop);
    return table;
}

GapTable findGaps(const Trace& trace, TimeRange window, std::stop_token stop) {
    return findGaps(trace, joinLaunches(trace, stop), window, stop);
}

}  // namespace gapscope

#include "core/analysis/host_times.h"

#include <algorithm>
#include <map>

#include "core/analysis/api_calls.h"
#include "core/analysis/intervals.h"

namespace gapscope {

HostTimes hostTimesOf(std::span<const ThreadCalls> threads, int64_t selfCpuNs, TimeRange window) {
    HostTimes times{.selfCpuNs = selfCpuNs};
    for (const ThreadCalls& of : threads)
        times.launchCount += of.launches;
    for (const ThreadCalls& of : threads) {
        // Without one joined launch (device records missing) the names still tell which thread launches.
        times.threads.push_back({.globalTid = of.globalTid,
                                 .launchCount = times.launchCount > 0 ? of.launches : of.launchesByName,
                                 .apiNs = of.apiNs,
                                 .launchingNs = of.launchingNs});
    }
    std::ranges::stable_sort(times.threads, std::ranges::greater{}, &LaunchingThread::launchCount);
    if (!times.threads.empty()) {
        const LaunchingThread& first = times.threads[0];
        times.cpuLaunchingNs = first.launchingNs;
        times.hostWaitNs = first.apiNs - first.launchingNs;
        times.hostNs = std::max<int64_t>(0, window.durationNs()) - first.apiNs;
    } else {
        times.hostNs = std::max<int64_t>(0, window.durationNs());
    }
    return times;
}

HostTimes hostTimes(const Trace& trace, const LaunchJoin& join, std::span<const uint32_t> outermost, TimeRange window,
                    std::stop_token stop) {
    const ApiCalls& calls = trace.apiCalls();
    HostTimes times;
    if (join.firstOpOf.size() != calls.startNs.size() + 1) return times;
    const ApiNames names(trace);
    struct Thread {
        int64_t launches = 0;
        int64_t launchesByName = 0;
        std::vector<TimeRange> api, launching;
    };
    std::map<uint64_t, Thread> threads;
    Thread* thread = nullptr;
    uint64_t threadTid = 0;
    for (uint32_t row = 0; row < calls.startNs.size(); ++row) {
        if ((row & 0xFFFF) == 0 && stop.stop_requested()) return times;
        if (!thread || calls.globalTid[row] != threadTid) thread = &threads[threadTid = calls.globalTid[row]];
        const ApiTraits traits = names[calls.name[row]];
        if (window.contains(calls.startNs[row])) {
            if (!join.opsOf(row).empty()) ++thread->launches;
            if (traits.launches) ++thread->launchesByName;
        }
        if (outermost[row] != row) continue;
        const TimeRange clipped = TimeRange{calls.startNs[row], calls.endNs[row]}.clippedTo(window);
        times.selfCpuNs += clipped.durationNs();
        if (clipped.empty()) continue;
        thread->api.push_back(clipped);
        if (!traits.waits) thread->launching.push_back(clipped);
    }
    std::vector<ThreadCalls> all;
    for (auto& [tid, of] : threads)
        all.push_back({tid, of.launches, of.launchesByName, totalNs(unionOf(std::move(of.api))),
                       totalNs(unionOf(std::move(of.launching)))});
    return hostTimesOf(all, times.selfCpuNs, window);
}

HostTimes hostTimes(const Trace& trace, TimeRange window, std::stop_token stop) {
    return hostTimes(trace, joinLaunches(trace, stop), outermostCalls(trace, stop), window, stop);
}

}  // namespace gapscope

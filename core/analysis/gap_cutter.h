// Who caused one idle stretch: what findGaps() and the prepared trace have in common. Internal to core/analysis.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <unordered_map>
#include <vector>

#include "core/analysis/gaps.h"
#include "core/analysis/host_activity.h"

namespace gapscope {

// Used by one thread at a time. What it is made from must outlive it.
class GapCutter {
public:
    // `outermost` is outermostCalls(trace). Operations that begin outside of `ending` are not looked at.
    GapCutter(const Trace& trace, const LaunchJoin& join, std::span<const uint32_t> outermost, TimeRange ending);

    // The gap that is idle over `range` of a device, inside `window`. `thread` is the launching thread and comes back
    // as the thread that its host part is told by (HostActivity::kNoThread: none known).
    Gap cut(uint32_t deviceId, TimeRange range, TimeRange window, uint64_t& thread);

    // Gap::hostName and hostCall of each; threads[i] is what cut() gave for gaps[i].
    void nameHosts(std::span<Gap> gaps, std::span<const uint64_t> threads, std::stop_token stop) {
        m_host.nameHosts(gaps, threads, stop);
    }

private:
    uint32_t deviceOf(uint32_t op) const;
    uint32_t outermostCallOf(uint32_t op) const;
    uint64_t threadOf(uint32_t op) const;
    uint32_t lastBefore(uint32_t deviceId, TimeRange range) const;
    void findThreads();
    uint32_t operationAt(uint32_t deviceId, int64_t timeNs);
    bool isBetweenNodes(const Gap& gap);

    const Trace& m_trace;
    const DeviceOps& m_ops;
    const ApiCalls& m_calls;
    const LaunchJoin& m_join;
    const std::span<const uint32_t> m_outermost;
    HostActivity m_host;
    // By process, in the whole trace: the thread with most launches, else with most API calls, else with most ranges.
    std::map<uint64_t, uint64_t> m_launchingThread;
    struct Candidates {
        std::vector<uint32_t> rows;  // operations that can end a gap, by start
        size_t hint = 0;             // gaps mostly come in order: where the last one was found
    };
    std::map<uint32_t, Candidates> m_candidates;  // by device
    struct Nodes {
        size_t seen = 0;                      // how many of a launch's operations were looked at
        std::map<uint32_t, int64_t> firstNs;  // of those, by device, when the first one began
    };
    std::unordered_map<uint32_t, Nodes> m_nodes;  // by call, of launches of several operations
};

}  // namespace gapscope

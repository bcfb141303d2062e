// What the CPU side spent: in API calls, launching, waiting, elsewhere.
#pragma once

#include <cstdint>
#include <span>
#include <stop_token>
#include <vector>

#include "core/analysis/launches.h"

namespace gapscope {

struct LaunchingThread {
    uint64_t globalTid = 0;
    int64_t launchCount = 0;  // launches that begin in the window
    int64_t apiNs = 0;        // union of its API calls
    int64_t launchingNs = 0;  // union of its API calls without the waiting ones
};

struct HostTimes {
    int64_t selfCpuNs = 0;       // sum of outermost API calls on all threads, waits included
    int64_t cpuLaunchingNs = 0;  // of the launching thread
    int64_t hostWaitNs = 0;      // launching thread: in waiting calls and in no other
    int64_t hostNs = 0;          // launching thread: in no API call; the three add up to the window
    int64_t launchCount = 0;     // of all threads: calls that own device operations; a graph launch is one
    std::vector<LaunchingThread>
        threads;  // most launches first; threads[0] is the launching thread; empty: no API calls
};
HostTimes hostTimes(const Trace& trace, TimeRange window, std::stop_token stop = {});
// For who has them already: `join` is joinLaunches(trace), `outermost` is outermostCalls(trace).
HostTimes hostTimes(const Trace& trace, const LaunchJoin& join, std::span<const uint32_t> outermost, TimeRange window,
                    std::stop_token stop = {});

// What the figures follow from: one thread's calls in the window.
struct ThreadCalls {
    uint64_t globalTid = 0;
    int64_t launches = 0;        // calls that begin inside and own device operations
    int64_t launchesByName = 0;  // calls that begin inside and are launches by their name
    int64_t apiNs = 0;           // unions, clipped to the window
    int64_t launchingNs = 0;
};
// `threads` by globalTid.
HostTimes hostTimesOf(std::span<const ThreadCalls> threads, int64_t selfCpuNs, TimeRange window);

}  // namespace gapscope

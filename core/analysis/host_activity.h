// What one CPU thread did at any time, for cutting a gap's host part and naming who filled it. Internal to gap_cutter.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "core/analysis/gaps.h"
#include "core/analysis/intervals.h"

namespace gapscope {

class HostActivity {
public:
    static constexpr uint64_t kNoThread = ~uint64_t{0};

    // `outermost` is outermostCalls(trace).
    HostActivity(const Trace& trace, std::span<const uint32_t> outermost) : m_trace(trace), m_outermost(outermost) {}

    // A thread that calls no API and is asked about all the same; to be said before anything is asked. The ranges of
    // others would cost memory for nothing.
    void watch(uint64_t globalTid) { m_threads[globalTid]; }
    bool callsApi(uint64_t globalTid);

    // Adds the parts of [range) on this thread: waiting calls, other calls, the profiler's own cost, the rest.
    void split(uint64_t globalTid, TimeRange range, GapCauses& causes);

    // Gap::hostName and hostCall for each gap, whose thread is threads[i]; gaps without a host part stay without.
    void nameHosts(std::span<Gap> gaps, std::span<const uint64_t> threads, std::stop_token stop);

private:
    struct Thread {
        Coverage waiting;
        Coverage api;  // waiting calls included
        Coverage apiAndProfiler;
        size_t waitingHint = 0, apiHint = 0, apiAndProfilerHint = 0;
        std::vector<uint32_t> outermost;  // rows of apiCalls(), by start
        std::vector<uint32_t> ranges;     // rows of ranges(), by start, longer first
    };
    Thread& thread(uint64_t globalTid);
    StringId callCoveringMost(const Thread& of, TimeRange host) const;
    void buildAll();

    const Trace& m_trace;
    std::span<const uint32_t> m_outermost;
    std::map<uint64_t, Thread> m_threads;
    bool m_built = false;
};

}  // namespace gapscope

// What the analysis of any window of one trace has in common, made once: the join, rows by start with prefix sums, busy
// unions, every gap cut. A new window then costs about what it shows (prepared_window.h), not a look at every row.
// Memory: about 90 bytes a device operation or API call, and a Gap for each gap. Any thread may ask.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <stop_token>
#include <vector>

#include "core/analysis/api_calls.h"
#include "core/analysis/gap_cutter.h"
#include "core/analysis/gap_list.h"
#include "core/analysis/interval_index.h"
#include "core/analysis/intervals.h"
#include "core/analysis/launches.h"
#include "core/analysis/stages.h"
#include "core/analysis/token_table.h"

namespace gapscope {

class PreparedTrace;
using PreparedTracePtr = std::shared_ptr<const PreparedTrace>;

class PreparedTrace {
public:
    explicit PreparedTrace(TracePtr trace, std::stop_token stop = {});  // half made if stopped: not to be asked then
    PreparedTrace(const PreparedTrace&) = delete;
    PreparedTrace& operator=(const PreparedTrace&) = delete;

    const TracePtr& tracePtr() const { return m_trace; }
    const Trace& trace() const { return *m_trace; }
    const LaunchJoin& join() const { return m_join; }

    // Device operations and API calls by what all of a class have in common.
    struct OpClass {
        StringId name;
        OpId op;
        TrackId track;
        DeviceOpKind kind = DeviceOpKind::Kernel;
        Category category = Category::Other;
        int16_t repeat = 0;
        bool launched = false;  // its call is in the file
        bool empty = false;     // no time at all
        auto operator<=>(const OpClass&) const = default;
    };
    struct CallClass {
        uint64_t globalTid = 0;
        StringId name;
        bool outermost = false;
        bool owns = false;  // device operations
        ApiTraits traits;
    };
    const IntervalIndex& ops() const { return m_ops; }
    const std::vector<OpClass>& opClasses() const { return m_opClasses; }
    const IntervalIndex& ownTimes() const { return m_ownTimes; }  // of the operations, where any overlap (own_time.h)
    bool hasOverlap() const { return m_hasOverlap; }
    const IntervalIndex& calls() const { return m_calls; }
    const std::vector<CallClass>& callClasses() const { return m_callClasses; }
    uint32_t deviceOf(TrackId track) const;

    struct Thread {
        Coverage api;        // outermost calls
        Coverage launching;  // without the waiting ones
    };
    const std::map<uint64_t, Thread>& threads() const { return m_threads; }  // that call the API

    const std::vector<uint32_t>& deviceIds() const { return m_deviceIds; }  // that have operations, ascending
    const std::vector<Coverage>& busy() const { return m_busy; }            // of each of them

    const std::vector<Launch>& launches() const { return m_launches; }  // of the whole trace, by begin of the call
    const TokenWorks& tokens() const { return m_tokens; }
    const StageIndex& stages() const { return m_stages; }
    const FoundSteps& steps() const { return m_steps; }  // of another program's trace

    // Gaps of a window; `launchingThread` is asked for what no operation ended (HostActivity::kNoThread: none known).
    WindowGaps gapsIn(TimeRange window, uint64_t launchingThread) const;
    GapCauses causesIn(TimeRange window, uint64_t launchingThread) const;  // of the same gaps, without naming anybody

private:
    void classifyOps(std::stop_token stop);
    void classifyCalls();
    void cutGaps(std::stop_token stop);
    // Calls edge(device, range) for what an edge of the window cuts or ends, and inner(device, first, end) for the gaps
    // between those that lie inside as a whole.
    template <class Edge, class Inner>
    void forGapsIn(TimeRange window, Edge edge, Inner inner) const;
    GapCauses causesBefore(size_t device, size_t gap) const;

    const TracePtr m_trace;
    LaunchJoin m_join;
    std::vector<uint32_t> m_outermost;
    IntervalIndex m_ops, m_ownTimes, m_calls;
    bool m_hasOverlap = false;
    std::vector<OpClass> m_opClasses;
    std::vector<CallClass> m_callClasses;
    std::map<uint64_t, Thread> m_threads;
    std::vector<uint32_t> m_deviceIds;
    std::vector<Coverage> m_busy;
    std::vector<Launch> m_launches;
    const StageIndex m_stages;
    FoundSteps m_steps;
    TokenWorks m_tokens;
    std::vector<std::vector<Gap>> m_gaps;          // of each device: gap i lies between its busy ranges i and i + 1
    std::vector<std::vector<GapCauses>> m_causes;  // of each device: of all gaps before each block of them
    mutable std::mutex m_cutting;
    std::unique_ptr<GapCutter> m_cutter;
};

}  // namespace gapscope

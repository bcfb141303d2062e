// The definitions of the design in the plainest possible form: nanosecond by nanosecond and row against row. Shares no
// code with core/analysis; only for short traces.
#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "core/analysis/gaps.h"
#include "core/trace/trace.h"

namespace gapscope::reference {

inline bool waits(std::string_view name) {
    return name == "cudaStreamSynchronize" || name == "cudaDeviceSynchronize" || name == "cudaMemcpy";
}

class Reference {
public:
    Reference(const Trace& trace, TimeRange window) : m_trace(trace), m_window(window) {
        for (size_t i = 0; i < trace.deviceOps().startNs.size(); ++i)
            ops.push_back(rowAt(trace.deviceOps(), i));
        for (size_t i = 0; i < trace.apiCalls().startNs.size(); ++i)
            calls.push_back(rowAt(trace.apiCalls(), i));
    }

    std::vector<DeviceOpRow> ops;
    std::vector<ApiCallRow> calls;

    uint32_t deviceOf(const DeviceOpRow& op) const { return m_trace.tracks()[op.track.value].deviceId; }

    bool busyAt(uint32_t device, int64_t ns) const {
        for (const auto& op : ops)
            if (deviceOf(op) == device && op.startNs <= ns && ns < op.endNs) return true;
        return false;
    }

    // The call that launched an operation; -1: none in the file.
    int callOf(const DeviceOpRow& op) const {
        int best = -1;
        for (size_t i = 0; i < calls.size(); ++i) {
            if (op.correlationId == 0 || calls[i].correlationId != op.correlationId) continue;
            if (globalPidOf(calls[i].globalTid) != m_trace.tracks()[op.track.value].globalPid) continue;
            if (best < 0 || calls[i].startNs < calls[static_cast<size_t>(best)].startNs) best = static_cast<int>(i);
        }
        return best;
    }

    bool inside(size_t inner, size_t outer) const {
        const ApiCallRow &a = calls[inner], &b = calls[outer];
        if (inner == outer || a.globalTid != b.globalTid) return false;
        if (a.startNs < b.startNs || a.startNs >= b.endNs || a.endNs > b.endNs) return false;
        const bool same = a.startNs == b.startNs && a.endNs == b.endNs;
        return !same || outer < inner;
    }

    bool isOutermost(size_t call) const {
        for (size_t other = 0; other < calls.size(); ++other)
            if (inside(call, other)) return false;
        return true;
    }

    // Of several outermost calls around it (broken nesting) the one that began last.
    int outermostOf(int call) const {
        if (call < 0 || isOutermost(static_cast<size_t>(call))) return call;
        int best = -1;
        for (size_t other = 0; other < calls.size(); ++other) {
            if (!inside(static_cast<size_t>(call), other) || !isOutermost(other)) continue;
            if (best < 0 || calls[other].startNs > calls[static_cast<size_t>(best)].startNs)
                best = static_cast<int>(other);
        }
        return best;
    }

    // Most calls that own operations; where no call of the trace does, most calls with a launching name.
    uint64_t launchingThread() const {
        std::map<uint64_t, int> joined, named;
        bool anyJoined = false;
        for (size_t i = 0; i < calls.size(); ++i) {
            joined[calls[i].globalTid];
            named[calls[i].globalTid];
            if (!m_window.contains(calls[i].startNs)) continue;
            bool owns = false;
            for (const auto& op : ops)
                owns |= callOf(op) == static_cast<int>(i);
            joined[calls[i].globalTid] += owns;
            anyJoined |= owns;
            const std::string_view name = m_trace.string(calls[i].name);
            named[calls[i].globalTid] += name.ends_with("LaunchKernel") || name.ends_with("GraphLaunch");
        }
        uint64_t best = 0;
        int most = -1;
        for (const auto& [tid, count] : anyJoined ? joined : named) {
            if (count > most) best = tid;
            most = std::max(most, count);
        }
        return best;
    }

    static constexpr uint64_t kNoThread = ~uint64_t{0};

    // Of one process, in the whole trace: most launches, else most calls, else most ranges that are no waits.
    uint64_t launchingThreadOf(uint64_t process) const {
        std::map<uint64_t, std::array<int, 3>> counts;
        for (size_t i = 0; i < calls.size(); ++i) {
            bool owns = false;
            for (const auto& op : ops)
                owns |= callOf(op) == static_cast<int>(i);
            counts[calls[i].globalTid][0] += owns;
            counts[calls[i].globalTid][1] += 1;
        }
        for (size_t i = 0; i < m_trace.ranges().startNs.size(); ++i)
            if (m_trace.ranges().kind[i] != RangeKind::Wait) counts[m_trace.ranges().globalTid[i]][2] += 1;
        uint64_t best = kNoThread;
        for (const auto& [tid, count] : counts)
            if (globalPidOf(tid) == process && (best == kNoThread || count > counts[best])) best = tid;
        return best;
    }

    uint64_t threadOf(const DeviceOpRow& op) const {
        const int call = outermostOf(callOf(op));
        if (call >= 0) return calls[static_cast<size_t>(call)].globalTid;
        return launchingThreadOf(m_trace.tracks()[op.track.value].globalPid);
    }

    // Whose host part of a gap it is.
    uint64_t hostThread(const Gap& gap) const {
        if (gap.nextOp != kNoRow) return threadOf(ops[gap.nextOp]);
        const DeviceOpRow* last = nullptr;
        for (const DeviceOpRow& op : ops) {
            if (deviceOf(op) != gap.deviceId || !m_window.contains(op.startNs) || op.endNs <= op.startNs) continue;
            if (!last || op.startNs >= last->startNs) last = &op;
        }
        if (last) return threadOf(*last);
        return calls.empty() ? kNoThread : launchingThread();
    }

    bool callsApi(uint64_t thread) const {
        for (const auto& call : calls)
            if (call.globalTid == thread) return true;
        return false;
    }

    GapCause hostCauseAt(uint64_t thread, int64_t ns) const {
        bool inApi = false;
        for (const auto& call : calls) {
            if (call.globalTid != thread || ns < call.startNs || ns >= call.endNs) continue;
            if (waits(m_trace.string(call.name))) return GapCause::HostWaiting;
            inApi = true;
        }
        if (inApi) return GapCause::HostApi;
        for (size_t i = 0; i < m_trace.overheads().startNs.size(); ++i) {
            const OverheadRow row = rowAt(m_trace.overheads(), i);
            const bool here = row.globalTid == thread || threadIdOf(row.globalTid) == 0;
            if (here && ns >= row.startNs && ns < row.endNs) return GapCause::Profiler;
        }
        return GapCause::HostOutside;
    }

    std::vector<Gap> gapsOf(uint32_t device) const {
        std::vector<Gap> gaps;
        for (int64_t ns = m_window.startNs; ns < m_window.endNs;) {
            if (busyAt(device, ns)) {
                ++ns;
                continue;
            }
            Gap gap{.deviceId = device, .range = {ns, ns}};
            while (ns < m_window.endNs && !busyAt(device, ns))
                ++ns;
            gap.range.endNs = ns;
            explain(gap);
            gaps.push_back(gap);
        }
        return gaps;
    }

private:
    void explain(Gap& gap) const {
        int next = -1, nextCall = -1;
        for (size_t i = 0; i < ops.size(); ++i) {
            const DeviceOpRow& op = ops[i];
            if (deviceOf(op) != gap.deviceId || op.startNs != gap.range.endNs || op.endNs <= op.startNs) continue;
            if (op.startNs >= m_window.endNs) continue;
            const int call = outermostOf(callOf(op));
            const bool earlier = call >= 0 && (nextCall < 0 || calls[static_cast<size_t>(call)].startNs <
                                                                   calls[static_cast<size_t>(nextCall)].startNs);
            if (next < 0 || earlier) {
                next = static_cast<int>(i);
                nextCall = call;
            }
        }
        gap.nextOp = next < 0 ? kNoRow : static_cast<uint32_t>(next);
        bool between = false;
        if (next >= 0 && nextCall >= 0) {
            for (const auto& op : ops)
                between |= deviceOf(op) == gap.deviceId && op.startNs < gap.range.startNs &&
                           callOf(op) == callOf(ops[static_cast<size_t>(next)]);
        }
        const uint64_t thread = hostThread(gap);
        gap.unknown = next < 0 ? !callsApi(thread) : nextCall < 0;
        for (int64_t ns = gap.range.startNs; ns < gap.range.endNs; ++ns) {
            GapCause cause = GapCause::Unknown;
            if (next < 0) {
                if (!gap.unknown) cause = hostCauseAt(thread, ns);
            } else if (nextCall >= 0) {
                const ApiCallRow& call = calls[static_cast<size_t>(nextCall)];
                if (between || ns >= std::max(call.startNs, call.endNs)) {
                    cause = GapCause::DeviceLatency;
                } else {
                    cause = ns < call.startNs ? hostCauseAt(call.globalTid, ns) : GapCause::LaunchCall;
                }
            }
            ++gap.causes[cause];
        }
    }

    const Trace& m_trace;
    TimeRange m_window;
};

}  // namespace gapscope::reference

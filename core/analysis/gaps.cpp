#include "core/analysis/gaps.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "core/analysis/api_calls.h"
#include "core/analysis/host_activity.h"
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

namespace {

class GapCutter {
public:
    GapCutter(const Trace& trace, const LaunchJoin& join, TimeRange window, std::stop_token stop)
        : m_trace(trace),
          m_ops(trace.deviceOps()),
          m_calls(trace.apiCalls()),
          m_join(join),
          m_window(window),
          m_stop(stop),
          m_outermost(outermostCalls(trace, stop)),
          m_host(trace, m_outermost) {}

    GapTable run() {
        GapTable table;
        table.devices = deviceBusy(m_trace, m_window, m_stop);
        findCandidates(table.devices);
        table.host = hostTimes(m_trace, m_join, m_outermost, m_window, m_stop);
        const uint64_t launchingThread = table.host.threads.empty() ? 0 : table.host.threads[0].globalTid;
        for (size_t device = 0; device < table.devices.size(); ++device) {
            for (const TimeRange range : complementOf(table.devices[device].busy, m_window)) {
                if (m_stop.stop_requested()) return table;
                Gap gap{.deviceId = table.devices[device].deviceId, .range = range};
                gap.nextOp = operationAt(m_candidates[device], range.endNs);
                uint64_t thread = launchingThread;
                cut(gap, thread);
                table.causes += gap.causes;
                table.gaps.push_back(gap);
                m_threads.push_back(thread);
            }
        }
        m_host.nameHosts(table.gaps, m_threads, m_stop);
        return table;
    }

private:
    // Non-empty operations of each device that begin inside the window, by start: those that can end a gap.
    void findCandidates(const std::vector<DeviceBusy>& devices) {
        m_candidates.resize(devices.size());
        for (uint32_t row = 0; row < m_ops.startNs.size(); ++row) {
            if (!m_window.contains(m_ops.startNs[row]) || m_ops.endNs[row] <= m_ops.startNs[row]) continue;
            const auto device = std::ranges::lower_bound(devices, deviceOf(row), {}, &DeviceBusy::deviceId);
            if (device == devices.end()) continue;
            m_candidates[static_cast<size_t>(device - devices.begin())].push_back(row);
        }
        const auto startsBefore = [&](uint32_t a, uint32_t b) {
            return m_ops.startNs[a] != m_ops.startNs[b] ? m_ops.startNs[a] < m_ops.startNs[b] : a < b;
        };
        for (auto& rows : m_candidates)
            if (!std::ranges::is_sorted(rows, startsBefore)) std::ranges::sort(rows, startsBefore);
    }

    uint32_t deviceOf(uint32_t op) const {
        const TrackId track = m_ops.track[op];
        return track.value < m_trace.tracks().size() ? m_trace.tracks()[track.value].deviceId : 0;
    }

    uint32_t outermostCallOf(uint32_t op) const {
        const uint32_t call = m_join.callOfOp[op];
        return call == kNoRow ? kNoRow : m_outermost[call];
    }

    // The operation that begins at this time; of several, the one whose call began earliest.
    uint32_t operationAt(const std::vector<uint32_t>& rows, int64_t timeNs) const {
        uint32_t best = kNoRow;
        int64_t bestCallNs = 0;
        auto it = std::ranges::lower_bound(rows, timeNs, {}, [&](uint32_t row) { return m_ops.startNs[row]; });
        for (; it != rows.end() && m_ops.startNs[*it] == timeNs; ++it) {
            const uint32_t call = outermostCallOf(*it);
            const int64_t callNs = call == kNoRow ? std::numeric_limits<int64_t>::max() : m_calls.startNs[call];
            if (best == kNoRow || callNs < bestCallNs) {
                best = *it;
                bestCallNs = callNs;
            }
        }
        return best;
    }

    // Whether the launch of `op` had already put something on its device when the gap began.
    bool isBetweenNodes(const Gap& gap) const {
        for (const uint32_t other : m_join.opsOf(m_join.callOfOp[gap.nextOp])) {
            if (m_ops.startNs[other] >= gap.range.startNs) return false;
            if (deviceOf(other) == gap.deviceId) return true;
        }
        return false;
    }

    void cut(Gap& gap, uint64_t& thread) {
        gap.hostEndNs = gap.launchEndNs = gap.range.startNs;
        const int64_t duration = gap.range.durationNs();
        if (gap.nextOp == kNoRow) {
            if (m_calls.startNs.empty()) {
                gap.unknown = true;
                gap.causes[GapCause::Unknown] = duration;
            } else {
                gap.hostEndNs = gap.launchEndNs = gap.range.endNs;
                m_host.split(thread, gap.range, gap.causes);
            }
            return;
        }
        gap.call = outermostCallOf(gap.nextOp);
        if (gap.call == kNoRow) {
            gap.unknown = true;
            gap.causes[GapCause::Unknown] = duration;
            return;
        }
        thread = m_calls.globalTid[gap.call];
        if (isBetweenNodes(gap)) {
            gap.causes[GapCause::DeviceLatency] = duration;
            return;
        }
        gap.hostEndNs = std::clamp(m_calls.startNs[gap.call], gap.range.startNs, gap.range.endNs);
        gap.launchEndNs = std::clamp(m_calls.endNs[gap.call], gap.hostEndNs, gap.range.endNs);
        m_host.split(thread, {gap.range.startNs, gap.hostEndNs}, gap.causes);
        gap.causes[GapCause::LaunchCall] = gap.launchEndNs - gap.hostEndNs;
        gap.causes[GapCause::DeviceLatency] = gap.range.endNs - gap.launchEndNs;
    }

    const Trace& m_trace;
    const DeviceOps& m_ops;
    const ApiCalls& m_calls;
    const LaunchJoin& m_join;
    const TimeRange m_window;
    const std::stop_token m_stop;
    const std::vector<uint32_t> m_outermost;
    HostActivity m_host;
    std::vector<std::vector<uint32_t>> m_candidates;
    std::vector<uint64_t> m_threads;  // whose host part it is, for each gap
};

}  // namespace

GapTable findGaps(const Trace& trace, const LaunchJoin& join, TimeRange window, std::stop_token stop) {
    if (join.callOfOp.size() != trace.deviceOps().startNs.size() || join.firstOpOf.empty()) return {};
    return GapCutter(trace, join, window, stop).run();
}

GapTable findGaps(const Trace& trace, TimeRange window, std::stop_token stop) {
    return findGaps(trace, joinLaunches(trace, stop), window, stop);
}

}  // namespace gapscope

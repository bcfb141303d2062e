#include "core/analysis/gap_cutter.h"

#include <algorithm>
#include <limits>

namespace gapscope {

GapCutter::GapCutter(const Trace& trace, const LaunchJoin& join, std::span<const uint32_t> outermost, TimeRange ending)
    : m_trace(trace),
      m_ops(trace.deviceOps()),
      m_calls(trace.apiCalls()),
      m_join(join),
      m_outermost(outermost),
      m_host(trace, outermost) {
    std::vector<uint32_t>* rows = nullptr;
    uint32_t rowsOf = 0;
    for (uint32_t row = 0; row < m_ops.startNs.size(); ++row) {
        if (!ending.contains(m_ops.startNs[row]) || m_ops.endNs[row] <= m_ops.startNs[row]) continue;
        const uint32_t device = deviceOf(row);
        if (!rows || device != rowsOf) rows = &m_candidates[rowsOf = device].rows;
        rows->push_back(row);
    }
    const auto startsBefore = [&](uint32_t a, uint32_t b) {
        return m_ops.startNs[a] != m_ops.startNs[b] ? m_ops.startNs[a] < m_ops.startNs[b] : a < b;
    };
    for (auto& [device, of] : m_candidates)
        if (!std::ranges::is_sorted(of.rows, startsBefore)) std::ranges::sort(of.rows, startsBefore);
    findThreads();
}

void GapCutter::findThreads() {
    struct Counts {
        size_t launches = 0, calls = 0, ranges = 0;
        auto operator<=>(const Counts&) const = default;
    };
    std::map<uint64_t, Counts> threads;
    Counts* counts = nullptr;
    uint64_t countedTid = 0;
    const auto of = [&](uint64_t tid) -> Counts& {
        if (!counts || tid != countedTid) counts = &threads[countedTid = tid];
        return *counts;
    };
    for (uint32_t call = 0; call < m_calls.globalTid.size(); ++call) {
        Counts& thread = of(m_calls.globalTid[call]);
        ++thread.calls;
        if (!m_join.opsOf(call).empty()) ++thread.launches;
    }
    const Ranges& ranges = m_trace.ranges();
    for (size_t row = 0; row < ranges.globalTid.size(); ++row)
        if (ranges.kind[row] != RangeKind::Wait) ++of(ranges.globalTid[row]).ranges;
    std::map<uint64_t, Counts> most;
    for (const auto& [tid, thread] : threads) {
        const uint64_t process = globalPidOf(tid);
        if (Counts& best = most[process]; thread > best) {
            best = thread;
            m_launchingThread[process] = tid;
        }
    }
    for (const auto& [process, tid] : m_launchingThread)
        m_host.watch(tid);
}

// Who launched an operation; of one without a call in the file, who launches in its process.
uint64_t GapCutter::threadOf(uint32_t op) const {
    if (const uint32_t call = outermostCallOf(op); call != kNoRow) return m_calls.globalTid[call];
    const TrackId track = m_ops.track[op];
    if (track.value >= m_trace.tracks().size()) return HostActivity::kNoThread;
    const auto known = m_launchingThread.find(m_trace.tracks()[track.value].globalPid);
    return known == m_launchingThread.end() ? HostActivity::kNoThread : known->second;
}

// The last operation of the device that begins inside `range`.
uint32_t GapCutter::lastBefore(uint32_t deviceId, TimeRange range) const {
    const auto found = m_candidates.find(deviceId);
    if (found == m_candidates.end()) return kNoRow;
    const std::vector<uint32_t>& rows = found->second.rows;
    const auto it = std::ranges::lower_bound(rows, range.endNs, {}, [&](uint32_t row) { return m_ops.startNs[row]; });
    return it == rows.begin() || m_ops.startNs[*(it - 1)] < range.startNs ? kNoRow : *(it - 1);
}

uint32_t GapCutter::deviceOf(uint32_t op) const {
    const TrackId track = m_ops.track[op];
    return track.value < m_trace.tracks().size() ? m_trace.tracks()[track.value].deviceId : 0;
}

uint32_t GapCutter::outermostCallOf(uint32_t op) const {
    const uint32_t call = m_join.callOfOp[op];
    return call == kNoRow ? kNoRow : m_outermost[call];
}

// The operation that begins at this time; of several, the one whose call began earliest.
uint32_t GapCutter::operationAt(uint32_t deviceId, int64_t timeNs) {
    const auto found = m_candidates.find(deviceId);
    if (found == m_candidates.end()) return kNoRow;
    const std::vector<uint32_t>& rows = found->second.rows;
    constexpr size_t kSteps = 8;  // a few neighbours cost less than a binary search through cold memory
    size_t at = std::min(found->second.hint, rows.size());
    bool isThere = at == 0 || m_ops.startNs[rows[at - 1]] < timeNs;
    for (size_t step = 0; isThere && at < rows.size() && m_ops.startNs[rows[at]] < timeNs; ++at)
        isThere = ++step < kSteps;
    auto it = rows.begin() + static_cast<ptrdiff_t>(at);
    if (!isThere) it = std::ranges::lower_bound(rows, timeNs, {}, [&](uint32_t row) { return m_ops.startNs[row]; });
    found->second.hint = static_cast<size_t>(it - rows.begin());
    uint32_t best = kNoRow;
    int64_t bestCallNs = 0;
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

// Whether the launch of the operation that ends the gap had already put something on its device when the gap began.
bool GapCutter::isBetweenNodes(const Gap& gap) {
    const uint32_t call = m_join.callOfOp[gap.nextOp];
    const auto nodes = m_join.opsOf(call);
    if (nodes.size() < 2) return false;
    // Each node is looked at once, however many gaps of its launch ask: one launch may own most of the trace.
    Nodes& of = m_nodes[call];
    for (; of.seen < nodes.size() && m_ops.startNs[nodes[of.seen]] < gap.range.startNs; ++of.seen)
        of.firstNs.emplace(deviceOf(nodes[of.seen]), m_ops.startNs[nodes[of.seen]]);
    const auto first = of.firstNs.find(gap.deviceId);
    return first != of.firstNs.end() && first->second < gap.range.startNs;
}

Gap GapCutter::cut(uint32_t deviceId, TimeRange range, TimeRange window, uint64_t& thread) {
    Gap gap{.deviceId = deviceId, .range = range, .hostEndNs = range.startNs, .launchEndNs = range.startNs};
    const int64_t duration = range.durationNs();
    if (range.endNs < window.endNs) gap.nextOp = operationAt(deviceId, range.endNs);
    if (gap.nextOp == kNoRow) {
        if (const uint32_t last = lastBefore(deviceId, window); last != kNoRow) thread = threadOf(last);
        if (!m_host.callsApi(thread)) {
            gap.unknown = true;
            gap.causes[GapCause::Unknown] = duration;
        } else {
            gap.hostEndNs = gap.launchEndNs = range.endNs;
            m_host.split(thread, range, gap.causes);
        }
        return gap;
    }
    thread = threadOf(gap.nextOp);
    gap.call = outermostCallOf(gap.nextOp);
    if (gap.call == kNoRow) {
        gap.unknown = true;
        gap.causes[GapCause::Unknown] = duration;
        return gap;
    }
    if (isBetweenNodes(gap)) {
        gap.causes[GapCause::DeviceLatency] = duration;
        return gap;
    }
    gap.hostEndNs = std::clamp(m_calls.startNs[gap.call], range.startNs, range.endNs);
    gap.launchEndNs = std::clamp(m_calls.endNs[gap.call], gap.hostEndNs, range.endNs);
    m_host.split(thread, {range.startNs, gap.hostEndNs}, gap.causes);
    gap.causes[GapCause::LaunchCall] = gap.launchEndNs - gap.hostEndNs;
    gap.causes[GapCause::DeviceLatency] = range.endNs - gap.launchEndNs;
    return gap;
}

}  // namespace gapscope

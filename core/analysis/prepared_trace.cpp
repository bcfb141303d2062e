#include "core/analysis/prepared_trace.h"

#include <algorithm>
#include <limits>
#include <unordered_map>

#include "core/analysis/busy.h"
#include "core/analysis/own_time.h"

namespace gapscope {

namespace {

constexpr size_t kGapBlock = 64;  // gaps between two sums of their causes
constexpr TimeRange kAlways{std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()};

// Classes of rows by two words that tell them apart, numbered in order of appearance.
class Classes {
public:
    // The number, and whether it is a new one.
    std::pair<uint32_t, bool> numberOf(uint64_t first, uint64_t second) {
        const Key key{first, second};
        if (m_hasLast && key == m_lastKey) return {m_last, false};
        const auto [it, isNew] = m_numbers.try_emplace(key, static_cast<uint32_t>(m_numbers.size()));
        m_hasLast = true;
        m_lastKey = key;
        m_last = it->second;
        return {m_last, isNew};
    }

private:
    using Key = std::pair<uint64_t, uint64_t>;
    struct Hash {
        size_t operator()(const Key& key) const {
            uint64_t mixed = (key.first ^ (key.second >> 29)) * 0x9E3779B97F4A7C15u + key.second;
            mixed = (mixed ^ (mixed >> 32)) * 0xD6E8FEB86659FD93u;
            return static_cast<size_t>(mixed ^ (mixed >> 32));
        }
    };
    std::unordered_map<Key, uint32_t, Hash> m_numbers;
    Key m_lastKey;
    uint32_t m_last = 0;
    bool m_hasLast = false;
};

}  // namespace

PreparedTrace::PreparedTrace(TracePtr trace, std::stop_token stop) : m_trace(std::move(trace)), m_stages(*m_trace) {
    const auto stopped = [&] { return stop.stop_requested(); };
    m_join = joinLaunches(*m_trace, stop);
    m_outermost = outermostCalls(*m_trace, stop);
    if (stopped()) return;
    classifyOps(stop);
    if (stopped()) return;
    classifyCalls();
    if (stopped()) return;
    m_launches = launchTable(*m_trace, m_join, kAlways, stop).launches;
    for (DeviceBusy& device : deviceBusy(*m_trace, m_trace->extent(), stop)) {
        m_deviceIds.push_back(device.deviceId);
        m_busy.emplace_back(std::move(device.busy));
    }
    if (stopped()) return;
    cutGaps(stop);
    m_steps = findSteps(*m_trace, m_join, stop);
    m_tokens = tokenWorks(*m_trace, m_join, m_steps, stop);
}

uint32_t PreparedTrace::deviceOf(TrackId track) const {
    return track.value < m_trace->tracks().size() ? m_trace->tracks()[track.value].deviceId : 0;
}

void PreparedTrace::classifyOps(std::stop_token stop) {
    const DeviceOps& ops = m_trace->deviceOps();
    Classes classes;
    std::vector<uint32_t> classOf(ops.startNs.size());
    for (size_t row = 0; row < classOf.size(); ++row) {
        const OpClass of{.name = ops.name[row],
                         .op = ops.op[row],
                         .track = ops.track[row],
                         .kind = ops.kind[row],
                         .category = ops.category[row],
                         .repeat = ops.repeat[row],
                         .launched = m_join.callOfOp[row] != kNoRow,
                         .empty = ops.endNs[row] <= ops.startNs[row]};
        const uint64_t rest = uint64_t{of.track.value} << 32 | uint64_t{static_cast<uint16_t>(of.repeat)} << 16 |
                              static_cast<uint64_t>(of.kind) << 12 | static_cast<uint64_t>(of.category) << 4 |
                              uint64_t{of.launched} << 1 | uint64_t{of.empty};
        const auto [number, isNew] = classes.numberOf(uint64_t{of.name.value} << 32 | of.op.value, rest);
        if (isNew) m_opClasses.push_back(of);
        classOf[row] = number;
    }
    const ColumnView<int64_t> ownNs = ownStartNs(*m_trace, stop);
    m_hasOverlap = !ownNs.empty();
    if (m_hasOverlap) m_ownTimes = IntervalIndex(ownNs, ops.endNs, classOf, m_opClasses.size());
    m_ops = IntervalIndex(ops.startNs, ops.endNs, std::move(classOf), m_opClasses.size());
}

void PreparedTrace::classifyCalls() {
    const ApiCalls& calls = m_trace->apiCalls();
    const ApiNames names(*m_trace);
    Classes classes;
    std::vector<uint32_t> classOf(calls.startNs.size());
    struct Lists {
        std::vector<TimeRange> api, launching;
    };
    std::map<uint64_t, Lists> lists;
    Lists* list = nullptr;
    uint64_t listTid = 0;
    for (uint32_t row = 0; row < classOf.size(); ++row) {
        const CallClass of{.globalTid = calls.globalTid[row],
                           .name = calls.name[row],
                           .outermost = m_outermost[row] == row,
                           .owns = !m_join.opsOf(row).empty(),
                           .traits = names[calls.name[row]]};
        const auto [number, isNew] = classes.numberOf(
            of.globalTid, uint64_t{of.name.value} << 2 | uint64_t{of.outermost} << 1 | uint64_t{of.owns});
        if (isNew) m_callClasses.push_back(of);
        classOf[row] = number;
        if (!list || of.globalTid != listTid) list = &lists[listTid = of.globalTid];
        if (!of.outermost) continue;
        const TimeRange range{calls.startNs[row], calls.endNs[row]};
        list->api.push_back(range);
        if (!of.traits.waits) list->launching.push_back(range);
    }
    for (auto& [tid, of] : lists)
        m_threads[tid] = {.api = Coverage(std::move(of.api)), .launching = Coverage(std::move(of.launching))};
    m_calls = IntervalIndex(calls.startNs, calls.endNs, std::move(classOf), m_callClasses.size());
}

void PreparedTrace::cutGaps(std::stop_token stop) {
    m_cutter = std::make_unique<GapCutter>(*m_trace, m_join, m_outermost, kAlways);
    m_gaps.resize(m_busy.size());
    m_causes.resize(m_busy.size());
    for (size_t device = 0; device < m_busy.size(); ++device) {
        const std::vector<TimeRange>& busy = m_busy[device].ranges();
        std::vector<Gap>& gaps = m_gaps[device];
        std::vector<uint64_t> threads;
        gaps.reserve(busy.size());
        threads.reserve(busy.size());
        for (size_t i = 0; i + 1 < busy.size(); ++i) {
            if (stop.stop_requested()) return;
            uint64_t thread = HostActivity::kNoThread;  // an operation ends it: its own thread is asked
            gaps.push_back(m_cutter->cut(m_deviceIds[device], {busy[i].endNs, busy[i + 1].startNs}, kAlways, thread));
            threads.push_back(thread);
        }
        m_cutter->nameHosts(gaps, threads, stop);
        GapCauses causes;
        for (size_t i = 0; i < gaps.size(); ++i) {
            if (i % kGapBlock == 0) m_causes[device].push_back(causes);
            causes += gaps[i].causes;
        }
        if (gaps.size() % kGapBlock == 0) m_causes[device].push_back(causes);
    }
}

template <class Edge, class Inner>
void PreparedTrace::forGapsIn(TimeRange window, Edge edge, Inner inner) const {
    if (window.empty()) return;
    for (size_t device = 0; device < m_busy.size(); ++device) {
        const std::vector<TimeRange>& busy = m_busy[device].ranges();
        // Busy ranges that reach into the window are first .. last - 1.
        const auto first =
            static_cast<size_t>(std::ranges::upper_bound(busy, window.startNs, {}, &TimeRange::endNs) - busy.begin());
        const auto last =
            static_cast<size_t>(std::ranges::lower_bound(busy, window.endNs, {}, &TimeRange::startNs) - busy.begin());
        if (first >= last) {
            edge(device, window);
            continue;
        }
        if (busy[first].startNs > window.startNs) edge(device, TimeRange{window.startNs, busy[first].startNs});
        inner(device, first, last - 1);
        if (busy[last - 1].endNs < window.endNs) edge(device, TimeRange{busy[last - 1].endNs, window.endNs});
    }
}

WindowGaps PreparedTrace::gapsIn(TimeRange window, uint64_t launchingThread) const {
    WindowGaps result;
    for (size_t device = 0; device < m_busy.size(); ++device) {
        const int64_t busyNs = m_busy[device].coveredNs(window);
        result.devices.push_back({.deviceId = m_deviceIds[device],
                                  .busyNs = busyNs,
                                  .idleNs = std::max<int64_t>(0, window.durationNs()) - busyNs});
    }
    forGapsIn(
        window,
        // What the window's edges cut or end is not as it is in the whole trace.
        [&](size_t device, TimeRange range) {
            const std::lock_guard lock(m_cutting);
            uint64_t thread = launchingThread;
            Gap gap = m_cutter->cut(m_deviceIds[device], range, window, thread);
            m_cutter->nameHosts({&gap, 1}, {&thread, 1}, {});
            result.gaps.add(gap);
        },
        [&](size_t device, size_t first, size_t end) {
            result.gaps.add(std::span<const Gap>(m_gaps[device]).subspan(first, end - first));
        });
    result.causes = causesIn(window, launchingThread);
    return result;
}

GapCauses PreparedTrace::causesIn(TimeRange window, uint64_t launchingThread) const {
    GapCauses causes;
    forGapsIn(
        window,
        [&](size_t device, TimeRange range) {
            const std::lock_guard lock(m_cutting);
            uint64_t thread = launchingThread;
            causes += m_cutter->cut(m_deviceIds[device], range, window, thread).causes;
        },
        [&](size_t device, size_t first, size_t end) {
            const GapCauses before = causesBefore(device, first), upTo = causesBefore(device, end);
            for (size_t cause = 0; cause < upTo.ns.size(); ++cause)
                causes.ns[cause] += upTo.ns[cause] - before.ns[cause];
        });
    return causes;
}

// Of the device's gaps below `gap`, summed.
GapCauses PreparedTrace::causesBefore(size_t device, size_t gap) const {
    GapCauses causes = m_causes[device][gap / kGapBlock];
    for (size_t i = gap - gap % kGapBlock; i < gap; ++i)
        causes += m_gaps[device][i].causes;
    return causes;
}

}  // namespace gapscope

#include "core/analysis/event_list.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <utility>

#include "core/analysis/list_order.h"

namespace gapscope {

namespace {

// For each string of the trace whether it is wanted: names are matched once, not once an event.
std::vector<bool> wantedNames(const Trace& trace, std::string_view text) {
    std::vector<bool> wanted(trace.stringCount() + 1, text.empty());
    if (text.empty()) return wanted;
    for (uint32_t id = 0; id < trace.stringCount(); ++id)
        wanted[id] = holdsText(trace.string(StringId{id}), text);
    return wanted;
}

StringId nameOf(const Trace& trace, EventRow event) {
    return withTableOf(trace, event.kind, [&](const auto& table) { return table.name[event.row]; });
}

uint64_t threadOf(const Trace& trace, EventRow event) {
    return event.kind == EventKind::ApiCall ? trace.apiCalls().globalTid[event.row]
                                            : trace.ranges().globalTid[event.row];
}

bool isOfDevice(EventRow event) {
    return event.kind == EventKind::DeviceOp || event.kind == EventKind::Stage;
}

// Devices and streams before threads; operations of no known stream before all.
class Places {
public:
    explicit Places(const Trace& trace) : m_trace(trace) {
        std::vector<std::pair<uint64_t, uint64_t>> streams;
        for (size_t track = 0; track < trace.tracks().size(); ++track)
            streams.emplace_back(trace.tracks()[track].deviceId, trace.tracks()[track].streamId);
        std::vector<std::pair<uint64_t, uint64_t>> sorted = streams;
        std::ranges::sort(sorted);
        for (const auto& stream : streams)
            m_streams.push_back(std::ranges::lower_bound(sorted, stream) - sorted.begin());
    }

    int64_t of(EventRow event) const {
        constexpr int64_t kThreads = int64_t{1} << 32;  // there are fewer streams
        if (isOfDevice(event)) {
            const TrackId track = event.kind == EventKind::Stage ? m_trace.stages().track[event.row]
                                                                 : m_trace.deviceOps().track[event.row];
            return track.value < m_streams.size() ? m_streams[track.value] : -1;
        }
        return kThreads + (std::ranges::lower_bound(m_threads, threadOf(m_trace, event)) - m_threads.begin());
    }

    void noteThreads(std::span<const EventRow> events) {
        std::set<uint64_t> threads;
        uint64_t last = 0;
        for (const EventRow event : events) {
            if (isOfDevice(event)) continue;
            const uint64_t thread = threadOf(m_trace, event);
            if (thread == last && !threads.empty()) continue;
            threads.insert(last = thread);
        }
        m_threads.assign(threads.begin(), threads.end());
    }

private:
    const Trace& m_trace;
    std::vector<int64_t> m_streams;  // rank, by track
    std::vector<uint64_t> m_threads;
};

int64_t kindOf(const Trace& trace, EventRow event) {
    const int64_t kind = static_cast<int64_t>(event.kind) * 8;
    return event.kind == EventKind::DeviceOp ? kind + static_cast<int64_t>(trace.deviceOps().kind[event.row]) : kind;
}

int64_t correlationOf(const Trace& trace, EventRow event) {
    return withTableOf(trace, event.kind, [&](const auto& table) -> int64_t {
        if constexpr (requires { table.correlationId; })
            return table.correlationId[event.row];
        else
            return 0;
    });
}

}  // namespace

std::vector<uint32_t> orderOf(const Trace& trace, std::span<const EventRow> events, EventOrder order, bool descending,
                              std::stop_token stop) {
    const auto sorted = [&](auto keyOf) {
        return sortedPlaces(events.size(), descending, stop, [&](size_t place) { return keyOf(events[place]); });
    };
    switch (order) {
        case EventOrder::Start: {  // they stand so
            std::vector<uint32_t> places(events.size());
            std::iota(places.begin(), places.end(), 0u);
            if (descending) std::ranges::reverse(places);
            return places;
        }
        case EventOrder::Duration:
            return sorted([&](EventRow event) { return rangeOf(trace, event).durationNs(); });
        case EventOrder::Kind:
            return sorted([&](EventRow event) { return kindOf(trace, event); });
        case EventOrder::Name:
            return sorted([&, ranks = nameRanks(trace)](EventRow event) {
                const StringId name = nameOf(trace, event);
                return name.valid() && name.value < ranks.size() ? int64_t{ranks[name.value]} : int64_t{-1};
            });
        case EventOrder::Place: {
            Places places(trace);
            places.noteThreads(events);
            return sorted([&](EventRow event) { return places.of(event); });
        }
        case EventOrder::Correlation:
            break;
    }
    return sorted([&](EventRow event) { return correlationOf(trace, event); });
}

std::vector<EventRow> eventList(const PreparedTrace& prepared, TimeRange window, const EventFilter& filter,
                                std::stop_token stop) {
    const Trace& trace = prepared.trace();
    const std::vector<bool> wanted = wantedNames(trace, filter.text);
    std::vector<EventRow> list;
    const auto startOf = [&](EventRow event) {
        return withTableOf(trace, event.kind, [&](const auto& table) { return table.startNs[event.row]; });
    };
    const auto before = [&](EventRow a, EventRow b) { return startOf(a) < startOf(b); };
    const auto add = [&](EventKind kind, std::span<const uint32_t> byStart, const ColumnView<int64_t>& startNs,
                         const ColumnView<StringId>& names) {
        if (!filter.kinds[static_cast<size_t>(kind)] || window.empty()) return;
        const size_t middle = list.size();
        const auto rowStart = [&](uint32_t row) { return startNs[row]; };
        auto at = std::ranges::lower_bound(byStart, window.startNs, {}, rowStart);
        for (size_t looked = 0; at != byStart.end() && startNs[*at] < window.endNs; ++at, ++looked) {
            if ((looked & 0xFFFF) == 0 && stop.stop_requested()) return;
            if (wanted[std::min<size_t>(names[*at].value, trace.stringCount())]) list.push_back({*at, kind});
        }
        std::inplace_merge(list.begin(), list.begin() + static_cast<ptrdiff_t>(middle), list.end(), before);
    };
    // Of tables that nothing keeps in order.
    const auto addUnordered = [&](EventKind kind, const auto& table) {
        if (!filter.kinds[static_cast<size_t>(kind)]) return;
        std::vector<uint32_t> byStart(table.startNs.size());
        std::iota(byStart.begin(), byStart.end(), 0u);
        const auto rowStart = [&](uint32_t row) { return table.startNs[row]; };
        if (!std::ranges::is_sorted(byStart, {}, rowStart)) std::ranges::stable_sort(byStart, {}, rowStart);
        add(kind, byStart, table.startNs, table.name);
    };
    add(EventKind::DeviceOp, prepared.ops().byStart(), trace.deviceOps().startNs, trace.deviceOps().name);
    addUnordered(EventKind::Stage, trace.stages());
    add(EventKind::ApiCall, prepared.calls().byStart(), trace.apiCalls().startNs, trace.apiCalls().name);
    addUnordered(EventKind::Range, trace.ranges());
    return list;
}

}  // namespace gapscope

#include "core/analysis/event_list.h"

#include <algorithm>
#include <numeric>

namespace gapscope {

namespace {

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// For each string of the trace whether it is wanted: names are matched once, not once an event.
std::vector<bool> wantedNames(const Trace& trace, std::string_view text) {
    std::vector<bool> wanted(trace.stringCount() + 1, text.empty());
    if (text.empty()) return wanted;
    const auto same = [](char a, char b) { return lower(a) == lower(b); };
    for (uint32_t id = 0; id < trace.stringCount(); ++id) {
        const std::string_view name = trace.string(StringId{id});
        wanted[id] = std::ranges::search(name, text, same).begin() != name.end();
    }
    return wanted;
}

}  // namespace

std::vector<EventRow> eventList(const PreparedTrace& prepared, TimeRange window, const EventFilter& filter,
                                std::stop_token stop) {
    const Trace& trace = prepared.trace();
    const std::vector<bool> wanted = wantedNames(trace, filter.text);
    std::vector<EventRow> list;
    const auto startOf = [&](EventRow event) {
        switch (event.kind) {
            case EventKind::DeviceOp:
                return trace.deviceOps().startNs[event.row];
            case EventKind::ApiCall:
                return trace.apiCalls().startNs[event.row];
            case EventKind::Range:
                break;
        }
        return trace.ranges().startNs[event.row];
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
    add(EventKind::DeviceOp, prepared.ops().byStart(), trace.deviceOps().startNs, trace.deviceOps().name);
    add(EventKind::ApiCall, prepared.calls().byStart(), trace.apiCalls().startNs, trace.apiCalls().name);
    if (filter.kinds[static_cast<size_t>(EventKind::Range)]) {
        const Ranges& ranges = trace.ranges();
        std::vector<uint32_t> byStart(ranges.startNs.size());
        std::iota(byStart.begin(), byStart.end(), 0u);
        const auto rangeStart = [&](uint32_t row) { return ranges.startNs[row]; };
        if (!std::ranges::is_sorted(byStart, {}, rangeStart)) std::ranges::stable_sort(byStart, {}, rangeStart);
        add(EventKind::Range, byStart, ranges.startNs, ranges.name);
    }
    return list;
}

}  // namespace gapscope

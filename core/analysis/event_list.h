// All events of a window in one list by start, to be read like a log: device operations, the stages inside
// them, API calls and ranges.
#pragma once

#include <cstdint>
#include <span>
#include <stop_token>
#include <string_view>
#include <vector>

#include "core/analysis/prepared_trace.h"

namespace gapscope {

enum class EventKind : uint8_t { DeviceOp, Stage, ApiCall, Range };
inline constexpr int kEventKindCount = 4;

struct EventRow {
    uint32_t row = 0;  // of the table of its kind
    EventKind kind = EventKind::DeviceOp;
    bool operator==(const EventRow&) const = default;
};

// Calls use(table) with the trace's table of that kind.
template <class Use>
auto withTableOf(const Trace& trace, EventKind kind, Use use) {
    switch (kind) {
        case EventKind::DeviceOp:
            return use(trace.deviceOps());
        case EventKind::Stage:
            return use(trace.stages());
        case EventKind::ApiCall:
            return use(trace.apiCalls());
        case EventKind::Range:
            break;
    }
    return use(trace.ranges());
}
inline TimeRange rangeOf(const Trace& trace, EventRow event) {
    return withTableOf(trace, event.kind, [&](const auto& table) {
        return TimeRange{table.startNs[event.row], table.endNs[event.row]};
    });
}

// Of the whole trace, with the profiler's overheads, which no list shows.
inline int64_t eventCountOf(const Trace& trace) {
    return static_cast<int64_t>(trace.eventCount() + trace.stages().startNs.size());
}

struct EventFilter {
    std::string_view text;  // in the name, ASCII letters of either case; empty: all
    bool kinds[kEventKindCount] = {true, true, true, true};
};

// Events that begin in the window, by start, then by kind and row. Eight bytes an event.
std::vector<EventRow> eventList(const PreparedTrace& prepared, TimeRange window, const EventFilter& filter = {},
                                std::stop_token stop = {});

// By what the list can be put in another order.
enum class EventOrder : uint8_t { Start, Duration, Kind, Name, Place, Correlation };

// Places in `events` (which are as eventList() gives them) in that order; equal ones stay by start. Names by their
// bytes, places by device and stream, then by thread. Empty once stopped. Four bytes an event; twelve more while it
// works.
std::vector<uint32_t> orderOf(const Trace& trace, std::span<const EventRow> events, EventOrder order, bool descending,
                              std::stop_token stop = {});

}  // namespace gapscope

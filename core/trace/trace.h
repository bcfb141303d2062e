// The one model of a run or a foreign file: immutable columns. A Trace is a snapshot; TraceBuilder makes it, also while
// the run goes on. Rows stand in the order they arrived, which is nearly but not always by start time; device
// operations of one track may overlap (programmatic dependent launch).
// Times are ns from the trace's origin (see TraceOrigin). Safe to read from any thread; nothing here locks.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/time_range.h"
#include "core/trace/column.h"
#include "core/trace/diagnostics.h"
#include "core/trace/run_info.h"
#include "core/trace/tables.h"

namespace gapscope {

struct Annotations;

// Where time 0 of the trace lies on the clocks of the machine that recorded it; 0: unknown.
struct TraceOrigin {
    int64_t steadyNs = 0;  // CLOCK_MONOTONIC
    int64_t utcEpochNs = 0;
    bool operator==(const TraceOrigin&) const = default;
};

using DeviceOps = DeviceOpColumns<ColumnView>;
using Stages = StageColumns<ColumnView>;
using ApiCalls = ApiCallColumns<ColumnView>;
using Ranges = RangeColumns<ColumnView>;
using Overheads = OverheadColumns<ColumnView>;
using Tokens = TokenColumns<ColumnView>;
using CounterSamples = CounterSampleColumns<ColumnView>;

class Trace {
public:
    std::string_view string(StringId id) const { return id.valid() ? std::string_view(m_strings[id.value]) : ""; }
    size_t stringCount() const { return m_strings.size(); }

    const DeviceOps& deviceOps() const { return m_deviceOps; }
    const Stages& stages() const { return m_stages; }
    const ApiCalls& apiCalls() const { return m_apiCalls; }
    const Ranges& ranges() const { return m_ranges; }
    const Overheads& overheads() const { return m_overheads; }
    const Tokens& tokens() const { return m_tokens; }
    const CounterSamples& counterSamples() const { return m_counterSamples; }

    const ColumnView<TrackRow>& tracks() const { return m_tracks; }
    const ColumnView<OpRow>& ops() const { return m_ops; }
    const ColumnView<LaunchConfigRow>& launchConfigs() const { return m_launchConfigs; }
    const ColumnView<CounterRow>& counters() const { return m_counters; }
    const std::vector<DeviceRow>& devices() const { return *m_devices; }
    const std::vector<ThreadRow>& threads() const { return *m_threads; }

    const RunInfo* run() const { return m_run.get(); }  // null for foreign traces
    const Diagnostics& diagnostics() const { return *m_diagnostics; }
    TraceOrigin origin() const { return m_origin; }
    const Annotations& annotations() const;  // of the person who looked at it: notes, arrangement of rows

    // First start to last end over all tables of events; empty when there are none. Counter samples are none: they are
    // taken also where nothing happened; nor are stages, which lie in their kernels.
    TimeRange extent() const { return m_extent; }
    size_t eventCount() const {
        return m_deviceOps.startNs.size() + m_apiCalls.startNs.size() + m_ranges.startNs.size() +
               m_overheads.startNs.size();
    }
    // The same rows with other categories, one a row of deviceOps().
    std::shared_ptr<const Trace> withCategories(ColumnView<Category> categories) const;
    // The same rows with other annotations.
    std::shared_ptr<const Trace> withAnnotations(Annotations annotations) const;
    // The name of a thread, or "thread TID".
    std::string threadName(uint64_t globalTid) const;

private:
    friend class TraceBuilder;
    friend bool isLaterSnapshot(const Trace& before, const Trace& after);
    Trace() = default;

    ColumnView<std::string> m_strings;
    DeviceOps m_deviceOps;
    Stages m_stages;
    ApiCalls m_apiCalls;
    Ranges m_ranges;
    Overheads m_overheads;
    Tokens m_tokens;
    CounterSamples m_counterSamples;
    ColumnView<TrackRow> m_tracks;
    ColumnView<OpRow> m_ops;
    ColumnView<LaunchConfigRow> m_launchConfigs;
    ColumnView<CounterRow> m_counters;
    std::shared_ptr<const std::vector<DeviceRow>> m_devices;
    std::shared_ptr<const std::vector<ThreadRow>> m_threads;
    std::shared_ptr<const RunInfo> m_run;
    std::shared_ptr<const Diagnostics> m_diagnostics;
    std::shared_ptr<const Annotations> m_annotations;  // null: none
    TraceOrigin m_origin;
    std::shared_ptr<const char> m_builder;  // whose snapshot it is; held, so that no later builder has this address
    TimeRange m_extent;
};

using TracePtr = std::shared_ptr<const Trace>;

// Whether `after` is a later snapshot of the run that `before` is one of, and has events to tell it by: they come
// from one builder, and their categories with them.
bool isLaterSnapshot(const Trace& before, const Trace& after);

// One row of a column table: rowAt(trace.deviceOps(), 3).startNs
template <class Columns>
typename Columns::Row rowAt(const Columns& columns, size_t index) {
    typename Columns::Row row;
    std::apply(
        [&](const auto&... column) {
            std::apply([&](auto&... field) { ((field = column[index]), ...); }, Columns::rowFields(row));
        },
        columns.fields());
    return row;
}

// nsys ids: HW(8) VM(8) PID(24) TID(24).
constexpr uint64_t makeGlobalTid(uint32_t processId, uint32_t threadId) {
    return (uint64_t{processId & 0xFFFFFF} << 24) | (threadId & 0xFFFFFF);
}
constexpr uint64_t globalPidOf(uint64_t globalTid) {
    return globalTid & ~uint64_t{0xFFFFFF};
}
constexpr uint32_t processIdOf(uint64_t globalTid) {
    return static_cast<uint32_t>((globalTid >> 24) & 0xFFFFFF);
}
constexpr uint32_t threadIdOf(uint64_t globalTid) {
    return static_cast<uint32_t>(globalTid & 0xFFFFFF);
}

}  // namespace gapscope

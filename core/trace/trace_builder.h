// The one door into a Trace, for live capture and for files. Used by one thread; snapshots go to any thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/trace/trace.h"

namespace gapscope {

class TraceBuilder {
public:
    TraceBuilder();
    TraceBuilder(TraceBuilder&&) = default;  // no copy: two of one identity would claim each other's rows
    TraceBuilder& operator=(TraceBuilder&&) = default;

    StringId intern(std::string_view text);
    const std::string& text(StringId id) const { return m_strings[id.value]; }  // of a valid id
    TrackId internTrack(const TrackRow& track);
    OpId internOp(const OpRow& op);
    LaunchConfigId internLaunchConfig(const LaunchConfigRow& config);
    CounterId internCounter(const CounterRow& counter);

    void add(const DeviceOpRow& row);
    void add(const StageRow& row);
    void add(const ApiCallRow& row);
    void add(const RangeRow& row);
    void add(const OverheadRow& row);
    void add(const TokenRow& row);
    void add(const CounterSampleRow& row);

    void setDevice(DeviceRow device);  // adds, or replaces the one with this id
    void setThread(uint64_t globalTid, std::string_view name);
    void setRun(RunInfo run);
    void setOrigin(TraceOrigin origin) { m_origin = origin; }
    void setAnnotations(Annotations annotations);
    Diagnostics& diagnostics() { return m_diagnostics; }

    // An immutable view of everything so far. Costs a pointer a chunk, not a copy.
    TracePtr snapshot() const;

private:
    void extend(int64_t startNs, int64_t endNs);

    ColumnWriter<std::string> m_strings;
    std::unordered_map<std::string_view, StringId> m_stringIds;  // views into m_strings, whose rows never move
    DeviceOpColumns<ColumnWriter> m_deviceOps;
    StageColumns<ColumnWriter> m_stages;
    ApiCallColumns<ColumnWriter> m_apiCalls;
    RangeColumns<ColumnWriter> m_ranges;
    OverheadColumns<ColumnWriter> m_overheads;
    TokenColumns<ColumnWriter> m_tokens;
    CounterSampleColumns<ColumnWriter> m_counterSamples;
    ColumnWriter<TrackRow> m_tracks;
    std::map<TrackRow, TrackId> m_trackIds;
    ColumnWriter<OpRow> m_ops;
    std::map<OpRow, OpId> m_opIds;
    ColumnWriter<LaunchConfigRow> m_launchConfigs;
    std::map<LaunchConfigRow, LaunchConfigId> m_launchConfigIds;
    ColumnWriter<CounterRow> m_counters;
    std::map<CounterRow, CounterId> m_counterIds;
    std::vector<DeviceRow> m_devices;
    std::vector<ThreadRow> m_threads;
    std::shared_ptr<const RunInfo> m_run;
    Diagnostics m_diagnostics;
    std::shared_ptr<const Annotations> m_annotations;
    TraceOrigin m_origin;
    std::shared_ptr<const char> m_identity = std::make_shared<const char>();
    TimeRange m_extent;
    bool m_hasEvents = false;
};

}  // namespace gapscope

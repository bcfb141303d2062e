#include "core/trace/trace_builder.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "core/trace/annotations.h"

namespace gapscope {

namespace {

template <class Columns, class Row>
void pushRow(Columns& columns, Row row) {
    std::apply(
        [&](auto&... column) {
            std::apply([&](auto&... field) { (column.push(field), ...); }, Columns::rowFields(row));
        },
        columns.fields());
}

template <template <template <class> class> class Columns>
Columns<ColumnView> viewOf(const Columns<ColumnWriter>& columns) {
    Columns<ColumnView> views;
    std::apply(
        [&](auto&... view) {
            std::apply([&](const auto&... column) { ((view = column.view()), ...); }, columns.fields());
        },
        views.fields());
    return views;
}

template <class Id, class Row>
Id internRow(const Row& row, std::map<Row, Id>& ids, ColumnWriter<Row>& rows) {
    const auto [it, isNew] = ids.try_emplace(row);
    if (isNew) {
        it->second.value = static_cast<decltype(it->second.value)>(rows.size());
        rows.push(row);
    }
    return it->second;
}

}  // namespace

TraceBuilder::TraceBuilder() = default;

StringId TraceBuilder::intern(std::string_view text) {
    if (const auto it = m_stringIds.find(text); it != m_stringIds.end()) return it->second;
    const StringId id{static_cast<uint32_t>(m_strings.size())};
    m_strings.push(std::string(text));
    m_stringIds.emplace(m_strings[id.value], id);
    return id;
}

TrackId TraceBuilder::internTrack(const TrackRow& track) {
    return internRow(track, m_trackIds, m_tracks);
}
OpId TraceBuilder::internOp(const OpRow& op) {
    return internRow(op, m_opIds, m_ops);
}
LaunchConfigId TraceBuilder::internLaunchConfig(const LaunchConfigRow& config) {
    return internRow(config, m_launchConfigIds, m_launchConfigs);
}
CounterId TraceBuilder::internCounter(const CounterRow& counter) {
    return internRow(counter, m_counterIds, m_counters);
}

void TraceBuilder::extend(int64_t startNs, int64_t endNs) {
    if (!m_hasEvents) m_extent = {startNs, endNs};
    m_hasEvents = true;
    m_extent.startNs = std::min(m_extent.startNs, startNs);
    m_extent.endNs = std::max(m_extent.endNs, endNs);
}

void TraceBuilder::add(const DeviceOpRow& row) {
    extend(row.startNs, row.endNs);
    pushRow(m_deviceOps, row);
}

void TraceBuilder::add(const StageRow& row) {
    pushRow(m_stages, row);
}

void TraceBuilder::add(const ApiCallRow& row) {
    extend(row.startNs, row.endNs);
    pushRow(m_apiCalls, row);
}

void TraceBuilder::add(const RangeRow& row) {
    extend(row.startNs, row.endNs);
    pushRow(m_ranges, row);
}

void TraceBuilder::add(const OverheadRow& row) {
    extend(row.startNs, row.endNs);
    pushRow(m_overheads, row);
}

void TraceBuilder::add(const TokenRow& row) {
    pushRow(m_tokens, row);
}

void TraceBuilder::add(const CounterSampleRow& row) {
    pushRow(m_counterSamples, row);
}

void TraceBuilder::setDevice(DeviceRow device) {
    const auto it = std::ranges::find(m_devices, device.id, &DeviceRow::id);
    if (it == m_devices.end()) {
        m_devices.push_back(std::move(device));
    } else {
        *it = std::move(device);
    }
}

void TraceBuilder::setThread(uint64_t globalTid, std::string_view name) {
    const StringId id = intern(name);
    const auto it = std::ranges::find(m_threads, globalTid, &ThreadRow::globalTid);
    if (it == m_threads.end()) {
        m_threads.push_back({globalTid, id});
    } else {
        it->name = id;
    }
}

void TraceBuilder::setRun(RunInfo run) {
    m_run = std::make_shared<const RunInfo>(std::move(run));
}

void TraceBuilder::setAnnotations(Annotations annotations) {
    m_annotations = std::make_shared<const Annotations>(std::move(annotations));
}

TracePtr TraceBuilder::snapshot() const {
    auto trace = std::shared_ptr<Trace>(new Trace);
    trace->m_strings = m_strings.view();
    trace->m_deviceOps = viewOf(m_deviceOps);
    trace->m_stages = viewOf(m_stages);
    trace->m_apiCalls = viewOf(m_apiCalls);
    trace->m_ranges = viewOf(m_ranges);
    trace->m_overheads = viewOf(m_overheads);
    trace->m_tokens = viewOf(m_tokens);
    trace->m_counterSamples = viewOf(m_counterSamples);
    trace->m_tracks = m_tracks.view();
    trace->m_ops = m_ops.view();
    trace->m_launchConfigs = m_launchConfigs.view();
    trace->m_counters = m_counters.view();
    trace->m_devices = std::make_shared<const std::vector<DeviceRow>>(m_devices);
    trace->m_threads = std::make_shared<const std::vector<ThreadRow>>(m_threads);
    trace->m_run = m_run;
    trace->m_diagnostics = std::make_shared<const Diagnostics>(m_diagnostics);
    trace->m_annotations = m_annotations;
    trace->m_origin = m_origin;
    trace->m_builder = m_identity;
    trace->m_extent = m_extent;
    return trace;
}

bool isLaterSnapshot(const Trace& before, const Trace& after) {
    const auto hasGrown = [](const auto& was, const auto& is) { return is.startNs.size() >= was.startNs.size(); };
    return before.eventCount() > 0 && before.m_builder == after.m_builder &&
           hasGrown(before.deviceOps(), after.deviceOps()) && hasGrown(before.apiCalls(), after.apiCalls()) &&
           hasGrown(before.ranges(), after.ranges()) && hasGrown(before.overheads(), after.overheads());
}

TracePtr Trace::withCategories(ColumnView<Category> categories) const {
    assert(categories.size() == m_deviceOps.category.size());
    const auto trace = std::make_shared<Trace>(*this);
    trace->m_deviceOps.category = std::move(categories);
    trace->m_builder = std::make_shared<const char>();  // no snapshot: the builder goes on with its own categories
    return trace;
}

const Annotations& Trace::annotations() const {
    static const Annotations kNone;
    return m_annotations ? *m_annotations : kNone;
}

TracePtr Trace::withAnnotations(Annotations annotations) const {
    const auto trace = std::make_shared<Trace>(*this);
    trace->m_annotations = std::make_shared<const Annotations>(std::move(annotations));
    return trace;
}

std::string Trace::threadName(uint64_t globalTid) const {
    const auto it = std::ranges::find(*m_threads, globalTid, &ThreadRow::globalTid);
    if (it != m_threads->end() && !string(it->name).empty()) return std::string(string(it->name));
    return "thread " + std::to_string(threadIdOf(globalTid));
}

void Diagnostics::add(std::string_view name, Severity severity, int64_t count, std::string_view text) {
    if (count == 0) return;
    const auto it = std::ranges::find(m_entries, name, &Diagnostic::name);
    if (it == m_entries.end()) {
        m_entries.push_back({std::string(name), severity, count, std::string(text)});
    } else {
        it->count += count;
    }
}

int64_t Diagnostics::countOf(std::string_view name) const {
    const auto it = std::ranges::find(m_entries, name, &Diagnostic::name);
    return it == m_entries.end() ? 0 : it->count;
}

}  // namespace gapscope

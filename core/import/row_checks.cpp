#include "core/import/row_checks.h"

namespace gapscope {

TrackId BoundedTracks::intern(const TrackRow& track, TraceBuilder& builder) {
    if (m_lastId.valid() && track == m_last) return m_lastId;  // rows of one stream mostly follow each other
    m_last = track;
    m_lastId = {};
    if (const auto it = m_ids.find(track); it != m_ids.end()) return m_lastId = it->second;
    if (m_ids.size() < kMostTracks) return m_lastId = m_ids[track] = builder.internTrack(track);
    builder.diagnostics().add("too_many_streams", Severity::DataLoss, 1,
                              "Operations of more streams than a trace can hold are left out of every figure.");
    return {};
}

void countThreadsWithoutName(int64_t count, TraceBuilder& builder) {
    builder.diagnostics().add("too_many_thread_names", Severity::Info, count,
                              "More threads have names than a trace keeps; the rest are shown by their numbers.");
}

void countDevicesWithoutName(int64_t count, TraceBuilder& builder) {
    builder.diagnostics().add("too_many_devices", Severity::Info, count,
                              "More devices are described than a trace keeps; the rest are shown by their numbers.");
}

void countRowsWithoutTime(int64_t count, TraceBuilder& builder) {
    builder.diagnostics().add("row_without_time", Severity::DataLoss, count,
                              "Rows end before they start or lie out of all time and are left out of every figure.");
}

bool timesAreSane(int64_t startNs, int64_t endNs, TraceBuilder& builder) {
    if (areSaneTimes(startNs, endNs)) return true;
    countRowsWithoutTime(1, builder);
    return false;
}

uint32_t saneCorrelation(int64_t value) {
    return value > 0 && value <= int64_t{UINT32_MAX} ? static_cast<uint32_t>(value) : 0;
}

}  // namespace gapscope

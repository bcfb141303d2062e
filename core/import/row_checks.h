// What every reader holds rows of files from anywhere to. Internal to the import room.
#pragma once

#include <cstdint>
#include <map>

#include "core/import/limits.h"
#include "core/trace/trace_builder.h"

namespace gapscope {

// Keeps a hostile file from more streams, threads or devices than ids or lists are made for.
class BoundedTracks {
public:
    TrackId intern(const TrackRow& track, TraceBuilder& builder);  // not valid, and counted, beyond the bound

private:
    std::map<TrackRow, TrackId> m_ids;
    TrackRow m_last;
    TrackId m_lastId;
};
// Names beyond those that a trace keeps: counted, so that nobody wonders why threads and devices have numbers only.
void countThreadsWithoutName(int64_t count, TraceBuilder& builder);
void countDevicesWithoutName(int64_t count, TraceBuilder& builder);

// Whether a row can be shown: a start, an end not before it, both within what arithmetic on them can bear.
constexpr bool areSaneTimes(int64_t startNs, int64_t endNs) {
    return startNs <= endNs && startNs > -kFarthestNs && endNs < kFarthestNs;
}
void countRowsWithoutTime(int64_t count, TraceBuilder& builder);
bool timesAreSane(int64_t startNs, int64_t endNs, TraceBuilder& builder);  // what is left out is counted

uint32_t saneCorrelation(int64_t value);  // 0, not joined, for what no CUPTI id can be

}  // namespace gapscope

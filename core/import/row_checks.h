// What every reader holds rows of files from anywhere to. Internal to the import room.
#pragma once

#include <cstdint>
#include <map>

#include "core/trace/trace_builder.h"

namespace gapscope {

// Keeps a hostile file from more streams, threads or devices than ids or lists are made for.
class BoundedTracks {
public:
    TrackId intern(const TrackRow& track, TraceBuilder& builder);  // not valid, and counted, beyond the bound

private:
    std::map<TrackRow, TrackId> m_ids;
};
inline constexpr size_t kMostThreads = 8192;
inline constexpr size_t kMostDevices = 1024;
inline constexpr size_t kMostCounters = 256;  // each is a row of the timeline
inline constexpr size_t kMostDiagnostics = 1024;

inline constexpr int64_t kFarthestNs = int64_t{1} << 61;  // sums and differences of two such still fit; 73 years

// Whether a row can be shown: a start, an end not before it, both within what arithmetic on them can bear.
constexpr bool areSaneTimes(int64_t startNs, int64_t endNs) {
    return startNs <= endNs && startNs > -kFarthestNs && endNs < kFarthestNs;
}
void countRowsWithoutTime(int64_t count, TraceBuilder& builder);
bool timesAreSane(int64_t startNs, int64_t endNs, TraceBuilder& builder);  // what is left out is counted

uint32_t saneCorrelation(int64_t value);  // 0, not joined, for what no CUPTI id can be

}  // namespace gapscope

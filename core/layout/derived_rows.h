// Rows that are worked out of the trace as a whole, off the UI thread: ranges projected on streams, layers beside
// tokens, queue depth and achieved bandwidth.
#pragma once

#include <map>
#include <stop_token>
#include <vector>

#include "core/analysis/launches.h"
#include "core/layout/counter_series.h"
#include "core/layout/lane_set.h"

namespace gapscope {

// A layer of the model at work for one token: from its first device operation's start to its last one's end.
struct LayerSpan {
    int16_t repeat = 0;
    int32_t token = 0;
    int32_t layer = 0;
    TimeRange range;
};

struct DerivedRows {
    std::map<TrackId, LaneSet> projections;         // items are rows of ranges()
    std::vector<LayerSpan> layers;                  // of our own runs
    LaneSet layerLanes;                             // items are rows of `layers`
    std::map<uint32_t, CounterSeries> queueDepths;  // by device: launches called and not begun, all streams together
    std::map<uint32_t, CounterSeries> bandwidths;   // by device: bytes/s of the operations at work, by the plan
};

DerivedRows deriveRows(const Trace& trace, const LaunchJoin& join, std::stop_token stop = {});

}  // namespace gapscope

// Rows that are worked out of the trace as a whole, off the UI thread: ranges projected on streams, steps found in
// other programs' traces, layers beside tokens, queue depth and achieved bandwidth.
#pragma once

#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "core/analysis/launches.h"
#include "core/analysis/steps.h"
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

// A step found in another program's trace (analysis/steps.h), numbered as the table of tokens does.
struct StepSpan {
    int16_t repeat = 0;  // request
    int32_t index = 0;   // -1: prompt processing
    TimeRange range;     // from the step before's last device end to its own
};

struct DerivedRows {
    std::map<TrackId, LaneSet> projections;         // items are rows of ranges()
    std::vector<StepSpan> steps;                    // none in our own runs, which tell tokens
    LaneSet stepLanes;                              // items are rows of `steps`
    std::string stepsTitle;                         // "Steps found, 97 % sure"
    std::string stepsDetail;                        // where they come from, one sentence
    std::vector<LayerSpan> layers;                  // of our own runs, or found in steps
    LaneSet layerLanes;                             // items are rows of `layers`
    std::map<uint32_t, CounterSeries> queueDepths;  // by device: launches called and not begun, all streams together
    std::map<uint32_t, CounterSeries> bandwidths;   // by device: bytes/s of the operations at work, by the plan
};

// `steps` are of the same trace: findSteps().
DerivedRows deriveRows(const Trace& trace, const LaunchJoin& join, const FoundSteps& steps, std::stop_token stop = {});

}  // namespace gapscope

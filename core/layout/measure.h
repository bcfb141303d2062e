// What lies in a row between two points in time: the numbers that measuring on the timeline tells.
#pragma once

#include <cstdint>

#include "core/base/time_range.h"
#include "core/layout/timeline_index.h"

namespace gapscope {

struct RowMeasure {
    int64_t count = 0;   // items that begin in the range, of all lanes
    int64_t busyNs = 0;  // a stream's work with overlap counted once; of nested rows the outermost items; clipped
    bool operator==(const RowMeasure&) const = default;
};

// Plots have no items: all 0. Costs two binary searches a lane.
RowMeasure measureRow(const TimelineRow& row, TimeRange range);

}  // namespace gapscope

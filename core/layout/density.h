// How busy a lane is, column by column of pixels: exact at any zoom, for the overview strip and for whole-row figures.
#pragma once

#include <vector>

#include "core/layout/lane.h"
#include "core/layout/time_scale.h"

namespace gapscope {

// All items of several lanes' worth in one line: where they overlap, the one that began first is kept and the other
// cut, so that its busy time is the union of the intervals. Grows like a LaneSet.
class UnionLane {
public:
    void add(std::vector<LaneItem> batch);
    const Lane& lane() const { return m_lane; }

private:
    Lane m_lane;
};

struct DensityColumn {
    float busy = 0;    // share of the column's time
    uint8_t tint = 0;  // with most time among the items that start in the column or reach into it
};

// Columns of `columnPx` over the width of the scale; the last may be narrower.
std::vector<DensityColumn> densityColumns(const Lane& lane, const TimeScale& scale, double columnPx);
// The first half of it, for less.
std::vector<float> busyShares(const Lane& lane, const TimeScale& scale, double columnPx);

}  // namespace gapscope

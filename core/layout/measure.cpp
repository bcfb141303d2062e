#include "core/layout/measure.h"

namespace gapscope {

RowMeasure measureRow(const TimelineRow& row, TimeRange range) {
    RowMeasure measure;
    const std::vector<Lane>& lanes = row.lanes.lanes();
    if (range.empty() || lanes.empty()) return measure;
    for (const Lane& lane : lanes)
        measure.count += static_cast<int64_t>(lane.firstStartingAt(range.endNs) - lane.firstStartingAt(range.startNs));
    const bool overlaps = row.kind == RowKind::Stream || row.kind == RowKind::Copy;
    measure.busyNs = (overlaps ? row.busy() : lanes.front()).busyNs(range);
    return measure;
}

}  // namespace gapscope

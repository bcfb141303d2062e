#include "core/layout/density.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace gapscope {

void UnionLane::add(std::vector<LaneItem> batch) {
    if (batch.empty()) return;
    for (LaneItem& item : batch)
        item.endNs = std::max(item.startNs, item.endNs);
    const auto earlier = [](const LaneItem& a, const LaneItem& b) { return a.startNs < b.startNs; };
    if (!std::is_sorted(batch.begin(), batch.end(), earlier)) std::stable_sort(batch.begin(), batch.end(), earlier);
    // A piece that was cut before stays right when it is laid again: what it was cut against is still there.
    const std::vector<LaneItem> taken = m_lane.takeFrom(batch.front().startNs);
    if (!taken.empty()) {
        const auto middle = static_cast<ptrdiff_t>(batch.size());
        batch.insert(batch.end(), taken.begin(), taken.end());
        std::inplace_merge(batch.begin(), batch.begin() + middle, batch.end(), earlier);
    }
    for (LaneItem& item : batch) {
        if (!m_lane.empty()) item.startNs = std::max(item.startNs, m_lane.lastEndNs());
        if (item.endNs > item.startNs) m_lane.append(item);
    }
}

std::vector<DensityColumn> densityColumns(const Lane& lane, const TimeScale& scale, double columnPx) {
    std::vector<DensityColumn> columns(static_cast<size_t>(std::max(0.0, std::ceil(scale.width / columnPx))));
    size_t from = 0;
    for (size_t column = 0; column < columns.size() && from < lane.size(); ++column) {
        const double x = static_cast<double>(column) * columnPx;
        const TimeRange range{scale.timeAt(x), scale.timeAt(std::min(x + columnPx, scale.width))};
        if (range.empty()) continue;
        const int64_t busyNs = lane.busyNs(range);
        if (busyNs <= 0) continue;
        columns[column].busy =
            static_cast<float>(static_cast<double>(busyNs) / static_cast<double>(range.durationNs()));
        from = lane.firstReaching(range.startNs);
        const size_t to = std::max(from + 1, lane.firstStartingAt(range.endNs, from));
        const TintTimes times = lane.tintTimes(from, to);
        columns[column].tint = static_cast<uint8_t>(std::max_element(times.begin(), times.end()) - times.begin());
    }
    return columns;
}

}  // namespace gapscope

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

namespace {

// Calls use(column, share of it that is busy, first item that reaches into it, end of those that start in it or before)
// for each column in which the lane is busy, from left to right.
template <class Use>
void eachBusyColumn(const Lane& lane, const TimeScale& scale, double columnPx, size_t count, Use use) {
    TimeRange range{0, scale.timeAt(0)};
    size_t next = lane.firstStartingAt(range.endNs);
    int64_t busyBefore = lane.busyBeforeNs(range.endNs, next);
    for (size_t column = 0; column < count; ++column) {
        const size_t starting = next;
        const int64_t before = busyBefore;
        range = {range.endNs, scale.timeAt(std::min(static_cast<double>(column + 1) * columnPx, scale.width))};
        if (range.empty()) continue;
        next = lane.firstStartingAt(range.endNs, starting);
        busyBefore = lane.busyBeforeNs(range.endNs, next);
        if (busyBefore <= before) continue;
        const size_t from = starting > 0 && lane.endNs(starting - 1) > range.startNs ? starting - 1 : starting;
        use(column,
            static_cast<float>(static_cast<double>(busyBefore - before) / static_cast<double>(range.durationNs())),
            from, std::max(from + 1, next));
    }
}

size_t columnCount(const TimeScale& scale, double columnPx) {
    return static_cast<size_t>(std::max(0.0, std::ceil(scale.width / columnPx)));
}

}  // namespace

std::vector<DensityColumn> densityColumns(const Lane& lane, const TimeScale& scale, double columnPx) {
    std::vector<DensityColumn> columns(columnCount(scale, columnPx));
    eachBusyColumn(lane, scale, columnPx, columns.size(), [&](size_t column, float busy, size_t from, size_t to) {
        const TintTimes times = lane.tintTimes(from, to);
        columns[column] = {busy, static_cast<uint8_t>(std::max_element(times.begin(), times.end()) - times.begin())};
    });
    return columns;
}

std::vector<float> busyShares(const Lane& lane, const TimeScale& scale, double columnPx) {
    std::vector<float> shares(columnCount(scale, columnPx));
    eachBusyColumn(lane, scale, columnPx, shares.size(),
                   [&](size_t column, float busy, size_t, size_t) { shares[column] = busy; });
    return shares;
}

}  // namespace gapscope

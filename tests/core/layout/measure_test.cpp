// What a measure counts against a look at every item.
#include "core/layout/measure.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace gapscope {
namespace {

TimelineRow rowOf(RowKind kind, const std::vector<LaneItem>& items) {
    TimelineRow row;
    row.kind = kind;
    row.addWork(items);
    return row;
}

// Nanosecond by nanosecond.
RowMeasure everyItem(const std::vector<LaneItem>& items, TimeRange range) {
    RowMeasure measure;
    for (const LaneItem& item : items)
        measure.count += range.contains(item.startNs) ? 1 : 0;
    for (int64_t timeNs = range.startNs; timeNs < range.endNs; ++timeNs)
        measure.busyNs += std::ranges::any_of(items, [&](const LaneItem& item) {
            return TimeRange{item.startNs, item.endNs}.contains(timeNs);
        });
    return measure;
}

TEST(Measure, CountsAndTimesWhatLiesBetween) {
    std::mt19937 random(11);
    for (int round = 0; round < 30; ++round) {
        std::vector<LaneItem> items;
        for (uint32_t i = 0; i < 60; ++i) {
            const auto startNs = static_cast<int64_t>(random() % 300);
            items.push_back({startNs, startNs + static_cast<int64_t>(random() % 25), i});  // overlaps, no length
        }
        const TimelineRow row = rowOf(RowKind::Stream, items);
        for (int64_t startNs = -5; startNs < 330; startNs += 7)
            for (const int64_t lengthNs : {0, 1, 13, 120, 400})
                ASSERT_EQ(measureRow(row, {startNs, startNs + lengthNs}),
                          everyItem(items, {startNs, startNs + lengthNs}))
                    << startNs << " " << lengthNs;
    }
}

TEST(Measure, OfNestedRowsTheOutermostItemsAreTheBusyTime) {
    TimelineRow row;
    row.kind = RowKind::Range;
    row.lanes.add({{0, 100, 0}, {10, 40, 1}, {50, 60, 2}, {200, 220, 3}});
    EXPECT_EQ(measureRow(row, {0, 210}), (RowMeasure{.count = 4, .busyNs = 110}));
    EXPECT_EQ(measureRow(row, {20, 55}), (RowMeasure{.count = 1, .busyNs = 35}));
}

TEST(Measure, APlotHasNoItems) {
    TimelineRow row;
    row.kind = RowKind::Counter;
    EXPECT_EQ(measureRow(row, {0, 1000}), RowMeasure{});
}

}  // namespace
}  // namespace gapscope

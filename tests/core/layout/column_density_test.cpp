// What a frame draws against a brute-force renderer: every event of a random trace laid into pixel columns one by one.
// Streams with overlaps, events of no length, arriving out of order and in batches.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "core/layout/lane_set.h"
#include "core/layout/lane_spans.h"

namespace gapscope {

namespace {

struct Scene {
    LaneSet set;
    std::vector<LaneItem> items;
    TimeScale scale;
};

Scene randomScene(std::mt19937& random) {
    const auto number = [&](int64_t below) {
        return static_cast<int64_t>(random() % static_cast<uint64_t>(std::max<int64_t>(1, below)));
    };
    Scene scene;
    const int64_t count = 5 + number(3000);
    int64_t nowNs = 0;
    for (int64_t i = 0; i < count; ++i) {
        const int64_t kind = number(100);
        const int64_t durationNs = kind < 4 ? 0 : kind == 4 ? 20'000 + number(200'000) : 1 + number(900);
        // Some begin before the one in front has ended.
        const int64_t startNs =
            kind > 90 ? std::max<int64_t>(0, nowNs - number(400)) : nowNs + number(kind < 50 ? 50 : 2000);
        scene.items.push_back(
            {startNs, startNs + durationNs, static_cast<uint32_t>(i), static_cast<uint8_t>(number(5))});
        nowNs = std::max(nowNs, startNs + durationNs);
    }
    std::vector<LaneItem> arriving = scene.items;
    for (size_t i = 0; i + 1 < arriving.size(); i += 7)
        std::swap(arriving[i], arriving[std::min(arriving.size() - 1, i + static_cast<size_t>(number(5)))]);
    for (size_t from = 0; from < arriving.size();) {
        const size_t to = std::min(arriving.size(), from + 1 + static_cast<size_t>(number(700)));
        scene.set.add({arriving.begin() + static_cast<ptrdiff_t>(from), arriving.begin() + static_cast<ptrdiff_t>(to)});
        from = to;
    }
    const int64_t visibleNs = std::max<int64_t>(200, nowNs >> number(8));
    const int64_t fromNs = number(std::max<int64_t>(1, nowNs - visibleNs + 1));
    scene.scale = {{fromNs, fromNs + visibleNs}, static_cast<double>(40 + number(900))};
    return scene;
}

// Adds share of [x0, x1) to the columns that it lies in.
void addInk(std::vector<double>& columns, double x0, double x1, double share) {
    x0 = std::max(x0, 0.0);
    x1 = std::min(x1, static_cast<double>(columns.size()));
    for (auto c = static_cast<size_t>(x0); c < columns.size() && static_cast<double>(c) < x1; ++c) {
        const auto left = static_cast<double>(c);
        columns[c] += share * std::max(0.0, std::min(x1, left + 1) - std::max(x0, left));
    }
}

}  // namespace

// The ink of a lane up to any column is that of its items, but for the one stretch that is being crossed there: no work
// is added, lost or moved by more than a cell and the hole it takes in.
TEST(ColumnDensity, IsThatOfTheEventsOneByOne) {
    std::mt19937 random(31);
    size_t merged = 0;
    for (int round = 0; round < 150; ++round) {
        const Scene scene = randomScene(random);
        const auto width = static_cast<size_t>(scene.scale.width);
        size_t laid = 0;
        for (const Lane& lane : scene.set.lanes()) {
            laid += lane.size();
            std::vector<double> wanted(width), drawn(width);
            for (size_t i = 0; i < lane.size(); ++i)
                addInk(wanted, scene.scale.xOf(lane.startNs(i)), scene.scale.xOf(lane.endNs(i)), 1);
            std::vector<LaneSpan> spans;
            laneSpans(lane, scene.scale, spans);
            for (const LaneSpan& span : spans) {
                addInk(drawn, span.x0, span.x1, span.count > 1 ? static_cast<double>(span.busy) : 1);
                merged += span.count > 1;
            }
            double wantedSum = 0, drawnSum = 0;
            for (size_t c = 0; c < width; ++c) {
                wantedSum += wanted[c];
                drawnSum += drawn[c];
                // A stretch is a cell of tiny items, of which the last may reach 3 px beyond, and the hole behind it;
                // one more of these lies across the left edge.
                ASSERT_LE(std::abs(drawnSum - wantedSum), 2 * (kCellPx + kSinglePx + kJoinPx)) << "round " << round;
            }
        }
        ASSERT_EQ(laid, scene.items.size());
    }
    EXPECT_GT(merged, 1000u);
}

// Where a column has work there is ink in the lane, and where neither it nor its neighbours have there is none.
TEST(ColumnDensity, NoEventIsWithoutInkAndNoInkWithoutEvents) {
    std::mt19937 random(32);
    for (int round = 0; round < 150; ++round) {
        const Scene scene = randomScene(random);
        for (const Lane& lane : scene.set.lanes()) {
            std::vector<LaneSpan> spans;
            laneSpans(lane, scene.scale, spans);
            size_t at = 0;
            for (size_t i = 0; i < lane.size(); ++i) {
                const bool isSeen = lane.endNs(i) > scene.scale.range.startNs ||
                                    (lane.durationNs(i) == 0 && lane.startNs(i) >= scene.scale.range.startNs);
                if (!isSeen || lane.startNs(i) >= scene.scale.range.endNs) continue;
                while (at < spans.size() && spans[at].first + spans[at].count <= i)
                    ++at;
                ASSERT_LT(at, spans.size());
                ASSERT_GE(i, spans[at].first);
                ASSERT_LE(spans[at].x0, scene.scale.xOf(lane.startNs(i)) + 1e-6);
                ASSERT_GE(spans[at].x1, scene.scale.xOf(lane.endNs(i)) - 1e-6);
            }
            for (const LaneSpan& span : spans) {
                ASSERT_LE(span.x0, scene.scale.xOf(lane.startNs(span.first)) + 1e-6);
                ASSERT_LE(span.x1, scene.scale.xOf(lane.endNs(span.first + span.count - 1)) + kJoinPx + 1e-6);
                if (span.count > 1) {
                    ASSERT_LE(span.x1 - span.x0, kCellPx + kSinglePx + kJoinPx + 2 * scene.scale.pxPerNs() + 1e-6);
                }
            }
        }
    }
}

TEST(ColumnDensity, TheDominantTintIsThatWithMostTimeOfTheEvents) {
    std::mt19937 random(33);
    size_t merged = 0;
    for (int round = 0; round < 150; ++round) {
        const Scene scene = randomScene(random);
        for (const Lane& lane : scene.set.lanes()) {
            std::vector<LaneSpan> spans;
            laneSpans(lane, scene.scale, spans);
            for (const LaneSpan& span : spans) {
                std::array<int64_t, kTintCount> times{};
                int64_t total = 0;
                for (size_t i = span.first; i < span.first + span.count; ++i) {
                    // Asked of the event, not of the lane's own sums.
                    const LaneItem& item = scene.items[lane[i].row];
                    times[item.tint] += item.durationNs();
                    total += item.durationNs();
                }
                if (total == 0) continue;
                ASSERT_EQ(times[span.tint], *std::ranges::max_element(times));
                if (span.count == 1) continue;
                ++merged;
                for (size_t tint = 0; tint < times.size(); ++tint)
                    ASSERT_NEAR(span.shares[tint] / 255.0,
                                static_cast<double>(times[tint]) / static_cast<double>(total), 0.02);
            }
        }
    }
    EXPECT_GT(merged, 1000u);
}

// However far out: an overlapping kernel (programmatic dependent launch) that comes last of ten thousand tiny ones.
TEST(ColumnDensity, TheOneLongKernelThatOverlapsTenThousandTinyOnesStaysABoxOfItsOwn) {
    std::vector<LaneItem> items;
    for (uint32_t i = 0; i < 10'000; ++i)
        items.push_back({int64_t{i} * 100, int64_t{i} * 100 + 60, i, 1});
    LaneSet set;
    set.add(items);
    set.add({{500'030, 530'000, 10'000, 2}});
    for (const double width : {150.0, 400.0, 1000.0}) {
        const TimeScale scale{{0, 1'000'000}, width};
        double longPx = 0;
        size_t drawn = 0;
        for (const Lane& lane : set.lanes()) {
            std::vector<LaneSpan> spans;
            laneSpans(lane, scale, spans);
            for (const LaneSpan& span : spans) {
                drawn += span.count;
                if (span.count == 1 && lane[span.first].row == 10'000) longPx = span.x1 - span.x0;
            }
            ASSERT_LT(spans.size(), static_cast<size_t>(width));
        }
        EXPECT_NEAR(longPx, width * 0.02997, 0.01);
        EXPECT_EQ(drawn, 10'001u);
    }
}

}  // namespace gapscope

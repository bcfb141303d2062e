// What is drawn against what is there: random lanes at random zooms, checked pixel by pixel by loops over the items.
#include "core/layout/lane_spans.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "tests/core/layout/random_items.h"

namespace gapscope {

namespace {

struct Case {
    std::vector<LaneItem> items;
    Lane lane;
    TimeScale scale;
    std::vector<LaneSpan> spans;
};

Case randomCase(std::mt19937_64& random) {
    Case c;
    c.items = sequentialItems(random, 1 + random() % 3000);
    c.lane = laneOf(c.items);
    const int64_t first = c.items.front().startNs;
    const int64_t whole = c.items.back().endNs - first + 1;
    const int64_t duration = std::max<int64_t>(1, whole >> (random() % 12));
    const int64_t start = first - whole / 10 + static_cast<int64_t>(random() % static_cast<uint64_t>(whole));
    c.scale = {{start, start + duration}, 200.0 + static_cast<double>(random() % 1800)};
    laneSpans(c.lane, c.scale, c.spans);
    return c;
}

// Merged stretches reach on to what follows closely, single items end where they end.
int64_t drawnEnd(const Case& c, const LaneSpan& span) {
    const size_t after = span.first + span.count;
    const int64_t endNs = c.items[after - 1].endNs;
    if (span.count == 1 || after == c.items.size()) return endNs;
    const int64_t nextNs = c.items[after].startNs;
    return nextNs - endNs <= std::llround(c.scale.nsPerPx() * kJoinPx) ? nextNs : endNs;
}

}  // namespace

TEST(LaneSpans, DrawEveryVisibleItemExactlyOnceAndNeverMoreThanThePixelsHold) {
    std::mt19937_64 random(21);
    for (int round = 0; round < 400; ++round) {
        const Case c = randomCase(random);
        std::vector<int> drawn(c.items.size(), 0);
        double lastX = -1e300;
        for (const LaneSpan& span : c.spans) {
            EXPECT_GE(span.x0, lastX);
            EXPECT_LE(span.x0, span.x1);
            lastX = span.x1;
            EXPECT_EQ(span.x0, c.scale.xOf(c.items[span.first].startNs));
            EXPECT_EQ(span.x1, c.scale.xOf(drawnEnd(c, span)));
            for (size_t i = span.first; i < span.first + span.count; ++i)
                ++drawn[i];
        }
        for (size_t i = 0; i < c.items.size(); ++i) {
            const bool visible =
                c.items[i].startNs < c.scale.range.endNs &&
                (c.items[i].endNs > c.scale.range.startNs || c.items[i].startNs >= c.scale.range.startNs);
            if (visible) {
                ASSERT_EQ(drawn[i], 1) << i;
            }
            ASSERT_LE(drawn[i], 1);
        }
        // At most two spans a cell (a run, and the run after an item that splits it) and one a long item.
        const double cells = c.scale.width / std::max(kCellPx, c.scale.pxPerNs());
        EXPECT_LE(static_cast<double>(c.spans.size()), 2 * cells + c.scale.width / kSinglePx + 4);
    }
}

TEST(LaneSpans, MergeOnlyTinyNeighboursAndSayHowBusyTheyAre) {
    std::mt19937_64 random(22);
    size_t merged = 0;
    for (int round = 0; round < 400; ++round) {
        const Case c = randomCase(random);
        for (const LaneSpan& span : c.spans) {
            if (span.count == 1) {
                EXPECT_EQ(span.tint, c.items[span.first].tint);
                EXPECT_EQ(span.busy, 1.0F);
                continue;
            }
            ++merged;
            std::map<int, int64_t> times;
            int64_t busyNs = 0;
            for (size_t i = span.first; i < span.first + span.count; ++i) {
                const double px = static_cast<double>(c.items[i].durationNs()) * c.scale.pxPerNs();
                EXPECT_LT(px, kSinglePx + c.scale.pxPerNs());
                times[c.items[i].tint] += c.items[i].durationNs();
                busyNs += c.items[i].durationNs();
            }
            const int64_t extentNs = drawnEnd(c, span) - c.items[span.first].startNs;
            EXPECT_NEAR(span.busy, extentNs > 0 ? static_cast<double>(busyNs) / static_cast<double>(extentNs) : 0,
                        1e-5);
            int64_t most = 0;
            for (const auto& [tint, ns] : times)
                most = std::max(most, ns);
            if (most > 0) {
                EXPECT_EQ(times[span.tint], most);
            }
            for (int tint = 0; tint < kTintCount; ++tint)
                EXPECT_NEAR(span.shares[static_cast<size_t>(tint)],
                            busyNs > 0 ? 255.0 * static_cast<double>(times[tint]) / static_cast<double>(busyNs) : 0,
                            0.51);
            EXPECT_LE(span.x1 - span.x0, kCellPx + kSinglePx + kJoinPx + 2 * std::max(1.0, c.scale.pxPerNs()));
        }
    }
    EXPECT_GT(merged, 5000u);
}

// Cells of hundreds of items end at whole blocks: what is drawn stays that of the items, within half a cell, and a view
// that begins elsewhere cuts the same.
TEST(LaneSpans, DenseCellsAreCutAtBlocksAndSayWhatTheirItemsAre) {
    std::mt19937_64 random(8);
    size_t dense = 0;
    for (int round = 0; round < 60; ++round) {
        Case c;
        c.items = sequentialItems(random, 40'000);
        if (round % 2 == 1) {  // bursts, and nothing for long between them
            int64_t laterNs = 0;
            const int64_t holeNs = (c.items.back().endNs - c.items.front().startNs) / 40;
            for (LaneItem& item : c.items) {
                if (random() % 700 == 0) laterNs += holeNs;
                item.startNs += laterNs;
                item.endNs += laterNs;
            }
        }
        c.lane = laneOf(c.items);
        const int64_t first = c.items.front().startNs;
        const int64_t whole = c.items.back().endNs - first;
        c.scale = {{first, first + whole / (1 + round % 2)}, 150.0 + static_cast<double>(random() % 400)};
        laneSpans(c.lane, c.scale, c.spans);
        std::map<size_t, size_t> endOf;
        for (size_t s = 0; s < c.spans.size(); ++s) {
            const LaneSpan& span = c.spans[s];
            if (s > 0) {
                ASSERT_EQ(span.first, c.spans[s - 1].first + c.spans[s - 1].count);  // none left out
            }
            endOf[span.first] = span.first + span.count;
            if (span.count == 1) continue;
            dense += span.count >= 4 * Lane::kBlock;
            EXPECT_LE(span.x1 - span.x0, 1.5 * kCellPx + kSinglePx + kJoinPx + 0.01);
            int64_t busyNs = 0;
            for (size_t i = span.first; i < span.first + span.count; ++i)
                busyNs += c.items[i].durationNs();
            const int64_t extentNs = drawnEnd(c, span) - c.items[span.first].startNs;
            if (extentNs > 0) {
                EXPECT_NEAR(span.busy, static_cast<double>(busyNs) / static_cast<double>(extentNs), 1e-5);
            }
        }
        const int64_t byNs = c.scale.range.durationNs() / 3 + 1;
        const TimeScale moved{{c.scale.range.startNs + byNs, c.scale.range.endNs + byNs}, c.scale.width};
        std::vector<LaneSpan> after;
        laneSpans(c.lane, moved, after);
        size_t same = 0;
        for (const LaneSpan& span : after) {
            const auto found = endOf.find(span.first);
            if (found == endOf.end() || span.x1 >= moved.xOf(c.scale.range.endNs)) continue;
            EXPECT_EQ(found->second, span.first + span.count);
            ++same;
        }
        EXPECT_GT(same, 20u);
    }
    EXPECT_GT(dense, 500u);
}

TEST(LaneSpans, PanningDoesNotCutRunsAnew) {
    std::mt19937_64 random(23);
    for (int round = 0; round < 100; ++round) {
        const Case c = randomCase(random);
        TimeScale moved = c.scale;
        const int64_t delta = static_cast<int64_t>(random() % static_cast<uint64_t>(moved.range.durationNs()));
        moved.range.startNs += delta;
        moved.range.endNs += delta;
        std::vector<LaneSpan> after;
        laneSpans(c.lane, moved, after);
        for (const LaneSpan& span : after) {
            const bool wasVisible = c.items[span.first].startNs < c.scale.range.endNs;
            const bool found = std::ranges::any_of(
                c.spans, [&](const LaneSpan& s) { return s.first == span.first && s.count == span.count; });
            EXPECT_EQ(found, wasVisible);
        }
    }
}

TEST(LaneSpans, TheOneLongKernelAmongThousandsOfTinyOnesStaysVisible) {
    Lane lane;
    int64_t now = 0;
    size_t longOne = 0;
    for (uint32_t i = 0; i < 100000; ++i) {
        const int64_t durationNs = i == 50001 ? 2'000'000 : 900;
        if (i == 50001) longOne = i;
        lane.append({now, now + durationNs, i, static_cast<uint8_t>(i == 50001 ? 1 : 2)});
        now += durationNs + 100;
    }
    const TimeScale scale{{0, now}, 1000};
    std::vector<LaneSpan> spans;
    laneSpans(lane, scale, spans);
    EXPECT_LT(spans.size(), 400u);
    const auto it = std::ranges::find_if(spans, [](const LaneSpan& s) { return s.count == 1 && s.tint == 1; });
    ASSERT_NE(it, spans.end());
    EXPECT_EQ(it->first, longOne);
    EXPECT_NEAR(it->x1 - it->x0, 2e6 / static_cast<double>(now) * 1000, 1e-9);
}

TEST(LaneSpans, HitTestingFindsWhatIsDrawnThere) {
    std::mt19937_64 random(24);
    for (int round = 0; round < 200; ++round) {
        const Case c = randomCase(random);
        for (int probe = 0; probe < 30; ++probe) {
            const double x = c.scale.width * static_cast<double>(random() % 10007) / 10007;
            const LaneSpan hit = spanAt(c.lane, c.scale, x);
            const auto distance = [x](const LaneSpan& s) { return std::max({s.x0 - x, x - s.x1, 0.0}); };
            double nearest = 1e300;
            for (const LaneSpan& span : c.spans)
                nearest = std::min(nearest, distance(span));
            if (hit.count == 0) {
                EXPECT_GE(nearest, 2.0);
                continue;
            }
            EXPECT_LE(distance(hit), nearest);
            const auto drawn = std::ranges::find_if(c.spans, [&](const LaneSpan& s) { return s.first == hit.first; });
            if (hit.x1 >= 0 && hit.x0 < c.scale.width) {
                ASSERT_NE(drawn, c.spans.end());
                EXPECT_EQ(drawn->count, hit.count);
            }
            const size_t item = itemAt(c.lane, hit, c.scale, x);
            EXPECT_GE(item, hit.first);
            EXPECT_LT(item, hit.first + hit.count);
            const int64_t t = c.scale.timeAt(x);
            for (size_t i = hit.first; i < hit.first + hit.count; ++i)
                if (c.items[i].startNs <= t && t < c.items[i].endNs) {
                    EXPECT_EQ(item, i);
                }
        }
    }
}

TEST(LaneSpans, ItemsOfNoLengthAreThere) {
    Lane lane;
    lane.append({100, 100, 0, 3});
    lane.append({5000, 5000, 1, 4});
    lane.append({5000, 5000, 2, 4});
    lane.append({5000, 9000, 3, 5});
    const TimeScale scale{{0, 10000}, 1000};
    std::vector<LaneSpan> spans;
    laneSpans(lane, scale, spans);
    ASSERT_EQ(spans.size(), 3u);
    EXPECT_EQ(spans[0].x0, 10);
    EXPECT_EQ(spans[0].x1, 10);
    EXPECT_EQ(spans[1].count, 2u);
    EXPECT_EQ(spans[1].tint, 4);
    EXPECT_EQ(spans[2].tint, 5);
}

}  // namespace gapscope

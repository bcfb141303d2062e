// Lanes against plain loops over the same items.
#include "core/layout/lane.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/layout/density.h"
#include "core/layout/lane_set.h"
#include "tests/core/layout/random_items.h"

namespace gapscope {

namespace {

void expectSameItems(const Lane& lane, const std::vector<LaneItem>& items) {
    ASSERT_EQ(lane.size(), items.size());
    for (size_t i = 0; i < items.size(); ++i)
        ASSERT_EQ(lane[i], items[i]);
}

int64_t busyByLoop(const std::vector<LaneItem>& items, TimeRange range) {
    int64_t busy = 0;
    for (const LaneItem& item : items)
        busy += std::max<int64_t>(0, std::min(item.endNs, range.endNs) - std::max(item.startNs, range.startNs));
    return busy;
}

void expectAnswersOf(const Lane& lane, const std::vector<LaneItem>& items, std::mt19937_64& random) {
    expectSameItems(lane, items);
    for (int question = 0; question < 60; ++question) {
        const int64_t t =
            items.front().startNs - 10 +
            static_cast<int64_t>(random() % static_cast<uint64_t>(items.back().endNs - items.front().startNs + 20));
        const auto starting = std::ranges::find_if(items, [&](const LaneItem& i) { return i.startNs >= t; });
        EXPECT_EQ(lane.firstStartingAt(t), static_cast<size_t>(starting - items.begin()));
        const auto reaching = std::ranges::find_if(
            items, [&](const LaneItem& i) { return i.endNs > t || (i.startNs == t && i.endNs == t); });
        EXPECT_EQ(lane.firstReaching(t), static_cast<size_t>(reaching - items.begin()));

        size_t from = random() % items.size();
        size_t to = from + 1 + random() % (items.size() - from);
        const int64_t minNs = skewed(random, 20);
        size_t expectedLong = to;
        size_t expectedLongest = from;
        TintTimes times{};
        for (size_t i = to; i-- > from;) {
            if (items[i].durationNs() >= minNs) expectedLong = i;
            if (items[i].durationNs() >= items[expectedLongest].durationNs()) expectedLongest = i;
            times[items[i].tint] += items[i].durationNs();
        }
        EXPECT_EQ(lane.nextLong(from, to, minNs), expectedLong);
        EXPECT_EQ(items[lane.longest(from, to)].durationNs(), items[expectedLongest].durationNs());
        EXPECT_EQ(lane.tintTimes(from, to), times);
        const TimeRange range{t, t + skewed(random, 22)};
        EXPECT_EQ(lane.busyNs(range), busyByLoop(items, range));
    }
}

}  // namespace

TEST(Lane, AnswersAsALoopOverItsItemsWould) {
    std::mt19937_64 random(7);
    for (const size_t count : {1, 2, 63, 64, 65, 300, 4096, 4097, 20000}) {
        const std::vector<LaneItem> items = sequentialItems(random, count);
        expectAnswersOf(laneOf(items), items, random);
    }
}

TEST(Lane, KeepsItsSummariesRightWhenItsTailIsTakenAndLaidAgain) {
    std::mt19937_64 random(11);
    std::vector<LaneItem> items = sequentialItems(random, 9000);
    Lane lane = laneOf(items);
    for (int round = 0; round < 25; ++round) {
        const size_t cut = random() % items.size();
        const int64_t from = items[cut].startNs;
        const size_t first = static_cast<size_t>(
            std::ranges::find_if(items, [&](const LaneItem& i) { return i.startNs >= from; }) - items.begin());
        const std::vector<LaneItem> taken = lane.takeFrom(from);
        ASSERT_TRUE(std::equal(taken.begin(), taken.end(), items.begin() + static_cast<ptrdiff_t>(first), items.end()));
        if (round % 3 == 0 && first > 0) items.resize(first);  // and sometimes leave it out
        for (size_t i = first; i < items.size(); ++i)
            lane.append(items[i]);
        if (items.size() < 200) break;
        expectAnswersOf(lane, items, random);
    }
}

TEST(Lane, HoldsItemsOfSecondsAndOfYears) {
    std::mt19937_64 random(12);
    std::vector<LaneItem> items;
    int64_t nowNs = -5;
    for (uint32_t row = 0; row < 3000; ++row) {
        constexpr int64_t kEdge = int64_t{UINT32_MAX};
        const int64_t durationNs = row % 5 == 0   ? kEdge - 2 + static_cast<int64_t>(random() % 4)
                                   : row % 7 == 0 ? skewed(random, 46)
                                                  : skewed(random, 10);
        items.push_back({nowNs, nowNs + durationNs, row, static_cast<uint8_t>(row % 13)});
        nowNs += durationNs + skewed(random, 6);
    }
    Lane lane = laneOf(items);
    expectAnswersOf(lane, items, random);
    lane.takeFrom(items[1500].startNs);
    items.resize(lane.size());
    expectAnswersOf(lane, items, random);
    EXPECT_EQ(lane.lastEndNs(), items.back().endNs);
    for (uint32_t row = 0; row < 100; ++row) {
        const int64_t startNs = lane.lastEndNs();
        items.push_back({startNs, startNs + 5'000'000'000 + row, row, 1});
        lane.append(items.back());
    }
    expectAnswersOf(lane, items, random);
}

TEST(LaneSet, LosesNothingAndCoversNothingInAnyOrderOfArrival) {
    std::mt19937_64 random(3);
    for (int round = 0; round < 20; ++round) {
        std::vector<LaneItem> all;
        LaneSet set;
        int64_t now = 0;
        for (uint32_t batch = 0; batch < 30; ++batch) {
            std::vector<LaneItem> items;
            for (int i = 0; i < 40; ++i) {
                now += skewed(random, 7);
                const int64_t start = now - skewed(random, 9);  // up to 500 ns late
                items.push_back(
                    {start, start + skewed(random, 8), static_cast<uint32_t>(all.size() + items.size()), 0});
            }
            all.insert(all.end(), items.begin(), items.end());
            set.add(items);
        }
        std::vector<LaneItem> found;
        for (const Lane& lane : set.lanes()) {
            for (size_t i = 0; i < lane.size(); ++i) {
                found.push_back(lane[i]);
                if (i > 0) {
                    ASSERT_GE(lane.startNs(i), lane.endNs(i - 1));
                }
            }
        }
        std::ranges::sort(found, {}, &LaneItem::row);
        ASSERT_EQ(found, all);
        EXPECT_EQ(set.cutShortCount(), 0u);
    }
}

TEST(LaneSet, PutsWhatIsInsideBelowAlsoWhenTheHolderComesLast) {
    // A phase is recorded when it ends: the layers come before their decode step, the steps before the whole.
    LaneSet set;
    set.add({{10, 20, 0, 0}, {20, 30, 1, 0}});
    set.add({{8, 31, 2, 0}});
    set.add({{40, 45, 3, 0}});
    set.add({{39, 46, 4, 0}});
    set.add({{0, 50, 5, 0}});
    ASSERT_EQ(set.lanes().size(), 3u);
    expectSameItems(set.lanes()[0], {{0, 50, 5, 0}});
    expectSameItems(set.lanes()[1], {{8, 31, 2, 0}, {39, 46, 4, 0}});
    expectSameItems(set.lanes()[2], {{10, 20, 0, 0}, {20, 30, 1, 0}, {40, 45, 3, 0}});
}

TEST(LaneSet, NothingLiesAboveItsHolder) {
    LaneSet set;
    set.add({{0, 10, 0, 0}, {5, 30, 1, 0}, {12, 20, 2, 0}});
    ASSERT_EQ(set.lanes().size(), 3u);
    expectSameItems(set.lanes()[1], {{5, 30, 1, 0}});
    expectSameItems(set.lanes()[2], {{12, 20, 2, 0}});  // though the first lane is free by then
}

TEST(LaneSet, AChainOfOverlapsNeedsTwoLanesNotAStaircase) {
    LaneSet set;
    std::vector<LaneItem> chain;
    for (uint32_t i = 0; i < 1000; ++i)
        chain.push_back({i * 10, i * 10 + 12, i, 0});
    set.add(chain);
    EXPECT_EQ(set.lanes().size(), 2u);
}

TEST(LaneSet, AppendingInOrderMovesNothing) {
    LaneSet set;
    for (uint32_t batch = 0; batch < 50; ++batch) {
        std::vector<LaneItem> items;
        for (uint32_t i = 0; i < 100; ++i) {
            const int64_t start = (batch * 100 + i) * 10;
            items.push_back({start, start + 7, i, 0});
        }
        set.add(items);
    }
    EXPECT_EQ(set.movedCount(), 0u);
    EXPECT_EQ(set.lanes().size(), 1u);
}

TEST(LaneSet, AHostilePileIsCutShortAndCounted) {
    std::vector<LaneItem> pile;
    for (uint32_t i = 0; i < 500; ++i)
        pile.push_back({i, 10000 + int64_t{i} * 2, i, 0});
    pile.push_back({600, -5, 500, 0});  // ends before it starts
    LaneSet set;
    set.add(pile);
    EXPECT_EQ(set.lanes().size(), LaneSet::kMaxLanes);
    EXPECT_GT(set.cutShortCount(), 0u);
    size_t items = 0;
    for (const Lane& lane : set.lanes())
        items += lane.size();
    EXPECT_EQ(items, pile.size());
}

TEST(UnionLane, CountsOverlapOnceInAnyOrderOfArrival) {
    std::mt19937_64 random(5);
    for (int round = 0; round < 20; ++round) {
        UnionLane lane;
        std::vector<bool> covered(60000, false);
        int64_t now = 2000;
        for (int batch = 0; batch < 20; ++batch) {
            std::vector<LaneItem> items;
            for (uint32_t i = 0; i < 30; ++i) {
                now += skewed(random, 7);
                const int64_t start = now - skewed(random, 9);
                const int64_t end = start + skewed(random, 8);
                items.push_back({start, end, i, 0});
                for (int64_t t = start; t < end; ++t)
                    covered[static_cast<size_t>(t)] = true;
            }
            lane.add(items);
        }
        EXPECT_EQ(lane.lane().busyNs({0, 60000}), std::ranges::count(covered, true));
        const TimeScale scale{{0, 60000}, 300};
        const auto columns = densityColumns(lane.lane(), scale, 2);
        ASSERT_EQ(columns.size(), 150u);
        for (size_t c = 0; c < columns.size(); ++c) {
            const auto begin = covered.begin() + static_cast<ptrdiff_t>(c) * 400;
            EXPECT_NEAR(columns[c].busy, static_cast<double>(std::count(begin, begin + 400, true)) / 400, 1e-6);
        }
    }
}

TEST(UnionLane, AColumnHasTheTintOfWhatReachesIntoIt) {
    Lane lane;
    lane.append({0, 1000, 0, 3});
    lane.append({1500, 1600, 1, 5});
    const TimeScale scale{{0, 2000}, 200};
    const std::vector<DensityColumn> columns = densityColumns(lane, scale, 2);
    const std::vector<float> shares = busyShares(lane, scale, 2);
    ASSERT_EQ(columns.size(), 100u);
    ASSERT_EQ(shares.size(), 100u);
    for (size_t c = 0; c < columns.size(); ++c) {
        const bool isFirst = c < 50, isSecond = c >= 75 && c < 80;
        EXPECT_EQ(columns[c].busy, isFirst || isSecond ? 1.0F : 0.0F) << c;
        EXPECT_EQ(columns[c].tint, isFirst ? 3 : isSecond ? 5 : 0) << c;
        EXPECT_EQ(shares[c], columns[c].busy);
    }
}

}  // namespace gapscope

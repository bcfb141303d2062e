// Rows as a person arranges them, against a plain model of what that means: nothing is lost, doubled or out of order.
#include "core/layout/row_arrangement.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "core/layout/row_moves.h"
#include "core/trace/trace_builder.h"

namespace gapscope {

namespace {

TracePtr makeTrace(int threads, int streams) {
    TraceBuilder builder;
    builder.setDevice({.id = 0, .kind = DeviceKind::Cuda, .name = "H200"});
    builder.setDevice({.id = 1, .kind = DeviceKind::Cuda, .name = "H200"});
    for (int t = 0; t < threads; ++t) {
        const uint64_t tid = makeGlobalTid(9, static_cast<uint32_t>(10 + t));
        builder.setThread(tid, t < 2 ? "worker" : "thread " + std::string(1, static_cast<char>('a' + t)));
        builder.add(ApiCallRow{t * 10, t * 10 + 5, builder.intern("cudaLaunchKernel"), tid, 1});
        builder.add(RangeRow{t * 10, t * 10 + 8, builder.intern("step"), tid});
        builder.add(RangeRow{t * 10, t * 10 + 8, builder.intern("wait"), tid, RangeKind::Wait});
    }
    for (uint32_t device = 0; device < 2; ++device) {
        for (int s = 0; s < streams; ++s) {
            const TrackId track = builder.internTrack({.deviceId = device, .streamId = static_cast<uint32_t>(7 + s)});
            builder.add(DeviceOpRow{.startNs = 100 * s, .endNs = 100 * s + 50, .track = track});
        }
        const CounterId power =
            builder.internCounter({.name = builder.intern("power"), .unit = CounterUnit::Watt, .deviceId = device});
        const CounterId clock =
            builder.internCounter({.name = builder.intern("clock"), .unit = CounterUnit::Hertz, .deviceId = device});
        builder.add(CounterSampleRow{10, power, 200});
        builder.add(CounterSampleRow{10, clock, 200});
    }
    return builder.snapshot();
}

std::vector<std::string> shownKeys(const TimelineIndex& index) {
    std::vector<std::string> keys;
    for (const TimelineRow* row : index.rows())
        keys.push_back(row->key);
    return keys;
}

std::vector<std::string> titlesOf(const TimelineIndex& index) {
    std::vector<std::string> titles;
    for (const TimelineRow* row : index.rows())
        titles.push_back(row->title);
    return titles;
}

size_t rowOf(const TimelineIndex& index, const std::string& key) {
    const std::vector<std::string> keys = shownKeys(index);
    return static_cast<size_t>(std::ranges::find(keys, key) - keys.begin());
}

TimelineIndex indexOf(TracePtr trace) {
    TimelineIndex index;
    index.setTrace(std::move(trace));
    return index;
}

// Moves a row's block to a slot among its siblings, as a drag does.
void move(TimelineIndex& index, const std::string& key, size_t slot) {
    const auto siblings = siblingsOf(index, placeRows(index, 1000), rowOf(index, key));
    ASSERT_TRUE(siblings) << key;
    index.setArrangement(withMoved(index, *siblings, slot));
}

}  // namespace

TEST(RowArrangement, KeysAreThoseOfNamesNotOfNumbers) {
    const TimelineIndex index = indexOf(makeTrace(3, 2));
    EXPECT_EQ(shownKeys(index), (std::vector<std::string>{
                                    "thread worker/ranges",   "thread worker/calls",     "thread worker/waits",
                                    "thread worker#2/ranges", "thread worker#2/calls",   "thread worker#2/waits",
                                    "thread thread c/ranges", "thread thread c/calls",   "thread thread c/waits",
                                    "device 0/gaps",          "device 0/stream 0.7",     "device 0/stream 0.8",
                                    "device 0/counters",      "device 0/counters/power", "device 0/counters/clock",
                                    "device 1/gaps",          "device 1/stream 0.7",     "device 1/stream 0.8",
                                    "device 1/counters",      "device 1/counters/power", "device 1/counters/clock"}));
}

TEST(RowArrangement, HiddenRowsAndGroupsGoAndTheNextHeadsTheGroup) {
    TimelineIndex index = indexOf(makeTrace(1, 2));
    index.setArrangement({.hidden = {"thread worker/calls", "device 0/gaps", "device 1", "no such row"}});
    EXPECT_EQ(titlesOf(index), (std::vector<std::string>{"worker", "waits", "GPU 0 · stream 7", "stream 8", "counters",
                                                         "power", "clock"}));
    EXPECT_TRUE(index.rows()[2]->startsGroup);
    EXPECT_EQ(index.rows()[2]->folds, "device 0");
    // Of the rows that are left alone nothing folds.
    index.setArrangement({.hidden = {"thread worker/calls", "thread worker/waits", "device 0", "device 1"}});
    ASSERT_EQ(index.rows().size(), 1u);
    EXPECT_EQ(index.rows()[0]->folds, "");
    index.setArrangement({.hidden = {"thread worker", "device 0", "device 1"}});
    EXPECT_TRUE(index.rows().empty());
    // What is hidden has no place to be found at, and is still there to be shown again.
    EXPECT_EQ(index.placeOf(RowKind::Stream, 0).row, -1);
    EXPECT_EQ(rowKeys(index.tree()).size(), 3u + 2 * 5);
}

TEST(RowArrangement, FoldedGroupsKeepTheirHeading) {
    TimelineIndex index = indexOf(makeTrace(1, 2));
    index.setArrangement(withAllFolded(index, true));
    EXPECT_EQ(titlesOf(index), (std::vector<std::string>{"worker", "GPU 0", "GPU 1"}));
    for (const TimelineRow* row : index.rows())
        EXPECT_TRUE(row->folded);
    index.setArrangement(withAllFolded(index, false));
    EXPECT_EQ(index.rows().size(), 3u + 2 * 6);
}

TEST(RowArrangement, PinnedRowsComeFirstAndOnce) {
    TimelineIndex index = indexOf(makeTrace(1, 2));
    index.setArrangement({.folded = {"device 1"}, .pinned = {"device 1/stream 0.8", "thread worker/ranges", "gone"}});
    const auto titles = titlesOf(index);
    EXPECT_EQ(titles[0], "GPU 1 · stream 8");
    EXPECT_EQ(titles[1], "worker");
    EXPECT_EQ(titles[2], "worker · API calls");  // heads what is left of the group
    EXPECT_TRUE(index.rows()[0]->pinned);
    EXPECT_FALSE(index.rows()[2]->pinned);
    EXPECT_EQ(std::ranges::count(shownKeys(index), "device 1/stream 0.8"), 1);
    EXPECT_EQ(index.placeOf(RowKind::Range, 0).row, 1);
    // Hiding wins over pinning.
    index.setArrangement({.hidden = {"device 1"}, .pinned = {"device 1/stream 0.8"}});
    EXPECT_EQ(std::ranges::count(shownKeys(index), "device 1/stream 0.8"), 0);
}

TEST(RowArrangement, PinnedRowsStayWhileTheOthersScroll) {
    TimelineIndex index = indexOf(makeTrace(6, 2));
    index.setArrangement({.pinned = {"device 0/stream 0.7"}});
    const TimeScale scale{index.trace().extent(), 300};
    for (const int scrollY : {0, 17, 60}) {
        const TimelineFrame frame = makeFrame(index, scale, 200, scrollY);
        EXPECT_EQ(frame.rowY(0), 0);
        EXPECT_EQ(frame.pinnedHeight, kTrackHeight + kPinnedSpacing);
        EXPECT_EQ(frame.rowAt(5), 0u);
        EXPECT_EQ(hitTest(index, frame, 1, 5)->row, 0u);
        // No lane lies across another in sight.
        for (const FrameLane& lane : frame.lanes)
            EXPECT_TRUE(lane.pinned ? lane.y + lane.height <= frame.pinnedHeight
                                    : lane.y + lane.height > frame.pinnedHeight);
        int y = frame.pinnedHeight;
        while (!frame.rowAt(y))  // rows do not touch
            ++y;
        const auto below = frame.rowAt(y);
        ASSERT_TRUE(below);
        EXPECT_FALSE(frame.places[*below].pinned);
        EXPECT_LE(frame.places[*below].y - scrollY, y);
        EXPECT_LE(y, frame.pinnedHeight + kGroupSpacing);
    }
    // What would leave no room for the others scrolls.
    index.setArrangement({.pinned = rowKeys(index.tree())});
    const TimelineFrame frame = makeFrame(index, scale, 90, 0);
    EXPECT_LE(frame.pinnedHeight, 60 + kPinnedSpacing);
    EXPECT_TRUE(frame.places[0].pinned);
    EXPECT_FALSE(frame.places.back().pinned);
}

TEST(RowArrangement, HeightsAreOfALaneAndLeaveRoomForTheName) {
    TraceBuilder builder;
    const uint64_t tid = makeGlobalTid(9, 10);
    for (int depth = 0; depth < 5; ++depth)
        builder.add(RangeRow{depth, 100 - depth, builder.intern("r"), tid});
    builder.add(ApiCallRow{0, 5, builder.intern("x"), tid, 1});
    TimelineIndex index = indexOf(builder.snapshot());
    const auto heightOf = [&](size_t row, int lane) {
        index.setArrangement({.laneHeights = {{index.rows()[row]->key, lane}}});
        return placeRows(index, 500)[row];
    };
    EXPECT_EQ(placeRows(index, 500)[0].height, 5 * (kNarrowHeight + kLaneSpacing) - kLaneSpacing);
    EXPECT_EQ(heightOf(0, 6).laneHeight, 6);
    EXPECT_EQ(heightOf(0, 6).height, 5 * 7 - 1);
    EXPECT_EQ(heightOf(1, 4).height, kLowestRow);
    EXPECT_EQ(heightOf(1, 60).height, 60);
    EXPECT_EQ(heightOf(1, 100000).height, kHighestLane);
}

TEST(RowArrangement, MovesRowsWithinTheirGroupAndGroupsAmongGroups) {
    TimelineIndex index = indexOf(makeTrace(1, 3));
    move(index, "device 0/stream 0.9", 1);  // before stream 7, behind the gaps
    EXPECT_EQ(titlesOf(index)[4], "stream 9");
    move(index, "thread worker/waits", 0);
    EXPECT_EQ(titlesOf(index)[0], "worker · waits");
    EXPECT_EQ(titlesOf(index)[1], "ranges");
    move(index, "device 1/gaps", 0);  // a heading takes its group along
    EXPECT_EQ(titlesOf(index)[0], "GPU 1");
    EXPECT_EQ(titlesOf(index)[7], "worker · waits");
    move(index, "device 1/gaps", 3);
    EXPECT_EQ(titlesOf(index)[0], "worker · waits");
    // Pinned rows among themselves.
    RowArrangement rows = index.arrangement();
    rows.pinned = {"device 0/gaps", "device 1/gaps", "thread worker/calls"};
    index.setArrangement(rows);
    move(index, "thread worker/calls", 0);
    EXPECT_EQ(index.arrangement().pinned,
              (std::vector<std::string>{"thread worker/calls", "device 0/gaps", "device 1/gaps"}));
    const auto same = siblingsOf(index, placeRows(index, 1000), 0);
    EXPECT_EQ(withMoved(index, *same, 0), index.arrangement());
    EXPECT_EQ(withMoved(index, *same, 1), index.arrangement());
}

TEST(RowArrangement, RowsThatComeLaterStandBehindWhatTheyFollow) {
    TraceBuilder builder;
    const uint64_t tid = makeGlobalTid(9, 10);
    builder.setThread(tid, "t");
    builder.add(ApiCallRow{0, 5, builder.intern("x"), tid, 1});
    const auto op = [&](uint32_t stream) {
        builder.add(DeviceOpRow{.startNs = 0, .endNs = 50, .track = builder.internTrack({.streamId = stream})});
    };
    op(7);
    op(8);
    TimelineIndex index = indexOf(builder.snapshot());
    move(index, "device 0/stream 0.8", 1);
    op(9);  // follows 8
    builder.add(RangeRow{0, 8, builder.intern("step"), tid});
    index.setTrace(builder.snapshot());
    EXPECT_EQ(titlesOf(index),
              (std::vector<std::string>{"t", "API calls", "GPU 0", "stream 8", "stream 9", "stream 7"}));
}

// Any sequence of moves, hides, pins and folds: what is shown are exactly the rows that no rule hides, each once,
// groups together, and siblings in the order that a list moved about in the same way has.
TEST(RowArrangement, AgreesWithAPlainModelOverRandomActs) {
    std::mt19937 random(5);
    for (int round = 0; round < 60; ++round) {
        TimelineIndex index = indexOf(makeTrace(1 + round % 4, 1 + round % 3));
        const std::vector<std::string> all = rowKeys(index.tree());
        for (int act = 0; act < 25 && !index.rows().empty(); ++act) {
            RowArrangement rows = index.arrangement();
            const std::string key = index.rows()[random() % index.rows().size()]->key;
            switch (random() % 5) {
                case 0:
                    rows.hidden.insert(key);
                    break;
                case 1:
                    rows = withPinned(rows, key, random() % 2 == 0);
                    break;
                case 2: {
                    const TimelineRow* row = index.rows()[rowOf(index, key)];
                    if (!row->folds.empty() && rows.folded.erase(row->folds) == 0) rows.folded.insert(row->folds);
                    break;
                }
                case 3:
                    if (!rows.hidden.empty()) rows.hidden.erase(rows.hidden.begin());
                    break;
                default: {
                    const auto siblings = siblingsOf(index, placeRows(index, 1000), rowOf(index, key));
                    ASSERT_TRUE(siblings);
                    const size_t slot = random() % (siblings->blocks.size() + 1);
                    std::vector<std::string> expected;
                    for (size_t b = 0; b <= siblings->blocks.size(); ++b) {
                        if (b == slot) expected.push_back(siblings->blocks[siblings->moving].key);
                        if (b < siblings->blocks.size() && b != siblings->moving)
                            expected.push_back(siblings->blocks[b].key);
                    }
                    rows = withMoved(index, *siblings, slot);
                    TimelineIndex after = indexOf(makeTrace(1 + round % 4, 1 + round % 3));
                    after.setArrangement(rows);
                    // A row of the moved block leads to the siblings as they stand now.
                    std::vector<std::string> found;
                    for (const RowNode& node : pathTo(after.tree(), expected.front()).size() > 1
                                                   ? pathTo(after.tree(), expected.front()).rbegin()[1]->children
                                                   : after.tree())
                        if (std::ranges::count(expected, node.key) > 0) found.push_back(node.key);
                    if (siblings->pinned) {
                        found.clear();
                        for (const std::string& pinned : rows.pinned)
                            if (std::ranges::count(expected, pinned) > 0) found.push_back(pinned);
                    }
                    ASSERT_EQ(found, expected);
                }
            }
            index.setArrangement(rows);
            const std::vector<std::string> shown = shownKeys(index);
            std::set<std::string> distinct(shown.begin(), shown.end());
            ASSERT_EQ(distinct.size(), shown.size());
            for (const std::string& row : all) {
                const auto path = pathTo(index.tree(), row);
                const bool isHidden =
                    std::ranges::any_of(path, [&](const RowNode* node) { return rows.hidden.contains(node->key); });
                const bool isPinned = std::ranges::count(rows.pinned, row) > 0;
                bool isFolded = false;
                for (const RowNode* node : path)
                    isFolded = isFolded || rows.folded.contains(node->key);
                if (isHidden) {
                    ASSERT_FALSE(distinct.contains(row)) << row;
                } else if (isPinned || !isFolded) {
                    ASSERT_TRUE(distinct.contains(row)) << row;
                }
            }
            // Groups stand together.
            std::set<std::string> ended;
            std::string current;
            for (const TimelineRow* row : index.rows()) {
                if (row->pinned) continue;
                const std::string group = pathTo(index.tree(), row->key).front()->key;
                if (group == current) continue;
                ASSERT_FALSE(ended.contains(group)) << group;
                ended.insert(current);
                current = group;
                ASSERT_TRUE(row->startsGroup);
            }
        }
    }
}

}  // namespace gapscope

#include "core/trace/annotations.h"

#include <gtest/gtest.h>

#include "core/trace/trace_builder.h"
#include "tests/core/testing/random_trace.h"

namespace gapscope {

TEST(RowChoices, GiveTheArrangementBack) {
    for (uint32_t seed = 0; seed < 200; ++seed) {
        const RowArrangement rows = RandomTrace(seed).annotations().rows;
        EXPECT_EQ(arrangementOf(choicesOf(rows)), rows) << seed;
    }
    EXPECT_TRUE(choicesOf({}).empty());
}

TEST(RowChoices, OfAKeyThatStandsTwiceCountTheFirst) {
    const RowArrangement back = arrangementOf(choicesOf({.pinned = {"b", "a", "b"}, .order = {"c", "c", "a"}}));
    EXPECT_EQ(back.pinned, (std::vector<std::string>{"b", "a"}));
    EXPECT_EQ(back.order, (std::vector<std::string>{"c", "a"}));
}

TEST(RowChoices, PlacesNeedNotBeDenseAndHeightsAreBounded) {
    const RowArrangement rows = arrangementOf({{.key = "late", .pinnedPlace = 2'000'000'000, .laneHeight = 1'000'000},
                                               {.key = "early", .pinnedPlace = 7, .laneHeight = 1}});
    EXPECT_EQ(rows.pinned, (std::vector<std::string>{"early", "late"}));
    EXPECT_EQ(rows.laneHeights.at("late"), kHighestLane);
    EXPECT_EQ(rows.laneHeights.at("early"), kLowestLane);
}

TEST(Annotations, TravelWithASnapshotAndCanBeOthers) {
    TraceBuilder builder;
    builder.add(RangeRow{1, 2, builder.intern("r"), 1});
    const TracePtr before = builder.snapshot();
    EXPECT_TRUE(before->annotations().empty());
    builder.setAnnotations({.notes = {{{3, 3}, "here"}}});
    const TracePtr after = builder.snapshot();
    EXPECT_TRUE(before->annotations().empty());
    EXPECT_EQ(after->annotations().notes, (std::vector<Note>{{{3, 3}, "here"}}));
    EXPECT_EQ(after->extent(), (TimeRange{1, 2})) << "notes are no events";
    const TracePtr other = after->withAnnotations({.rows = {.hidden = {"x"}}});
    EXPECT_TRUE(other->annotations().notes.empty());
    EXPECT_EQ(other->ranges().startNs.size(), 1u);
    EXPECT_TRUE(isLaterSnapshot(*after, *other));
}

}  // namespace gapscope

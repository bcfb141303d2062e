// The same rows and frames, however many turns or threads they are made in.
#include <gtest/gtest.h>

#include <random>
#include <thread>

#include "core/layout/parallel_frame.h"
#include "core/layout/timeline_index.h"
#include "core/trace/trace_builder.h"

namespace gapscope {
namespace {

// Launches of several threads and streams as they come, mixed.
void addRun(TraceBuilder& builder, size_t launches) {
    std::mt19937_64 random(3);
    const auto number = [&](int64_t below) { return static_cast<int64_t>(random() % static_cast<uint64_t>(below)); };
    int64_t nowNs = 0;
    for (uint32_t id = 1; id <= launches; ++id) {
        nowNs += number(900);
        const auto thread = static_cast<uint32_t>(number(5));
        const uint64_t tid = makeGlobalTid(9, 10 + thread);
        const TrackId track = builder.internTrack({globalPidOf(tid), thread % 2, 1, 7 + thread});
        builder.add(ApiCallRow{nowNs, nowNs + 100, builder.intern("cudaLaunchKernel"), tid, id});
        builder.add(DeviceOpRow{.startNs = nowNs + 300 + number(400),
                                .endNs = nowNs + 800 + number(900),
                                .name = builder.intern("kernel"),
                                .track = track,
                                .kind = number(20) == 0 ? DeviceOpKind::Copy : DeviceOpKind::Kernel,
                                .category = static_cast<Category>(number(6)),
                                .correlationId = id,
                                .token = static_cast<int32_t>(id / 500)});
        if (id % 3 == 0) builder.add(RangeRow{nowNs - 2000, nowNs + 500, builder.intern("layer"), tid});
    }
}

void expectSameRows(const TimelineIndex& actual, const TimelineIndex& expected) {
    ASSERT_EQ(actual.rows().size(), expected.rows().size());
    for (size_t r = 0; r < actual.rows().size(); ++r) {
        const TimelineRow& row = *actual.rows()[r];
        EXPECT_EQ(row.title, expected.rows()[r]->title);
        const auto& lanes = row.lanes.lanes();
        const auto& others = expected.rows()[r]->lanes.lanes();
        ASSERT_EQ(lanes.size(), others.size()) << row.title;
        for (size_t depth = 0; depth < lanes.size(); ++depth) {
            ASSERT_EQ(lanes[depth].size(), others[depth].size()) << row.title;
            for (size_t i = 0; i < lanes[depth].size(); ++i)
                ASSERT_EQ(lanes[depth][i], others[depth][i]) << row.title;
        }
    }
    for (const uint32_t device : {0U, 1U})
        EXPECT_EQ(actual.deviceBusy(device)->busyNs(actual.trace().extent()),
                  expected.deviceBusy(device)->busyNs(expected.trace().extent()));
    for (uint32_t op = 0; op < actual.trace().deviceOps().startNs.size(); op += 97)
        ASSERT_EQ(actual.correlations().callOf(actual.trace(), op),
                  expected.correlations().callOf(expected.trace(), op));
}

TEST(LayoutInParts, ASnapshotTakenUpInTurnsEndsAsTakenAtOnce) {
    TraceBuilder builder;
    addRun(builder, 4000);
    TimelineIndex whole;
    whole.setTrace(builder.snapshot());
    EXPECT_FALSE(whole.isBehind());
    TimelineIndex inTurns;
    EXPECT_TRUE(inTurns.setTrace(builder.snapshot(), 700));
    int turns = 1;
    for (; inTurns.isBehind(); ++turns)
        EXPECT_FALSE(inTurns.setTrace(builder.snapshot(), 700));
    EXPECT_EQ(turns, 6);
    expectSameRows(inTurns, whole);
}

TEST(LayoutInParts, ALargeTraceLaidByTwoThreadsIsThatOfOne) {
    TraceBuilder builder;
    addRun(builder, 100'000);
    TimelineIndex byTwo;
    byTwo.setTrace(builder.snapshot());
    TimelineIndex byOne;
    byOne.setTrace(builder.snapshot(), 1'000'000);
    ASSERT_FALSE(byOne.isBehind());
    expectSameRows(byTwo, byOne);
}

TEST(LayoutInParts, AFrameMadeWithHelpIsTheFrameMadeAlone) {
    TraceBuilder builder;
    addRun(builder, 60'000);
    TimelineIndex index;
    index.setTrace(builder.snapshot());
    const TimeRange all = index.trace().extent();
    for (int round = 0; round < 60; ++round) {
        const int64_t fromNs = all.startNs + all.durationNs() * round / 80;
        const TimeScale scale{{fromNs, fromNs + (all.durationNs() >> (round % 12))}, 1000};
        std::vector<std::jthread> threads;
        const TimelineFrame helped = makeFrame(index, scale, 900, 0, [&](std::function<void()> help) {
            threads.emplace_back(help);
            if (round % 2 == 0) threads.emplace_back(help);
        });
        const TimelineFrame alone = makeFrame(index, scale, 900, 0);
        ASSERT_EQ(helped.lanes.size(), alone.lanes.size());
        ASSERT_GT(alone.spanCount(), 0u);
        for (size_t l = 0; l < alone.lanes.size(); ++l) {
            ASSERT_EQ(helped.lanes[l].spans.size(), alone.lanes[l].spans.size());
            for (size_t s = 0; s < alone.lanes[l].spans.size(); ++s) {
                const LaneSpan& a = helped.lanes[l].spans[s];
                const LaneSpan& b = alone.lanes[l].spans[s];
                ASSERT_TRUE(a.x0 == b.x0 && a.x1 == b.x1 && a.first == b.first && a.count == b.count &&
                            a.tint == b.tint && a.busy == b.busy && a.shares == b.shares);
            }
        }
    }
    // Help that never comes, and help that comes when all is done.
    std::function<void()> late;
    const TimeScale scale{all, 1000};
    const size_t spans = makeFrame(index, scale, 900, 0, [](const std::function<void()>&) {}).spanCount();
    EXPECT_EQ(makeFrame(index, scale, 900, 0, [&](std::function<void()> help) { late = std::move(help); }).spanCount(),
              spans);
    late();
}

}  // namespace
}  // namespace gapscope

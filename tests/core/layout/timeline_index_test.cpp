// Rows from a trace: which there are, what lies in them, and that a growing trace ends as one taken whole.
#include "core/layout/timeline_index.h"

#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "core/base/clock_event_reasons.h"
#include "core/layout/timeline_frame.h"
#include "core/trace/trace_builder.h"

namespace gapscope {

namespace {

constexpr uint64_t kTid = makeGlobalTid(77, 78);

std::vector<std::string> titles(const TimelineIndex& index) {
    std::vector<std::string> out;
    for (const TimelineRow* row : index.rows())
        out.push_back(row->title);
    return out;
}

void addStep(TraceBuilder& builder, int32_t token, int64_t startNs, uint32_t firstCorrelation) {
    const TrackId track = builder.internTrack({.globalPid = globalPidOf(kTid), .deviceId = 0, .streamId = 7});
    for (uint32_t i = 0; i < 5; ++i) {
        const int64_t at = startNs + i * 100;
        const uint32_t correlation = firstCorrelation + i;
        builder.add(ApiCallRow{at, at + 20, builder.intern("cudaLaunchKernel"), kTid, correlation});
        builder.add(DeviceOpRow{.startNs = at + 30,
                                .endNs = at + 80,
                                .name = builder.intern("k"),
                                .track = track,
                                .category = i == 0 ? Category::Gemm : Category::Norm,
                                .correlationId = correlation,
                                .op = builder.internOp({.name = builder.intern("role")}),
                                .token = token});
        builder.add(RangeRow{at, at + 90, builder.intern("layer " + std::to_string(i)), kTid});
    }
    builder.add(RangeRow{startNs, startNs + 495, builder.intern("decode " + std::to_string(token)), kTid});
    builder.add(TokenRow{.emittedNs = startNs + 490, .index = token, .id = 5, .text = builder.intern(" a")});
}

}  // namespace

TEST(TimelineIndex, HasARowForTokensThreadAndDevice) {
    TraceBuilder builder;
    builder.setRun({.mode = "eager"});
    builder.setThread(kTid, "launcher");
    builder.setDevice({.id = 0, .kind = DeviceKind::Cuda, .name = "H200"});
    for (int32_t token = -1; token < 3; ++token)
        addStep(builder, token, 1000 + token * 500, static_cast<uint32_t>(100 + token * 10));
    const TrackId track = builder.internTrack({.globalPid = globalPidOf(kTid), .deviceId = 0, .streamId = 7});
    builder.add(DeviceOpRow{.startNs = 3000,
                            .endNs = 3010,
                            .track = track,
                            .kind = DeviceOpKind::Copy,
                            .category = Category::Copy,
                            .token = 2});
    TimelineIndex index(
        [](std::string_view name) { return uint8_t{name == "cudaLaunchKernel" ? uint8_t{1} : uint8_t{0}}; });
    index.setTrace(builder.snapshot());

    EXPECT_EQ(titles(index),
              (std::vector<std::string>{"Tokens", "launcher", "API calls", "GPU 0", "stream 7", "copies"}));
    EXPECT_EQ(index.rows()[3]->detail, "GPU 0: H200");
    EXPECT_EQ(index.rows()[1]->lanes.lanes().size(), 2u);  // steps, and layers in them
    EXPECT_EQ(index.rows()[2]->lanes.lanes()[0][0].tint, 1);
    EXPECT_EQ(index.rows()[4]->lanes.lanes()[0].size(), 20u);
    EXPECT_EQ(index.rows()[4]->lanes.lanes()[0][0].tint, static_cast<uint8_t>(Category::Gemm));
    EXPECT_EQ(index.deviceBusy(0)->busyNs({0, 5000}), 20 * 50 + 10);
    EXPECT_EQ(index.deviceBusy(9), nullptr);

    ASSERT_EQ(index.tokens().size(), 4u);
    EXPECT_EQ(index.tokens()[0].index, -1);
    EXPECT_EQ(index.tokens()[0].range, (TimeRange{530, 980}));
    EXPECT_EQ(index.tokens()[1].range, (TimeRange{980, 1480}));  // from the one before's last end to its own
    EXPECT_EQ(index.tokens()[3].range, (TimeRange{1980, 3010}));
    EXPECT_EQ(index.tokens()[1].tokenRow, 1);

    const TimelineIndex::Place place = index.placeOf(RowKind::Stream, 7);
    EXPECT_EQ(place.row, 4);
    EXPECT_EQ(index.rows()[4]->lanes.lanes()[place.lane][place.item].row, 7u);
    EXPECT_EQ(index.placeOf(RowKind::Stream, 20).row, 5);  // the copy
    EXPECT_EQ(index.placeOf(RowKind::Range, 0).lane, 1u);
    EXPECT_EQ(index.placeOf(RowKind::Stream, 1000).row, -1);
}

TEST(TimelineIndex, WorkForNoTokenWidensNone) {
    TraceBuilder builder;
    builder.setRun({.mode = "eager"});
    const TrackId track = builder.internTrack({.deviceId = 0, .streamId = 7});
    builder.add(DeviceOpRow{.startNs = 10, .endNs = 20, .track = track});
    builder.add(DeviceOpRow{.startNs = 100, .endNs = 200, .track = track, .token = kPrefillToken});
    builder.add(DeviceOpRow{.startNs = 900, .endNs = 910, .track = track});
    TimelineIndex index;
    index.setTrace(builder.snapshot());
    ASSERT_EQ(index.tokens().size(), 1u);
    EXPECT_EQ(index.tokens()[0].range, (TimeRange{100, 200}));
}

TEST(TimelineIndex, JoinsCallsAndOperationsByProcessAndId) {
    TraceBuilder builder;
    addStep(builder, 0, 1000, 50);
    const TrackId other = builder.internTrack({.globalPid = globalPidOf(makeGlobalTid(5, 5)), .streamId = 7});
    builder.add(DeviceOpRow{.startNs = 1, .endNs = 2, .track = other, .correlationId = 50});
    builder.add(DeviceOpRow{.startNs = 1, .endNs = 2, .track = other});
    TimelineIndex index;
    index.setTrace(builder.snapshot());
    EXPECT_EQ(index.correlations().callOf(index.trace(), 3), 3u);
    EXPECT_EQ(index.correlations().operationsOf(index.trace(), 0), std::vector<uint32_t>{0});
    EXPECT_FALSE(index.correlations().callOf(index.trace(), 5).has_value());
    EXPECT_FALSE(index.correlations().callOf(index.trace(), 6).has_value());
}

TEST(TimelineIndex, AGraphLaunchHasManyOperations) {
    TraceBuilder builder;
    builder.add(ApiCallRow{10, 20, builder.intern("cudaGraphLaunch"), kTid, 9});
    builder.add(ApiCallRow{12, 18, builder.intern("cuGraphLaunch"), kTid, 9});
    const TrackId track = builder.internTrack({.globalPid = globalPidOf(kTid), .streamId = 7});
    for (int i = 0; i < 4; ++i)
        builder.add(DeviceOpRow{.startNs = 100 - i * 10, .endNs = 105 - i * 10, .track = track, .correlationId = 9});
    TimelineIndex index;
    index.setTrace(builder.snapshot());
    EXPECT_EQ(index.correlations().operationsOf(index.trace(), 0), (std::vector<uint32_t>{3, 2, 1, 0}));
    EXPECT_EQ(index.correlations().operationsOf(index.trace(), 0, 1), (std::vector<uint32_t>{3}));
    EXPECT_EQ(index.correlations().callOf(index.trace(), 2), 0u);  // the outer one
}

TEST(TimelineIndex, GrowingEndsAsTakenWhole) {
    TraceBuilder builder;
    builder.setRun({.mode = "eager"});
    TimelineIndex growing;
    for (int32_t token = 0; token < 60; ++token) {
        // Ids of two processes or threads need not grow with time.
        addStep(builder, token, 1000 + token * 500, static_cast<uint32_t>(1 + (token ^ 1) * 10));
        EXPECT_EQ(growing.setTrace(builder.snapshot()), token == 0);
    }
    builder.add(RangeRow{900, 40000, builder.intern("model_inference"), kTid});  // recorded when it ends
    growing.setTrace(builder.snapshot());
    TimelineIndex whole;
    whole.setTrace(builder.snapshot());
    ASSERT_EQ(titles(growing), titles(whole));
    for (size_t r = 0; r < whole.rows().size(); ++r) {
        const auto& a = growing.rows()[r]->lanes.lanes();
        const auto& b = whole.rows()[r]->lanes.lanes();
        ASSERT_EQ(a.size(), b.size()) << whole.rows()[r]->title;
        for (size_t depth = 0; depth < a.size(); ++depth) {
            ASSERT_EQ(a[depth].size(), b[depth].size());
            for (size_t i = 0; i < a[depth].size(); ++i)
                ASSERT_EQ(a[depth][i], b[depth][i]);
        }
    }
    for (uint32_t op = 0; op < 300; ++op)
        EXPECT_EQ(growing.correlations().callOf(growing.trace(), op), whole.correlations().callOf(whole.trace(), op));
    // Nothing was laid twice but the tail that a late holder reaches back over.
    EXPECT_EQ(growing.rows()[4]->lanes.movedCount(), 0u);
}

TEST(TimelineIndex, TokensGrowAsTakenWholeInAnyOrderOfArrival) {
    std::mt19937_64 random(31);
    for (int round = 0; round < 60; ++round) {
        TraceBuilder builder;
        builder.setRun({.mode = "eager"});
        const TrackId track = builder.internTrack({.deviceId = 0, .streamId = 7});
        const bool inOrder = round % 2 == 0;
        const int operations = 20 + static_cast<int>(random() % 80);
        TimelineIndex growing;
        for (int i = 0; i < operations; ++i) {
            const int at = inOrder ? i : static_cast<int>(random() % 100);
            const auto repeat = static_cast<int16_t>(at / 40 - 1);
            const int32_t token = at % 40 / 5 - 1;
            // In any order also in time: of several processes a later token may lie before an earlier one.
            const int64_t startNs = (inOrder ? at * 100 : 0) + static_cast<int64_t>(random() % (inOrder ? 150 : 9000));
            const auto endNs = startNs + static_cast<int64_t>(random() % 150);
            builder.add(
                DeviceOpRow{.startNs = startNs, .endNs = endNs, .track = track, .token = token, .repeat = repeat});
            if (random() % 3 == 0) builder.add(TokenRow{.emittedNs = endNs, .repeat = repeat, .index = token});
            if (random() % 4 == 0) growing.setTrace(builder.snapshot());
        }
        growing.setTrace(builder.snapshot());
        TimelineIndex whole;
        whole.setTrace(builder.snapshot());
        ASSERT_EQ(growing.tokens().size(), whole.tokens().size());
        for (size_t i = 0; i < whole.tokens().size(); ++i) {
            EXPECT_EQ(growing.tokens()[i].repeat, whole.tokens()[i].repeat);
            EXPECT_EQ(growing.tokens()[i].index, whole.tokens()[i].index);
            EXPECT_EQ(growing.tokens()[i].range, whole.tokens()[i].range);
            EXPECT_EQ(growing.tokens()[i].tokenRow, whole.tokens()[i].tokenRow);
        }
        const auto& grown = growing.rows()[0]->lanes;
        const auto& expected = whole.rows()[0]->lanes;
        EXPECT_EQ(grown.itemCount(), expected.itemCount());
        ASSERT_EQ(grown.lanes().size(), expected.lanes().size());
        for (size_t depth = 0; depth < expected.lanes().size(); ++depth) {
            ASSERT_EQ(grown.lanes()[depth].size(), expected.lanes()[depth].size());
            for (size_t i = 0; i < expected.lanes()[depth].size(); ++i)
                EXPECT_EQ(grown.lanes()[depth][i], expected.lanes()[depth][i]);
        }
    }
}

// Two prompts, of which the second comes in later and the first ends earlier: steps at 0 (a prompt), 2 (a prompt), 3, 5
// and 7.
void addBatch(TraceBuilder& builder, const std::function<void()>& after) {
    const TrackId track = builder.internTrack({.deviceId = 0, .streamId = 7});
    const auto work = [&](int32_t token, int64_t startNs) {
        builder.add(DeviceOpRow{.startNs = startNs, .endNs = startNs + 80, .track = track, .token = token});
        after();
    };
    const auto emit = [&](int32_t index, int16_t place, int32_t sequence) {
        builder.add(TokenRow{.emittedNs = 1000 + 100 * index, .index = index, .place = place, .sequence = sequence});
        after();
    };
    work(kPrefillToken, 1000);
    emit(0, 0, 0);
    work(1, 1100);
    emit(1, 0, 0);
    work(2, 1200);
    emit(2, 0, 1);
    for (const int32_t step : {3, 5}) {
        work(step, 1000 + 100 * step);
        emit(step, 0, 0);
        emit(step + 1, 1, 1);
    }
    work(7, 1700);
    emit(7, 0, 1);
}

TEST(TimelineIndex, EachPromptOfABatchHasARowOfTokens) {
    TraceBuilder builder;
    builder.setRun({.mode = "fused"});
    TimelineIndex growing;
    int calls = 0;
    addBatch(builder, [&] {
        if (++calls % 2 == 0) growing.setTrace(builder.snapshot());
    });
    growing.setTrace(builder.snapshot());
    TimelineIndex whole;
    whole.setTrace(builder.snapshot());
    for (const TimelineIndex* index : {&growing, &whole}) {
        const std::vector<std::string> names = titles(*index);
        ASSERT_GE(names.size(), 3u);
        EXPECT_EQ(names[0], "Tokens");
        EXPECT_EQ(names[1], "Tokens 1");
        EXPECT_EQ(names[2], "Tokens 2");
        EXPECT_TRUE(index->rows()[0]->startsGroup) << "drawn as the head of those below";
        EXPECT_FALSE(index->rows()[1]->startsGroup);
        const auto numbers = [&](size_t row) {
            std::vector<std::pair<int32_t, int64_t>> found;  // number in the sequence, start
            const Lane& lane = index->rows()[row]->lanes.lanes()[0];
            for (size_t i = 0; i < lane.size(); ++i) {
                const TokenSpan& span = index->tokens()[lane[i].row];
                EXPECT_EQ(span.range.startNs, lane[i].startNs);
                found.emplace_back(span.number, span.range.startNs);
            }
            return found;
        };
        EXPECT_EQ(index->rows()[0]->lanes.itemCount(), 6u) << "steps";
        // The first prompt's prefill, token 0 (which has no work of its own), and a token of each of three steps.
        using Found = std::vector<std::pair<int32_t, int64_t>>;
        EXPECT_EQ(numbers(1), (Found{{-1, 1000}, {1, 1080}, {2, 1280}, {3, 1380}}));
        EXPECT_EQ(numbers(2), (Found{{0, 1180}, {1, 1280}, {2, 1380}, {3, 1580}}));
        for (uint32_t token = 0; token < index->tokens().size(); ++token)
            EXPECT_GE(index->placeOf(RowKind::Token, token).row, 0) << token;
    }
    RowArrangement folded;
    folded.folded.insert("tokens");
    whole.setArrangement(folded);
    EXPECT_EQ(titles(whole)[0], "Tokens");
    EXPECT_NE(titles(whole)[1], "Tokens 1");
}

TEST(TimelineIndex, StagesLieBelowTheStreamOfTheirKernels) {
    TraceBuilder builder;
    builder.setRun({.mode = "persistent"});
    TimelineIndex index;
    addStep(builder, 0, 1000, 10);
    index.setTrace(builder.snapshot());
    EXPECT_EQ(std::ranges::count(titles(index), "stages on 7"), 0);
    const auto normNs = [&] { return index.deviceTintTimes()[static_cast<size_t>(Category::Norm)]; };
    const int64_t normNsOfKernels = normNs();
    const TrackId track = builder.snapshot()->deviceOps().track[0];
    for (int64_t i = 0; i < 6; ++i) {  // in a later snapshot, some at a time
        builder.add(StageRow{.startNs = 1000 + 2 * i,
                             .endNs = 1002 + 2 * i,
                             .name = builder.intern("norm"),
                             .track = track,
                             .category = Category::Norm});
        if (i % 2 == 1) index.setTrace(builder.snapshot());
    }
    EXPECT_FALSE(index.isBehind());
    const std::vector<std::string> shown = titles(index);
    const auto at = std::ranges::find(shown, "stages on 7");
    ASSERT_NE(at, shown.end());
    EXPECT_EQ(*(at - 1), "stream 7");
    const TimelineRow& row = *index.rows()[static_cast<size_t>(at - shown.begin())];
    EXPECT_EQ(row.kind, RowKind::Stage);
    EXPECT_EQ(row.lanes.itemCount(), 6u);
    EXPECT_EQ(row.lanes.lanes()[0][4].row, 4u);
    EXPECT_EQ(row.lanes.lanes()[0][4].tint, static_cast<uint8_t>(Category::Norm));
    EXPECT_EQ(index.placeOf(RowKind::Stage, 5).item, 5u);
    EXPECT_EQ(normNs(), normNsOfKernels + 12);  // the legend names them, too
    index.setTrace(TraceBuilder().snapshot());
    EXPECT_EQ(std::ranges::count(titles(index), "stages on 7"), 0);
}

TEST(TimelineIndex, WaitsTracingCostAndCountersHaveRowsOfTheirOwn) {
    TraceBuilder builder;
    builder.setRun({.mode = "eager"});
    builder.setThread(kTid, "launcher");
    constexpr uint64_t kFlusher = makeGlobalTid(77, 90);
    builder.add(OverheadRow{5, 9, builder.intern("CUPTI buffer flush"), kFlusher});  // seen before any launch
    addStep(builder, 0, 1000, 10);
    builder.add(RangeRow{1500, 1600, builder.intern("wait for stream 7"), kTid, RangeKind::Wait});
    builder.add(OverheadRow{1610, 1620, builder.intern("CUPTI resources"), kTid});
    const auto sample = [&](int64_t timeNs, const char* name, CounterUnit unit, double value) {
        builder.add(CounterSampleRow{
            timeNs, builder.internCounter({.name = builder.intern(name), .unit = unit, .deviceId = 0}), value});
    };
    TimelineIndex index;
    // Reasons come and go; samples of one stretch lie in two snapshots.
    constexpr double kReasons[] = {0, 4, 4, 4, 0x24, 0, 1};
    for (int i = 0; i < 7; ++i) {
        sample(1000 + i * 100, "power", CounterUnit::Watt, 100 + i);
        sample(1000 + i * 100, "clock limits", CounterUnit::ClockEventReasons, kReasons[i]);
        index.setTrace(builder.snapshot());
    }
    const std::vector<std::string> all = {"Tokens", "launcher", "API calls", "waits", "tracing cost", "tracing thread",
                                          "GPU 0",  "stream 7", "counters",  "power", "clock limits"};
    EXPECT_EQ(titles(index), all);
    EXPECT_EQ(index.rows()[3]->lanes.lanes()[0][0].row, 6u);  // of ranges(), as the others
    EXPECT_EQ(index.placeOf(RowKind::Range, 6).row, 3);
    EXPECT_EQ(index.rows()[5]->globalTid, kFlusher);
    EXPECT_EQ(index.rows()[9]->series.size(), 7u);
    EXPECT_EQ(index.rows()[9]->series.value(6), 106);
    const Lane& limits = index.rows()[10]->lanes.lanes()[0];
    ASSERT_EQ(limits.size(), 2u);
    EXPECT_EQ(limits.startNs(0), 1100);
    EXPECT_EQ(limits.endNs(0), 1400);
    EXPECT_EQ(limits[0].tint, static_cast<uint8_t>(ClockLimit::Power));
    EXPECT_EQ(limits[1].tint, static_cast<uint8_t>(ClockLimit::Thermal));
    EXPECT_EQ(limits.endNs(1), 1500);

    // Folded rows go, their first stays; what comes later stays folded.
    const std::string counters = index.rows()[8]->folds;
    const std::string thread = index.rows()[1]->folds;
    EXPECT_EQ(counters, "device 0/counters");
    EXPECT_EQ(thread, "thread launcher");
    index.setArrangement({.folded = {counters, thread}});
    sample(1800, "temperature", CounterUnit::Celsius, 40);
    index.setTrace(builder.snapshot());
    EXPECT_EQ(titles(index),
              (std::vector<std::string>{"Tokens", "launcher", "tracing thread", "GPU 0", "stream 7", "counters"}));
    EXPECT_TRUE(index.rows()[1]->folded);
    EXPECT_EQ(index.placeOf(RowKind::Range, 6).row, -1);
    index.setArrangement({.folded = {index.rows()[3]->folds}});
    EXPECT_EQ(index.rows().back()->title, "GPU 0");
    index.setArrangement({});
    EXPECT_EQ(titles(index).size(), all.size() + 1);
}

TEST(TimelineIndex, OperationsOfNoOpBelongToNoToken) {
    TraceBuilder builder;
    builder.setRun({.mode = "eager"});
    const TrackId track = builder.internTrack({.globalPid = globalPidOf(kTid), .deviceId = 0, .streamId = 7});
    builder.add(DeviceOpRow{.startNs = 10, .endNs = 20, .track = track, .kind = DeviceOpKind::Copy});
    addStep(builder, -1, 1000, 10);
    addStep(builder, 0, 1500, 20);
    builder.add(DeviceOpRow{.startNs = 1990, .endNs = 2500, .track = track, .kind = DeviceOpKind::Copy});
    TimelineIndex index;
    index.setTrace(builder.snapshot());
    ASSERT_EQ(index.tokens().size(), 2u);
    EXPECT_EQ(index.tokens()[0].range, (TimeRange{1030, 1480}));
    EXPECT_EQ(index.tokens()[1].range, (TimeRange{1480, 1980}));
}

TEST(TimelineIndex, ABusyShareCountsOverlapOnAStreamOnce) {
    TraceBuilder builder;
    const TrackId track = builder.internTrack({.globalPid = globalPidOf(kTid), .deviceId = 0, .streamId = 7});
    builder.add(DeviceOpRow{.startNs = 0, .endNs = 100, .track = track});
    builder.add(DeviceOpRow{.startNs = 50, .endNs = 150, .track = track});  // programmatic dependent launch
    builder.add(DeviceOpRow{.startNs = 190, .endNs = 200, .track = track, .kind = DeviceOpKind::Copy});
    TimelineIndex index;
    index.setTrace(builder.snapshot());
    const TimelineFrame frame = makeFrame(index, {{0, 200}, 100}, 400, 0);
    ASSERT_EQ(titles(index), (std::vector<std::string>{"GPU 0", "stream 7", "copies"}));
    EXPECT_EQ(index.rows()[1]->lanes.lanes().size(), 2u);
    EXPECT_DOUBLE_EQ(frame.busy[0].value(), 0.8);
    EXPECT_DOUBLE_EQ(frame.busy[1].value(), 0.75);
    EXPECT_DOUBLE_EQ(frame.busy[2].value(), 0.05);
}

TEST(TimelineIndex, AnotherTraceStartsAfresh) {
    TraceBuilder first;
    addStep(first, 0, 1000, 1);
    TraceBuilder second;
    second.add(ApiCallRow{5, 6, second.intern("x"), kTid, 1});
    TimelineIndex index;
    index.setTrace(first.snapshot());
    const GapPiece piece{.deviceId = 0, .range = {0, 100}, .gap = 0, .tint = 2};
    index.setGaps(gapLanesOf({&piece, 1}));
    EXPECT_EQ(index.rows()[3]->kind, RowKind::Gap);
    EXPECT_EQ(index.rows()[3]->lanes.itemCount(), 1u);
    index.setTrace(second.snapshot());
    ASSERT_EQ(index.rows().size(), 1u);
    EXPECT_EQ(index.rows()[0]->lanes.itemCount(), 1u);
    index.setTrace(TraceBuilder().snapshot());
    EXPECT_TRUE(index.rows().empty());
}

}  // namespace gapscope

// Projected ranges, layers, queue depth and bandwidth against the trace looked at row by row.
#include "core/layout/derived_rows.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "core/analysis/range_projection.h"
#include "core/analysis/token_table.h"
#include "core/layout/timeline_frame.h"
#include "core/trace/trace_builder.h"

namespace gapscope {

namespace {

// Threads with nested, crossing and empty ranges; calls in a row, some of graphs over two streams, some nested in a
// call of their own id; operations in and out of order.
TracePtr randomTrace(uint32_t seed, int calls) {
    std::mt19937 random(seed);
    TraceBuilder builder;
    const auto number = [&](int below) { return static_cast<int64_t>(random() % static_cast<uint32_t>(below)); };
    uint32_t correlation = 0;
    for (uint32_t t = 0; t < 3; ++t) {
        const uint64_t tid = makeGlobalTid(4, 10 + t);
        int64_t nowNs = number(1000);
        for (int c = 0; c < calls; ++c) {
            nowNs += number(300);
            ++correlation;
            const int64_t endNs = nowNs + 20 + number(60);
            builder.add(ApiCallRow{nowNs, endNs, builder.intern("cudaLaunchKernel"), tid, correlation});
            if (number(5) == 0)
                builder.add(ApiCallRow{nowNs + 5, endNs - 5, builder.intern("cuLaunchKernel"), tid, correlation,
                                       ApiClass::Driver});
            const int64_t operations = number(6) == 0 ? 6 : number(8) == 0 ? 0 : 1;
            for (int64_t o = 0; o < operations; ++o) {
                const int64_t startNs = endNs + number(2000);
                builder.add(
                    DeviceOpRow{.startNs = startNs,
                                .endNs = startNs + number(400),
                                .name = builder.intern("k"),
                                .track = builder.internTrack({.globalPid = globalPidOf(tid),
                                                              .deviceId = t % 2,
                                                              .streamId = static_cast<uint32_t>(7 + number(2))}),
                                .correlationId = correlation,
                                .op = builder.internOp({.name = builder.intern("op"),
                                                        .layer = static_cast<int32_t>(number(4)) - 1,
                                                        .bytes = number(3) * 1000}),
                                .token = static_cast<int32_t>(c / 10)});
            }
            nowNs = endNs;
        }
        for (int r = 0; r < 60; ++r) {
            const int64_t startNs = number(static_cast<int>(nowNs) + 500) - 100;
            builder.add(RangeRow{startNs,
                                 startNs + number(r % 7 == 0   ? 1
                                                  : r % 5 == 0 ? 20000
                                                               : 900),
                                 builder.intern("range " + std::to_string(r)), tid,
                                 r % 6 == 0 ? RangeKind::CpuOp : RangeKind::User});
        }
    }
    return builder.snapshot();
}

// The definition, operation by operation.
std::vector<ProjectedRange> byHand(const Trace& trace) {
    const LaunchJoin join = joinLaunches(trace);
    std::vector<ProjectedRange> all;
    for (uint32_t r = 0; r < trace.ranges().startNs.size(); ++r) {
        const RangeRow range = rowAt(trace.ranges(), r);
        if (range.kind != RangeKind::User) continue;
        std::map<TrackId, TimeRange> found;
        for (uint32_t op = 0; op < trace.deviceOps().startNs.size(); ++op) {
            if (join.callOfOp[op] == kNoRow) continue;
            const ApiCallRow call = rowAt(trace.apiCalls(), join.callOfOp[op]);
            if (call.globalTid != range.globalTid || call.startNs < range.startNs || call.endNs > range.endNs) continue;
            const DeviceOpRow row = rowAt(trace.deviceOps(), op);
            const auto [it, isNew] = found.try_emplace(row.track, TimeRange{row.startNs, row.endNs});
            it->second = {std::min(it->second.startNs, row.startNs), std::max(it->second.endNs, row.endNs)};
        }
        for (const auto& [track, time] : found)
            all.push_back({r, track, time.startNs, time.endNs});
    }
    return all;
}

bool earlier(const ProjectedRange& a, const ProjectedRange& b) {
    return std::tie(a.range, a.track) < std::tie(b.range, b.track);
}

}  // namespace

TEST(RangeProjection, AgreesWithTheDefinitionOnRandomTraces) {
    for (uint32_t seed = 1; seed <= 12; ++seed) {
        const TracePtr trace = randomTrace(seed, seed == 12 ? 900 : 60);
        std::vector<ProjectedRange> projected = projectRanges(*trace, joinLaunches(*trace));
        std::vector<ProjectedRange> expected = byHand(*trace);
        std::ranges::sort(projected, earlier);
        std::ranges::sort(expected, earlier);
        ASSERT_GT(expected.size(), 10u);
        ASSERT_EQ(projected, expected) << seed;
    }
}

TEST(RangeProjection, ARangeThatLaunchedNothingIsNowhere) {
    TraceBuilder builder;
    const uint64_t tid = makeGlobalTid(4, 5);
    builder.add(RangeRow{0, 100, builder.intern("empty"), tid});
    builder.add(RangeRow{0, 100, builder.intern("other thread"), tid + 1});
    builder.add(ApiCallRow{90, 110, builder.intern("cudaLaunchKernel"), tid, 1});  // ends after the range
    builder.add(DeviceOpRow{.startNs = 120, .endNs = 130, .track = builder.internTrack({}), .correlationId = 1});
    const TracePtr trace = builder.snapshot();
    EXPECT_TRUE(projectRanges(*trace, joinLaunches(*trace)).empty());
    EXPECT_TRUE(deriveRows(*trace, joinLaunches(*trace), {}).projections.empty());
}

TEST(DerivedRows, PlotsHoldWhatTheTraceSaysAtAnyTime) {
    for (uint32_t seed = 1; seed <= 5; ++seed) {
        const TracePtr trace = randomTrace(seed, 80);
        const LaunchJoin join = joinLaunches(*trace);
        const DerivedRows rows = deriveRows(*trace, join, {});
        ASSERT_FALSE(rows.bandwidths.empty());
        ASSERT_FALSE(rows.queueDepths.empty());
        std::mt19937 random(seed);
        const DeviceOps& ops = trace->deviceOps();
        for (int i = 0; i < 400; ++i) {
            const int64_t timeNs = static_cast<int64_t>(random() % static_cast<uint32_t>(trace->extent().endNs));
            for (const uint32_t device : {0u, 1u}) {
                double rate = 0;
                for (size_t op = 0; op < ops.startNs.size(); ++op) {
                    const auto bytes = static_cast<double>(trace->ops()[ops.op[op].value].bytes);
                    if (trace->tracks()[ops.track[op].value].deviceId == device && ops.startNs[op] <= timeNs &&
                        timeNs < ops.endNs[op])
                        rate += bytes * 1e9 / static_cast<double>(ops.endNs[op] - ops.startNs[op]);
                }
                const CounterSeries& series = rows.bandwidths.at(device);
                if (const auto sample = series.sampleAt(timeNs)) {
                    ASSERT_NEAR(series.value(*sample), rate, 1e-3 * std::max(1.0, rate));
                } else {
                    ASSERT_EQ(rate, 0);
                }
                // A launch waits from its call's begin to its first operation on the stream.
                std::map<std::pair<uint32_t, TrackId>, int64_t> firsts;
                for (size_t op = 0; op < ops.startNs.size(); ++op) {
                    if (join.callOfOp[op] == kNoRow || trace->tracks()[ops.track[op].value].deviceId != device)
                        continue;
                    const auto [it, isNew] = firsts.try_emplace({join.callOfOp[op], ops.track[op]}, ops.startNs[op]);
                    it->second = std::min(it->second, ops.startNs[op]);
                }
                int64_t depth = 0;
                for (const auto& [key, firstNs] : firsts) {
                    const int64_t callNs = trace->apiCalls().startNs[key.first];
                    depth += callNs <= timeNs && timeNs < firstNs;
                }
                const CounterSeries& queue = rows.queueDepths.at(device);
                const auto sample = queue.sampleAt(timeNs);
                ASSERT_EQ(sample ? queue.value(*sample) : 0, static_cast<double>(depth)) << timeNs;
            }
        }
    }
}

TEST(DerivedRows, LayersOfATokenGoFromTheirFirstOperationToTheirLast) {
    const TracePtr trace = randomTrace(2, 60);
    const DerivedRows rows = deriveRows(*trace, joinLaunches(*trace), {});
    std::set<std::pair<int32_t, int32_t>> wanted;
    const DeviceOps& ops = trace->deviceOps();
    for (size_t op = 0; op < ops.startNs.size(); ++op)
        if (const int32_t layer = trace->ops()[ops.op[op].value].layer; layer >= 0)
            wanted.emplace(ops.token[op], layer);
    ASSERT_EQ(rows.layers.size(), wanted.size());
    EXPECT_EQ(rows.layerLanes.itemCount(), wanted.size());
    for (const LayerSpan& span : rows.layers) {
        TimeRange expected{INT64_MAX, INT64_MIN};
        for (size_t op = 0; op < ops.startNs.size(); ++op) {
            if (ops.token[op] != span.token || trace->ops()[ops.op[op].value].layer != span.layer) continue;
            expected = {std::min(expected.startNs, ops.startNs[op]), std::max(expected.endNs, ops.endNs[op])};
        }
        EXPECT_EQ(span.range, expected);
    }
}

TEST(DerivedRows, StandUnderTheirStreamsAndBesideTheTokens) {
    TraceBuilder builder;
    const uint64_t tid = makeGlobalTid(4, 5);
    builder.setThread(tid, "t");
    const TrackId track = builder.internTrack({.globalPid = globalPidOf(tid), .streamId = 7});
    builder.add(ApiCallRow{10, 20, builder.intern("cudaLaunchKernel"), tid, 1});
    builder.add(RangeRow{5, 40, builder.intern("step"), tid});
    builder.add(DeviceOpRow{.startNs = 100,
                            .endNs = 200,
                            .track = track,
                            .correlationId = 1,
                            .op = builder.internOp({.name = builder.intern("q"), .layer = 3, .bytes = 500}),
                            .token = 0});
    TimelineIndex index;
    index.setTrace(builder.snapshot());
    index.setDerived(deriveRows(index.trace(), joinLaunches(index.trace()), {}));
    std::vector<std::string> titles;
    for (const TimelineRow* row : index.rows())
        titles.push_back(row->title);
    EXPECT_EQ(titles, (std::vector<std::string>{"Tokens", "Layers", "t", "API calls", "GPU 0", "stream 7",
                                                "ranges on 7", "busy", "queue depth", "bandwidth"}));
    const Lane& projected = index.rows()[6]->lanes.lanes()[0];
    EXPECT_EQ(projected[0], (LaneItem{100, 200, 0, projected[0].tint}));
    EXPECT_EQ(index.layers().at(0).layer, 3);
    EXPECT_EQ(index.rows()[9]->series.value(0), 5e9);  // 500 bytes in 100 ns
    EXPECT_EQ(index.rows()[8]->series.value(*index.rows()[8]->series.sampleAt(50)), 1);
    // The busy plot: of each four px their share.
    const TimelineFrame frame = makeFrame(index, {{0, 400}, 40}, 900, 0);
    const auto plot = std::ranges::find(frame.counters, size_t(7), &FrameCounter::row);
    ASSERT_NE(plot, frame.counters.end());
    EXPECT_EQ(plot->top, 1);
    for (int x = 1; x < 20; ++x) {  // the trace lasts from 5 to 200 ns
        const int64_t fromNs = x / 4 * 40;
        const auto busyNs = static_cast<double>(
            std::max<int64_t>(0, std::min<int64_t>(fromNs + 40, 200) - std::max<int64_t>(fromNs, 100)));
        EXPECT_NEAR(plot->columns[static_cast<size_t>(x)].mean, busyNs / 40, 1e-6) << x;
    }
    EXPECT_FALSE(plot->columns[25].known);
    // Handed on to another index of the trace, nothing is left behind.
    TimelineIndex other({}, ColourBy::Name);
    other.setTrace(builder.snapshot());
    other.setDerived(index.takeDerived());
    EXPECT_EQ(other.rows().size(), 10u);
    EXPECT_EQ(other.layers().size(), 1u);
}

TEST(DerivedRows, FoundStepsAndTheirLayersHaveRowsThatSaySo) {
    TraceBuilder builder;
    const TrackId track = builder.internTrack({.streamId = 7});
    const auto kernel = [&](int64_t at, const char* name) {
        builder.add(DeviceOpRow{.startNs = at, .endNs = at + 8, .name = builder.intern(name), .track = track});
    };
    // Six steps of three layers and a head, 20 ns of idle time between them.
    int64_t at = 100;
    for (int step = 0; step < 6; ++step, at += 20) {
        kernel(at, "embed");
        for (int layer = 0; layer < 3; ++layer)
            for (const char* name : {"norm", "attention", "feed"})
                kernel(at += 10, name);
        kernel(at += 10, "argmax");
        at += 10;
    }
    TimelineIndex index;
    index.setTrace(builder.snapshot());
    const LaunchJoin join = joinLaunches(index.trace());
    const FoundSteps found = findSteps(index.trace(), join);
    ASSERT_EQ(found.source, StepSource::Sequence);
    const TokenTable table = tokenTable(index.trace(), join, found, index.trace().extent());
    index.setDerived(deriveRows(index.trace(), join, found));
    ASSERT_EQ(index.steps().size(), 6u);
    ASSERT_EQ(table.rows.size(), 6u);
    for (size_t i = 0; i < table.rows.size(); ++i) {
        EXPECT_EQ(index.steps()[i].range, table.rows[i].range) << i;
        EXPECT_EQ(index.steps()[i].index, table.rows[i].index) << i;
    }
    const TimelineRow& row = *index.rows().front();
    EXPECT_EQ(row.kind, RowKind::Step);
    EXPECT_TRUE(row.title.starts_with("Steps found, ") && row.title.ends_with(" %")) << row.title;
    EXPECT_EQ(row.detail, found.sentence());
    EXPECT_EQ(index.placeOf(RowKind::Step, 2).row, 0);
    if (found.layersPerStep > 0) {
        ASSERT_EQ(index.layers().size(), 18u);
        EXPECT_EQ(index.layers()[4].layer, 1);
        EXPECT_EQ(index.layers()[4].token, index.steps()[1].index);
        EXPECT_EQ(index.rows()[1]->title, "Layers");
    }
}

}  // namespace gapscope

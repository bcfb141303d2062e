// What colours tell: tints by name, stream and launch latency, against the trace asked row by row.
#include "core/layout/colour_by.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <random>
#include <set>

#include "core/layout/timeline_index.h"
#include "core/trace/trace_builder.h"

namespace gapscope {

namespace {

// Launches of one to three operations, some without a call, on three streams; operations may come before their calls.
// Beside them calls that launch nothing and ranges.
TracePtr randomTrace(uint32_t seed, int count) {
    std::mt19937 random(seed);
    TraceBuilder builder;
    const uint64_t tid = makeGlobalTid(4, 5);
    int64_t nowNs = 1000;
    for (int i = 0; i < count; ++i) {
        nowNs += static_cast<int64_t>(random() % 5000);
        const auto correlation = static_cast<uint32_t>(i + 1);
        const int64_t latencyNs = int64_t{1} << (random() % 22);
        if (random() % 4 == 0)
            builder.add(ApiCallRow{nowNs - 50, nowNs - 10, builder.intern("cudaMalloc"), tid, correlation + 1'000'000});
        builder.add(RangeRow{nowNs, nowNs + 400, builder.intern("layer " + std::to_string(random() % 30)), tid});
        if (random() % 8 != 0)
            builder.add(ApiCallRow{nowNs, nowNs + 100, builder.intern("cudaLaunchKernel"), tid, correlation});
        const int operations = 1 + static_cast<int>(random() % 3);
        for (int o = 0; o < operations; ++o)
            builder.add(DeviceOpRow{.startNs = nowNs + latencyNs + o * 50,
                                    .endNs = nowNs + latencyNs + o * 50 + static_cast<int64_t>(random() % 900),
                                    .name = builder.intern("kernel " + std::to_string(random() % 40)),
                                    .track = builder.internTrack({.globalPid = globalPidOf(tid),
                                                                  .streamId = static_cast<uint32_t>(7 + random() % 3)}),
                                    .category = static_cast<Category>(random() % 8),
                                    .correlationId = correlation});
    }
    return builder.snapshot();
}

// The tint that each operation should have.
uint8_t expectedTint(const Trace& trace, size_t op, ColourBy colourBy) {
    const DeviceOps& ops = trace.deviceOps();
    switch (colourBy) {
        case ColourBy::Category:
            return static_cast<uint8_t>(ops.category[op]);
        case ColourBy::Name:
            return nameTint(trace.string(ops.name[op]));
        case ColourBy::Stream:
            return static_cast<uint8_t>(ops.track[op].value % kNameTints);
        case ColourBy::LaunchLatency:
            break;
    }
    for (size_t call = 0; call < trace.apiCalls().startNs.size(); ++call) {
        if (trace.apiCalls().correlationId[call] != ops.correlationId[op]) continue;
        for (size_t other = 0; other < ops.startNs.size(); ++other)
            if (ops.correlationId[other] == ops.correlationId[op] && ops.startNs[other] < ops.startNs[op])
                return kNoLatency;
        return latencyTint(ops.startNs[op] - trace.apiCalls().startNs[call]);
    }
    return kNoLatency;
}

}  // namespace

TEST(ColourBy, LatencyStepsAreInOrderAndCoverAll) {
    EXPECT_EQ(latencyTint(-5), 0);
    EXPECT_EQ(latencyTint(0), 0);
    EXPECT_EQ(latencyTint(1'999), 0);
    EXPECT_EQ(latencyTint(2'000), 1);
    EXPECT_EQ(latencyTint(INT64_MAX), kLatencyTints - 1);
    for (int tint = 1; tint < kLatencyTints; ++tint) {
        EXPECT_EQ(latencyTint(latencyStepNs(tint)), tint);
        EXPECT_EQ(latencyTint(latencyStepNs(tint) - 1), tint - 1);
    }
    EXPECT_LT(kLatencyTints, kNoLatency);
    EXPECT_LT(kNoLatency, kTintCount);
}

TEST(ColourBy, NamesKeepTheirTintAndSpreadOverAll) {
    EXPECT_EQ(nameTint("rms_norm_fused"), nameTint(std::string("rms_norm") + "_fused"));
    std::array<int, kNameTints> counts{};
    for (int i = 0; i < 1200; ++i)
        ++counts.at(nameTint("kernel_" + std::to_string(i)));
    EXPECT_GT(*std::ranges::min_element(counts), 50);
    EXPECT_LT(*std::ranges::max_element(counts), 180);
}

TEST(ColourBy, EveryModeTintsEachOperationAndItsSums) {
    for (const ColourBy colourBy : {ColourBy::Category, ColourBy::Name, ColourBy::Stream, ColourBy::LaunchLatency}) {
        const TracePtr trace = randomTrace(3, 300);
        TimelineIndex index({}, colourBy);
        index.setTrace(trace);
        size_t seen = 0;
        std::set<uint8_t> tints;
        for (const TimelineRow* row : index.rows()) {
            if (row->kind != RowKind::Stream) continue;
            for (const Lane& lane : row->lanes.lanes()) {
                for (size_t i = 0; i < lane.size(); ++i, ++seen) {
                    ASSERT_EQ(lane[i].tint, expectedTint(*trace, lane[i].row, colourBy)) << i;
                    tints.insert(lane[i].tint);
                }
            }
        }
        EXPECT_EQ(seen, trace->deviceOps().startNs.size());
        EXPECT_GE(tints.size(), 3u);
        // The union keeps the tints: their sums are what the overview and the legend tell.
        int64_t sumNs = 0;
        for (const int64_t ns : index.deviceTintTimes())
            sumNs += ns;
        EXPECT_EQ(sumNs, index.deviceBusy(0)->busyNs(trace->extent()));
    }
}

TEST(ColourBy, CallsHaveTheColourOfWhatTheyLaunch) {
    const TracePtr trace = randomTrace(5, 300);
    const DeviceOps& ops = trace->deviceOps();
    for (const ColourBy colourBy : {ColourBy::Stream, ColourBy::LaunchLatency}) {
        TimelineIndex index({}, colourBy);
        index.setTrace(trace);
        size_t seen = 0, launching = 0;
        for (const TimelineRow* row : index.rows()) {
            if (row->kind != RowKind::ApiCall) continue;
            for (const Lane& lane : row->lanes.lanes()) {
                for (size_t i = 0; i < lane.size(); ++i, ++seen) {
                    std::optional<size_t> first;
                    for (size_t op = 0; op < ops.startNs.size(); ++op)
                        if (ops.correlationId[op] == trace->apiCalls().correlationId[lane[i].row] &&
                            (!first || ops.startNs[op] < ops.startNs[*first]))
                            first = op;
                    launching += first.has_value();
                    ASSERT_EQ(lane[i].tint, first ? expectedTint(*trace, *first, colourBy) : kNoStream) << i;
                }
            }
        }
        EXPECT_EQ(seen, trace->apiCalls().startNs.size());
        EXPECT_GT(launching, 100u);
        EXPECT_LT(launching, seen);
    }
}

TEST(ColourBy, ByNameTheHostsRowsTellNamesToo) {
    EXPECT_EQ(rangeTint("layer 3"), rangeTint("layer 14"));
    const TracePtr trace = randomTrace(6, 100);
    for (const ColourBy colourBy : {ColourBy::Category, ColourBy::Name}) {
        TimelineIndex index([](std::string_view) { return uint8_t{2}; }, colourBy);
        index.setTrace(trace);
        size_t seen = 0;
        for (const TimelineRow* row : index.threadRows()) {
            for (const Lane& lane : row->lanes.lanes()) {
                for (size_t i = 0; i < lane.size(); ++i, ++seen) {
                    const bool isCall = row->kind == RowKind::ApiCall;
                    const std::string_view name =
                        trace->string(isCall ? trace->apiCalls().name[lane[i].row] : trace->ranges().name[lane[i].row]);
                    if (colourBy == ColourBy::Name)
                        ASSERT_EQ(lane[i].tint, isCall ? nameTint(name) : rangeTint(name)) << name;
                    else
                        ASSERT_EQ(lane[i].tint, isCall ? 2 : rangeTint(name) % kRangeTints) << name;
                }
            }
        }
        EXPECT_EQ(seen, trace->apiCalls().startNs.size() + trace->ranges().startNs.size());
    }
}

TEST(ColourBy, GapsGoAlongToAnotherIndex) {
    const TracePtr trace = randomTrace(3, 30);
    const GapPiece piece{.deviceId = 0, .range = {0, 100}, .gap = 0, .tint = 2};
    TimelineIndex first;
    first.setTrace(trace);
    first.setGaps(gapLanesOf({&piece, 1}));
    TimelineIndex second({}, ColourBy::Name);
    second.setTrace(trace);
    second.setGaps(first.takeGaps());
    for (const TimelineRow* row : second.rows())
        if (row->kind == RowKind::Gap) {
            EXPECT_EQ(row->lanes.itemCount(), 1u);
        }
}

}  // namespace gapscope

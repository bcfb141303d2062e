// Small traces whose figures were worked out on paper, and the definitions that random traces cannot show.
#include <gtest/gtest.h>

#include "core/analysis/api_calls.h"
#include "core/analysis/gaps.h"
#include "core/analysis/intervals.h"
#include "core/analysis/layer_table.h"
#include "core/analysis/phases.h"
#include "core/analysis/summary.h"
#include "core/analysis/token_table.h"
#include "core/analysis/window.h"
#include "tests/core/analysis/hand_made_trace.h"

namespace gapscope {

TEST(Gaps, AreCutAtTheLaunchCall) {
    // busy 100-120, idle 120-200, busy 200-210; the second kernel's call runs 150-170.
    Builder b;
    b.call(90, 95, "cudaLaunchKernel", 1);
    b.kernel(100, 120, 1);
    b.call(125, 135, "cudaStreamSynchronize", 2);
    b.call(140, 144, "cudaMalloc", 3);
    b.add(OverheadRow{.startNs = 134, .endNs = 138, .name = b.intern("flush"), .globalTid = kThread});
    b.call(150, 170, "cudaLaunchKernel", 4);
    b.kernel(200, 210, 4);
    const GapTable table = findGaps(*b.snapshot(), {100, 210});
    ASSERT_EQ(table.gaps.size(), 1u);
    const Gap& gap = table.gaps[0];
    EXPECT_EQ(gap.range, (TimeRange{120, 200}));
    EXPECT_EQ(gap.causes[GapCause::HostWaiting], 10);
    EXPECT_EQ(gap.causes[GapCause::HostApi], 4);
    EXPECT_EQ(gap.causes[GapCause::Profiler], 3);  // 135-138: what the synchronize leaves of it
    EXPECT_EQ(gap.causes[GapCause::HostOutside], 13);
    EXPECT_EQ(gap.causes[GapCause::LaunchCall], 20);
    EXPECT_EQ(gap.causes[GapCause::DeviceLatency], 30);
    EXPECT_EQ(gap.causes[GapCause::Unknown], 0);
}

TEST(Gaps, UseTheOutermostCallAroundTheLaunch) {
    Builder b;
    b.call(10, 60, "cudaLaunchKernel", 0);
    b.call(20, 40, "cuLaunchKernel", 5);
    b.kernel(80, 90, 5);
    const GapTable table = findGaps(*b.snapshot(), {0, 90});
    ASSERT_EQ(table.gaps.size(), 1u);
    EXPECT_EQ(table.gaps[0].hostEndNs, 10);
    EXPECT_EQ(table.gaps[0].launchEndNs, 60);
}

TEST(Gaps, InsideAGraphLaunchAreTheDevices) {
    Builder b;
    b.call(0, 50, "cudaGraphLaunch", 1);
    b.kernel(10, 20, 1);
    b.kernel(30, 40, 1);  // the call still runs: between nodes all the same
    b.kernel(70, 80, 1);
    const GapTable table = findGaps(*b.snapshot(), {10, 100});
    ASSERT_EQ(table.gaps.size(), 3u);
    EXPECT_EQ(table.gaps[0].causes[GapCause::DeviceLatency], 10);
    EXPECT_EQ(table.gaps[1].causes[GapCause::DeviceLatency], 30);
    EXPECT_EQ(table.gaps[2].causes[GapCause::HostOutside], 20);  // after the last operation: the host
}

TEST(Gaps, WithoutALaunchInTheFileAreUnknown) {
    Builder b;
    b.kernel(10, 20, 0);
    b.kernel(30, 40, 9);
    const GapTable table = findGaps(*b.snapshot(), {0, 50});
    ASSERT_EQ(table.gaps.size(), 3u);
    EXPECT_EQ(table.causes[GapCause::Unknown], 30);
}

TEST(Gaps, NameTheHostByTheInnermostOfCallAndRange) {
    Builder b;
    b.range(0, 1000, "model_inference");
    b.range(100, 300, "layer 3");
    b.call(0, 1, "cudaLaunchKernel", 1);
    b.kernel(100, 110, 1);
    b.call(290, 295, "cudaLaunchKernel", 2);
    b.kernel(300, 400, 2);  // host part 110-290: layer 3
    b.call(410, 700, "cudaStreamSynchronize", 3);
    b.call(705, 710, "cudaLaunchKernel", 4);
    b.kernel(720, 900, 4);  // host part 400-705: most of it in the synchronize
    const TracePtr trace = b.snapshot();
    const GapTable table = findGaps(*trace, {100, 900});
    ASSERT_EQ(table.gaps.size(), 2u);
    EXPECT_EQ(trace->string(table.gaps[0].hostName), "layer 3");
    EXPECT_FALSE(table.gaps[0].hostCall.valid());
    EXPECT_EQ(trace->string(table.gaps[1].hostName), "model_inference");
    EXPECT_EQ(trace->string(table.gaps[1].hostCall), "cudaStreamSynchronize");
    EXPECT_EQ(hostText(*trace, table.gaps[0]), "layer 3");
    EXPECT_EQ(hostText(*trace, table.gaps[1]), "cudaStreamSynchronize in model_inference");
}

TEST(Launches, CountAGraphLaunchOnceAndMeasureItsFirstOperation) {
    Builder b;
    b.call(0, 50, "cudaGraphLaunch", 1);
    b.kernel(70, 80, 1);
    b.kernel(60, 65, 1);
    b.call(100, 110, "cudaLaunchKernel", 2);
    b.kernel(105, 120, 2);
    b.call(130, 140, "cudaLaunchKernel", 3);
    b.kernel(125, 126, 3);
    const LaunchTable table = launchTable(*b.snapshot(), {0, 200});
    ASSERT_EQ(table.launches.size(), 3u);
    EXPECT_EQ(table.launches[0].latencyNs, 60);
    EXPECT_EQ(table.launches[0].queueDelayNs, 10);
    EXPECT_EQ(table.launches[0].opCount, 2u);
    EXPECT_EQ(table.launches[1].latencyNs, 5);
    EXPECT_FALSE(table.launches[1].queueDelayNs);  // began before the call returned: absent, never negative
    EXPECT_EQ(table.launches[2].latencyNs, -5);
    EXPECT_EQ(table.negativeLatencyCount, 1);
    EXPECT_EQ(table.latency.count, 2);
}

TEST(Launches, AnOperationThatBeginsAsItsCallReturnsHasAQueueDelayOfZero) {
    Builder b;
    b.call(0, 10, "cudaLaunchKernel", 1);
    b.kernel(10, 20, 1);
    const LaunchTable table = launchTable(*b.snapshot(), {0, 50});
    ASSERT_EQ(table.launches.size(), 1u);
    EXPECT_EQ(table.launches[0].queueDelayNs, 0);
}

TEST(Intervals, TouchingRangesBecomeOneAndEmptyOnesVanish) {
    const std::vector<TimeRange> expected = {{0, 20}, {30, 40}};
    EXPECT_EQ(unionOf({{30, 40}, {10, 20}, {0, 10}, {25, 25}, {5, 12}}), expected);
    EXPECT_EQ(totalNs(expected), 30);
    EXPECT_EQ(complementOf(expected, {-5, 35}), (std::vector<TimeRange>{{-5, 0}, {20, 30}}));
    EXPECT_EQ(complementOf({}, {1, 2}), (std::vector<TimeRange>{{1, 2}}));
    const Coverage coverage(expected);
    EXPECT_EQ(coverage.coveredNs({15, 33}), 8);
    EXPECT_EQ(coverage.coveredNs({-10, 100}), 30);
    EXPECT_EQ(coverage.coveredNs({21, 29}), 0);
    // A remembered place changes the cost, never the answer, wherever the questions jump.
    std::vector<TimeRange> many;
    for (int64_t i = 0; i < 100; ++i)
        many.push_back({i * 10, i * 10 + i % 7});
    const Coverage longCoverage(many);
    size_t hint = 0;
    for (int64_t i = 0; i < 500; ++i) {
        const TimeRange asked{i * 7919 % 1100 - 50, i * 7919 % 1100 - 50 + i % 300};
        EXPECT_EQ(longCoverage.coveredNs(asked, hint), longCoverage.coveredNs(asked));
        int64_t expectedNs = 0;
        for (const TimeRange range : many)
            expectedNs += range.clippedTo(asked).durationNs();
        EXPECT_EQ(longCoverage.coveredNs(asked), expectedNs);
    }
}

TEST(Launches, JoinWithinAProcessOnly) {
    Builder b;
    b.call(0, 10, "cudaLaunchKernel", 1, makeGlobalTid(2, 2));
    b.kernel(20, 30, 1);
    EXPECT_EQ(joinLaunches(*b.snapshot()).callOfOp[0], kNoRow);
}

TEST(Busy, CountsOverlapOnceAndKeepsDevicesApart) {
    Builder b;
    const TrackId other = b.internTrack({.globalPid = makeGlobalTid(1, 0), .deviceId = 1, .streamId = 7});
    b.kernel(0, 10, 0);
    b.kernel(5, 20, 0);
    b.add(DeviceOpRow{.startNs = 2, .endNs = 12, .name = b.intern("x"), .track = other});
    const Summary summary = summarize(*b.snapshot(), {0, 40});
    ASSERT_EQ(summary.devices.size(), 2u);
    EXPECT_EQ(summary.devices[0].busyNs, 20);
    EXPECT_EQ(summary.devices[0].selfNs, 25);
    EXPECT_EQ(summary.devices[1].busyNs, 10);
    EXPECT_EQ(summary.gpuBusyNs, 30);
    EXPECT_EQ(summary.gpuIdleNs, 50);
    EXPECT_EQ(summary.selfGpuNs, 35);
}

TEST(Windows, AreFoundByNameNumberAndTime) {
    Builder b;
    b.kernel(100, 200, 0);
    b.range(50, 60, "model_inference");
    b.range(70, 300, "model_inference");
    b.range(400, 410, "decode 1");
    b.range(1, 2, "x#y");
    const TracePtr trace = b.snapshot();
    const auto at = [&](const char* text) { return resolveWindow(*trace, text).value_or(TimeRange{-1, -1}); };
    EXPECT_EQ(at(""), (TimeRange{70, 300}));
    EXPECT_EQ(at("all"), (TimeRange{100, 200}));
    EXPECT_EQ(at("model_inference"), (TimeRange{70, 300}));
    EXPECT_EQ(at("model_inference#0"), (TimeRange{50, 60}));
    EXPECT_EQ(at("5:17"), (TimeRange{5, 17}));
    EXPECT_EQ(at("-5:17"), (TimeRange{-5, 17}));
    EXPECT_EQ(at("x#y"), (TimeRange{1, 2}));
    for (const char* wrong : {"17:5", "5:5", "nothing", "model_inference#2", "model_inference#-1"}) {
        const auto window = resolveWindow(*trace, wrong);
        ASSERT_FALSE(window) << wrong;
        EXPECT_EQ(window.error().kind, ErrorKind::WrongUse);
    }
}

TEST(ApiCalls, AreKnownByName) {
    for (const char* name : {"cudaLaunchKernel", "cudaLaunchKernelExC", "cuLaunchKernelEx", "cudaGraphLaunch",
                             "cpuLaunchKernel", "cpuGraphLaunch", "hipLaunchKernel", "cudaLaunchCooperativeKernel"}) {
        EXPECT_TRUE(apiTraits(name).launches) << name;
        EXPECT_FALSE(apiTraits(name).waits) << name;
    }
    for (const char* name : {"cudaStreamSynchronize", "cudaDeviceSynchronize", "cuCtxSynchronize",
                             "cpuStreamSynchronize", "cudaMemcpy", "cuMemcpyDtoH", "cpuMemcpy", "cudaEventSynchronize"})
        EXPECT_TRUE(apiTraits(name).waits) << name;
    for (const char* name : {"cudaMemcpyAsync", "cpuMemcpyAsync", "cuMemcpyDtoHAsync", "cudaMemsetAsync"}) {
        EXPECT_TRUE(apiTraits(name).copies) << name;
        EXPECT_FALSE(apiTraits(name).waits) << name;
    }
    for (const char* name : {"cudaMalloc", "cudaEventQuery", "cudaStreamIsCapturing", "cudaLaunchHostFunc"})
        EXPECT_FALSE(apiTraits(name).waits || apiTraits(name).launches) << name;
}

TEST(Tokens, ReachFromTheEndOfTheOneBefore) {
    Builder b;
    b.setRun({.modelName = "m"});
    b.call(0, 5, "cpuGraphLaunch", 1);
    b.kernel(10, 100, 1, -1);
    b.add(TokenRow{.emittedNs = 101, .index = 0, .id = 7, .text = b.intern(" a")});
    b.kernel(120, 150, 2, 1);
    b.kernel(160, 180, 3, 1);
    b.add(TokenRow{.emittedNs = 185, .index = 1, .id = 8, .text = b.intern(" b")});
    const TokenTable table = tokenTable(*b.snapshot(), {0, 1000});
    ASSERT_EQ(table.rows.size(), 3u);
    EXPECT_EQ(table.rows[0].range, (TimeRange{10, 100}));
    EXPECT_EQ(table.rows[0].launchCount, 1);
    EXPECT_EQ(table.rows[1].range, (TimeRange{100, 100}));  // out of prompt processing: no work of its own
    EXPECT_EQ(table.rows[2].range, (TimeRange{100, 180}));
    EXPECT_EQ(table.rows[2].busyNs, 50);
    EXPECT_EQ(table.rows[2].idleNs, 30);
    EXPECT_EQ(table.rows[2].kernelCount, 2);
    EXPECT_EQ(table.rows[2].text, " b");
}

TEST(Tokens, DoNotReachOverWorkThatIsForNoToken) {
    Builder b;  // the memory measured before the prompt, something of no token between tokens and after them
    b.setRun({.modelName = "m"});
    b.kernel(10, 20, 1, kNoToken);
    b.kernel(100, 200, 2, kPrefillToken);
    b.kernel(220, 230, 3, kNoToken);
    b.kernel(240, 300, 4, 1);
    b.kernel(400, 450, 5, kNoToken);
    for (const int64_t correlation : {1, 2, 3, 4, 5})
        b.call(5, 6, "cudaLaunchKernel", static_cast<uint32_t>(correlation));
    const TokenTable table = tokenTable(*b.snapshot(), {0, 1000});
    ASSERT_EQ(table.rows.size(), 2u);
    EXPECT_EQ(table.rows[0].index, kPrefillToken);
    EXPECT_EQ(table.rows[0].range, (TimeRange{100, 200}));
    EXPECT_EQ(table.rows[0].launchCount, 1);
    EXPECT_EQ(table.rows[0].kernelCount, 1);
    EXPECT_EQ(table.rows[1].range, (TimeRange{200, 300}));
    EXPECT_EQ(table.rows[1].busyNs, 70);  // busy is busy, for whomever
    EXPECT_EQ(table.rows[1].launchCount, 1);
}

TEST(Tokens, ALaunchForTwoOfThemCountsForTheOneItBeganWith) {
    Builder b;  // one graph: the prompt's layers, then the head of the first token
    b.setRun({.modelName = "m"});
    b.call(0, 5, "cpuGraphLaunch", 1);
    b.kernel(8, 9, 1, kNoToken);
    b.kernel(10, 100, 1, kPrefillToken);
    b.kernel(100, 120, 1, 0);
    b.call(130, 135, "cpuGraphLaunch", 2);
    b.kernel(140, 150, 2, 1);
    b.kernel(150, 160, 2, 1);
    const TokenTable table = tokenTable(*b.snapshot(), {0, 1000});
    ASSERT_EQ(table.rows.size(), 3u);
    EXPECT_EQ(table.rows[0].launchCount, 1);
    EXPECT_EQ(table.rows[1].launchCount, 0);
    EXPECT_EQ(table.rows[1].kernelCount, 1);
    EXPECT_EQ(table.rows[2].launchCount, 1);
}

TEST(Tokens, AreKnownByTheirEmissionWithTracingOff) {
    Builder b;
    b.setRun({.modelName = "m"});
    for (int i = 0; i < 3; ++i)
        b.add(TokenRow{.emittedNs = 100 + 10 * i, .index = i, .id = i, .text = b.intern("t")});
    const TokenTable table = tokenTable(*b.snapshot(), {0, 1000});
    ASSERT_EQ(table.rows.size(), 3u);
    EXPECT_EQ(table.rows[2].range, (TimeRange{110, 120}));
    EXPECT_FALSE(table.rows[2].fromDevice);
}

TEST(Tokens, OfOneStepShareItsTime) {
    Builder b;  // a step that gave tokens 1 to 3: two of three drafts and its own; then one without drafts
    b.setRun({.modelName = "m", .speculation = "ngram", .draftTokens = 3});
    b.kernel(0, 100, 1, 0);
    b.kernel(110, 200, 2, 1);
    b.kernel(210, 290, 3, 4);
    b.add(TokenRow{.emittedNs = 101, .index = 0});
    for (int16_t place = 0; place < 3; ++place)
        b.add(TokenRow{.emittedNs = 205, .index = 1 + place, .drafted = 3, .accepted = 2, .place = place});
    b.add(TokenRow{.emittedNs = 295, .index = 4});
    const TracePtr trace = b.snapshot();
    const TokenTable table = tokenTable(*trace, {0, 1000});
    ASSERT_EQ(table.rows.size(), 5u);
    EXPECT_EQ(table.rows[1].range, (TimeRange{100, 200}));
    EXPECT_EQ(table.rows[1].accepted, 2);
    EXPECT_EQ(table.rows[2].range, (TimeRange{200, 200}));
    EXPECT_TRUE(table.rows[2].fromDevice);
    EXPECT_EQ(table.rows[3].place, 2);
    EXPECT_EQ(table.rows[4].range, (TimeRange{200, 290}));
    EXPECT_EQ(table.rows[4].drafted, 0);
    EXPECT_DOUBLE_EQ(table.tokensPerSecond(), 4e9 / 190);
    const auto told = phases(*trace, {0, 1000});
    ASSERT_TRUE(told);
    EXPECT_EQ(told->drafts.steps, 2);
    EXPECT_EQ(told->drafts.checks, 1);
    EXPECT_EQ(told->drafts.drafted, 3);
    EXPECT_EQ(told->drafts.accepted, 2);
    EXPECT_DOUBLE_EQ(told->drafts.tokensPerStep(), 2);
    EXPECT_DOUBLE_EQ(told->drafts.acceptance(), 2.0 / 3);
}

// Two prompts: the second waits for the first one's prefill; then two steps of both, and one of the second alone.
TEST(Tokens, OfABatchBelongToSequences) {
    Builder b;
    b.setRun({.modelName = "m", .sequences = 2, .batch = 2, .weightBytes = 900, .repeatTimes = {{70, 100, 400, 7}}});
    b.kernel(0, 100, 1, kPrefillToken);
    b.kernel(110, 200, 2, 1);
    b.kernel(210, 290, 3, 2);
    b.kernel(300, 390, 4, 4);
    b.kernel(400, 490, 5, 6);
    const auto emit = [&](int64_t ns, int32_t index, int16_t place, int32_t sequence) {
        b.add(TokenRow{.emittedNs = ns, .index = index, .place = place, .sequence = sequence});
    };
    emit(101, 0, 0, 0);
    emit(201, 1, 0, 1);
    emit(291, 2, 0, 0);
    emit(291, 3, 1, 1);
    emit(391, 4, 0, 0);
    emit(391, 5, 1, 1);
    emit(501, 6, 0, 1);
    const TracePtr trace = b.snapshot();
    const TokenTable table = tokenTable(*trace, {0, 1000});
    ASSERT_EQ(table.rows.size(), 8u);
    EXPECT_EQ(table.rows[3].range, (TimeRange{200, 290}));
    EXPECT_EQ(table.rows[3].share.ns, 45);
    EXPECT_EQ(table.rows[4].range, (TimeRange{290, 290}));
    EXPECT_EQ(table.rows[4].sequence, 1);
    EXPECT_EQ(table.rows[4].share.ns, 45);
    const auto told = phases(*trace, {0, 1000});
    ASSERT_TRUE(told);
    EXPECT_EQ(told->drafts.steps, 3) << "a prompt's pass is none";
    EXPECT_EQ(told->drafts.tokens, 5);
    EXPECT_DOUBLE_EQ(told->weightBytesPerToken(900), 540);
    EXPECT_DOUBLE_EQ(told->tokensPerSecond, 6e9 / 400);
    ASSERT_EQ(told->sequences.size(), 2u);
    EXPECT_EQ(told->sequences[0].tokenCount, 3);
    EXPECT_EQ(told->sequences[0].timeToFirstTokenNs, 100);
    EXPECT_EQ(told->sequences[0].decodeNs, 290);
    EXPECT_EQ(told->sequences[1].tokenCount, 4);
    EXPECT_EQ(told->sequences[1].timeToFirstTokenNs, 200);
    EXPECT_EQ(told->sequences[1].decodeNs, 300);
}

TEST(Phases, ComeFromTheRunsOwnClockAndWhileRunningFromItsRanges) {
    Builder b;
    b.setRun({.modelName = "m"});
    b.range(1000, 3000, "prefill");
    for (int i = 0; i < 5; ++i)
        b.add(TokenRow{.emittedNs = 3500 + 250 * i, .index = i, .id = i, .text = b.intern("t")});
    const auto running = phases(*b.snapshot(), {0, 10000});
    ASSERT_TRUE(running);
    EXPECT_EQ(running->prefillNs, 2000);
    EXPECT_EQ(running->timeToFirstTokenNs, 2500);
    EXPECT_EQ(running->decodeNs, 1000);
    EXPECT_DOUBLE_EQ(running->tokensPerSecond, 4e6);
    b.setRun({.modelName = "m", .repeatTimes = {{10, 20, 300, 4}}});
    const auto done = phases(*b.snapshot(), {0, 10000});
    ASSERT_TRUE(done);
    EXPECT_EQ(done->decodeNs, 300);
    EXPECT_DOUBLE_EQ(done->tokensPerSecond, 1e7);
    EXPECT_FALSE(phases(*TraceBuilder().snapshot(), {0, 1}));
}

TEST(Verdict, FollowsIdleThenTheNearerPeak) {
    const auto boundOf = [](int64_t kernelEnd, double bytesPeak, double flopsPeak) {
        Builder b;
        b.setDevice({.id = 0, .name = "d", .peakBytesPerSecond = bytesPeak, .peakFlopsPerSecond = flopsPeak});
        b.add(DeviceOpRow{.startNs = 0,
                          .endNs = kernelEnd,
                          .name = b.intern("k"),
                          .track = b.track,
                          .op = b.internOp({.name = b.intern("q"), .bytes = 1000, .flops = 500})});
        return summarize(*b.snapshot(), {0, 1000}).verdict;
    };
    EXPECT_EQ(boundOf(500, 1e9, 1e9).bound, Bound::Overhead);   // idle exactly half
    EXPECT_EQ(boundOf(1000, 1.1e9, 1e9).bound, Bound::Memory);  // 1 GB/s of 1.1 against 0.5 of 1
    EXPECT_EQ(boundOf(1000, 4e9, 0.6e9).bound, Bound::Compute);
    EXPECT_EQ(boundOf(1000, 9e9, 9e9).bound, Bound::Unknown);
    EXPECT_EQ(boundOf(1000, 0, 0).bound, Bound::Unknown);
    EXPECT_FALSE(boundOf(500, 1e9, 1e9).evidence.empty());
    EXPECT_EQ(summarize(*TraceBuilder().snapshot(), {0, 0}).verdict.bound, Bound::Unknown);
}

TEST(Layers, AddUpByLayerAndRole) {
    Builder b;
    const auto add = [&](int64_t start, int64_t end, const char* role, int32_t layer) {
        b.add(DeviceOpRow{.startNs = start,
                          .endNs = end,
                          .name = b.intern("k"),
                          .track = b.track,
                          .category = Category::Gemm,
                          .op = b.internOp({.name = b.intern(role), .layer = layer, .bytes = 100, .flops = 10})});
    };
    add(0, 10, "q_proj", 0);
    add(10, 30, "q_proj", 0);
    add(30, 40, "up", 0);
    add(40, 45, "q_proj", 1);
    add(45, 50, "head", -1);
    b.kernel(50, 60, 0);
    const LayerTable table = layerTable(*b.snapshot(), {0, 100});
    ASSERT_EQ(table.layers.size(), 3u);
    EXPECT_EQ(table.layers[1].totalNs, 40);
    EXPECT_EQ(table.layers[1].count, 3);
    ASSERT_EQ(table.ops.size(), 4u);
    EXPECT_EQ(table.ops[1].totalNs, 30);
    EXPECT_DOUBLE_EQ(table.ops[1].bytes, 200);
    EXPECT_EQ(table.unknownNs, 10);
}

TEST(Distributions, AreThoseOfNsight) {
    const Distribution odd = distributionOf({4, 1, 7});
    EXPECT_EQ(odd.medNs, 4);
    EXPECT_EQ(odd.avgNs, 4);
    EXPECT_DOUBLE_EQ(odd.stdNs, 3);  // sample: sqrt((0 + 9 + 9) / 2)
    EXPECT_EQ(distributionOf({4, 1}).medNs, 2.5);
    EXPECT_EQ(distributionOf({5}).stdNs, 0);
    EXPECT_EQ(distributionOf({}).count, 0);
}

TEST(Analysis, StopsWhenAsked) {
    Builder b;
    for (int i = 0; i < 100000; ++i)
        b.kernel(i * 10, i * 10 + 5, 0);
    std::stop_source stop;
    stop.request_stop();
    EXPECT_LT(findGaps(*b.snapshot(), {0, 1000000}, stop.get_token()).gaps.size(), 2u);
}

}  // namespace gapscope

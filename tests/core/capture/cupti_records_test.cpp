#include "core/capture/cupti_records.h"

#include <gtest/gtest.h>

#include "tests/core/capture/hand_made_records.h"

namespace gapscope {
namespace {

using namespace testing_support;

constexpr int64_t kOrigin = 1'000'000;
constexpr int64_t kNow = kOrigin + 1'000'000'000;

struct CuptiRecordsTest : testing::Test {
    TraceBuilder builder;
    CuptiApi api = readingApi();
    CuptiRecords records{builder, {.steadyNs = kOrigin}, api};
    ActivityLog log;
    LaunchQueue queue;
    uint32_t op = log.describe({.kernelName = "gemv",
                                .opName = "q_proj",
                                .shapes = "[1,640] x [1024,640]",
                                .dtype = "bf16",
                                .category = Category::Gemm,
                                .layer = 3});

    void take(HandMadeBuffer& buffer) { records.take(buffer.buffer(), kNow); }
    void takeLog() {
        records.take(log.drain());
        records.take(queue.drain());
    }
    TracePtr trace() const { return builder.snapshot(); }
    size_t rows() const { return trace()->deviceOps().startNs.size(); }
    DeviceOpRow row(size_t index = 0) const { return rowAt(trace()->deviceOps(), index); }
    int64_t counted(const char* name) { return builder.diagnostics().countOf(name); }
    uint64_t launch(int32_t token = 5, int64_t bytes = 1000) {
        return queue.add({.op = op, .token = token, .repeat = -1, .bytes = bytes, .flops = 2000});
    }
    void expectJoined(const DeviceOpRow& joined) {
        ASSERT_TRUE(joined.op.valid());
        const TracePtr seen = trace();
        const OpRow described = seen->ops()[joined.op.value];
        EXPECT_EQ(seen->string(described.name), "q_proj");
        EXPECT_EQ(described.layer, 3);
        EXPECT_EQ(described.bytes, 1000);
        EXPECT_EQ(described.flops, 2000);
        EXPECT_EQ(joined.category, Category::Gemm);
        EXPECT_EQ(joined.token, 5);
        EXPECT_EQ(joined.repeat, -1);
    }
};

TEST_F(CuptiRecordsTest, AKernelKeepsItsNamesShapeTrackCallAndOp) {
    const uint64_t id = launch();
    takeLog();
    cupti::KernelRecord record = kernel(kOrigin + 100, kOrigin + 130, 42);
    record.grid[0] = 8, record.grid[1] = 2, record.grid[2] = 1;
    record.block[0] = 256, record.block[1] = record.block[2] = 1;
    record.registersPerThread = 40;
    record.staticSharedMemory = 1024;
    record.dynamicSharedMemory = 2048;
    record.deviceId = 1;
    HandMadeBuffer buffer;
    buffer.add(externalId(id, 42)).add(call(kOrigin + 50, kOrigin + 60, 42)).add(record);
    take(buffer);
    ASSERT_EQ(rows(), 1u);
    const DeviceOpRow found = row();
    EXPECT_EQ(found.startNs, 100);
    EXPECT_EQ(found.endNs, 130);
    EXPECT_EQ(found.kind, DeviceOpKind::Kernel);
    EXPECT_EQ(trace()->string(found.name), "gemv");
    expectJoined(found);
    const TrackRow track = trace()->tracks()[found.track.value];
    EXPECT_EQ(track.deviceId, 1u);
    EXPECT_EQ(track.contextId, 1u);
    EXPECT_EQ(track.streamId, 7u);
    const LaunchConfigRow config = trace()->launchConfigs()[found.config.value];
    EXPECT_EQ(trace()->string(config.fullName), "void gemv<float>(float*)");
    EXPECT_EQ(config.grid, (std::array<int32_t, 3>{8, 2, 1}));
    EXPECT_EQ(config.block, (std::array<int32_t, 3>{256, 1, 1}));
    EXPECT_EQ(config.registersPerThread, 40);
    EXPECT_EQ(config.staticSharedBytes, 1024);
    EXPECT_EQ(config.dynamicSharedBytes, 2048);
    const ApiCallRow api0 = rowAt(trace()->apiCalls(), 0);
    EXPECT_EQ(trace()->string(api0.name), "cudaLaunchKernel");
    EXPECT_EQ(api0.correlationId, 42u);
    EXPECT_EQ(threadIdOf(api0.globalTid), 77u);
    EXPECT_EQ(globalPidOf(api0.globalTid), track.globalPid);
    records.finish();
    EXPECT_TRUE(trace()->diagnostics().entries().empty());
}

TEST_F(CuptiRecordsTest, AKernelMayComeBeforeEverythingThatExplainsIt) {
    HandMadeBuffer kernels, ids, calls;
    kernels.add(kernel(kOrigin + 100, kOrigin + 130, 42));
    take(kernels);
    EXPECT_EQ(rows(), 0u);  // held back
    records.endRound();
    calls.add(call(kOrigin + 50, kOrigin + 60, 42));
    take(calls);
    records.endRound();  // the call is there, its external id in a later buffer
    EXPECT_EQ(rows(), 0u);
    ids.add(externalId(1, 42));
    take(ids);
    launch();  // and the announcement last of all
    takeLog();
    records.endRound();
    ASSERT_EQ(rows(), 1u);
    expectJoined(row());
    records.finish();
    EXPECT_TRUE(trace()->diagnostics().entries().empty());
    EXPECT_EQ(rows(), 1u);
}

// Stages are told after their kernel ran; its record comes before or after.
TEST_F(CuptiRecordsTest, StagesFillTheirKernelWhateverComesFirst) {
    const uint32_t norm = log.describe({.opName = "qkv_proj: input", .category = Category::Norm, .layer = 3});
    for (const bool toldFirst : {true, false}) {
        const uint32_t number = toldFirst ? 8 : 9;
        const int64_t startNs = toldFirst ? 100 : 500;
        const uint64_t id = queue.add({.op = op, .token = 5, .stages = number});
        HandMadeBuffer buffer;
        buffer.add(externalId(id, number)).add(call(kOrigin + startNs - 50, kOrigin + startNs - 40, number));
        buffer.add(kernel(kOrigin + startNs, kOrigin + startNs + 80, number));
        const auto tell = [&] { log.add(StagesActivity{number, {{norm, 10'000}, {op, 30'000, 4096}}}); };
        if (toldFirst) tell();
        takeLog();
        take(buffer);
        if (!toldFirst) tell();
        takeLog();
    }
    const TracePtr seen = trace();
    ASSERT_EQ(seen->stages().startNs.size(), 4u);
    for (const size_t first : {0u, 2u}) {
        const StageRow input = rowAt(seen->stages(), first), product = rowAt(seen->stages(), first + 1);
        const int64_t startNs = first == 0 ? 100 : 500;
        EXPECT_EQ(input.startNs, startNs);
        EXPECT_EQ(input.endNs, startNs + 20);
        EXPECT_EQ(product.startNs, startNs + 20);
        EXPECT_EQ(product.endNs, startNs + 80);
        EXPECT_EQ(seen->string(input.name), "qkv_proj: input");
        EXPECT_EQ(input.category, Category::Norm);
        EXPECT_EQ(product.category, Category::Gemm);
        EXPECT_EQ(seen->ops()[product.op.value].layer, 3);
        EXPECT_EQ(seen->ops()[product.op.value].bytes - seen->ops()[input.op.value].bytes, 4096);
        EXPECT_EQ(product.token, 5);
        EXPECT_EQ(product.correlationId, first == 0 ? 8u : 9u);
        EXPECT_EQ(product.track, row().track);
    }
    records.finish();
    EXPECT_TRUE(trace()->diagnostics().entries().empty());
    EXPECT_EQ(trace()->extent(), (TimeRange{50, 580}));
}

TEST_F(CuptiRecordsTest, StagesThatCannotBePlacedAreCounted) {
    const uint64_t id = queue.add({.op = op, .stages = 3});
    log.add(StagesActivity{4, {{op, 1}}});  // whose kernel never comes
    takeLog();
    HandMadeBuffer buffer;
    buffer.add(externalId(id, 42))
        .add(call(kOrigin + 50, kOrigin + 60, 42))
        .add(kernel(kOrigin + 100, kOrigin + 130, 42));
    take(buffer);
    log.add(StagesActivity{3, {{op, 4}, {op, -1}}});  // a clock that runs back
    log.addUntoldStages(7);
    takeLog();
    records.finish();
    EXPECT_EQ(counted("kernel_stages_unplaced"), 2);
    EXPECT_EQ(counted("kernel_stages_untold"), 7);
    EXPECT_EQ(trace()->stages().startNs.size(), 0u);
    EXPECT_EQ(rows(), 1u);
}

TEST_F(CuptiRecordsTest, AKernelThatNobodyAnnouncedIsShownAndCounted) {
    HandMadeBuffer buffer;
    buffer.add(call(kOrigin + 50, kOrigin + 60, 42)).add(kernel(kOrigin + 100, kOrigin + 130, 42));
    buffer.add(kernel(kOrigin + 200, kOrigin + 230, 43));  // not even a call
    take(buffer);
    for (int round = 1; round < CuptiRecords::kPatienceRoundsCallSeen; ++round)
        records.endRound();
    EXPECT_EQ(rows(), 0u);
    records.endRound();
    EXPECT_EQ(rows(), 1u);
    EXPECT_EQ(row().startNs, 100);
    EXPECT_EQ(row().category, Category::Other);
    EXPECT_FALSE(row().op.valid());
    for (int round = CuptiRecords::kPatienceRoundsCallSeen; round < CuptiRecords::kPatienceRounds; ++round)
        records.endRound();
    EXPECT_EQ(rows(), 2u);
    EXPECT_EQ(counted("gpu_kernel_outside_ops"), 1);
    EXPECT_EQ(counted("gpu_kernel_without_op"), 1);
    records.finish();
    EXPECT_EQ(counted("gpu_record_without_call"), 1);
}

TEST_F(CuptiRecordsTest, WorkBesideThePlanHasItsTokenAndWorkOutsideOfTheRunHasNone) {
    const uint64_t id = queue.add({.token = 5, .repeat = -1});  // the position set, a token copied
    takeLog();
    HandMadeBuffer buffer;
    buffer.add(externalId(id, 42)).add(call(kOrigin + 50, kOrigin + 60, 42));
    buffer.add(kernel(kOrigin + 100, kOrigin + 130, 42));
    buffer.add(call(kOrigin + 70, kOrigin + 80, 43)).add(kernel(kOrigin + 140, kOrigin + 150, 43));
    take(buffer);
    records.finish();
    ASSERT_EQ(rows(), 2u);
    EXPECT_EQ(row(0).token, 5);
    EXPECT_EQ(row(0).repeat, -1);
    EXPECT_FALSE(row(0).op.valid());
    EXPECT_EQ(row(1).token, kNoToken);
    EXPECT_EQ(counted("gpu_kernel_outside_ops"), 2);
    EXPECT_EQ(trace()->diagnostics().entries().size(), 1u);
}

TEST_F(CuptiRecordsTest, ACallThatComesAfterItsKernelWasShownIsNotMissing) {
    HandMadeBuffer first, second;
    launch();
    takeLog();
    first.add(externalId(1, 42)).add(kernel(kOrigin + 100, kOrigin + 130, 42));
    take(first);
    EXPECT_EQ(rows(), 1u);
    second.add(call(kOrigin + 50, kOrigin + 60, 42));
    take(second);
    records.finish();
    EXPECT_EQ(counted("gpu_record_without_call"), 0);
}

TEST_F(CuptiRecordsTest, WhatStillWaitsAtTheEndIsNotLost) {
    HandMadeBuffer buffer;
    buffer.add(kernel(kOrigin + 100, kOrigin + 130, 42)).add(kernel(kOrigin + 140, kOrigin + 150, 43));
    take(buffer);
    records.finish();
    ASSERT_EQ(rows(), 2u);
    EXPECT_EQ(row(0).startNs, 100);
    EXPECT_EQ(row(1).startNs, 140);
}

TEST_F(CuptiRecordsTest, MoreWaitingRowsThanTheBoundLoseNoneAndKeepTheirOrder) {
    const size_t count = CuptiRecords::kMostWaiting + 100;
    HandMadeBuffer buffer;
    for (size_t i = 0; i < count; ++i)
        buffer.add(kernel(kOrigin + 1 + i, kOrigin + 2 + i, 0));
    take(buffer);
    EXPECT_GT(rows(), 0u);
    records.finish();
    ASSERT_EQ(rows(), count);
    const TracePtr seen = trace();
    for (size_t i = 0; i < count; ++i)
        ASSERT_EQ(seen->deviceOps().startNs[i], static_cast<int64_t>(1 + i));
}

TEST_F(CuptiRecordsTest, OnlyTheFirstKernelOfALaunchGetsThePlansBytes) {
    const uint64_t id = launch();
    takeLog();
    HandMadeBuffer buffer;  // split-K: two kernels under one call; a second call under the same scope
    buffer.add(externalId(id, 42)).add(call(kOrigin + 1, kOrigin + 2, 42)).add(externalId(id, 43));
    buffer.add(kernel(kOrigin + 100, kOrigin + 130, 42)).add(kernel(kOrigin + 130, kOrigin + 140, 42));
    buffer.add(kernel(kOrigin + 140, kOrigin + 150, 43));
    take(buffer);
    ASSERT_EQ(rows(), 3u);
    int64_t bytes = 0, flops = 0;
    for (size_t i = 0; i < 3; ++i) {
        const OpRow described = trace()->ops()[row(i).op.value];
        EXPECT_EQ(trace()->string(described.name), "q_proj");
        EXPECT_EQ(row(i).token, 5);
        bytes += described.bytes;
        flops += described.flops;
    }
    EXPECT_EQ(bytes, 1000);
    EXPECT_EQ(flops, 2000);
    expectJoined(row(0));
}

// One push around a launch: a runtime call, the driver call in it and a query each get a record with the one id.
TEST_F(CuptiRecordsTest, AKernelIsJoinedByWhicheverCallOfItsScopeItNames) {
    for (const uint32_t kernelsCall : {42u, 43u}) {
        const uint64_t id = launch();
        takeLog();
        const uint32_t shift = 10 * kernelsCall;
        cupti::ApiRecord driver = call(kOrigin + 52, kOrigin + 58, shift + 43, 307);
        driver.kind = cupti::Kind::Driver;
        HandMadeBuffer buffer;
        buffer.add(externalId(id, shift + 42))
            .add(externalId(id, shift + 43))
            .add(externalId(id, shift + 44))
            .add(driver);
        buffer.add(call(kOrigin + 50, kOrigin + 60, shift + 42)).add(call(kOrigin + 61, kOrigin + 62, shift + 44, 12));
        buffer.add(kernel(kOrigin + 100, kOrigin + 130, shift + kernelsCall));
        take(buffer);
    }
    ASSERT_EQ(rows(), 2u);
    expectJoined(row(0));
    expectJoined(row(1));
    records.finish();
    EXPECT_TRUE(trace()->diagnostics().entries().empty());
}

TEST_F(CuptiRecordsTest, KernelsOfOneStreamMayOverlapAndMayStartBeforeTheirCall) {
    launch();
    takeLog();
    HandMadeBuffer buffer;  // programmatic dependent launch; residual skew between the clocks
    buffer.add(externalId(1, 42)).add(call(kOrigin + 105, kOrigin + 110, 42));
    buffer.add(kernel(kOrigin + 100, kOrigin + 130, 42)).add(kernel(kOrigin + 120, kOrigin + 140, 42));
    take(buffer);
    ASSERT_EQ(rows(), 2u);
    EXPECT_EQ(row(0).startNs, 100);
    EXPECT_EQ(row(1).startNs, 120);
    EXPECT_EQ(row(0).track, row(1).track);
}

TEST_F(CuptiRecordsTest, NodesOfAGraphAreJoinedToTheOpThatTheyWereCapturedFor) {
    const uint32_t head = log.describe({.opName = "lm_head", .category = Category::Gemm, .layer = -1});
    const uint32_t graph = log.describe({.opName = "decode graph"});
    const uint64_t capturedBody = queue.add({.op = op, .token = 0, .bytes = 7});
    const uint64_t capturedHead = queue.add({.op = head, .token = 0, .bytes = 8});
    takeLog();
    const GraphNodeActivity nodes[] = {{.nodeId = 11, .externalId = capturedBody},
                                       {.nodeId = 12, .externalId = capturedHead},
                                       {.nodeId = 21, .originalNodeId = 11},  // instantiated
                                       {.nodeId = 22, .originalNodeId = 12}};
    records.take(nodes);
    for (const int32_t token : {4, 5}) {  // two launches of the one graph
        const LaunchContext shares[] = {{.op = op, .token = token, .repeat = -1, .bytes = 1000, .flops = 2000},
                                        {.op = head, .token = token + 1, .repeat = -1, .bytes = 50}};
        const uint64_t id = queue.add({.op = graph, .token = token, .repeat = -1}, shares);
        takeLog();
        const auto correlation = static_cast<uint32_t>(100 + token);
        HandMadeBuffer buffer;
        buffer.add(externalId(id, correlation)).add(call(kOrigin + 1, kOrigin + 2, correlation, 311));
        buffer.add(kernel(kOrigin + 10, kOrigin + 20, correlation, 21));
        buffer.add(kernel(kOrigin + 20, kOrigin + 30, correlation, 22));
        buffer.add(kernel(kOrigin + 30, kOrigin + 40, correlation, 21));  // a second kernel of the node
        buffer.add(kernel(kOrigin + 40, kOrigin + 50, correlation, 99));  // a node that nobody told of
        take(buffer);
    }
    ASSERT_EQ(rows(), 8u);
    expectJoined(row(4));
    EXPECT_EQ(row(4).graphNodeId, 21u);
    EXPECT_EQ(row(0).token, 4);
    EXPECT_EQ(trace()->string(trace()->ops()[row(5).op.value].name), "lm_head");
    EXPECT_EQ(row(5).token, 6);  // the head works for the token to come
    EXPECT_EQ(trace()->ops()[row(5).op.value].bytes, 50);
    EXPECT_EQ(trace()->ops()[row(6).op.value].bytes, 0);
    EXPECT_FALSE(row(7).op.valid());
    EXPECT_EQ(row(7).token, 5);
    EXPECT_EQ(counted("gpu_graph_node_without_op"), 2);
    EXPECT_EQ(trace()->string(rowAt(trace()->apiCalls(), 0).name), "cudaGraphLaunch");
}

TEST_F(CuptiRecordsTest, WithoutSharesAGraphsNodesTakeTheTokenOfTheLaunchAndTheCostOfTheCapture) {
    const uint64_t captured = queue.add({.op = op, .token = 0, .repeat = 0, .bytes = 1000, .flops = 2000});
    const uint64_t launched = queue.add({.op = op, .token = 5, .repeat = -1});
    const GraphNodeActivity nodes[] = {{.nodeId = 21, .externalId = captured}};
    records.take(nodes);  // before the log tells what the external id means
    takeLog();
    HandMadeBuffer buffer;
    buffer.add(externalId(launched, 42)).add(call(kOrigin, kOrigin + 1, 42));
    buffer.add(kernel(kOrigin + 10, kOrigin + 20, 42, 21));
    take(buffer);
    ASSERT_EQ(rows(), 1u);
    expectJoined(row());
}

TEST_F(CuptiRecordsTest, AGraphTracedAsAWholeIsOneRowWithTheCostOfAllItsOps) {
    const uint64_t id = launch();
    takeLog();
    HandMadeBuffer buffer;
    const cupti::GraphTraceRecord graph{.kind = cupti::Kind::GraphTrace,
                                        .correlationId = 42,
                                        .start = kOrigin + 10,
                                        .end = kOrigin + 500,
                                        .deviceId = 0,
                                        .graphId = 3,
                                        .contextId = 1,
                                        .streamId = 7};
    buffer.add(externalId(id, 42)).add(call(kOrigin + 1, kOrigin + 2, 42, 311)).add(graph);
    take(buffer);
    ASSERT_EQ(rows(), 1u);
    EXPECT_EQ(row().kind, DeviceOpKind::GraphLaunch);
    EXPECT_EQ(row().endNs, 500);
    expectJoined(row());
}

TEST_F(CuptiRecordsTest, RecordsWhoseClockFailedAreCountedByCauseAndLeftOut) {
    HandMadeBuffer buffer;
    buffer.add(kernel(0, 0, 1)).add(kernel(0, 0, 2));                                   // no device buffer left
    buffer.add(kernel(kOrigin + 20, kOrigin + 10, 3)).add(kernel(0, kOrigin + 10, 4));  // half a time
    buffer.add(kernel(1'790'000'000'000'000'000, 1'790'000'000'000'001'000, 5));        // CUPTI's own clock
    buffer.add(kernel(kOrigin - 20, kOrigin - 10, 6));                                  // an earlier recording
    buffer.add(kernel(kOrigin + 20, kOrigin + 30, 7)).add(kernel(~uint64_t{0}, ~uint64_t{0}, 8));
    take(buffer);
    records.finish();
    EXPECT_EQ(rows(), 1u);
    EXPECT_EQ(counted("gpu_timestamps_lost"), 2);
    EXPECT_EQ(counted("record_without_time"), 3);
    EXPECT_EQ(counted("record_on_another_clock"), 1);
    EXPECT_EQ(counted("record_before_recording"), 1);
}

TEST_F(CuptiRecordsTest, ABufferThatBreaksOffKeepsWhatCameBefore) {
    HandMadeBuffer invalid, cut, alone;
    invalid.add(kernel(kOrigin + 10, kOrigin + 20, 1)).add(cupti::Record{cupti::Kind::Invalid});
    invalid.add(kernel(kOrigin + 30, kOrigin + 40, 2));
    take(invalid);
    cut.add(kernel(kOrigin + 50, kOrigin + 60, 3)).add(kernel(kOrigin + 70, kOrigin + 80, 4)).cut(100);
    take(cut);
    alone.add(cupti::Record{cupti::Kind::Runtime}, 8);
    take(alone);
    records.take(CuptiBuffer{nullptr, 0}, kNow);
    records.finish();
    EXPECT_EQ(rows(), 2u);
    EXPECT_EQ(counted("cupti_truncated_buffers"), 1);
    EXPECT_EQ(counted("cupti_truncated_records"), 2);
}

// As long as CUDA 12.0 writes it, and nothing behind: reading as much as CUDA 13 writes would leave the buffer.
TEST_F(CuptiRecordsTest, RecordsOfCuda12FitToo) {
    const auto takeAlone = [&](const auto& record, size_t bytes) {
        HandMadeBuffer buffer;
        buffer.add(record, bytes);
        take(buffer);
    };
    const uint64_t start = kOrigin + 10, end = kOrigin + 20;
    takeAlone(kernel(start, end, 1), 208);
    takeAlone(cupti::MemcpyRecord{.kind = cupti::Kind::Memcpy, .start = start, .end = end}, 88);
    takeAlone(cupti::MemsetRecord{.kind = cupti::Kind::Memset, .start = start, .end = end}, 88);
    takeAlone(cupti::GraphTraceRecord{.kind = cupti::Kind::GraphTrace, .start = start, .end = end}, 48);
    takeAlone(cupti::SynchronizationRecord{.kind = cupti::Kind::Synchronization, .start = start, .end = end}, 40);
    takeAlone(cupti::OverheadRecord{.kind = cupti::Kind::Overhead, .start = start, .end = end}, 40);
    records.finish();
    EXPECT_EQ(rows(), 4u);
    EXPECT_EQ(trace()->ranges().startNs.size(), 1u);
    EXPECT_EQ(trace()->overheads().startNs.size(), 1u);
    EXPECT_EQ(counted("cupti_truncated_records"), 0);
}

TEST_F(CuptiRecordsTest, AWalkThatDoesNotAdvanceEnds) {
    api.getNextRecord = [](uint8_t* buffer, size_t, cupti::Record** record) {
        *record = reinterpret_cast<cupti::Record*>(buffer);
        return cupti::kSuccess;
    };
    HandMadeBuffer buffer;
    buffer.add(kernel(kOrigin + 10, kOrigin + 20, 1));
    take(buffer);
    EXPECT_EQ(counted("cupti_truncated_buffers"), 1);
}

TEST_F(CuptiRecordsTest, KindsThatAreNotReadAreCounted) {
    HandMadeBuffer buffer;
    buffer.add(cupti::Record{static_cast<cupti::Kind>(50)}, 8).add(kernel(kOrigin + 10, kOrigin + 20, 1));
    take(buffer);
    records.finish();
    EXPECT_EQ(rows(), 1u);
    EXPECT_EQ(counted("cupti_unknown_records"), 1);
}

TEST_F(CuptiRecordsTest, CallsAreNamedByTheirDomainAndTheirErrorsCounted) {
    cupti::ApiRecord driver = call(kOrigin + 1, kOrigin + 2, 1, 307);
    driver.kind = cupti::Kind::Driver;
    cupti::ApiRecord failed = call(kOrigin + 3, kOrigin + 4, 2, 12345), notReady = call(kOrigin + 5, kOrigin + 6, 3);
    failed.returnValue = 700;
    notReady.returnValue = 600;
    HandMadeBuffer buffer;
    buffer.add(driver).add(failed).add(notReady);
    take(buffer);
    const TracePtr seen = trace();
    ASSERT_EQ(seen->apiCalls().startNs.size(), 3u);
    EXPECT_EQ(seen->string(seen->apiCalls().name[0]), "cuLaunchKernel");
    EXPECT_EQ(seen->apiCalls().apiClass[0], ApiClass::Driver);
    EXPECT_EQ(seen->string(seen->apiCalls().name[1]), "runtime call 12345");
    EXPECT_EQ(seen->apiCalls().apiClass[1], ApiClass::Runtime);
    EXPECT_EQ(counted("cuda_calls_failed"), 1);
}

TEST_F(CuptiRecordsTest, CopiesAndSetsKeepTheirBytesAndTheirOwnCategory) {
    const uint64_t id = launch();
    takeLog();
    cupti::MemcpyRecord copy{};
    copy.kind = cupti::Kind::Memcpy;
    copy.copyKind = cupti::CopyKind::HostToDevice;
    copy.srcKind = cupti::MemoryKind::Pageable;
    copy.dstKind = cupti::MemoryKind::Device;
    copy.bytes = 4096;
    copy.start = kOrigin + 10;
    copy.end = kOrigin + 20;
    copy.streamId = 9;
    copy.correlationId = 42;
    cupti::MemsetRecord set{};
    set.kind = cupti::Kind::Memset;
    set.bytes = 64;
    set.start = kOrigin + 30;
    set.end = kOrigin + 40;
    set.correlationId = 43;  // outside of any launch
    HandMadeBuffer buffer;
    buffer.add(externalId(id, 42)).add(call(kOrigin, kOrigin + 1, 42)).add(copy);
    buffer.add(call(kOrigin + 2, kOrigin + 3, 43)).add(set);
    take(buffer);
    records.finish();
    ASSERT_EQ(rows(), 2u);
    EXPECT_EQ(row(0).kind, DeviceOpKind::Copy);
    EXPECT_EQ(row(0).category, Category::Copy);
    EXPECT_EQ(row(0).copyBytes, 4096);
    EXPECT_EQ(row(0).token, 5);
    EXPECT_EQ(trace()->string(row(0).name), "Memcpy HtoD (Pageable -> Device)");
    EXPECT_EQ(trace()->tracks()[row(0).track.value].streamId, 9u);
    EXPECT_EQ(row(1).kind, DeviceOpKind::Set);
    EXPECT_EQ(row(1).category, Category::Set);
    EXPECT_EQ(row(1).copyBytes, 64);
    EXPECT_EQ(counted("gpu_kernel_without_op"), 0);
    EXPECT_TRUE(trace()->diagnostics().entries().empty());
}

TEST_F(CuptiRecordsTest, AWaitStandsOnTheThreadOfItsCall) {
    const auto wait = [](cupti::SyncType type, uint32_t correlationId) {
        return cupti::SynchronizationRecord{.kind = cupti::Kind::Synchronization,
                                            .type = type,
                                            .start = kOrigin + 10,
                                            .end = kOrigin + 90,
                                            .correlationId = correlationId,
                                            .contextId = 1,
                                            .streamId = 7,
                                            .cudaEventId = 0};
    };
    HandMadeBuffer first, second;
    first.add(wait(cupti::SyncType::Stream, 42)).add(wait(cupti::SyncType::Context, 43));
    take(first);
    EXPECT_EQ(trace()->ranges().startNs.size(), 0u);
    second.add(call(kOrigin + 5, kOrigin + 95, 42, 131, 1234));
    take(second);
    records.endRound();
    ASSERT_EQ(trace()->ranges().startNs.size(), 1u);
    const RangeRow range = rowAt(trace()->ranges(), 0);
    EXPECT_EQ(trace()->string(range.name), "wait for stream 7");
    EXPECT_EQ(range.kind, RangeKind::Wait);
    EXPECT_EQ(threadIdOf(range.globalTid), 1234u);
    EXPECT_EQ(range.startNs, 10);
    EXPECT_EQ(range.endNs, 90);
    records.finish();
    ASSERT_EQ(trace()->ranges().startNs.size(), 2u);
    EXPECT_EQ(trace()->string(trace()->ranges().name[1]), "wait for device");
    EXPECT_EQ(counted("gpu_wait_without_call"), 1);
}

TEST_F(CuptiRecordsTest, TheProfilersOwnCostIsShown) {
    const cupti::OverheadRecord overhead{.kind = cupti::Kind::Overhead,
                                         .overheadKind = cupti::OverheadKind::CommandBufferFull,
                                         .objectKind = cupti::ObjectKind::Thread,
                                         .processId = 1,
                                         .threadId = 88,
                                         .objectId2 = 0,
                                         .start = kOrigin + 1,
                                         .end = kOrigin + 3};
    HandMadeBuffer buffer;
    buffer.add(overhead);
    take(buffer);
    const TracePtr seen = trace();
    ASSERT_EQ(seen->overheads().startNs.size(), 1u);
    EXPECT_EQ(seen->string(seen->overheads().name[0]), "command buffer full");
    EXPECT_EQ(threadIdOf(seen->overheads().globalTid[0]), 88u);
}

TEST_F(CuptiRecordsTest, LossesAndFailedEnablesStandInTheDiagnostics) {
    records.take(CuptiCounts{.droppedRecords = 3, .refusedBuffers = 1});
    records.take(CuptiCounts{.droppedRecords = 2});
    const std::string failures[] = {"CUPTI does not record copies: no.", "CUPTI does not record memory sets: no."};
    records.noteFailures(failures);
    EXPECT_EQ(counted("cupti_dropped_records"), 5);
    EXPECT_EQ(counted("cupti_buffers_refused"), 1);
    EXPECT_EQ(counted("cupti_failed_flushes"), 0);
    ASSERT_EQ(counted("cupti_not_enabled_2"), 1);
    EXPECT_EQ(builder.diagnostics().entries().back().text, failures[1]);
    EXPECT_EQ(builder.diagnostics().entries().back().severity, Severity::DataLoss);
}

TEST_F(CuptiRecordsTest, AnOpThatWasNeverDescribedIsAnErrorAndTheRowStays) {
    queue.add({.op = 99, .token = 5});
    takeLog();
    HandMadeBuffer buffer;
    buffer.add(externalId(1, 42)).add(kernel(kOrigin + 10, kOrigin + 20, 42));
    take(buffer);
    ASSERT_EQ(rows(), 1u);
    EXPECT_EQ(row().token, 5);
    EXPECT_EQ(counted("device_record_without_op"), 1);
}

TEST_F(CuptiRecordsTest, ExternalIdsOfOthersAreNotTakenForOurs) {
    launch();
    takeLog();
    cupti::ExternalCorrelationRecord foreign = externalId(1, 42);
    foreign.externalKind = 2;  // OpenACC's
    HandMadeBuffer buffer;
    buffer.add(foreign).add(kernel(kOrigin + 10, kOrigin + 20, 42));
    take(buffer);
    EXPECT_EQ(rows(), 0u);
    records.finish();
    EXPECT_FALSE(row().op.valid());
}

}  // namespace
}  // namespace gapscope

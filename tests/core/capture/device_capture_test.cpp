#include "core/capture/device_capture.h"

#include <gtest/gtest.h>

#include "tests/core/capture/fake_cupti.h"

namespace gapscope {
namespace {

using namespace testing_support;

struct DeviceCaptureTest : testing::Test {
    FakeCupti& cupti = FakeCupti::makeCurrent();
    TraceBuilder builder;
    const TraceOrigin origin{.steadyNs = nowNs()};
    ActivityLog log;
    uint32_t op = log.describe({.kernelName = "gemv", .opName = "q_proj", .category = Category::Gemm, .layer = 2});

    void collect(DeviceCapture& capture) {
        capture.gather();
        capture.take(log.drain());
    }
    // A launch as the runner makes it and the records that CUPTI would write for it.
    HandMadeBuffer launched(uint32_t correlationId, int32_t token) {
        LaunchScope scope(log, {.op = op, .token = token, .bytes = 10});
        HandMadeBuffer records;
        const auto now = static_cast<uint64_t>(nowNs());
        records.add(externalId(cupti.externalIds.back(), correlationId)).add(call(now, now + 2, correlationId));
        return records.add(kernel(now + 3, now + 5, correlationId));
    }
};

TEST_F(DeviceCaptureTest, FromTheRunnersLaunchToARowOfTheTrace) {
    auto capture = DeviceCapture::start(builder, origin, log, cupti.api);
    ASSERT_TRUE(capture);
    EXPECT_TRUE(cupti.write(launched(41, 0)));
    EXPECT_TRUE(cupti.write(launched(42, 1)));
    EXPECT_TRUE(cupti.externalIds.empty());
    (*capture)->stop();
    { LaunchScope afterwards(log, {.op = op}); }
    collect(**capture);
    EXPECT_TRUE(cupti.externalIds.empty());  // a launch after the end is nobody's business
    const TracePtr trace = builder.snapshot();
    ASSERT_EQ(trace->deviceOps().startNs.size(), 2u);
    EXPECT_EQ(trace->apiCalls().startNs.size(), 2u);
    for (int32_t i = 0; i < 2; ++i) {
        const DeviceOpRow row = rowAt(trace->deviceOps(), static_cast<size_t>(i));
        EXPECT_EQ(row.token, i);
        ASSERT_TRUE(row.op.valid());
        EXPECT_EQ(trace->ops()[row.op.value].layer, 2);
        EXPECT_GT(row.startNs, 0);
    }
    EXPECT_TRUE(trace->diagnostics().entries().empty());
}

TEST_F(DeviceCaptureTest, RowsAppearWhileTheRunGoesOn) {
    auto capture = DeviceCapture::start(builder, origin, log, cupti.api);
    ASSERT_TRUE(capture);
    EXPECT_TRUE(cupti.write(launched(41, 0), true));
    collect(**capture);
    EXPECT_EQ(builder.snapshot()->deviceOps().startNs.size(), 1u);
    EXPECT_TRUE(cupti.write(launched(42, 1), true));
    collect(**capture);
    EXPECT_EQ(builder.snapshot()->deviceOps().startNs.size(), 2u);
}

TEST_F(DeviceCaptureTest, AGraphCapturedUnderScopesIsJoinedNodeByNode) {
    auto capture = DeviceCapture::start(builder, origin, log, cupti.api);
    ASSERT_TRUE(capture);
    int node = 0, clone = 0;
    {
        LaunchScope scope(log, {.op = op, .token = -1, .bytes = 10});
        cupti.graphNodeCreated(&node);
    }
    cupti.graphNodeCloned(&clone, &node);
    const LaunchContext shares[] = {{.op = op, .token = 8, .bytes = 20}};
    HandMadeBuffer records;
    {
        LaunchScope scope(log, {.op = op, .token = 8}, shares);
        const auto now = static_cast<uint64_t>(nowNs());
        records.add(externalId(cupti.externalIds.back(), 50)).add(call(now, now + 2, 50, 311));
        records.add(kernel(now + 3, now + 5, 50, reinterpret_cast<uintptr_t>(&clone)));
    }
    EXPECT_TRUE(cupti.write(records, true));
    collect(**capture);
    const TracePtr trace = builder.snapshot();
    ASSERT_EQ(trace->deviceOps().startNs.size(), 1u);
    const DeviceOpRow row = rowAt(trace->deviceOps(), 0);
    EXPECT_EQ(row.token, 8);
    ASSERT_TRUE(row.op.valid());
    EXPECT_EQ(trace->ops()[row.op.value].bytes, 20);
}

TEST_F(DeviceCaptureTest, EndingWithoutCollectingGivesTheBuffersBack) {
    HandMadeBuffer records = HandMadeBuffer().add(kernel(1, 2, 3));
    for (int i = 0; i < 20; ++i) {
        auto capture = DeviceCapture::start(builder, origin, log, cupti.api);
        ASSERT_TRUE(capture);
        for (int buffer = 0; buffer < 16; ++buffer)
            EXPECT_TRUE(cupti.write(records, buffer % 2 == 0));
        (*capture)->gather();
    }
    auto capture = DeviceCapture::start(builder, origin, log, cupti.api);
    ASSERT_TRUE(capture);
    for (int buffer = 0; buffer < 16; ++buffer)
        EXPECT_TRUE(cupti.write(records));
    collect(**capture);
    EXPECT_EQ(builder.diagnostics().countOf("cupti_buffers_added"), 0);  // the pool's own sixteen were enough
}

TEST_F(DeviceCaptureTest, FailedEnablesAndDropsReachTheDiagnostics) {
    cupti.failWith("enable 2", 27);
    cupti.dropped = 4;
    auto capture = DeviceCapture::start(builder, origin, log, cupti.api);
    ASSERT_TRUE(capture);
    (*capture)->stop();
    collect(**capture);
    EXPECT_EQ(builder.diagnostics().countOf("cupti_not_enabled_1"), 1);
    EXPECT_EQ(builder.diagnostics().countOf("cupti_dropped_records"), 4);
}

TEST_F(DeviceCaptureTest, WhereItCannotStartTheLogStaysUnwatched) {
    cupti.failWith("clock", cupti::kUnknownError);
    EXPECT_FALSE(DeviceCapture::start(builder, origin, log, cupti.api));
    EXPECT_EQ(log.deviceTracer(), nullptr);
}

}  // namespace
}  // namespace gapscope

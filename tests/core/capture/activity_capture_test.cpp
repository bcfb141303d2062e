#include "core/capture/activity_capture.h"

#include <gtest/gtest.h>

namespace gapscope {
namespace {

constexpr int64_t kOrigin = 1'000'000;

struct CaptureTest : testing::Test {
    TraceBuilder builder;
    ActivityCapture capture{builder, {.steadyNs = kOrigin}};
    ActivityLog log;
    TracePtr taken() {
        capture.take(log.drain());
        return builder.snapshot();
    }
};

TEST_F(CaptureTest, AKernelKeepsItsOpLayerTokenAndLaunch) {
    const uint32_t op = log.describe({"matmul_q5_0", "q_proj", "[1,640] x [1024,640]", "q5_0", Category::Gemm, 3});
    log.add(ApiActivity{kOrigin + 5, kOrigin + 9, "cpuLaunchKernel", 77, 42});
    log.add(DeviceActivity{.startNs = kOrigin + 10,
                           .endNs = kOrigin + 30,
                           .op = op,
                           .correlationId = 42,
                           .token = 6,
                           .repeat = -1,
                           .workers = 2,
                           .bytes = 1000,
                           .flops = 2000});
    const TracePtr trace = taken();
    ASSERT_EQ(trace->deviceOps().startNs.size(), 1u);
    const DeviceOpRow row = rowAt(trace->deviceOps(), 0);
    EXPECT_EQ(row.startNs, 10);
    EXPECT_EQ(row.endNs, 30);
    EXPECT_EQ(trace->string(row.name), "matmul_q5_0");
    EXPECT_EQ(row.category, Category::Gemm);
    EXPECT_EQ(row.token, 6);
    EXPECT_EQ(row.repeat, -1);
    const OpRow& described = trace->ops()[row.op.value];
    EXPECT_EQ(trace->string(described.name), "q_proj");
    EXPECT_EQ(described.layer, 3);
    EXPECT_EQ(described.bytes, 1000);
    EXPECT_EQ(described.flops, 2000);
    EXPECT_EQ(trace->launchConfigs()[row.config.value].grid[0], 2);
    const ApiCallRow call = rowAt(trace->apiCalls(), 0);
    EXPECT_EQ(call.correlationId, row.correlationId);
    EXPECT_EQ(threadIdOf(call.globalTid), 77u);
    EXPECT_EQ(globalPidOf(call.globalTid), trace->tracks()[row.track.value].globalPid);
}

TEST_F(CaptureTest, OpsDescribedInAnEarlierBatchAreKnownLater) {
    log.describe({.kernelName = "a"});
    taken();
    const uint32_t second = log.describe({.kernelName = "b"});
    log.add(DeviceActivity{.startNs = kOrigin + 1, .endNs = kOrigin + 2, .op = second});
    const TracePtr trace = taken();
    EXPECT_EQ(trace->string(trace->deviceOps().name[0]), "b");
}

TEST_F(CaptureTest, BrokenRecordsAreCountedNotDropped) {
    log.add(DeviceActivity{.startNs = 0, .endNs = 0});                                // lost timestamp
    log.add(ApiActivity{kOrigin + 9, kOrigin + 5, "call", 1, 1});                     // ends before it starts
    log.add(DeviceActivity{.startNs = kOrigin + 1, .endNs = kOrigin + 2, .op = 99});  // no such op
    const TracePtr trace = taken();
    EXPECT_EQ(trace->diagnostics().countOf("record_without_time"), 2);
    EXPECT_EQ(trace->diagnostics().countOf("device_record_without_op"), 1);
    EXPECT_EQ(trace->deviceOps().startNs.size(), 1u);
    EXPECT_EQ(trace->apiCalls().startNs.size(), 0u);
}

TEST_F(CaptureTest, RangesTokensOverheadAndCopiesArrive) {
    log.add(RangeActivity{kOrigin, kOrigin + 100, 5, "decode 1"});
    log.add(TokenActivity{kOrigin + 50, 1, 0, 563, " is"});
    log.add(OverheadActivity{kOrigin + 60, kOrigin + 61, 5, "trace flush"});
    log.add(DeviceActivity{.startNs = kOrigin + 1,
                           .endNs = kOrigin + 2,
                           .kind = DeviceActivityKind::Copy,
                           .op = log.describe({.kernelName = "copy", .category = Category::Copy}),
                           .bytes = 4});
    const TracePtr trace = taken();
    EXPECT_EQ(trace->string(trace->ranges().name[0]), "decode 1");
    EXPECT_EQ(trace->tokens().id[0], 563);
    EXPECT_EQ(trace->string(trace->tokens().text[0]), " is");
    EXPECT_EQ(trace->tokens().emittedNs[0], 50);
    EXPECT_EQ(trace->string(trace->overheads().name[0]), "trace flush");
    EXPECT_EQ(trace->deviceOps().kind[0], DeviceOpKind::Copy);
    EXPECT_EQ(trace->deviceOps().copyBytes[0], 4);
}

}  // namespace
}  // namespace gapscope

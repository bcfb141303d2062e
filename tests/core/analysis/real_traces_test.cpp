// Real exports against figures that other programs computed (the traces' README).
#include <gtest/gtest.h>

#include "core/analysis/summary.h"
#include "core/analysis/window.h"
#include "core/import/open_trace.h"
#include "tests/support/test_files.h"

namespace gapscope {

TEST(RealTraces, TwoGpus) {
    const auto path = test::sharedFile("traces/public/mfu_2gpu_before.sqlite");
    GAPSCOPE_NEEDS_FILE(path, "traces/public/mfu_2gpu_before.sqlite");
    const auto opened = openTrace(path);
    ASSERT_TRUE(opened) << opened.error().message;
    const Trace& trace = **opened;
    const Analysis analysis = analyze(trace, deviceExtent(trace));
    ASSERT_EQ(analysis.summary.devices.size(), 2u);
    EXPECT_EQ(analysis.summary.devices[0].busyNs, 273'817'787);
    EXPECT_EQ(analysis.summary.devices[1].busyNs, 267'275'916);
    EXPECT_EQ(analysis.summary.kernelCount, 4010);
    EXPECT_EQ(analysis.summary.copyCount, 1020 + 269);
    int joinedKernels = 0;
    for (size_t i = 0; i < trace.deviceOps().startNs.size(); ++i)
        joinedKernels += trace.deviceOps().kind[i] == DeviceOpKind::Kernel && analysis.join.callOfOp[i] != kNoRow;
    EXPECT_EQ(joinedKernels, 3986);
    EXPECT_EQ(analysis.summary.gapCauses.totalNs(), analysis.summary.gpuIdleNs);
    EXPECT_EQ(analysis.summary.verdict.bound, Bound::Unknown);
}

TEST(RealTraces, TwoKernels) {
    const auto path = test::sharedFile("traces/public/mock.sqlite");
    GAPSCOPE_NEEDS_FILE(path, "traces/public/mock.sqlite");
    const auto opened = openTrace(path);
    ASSERT_TRUE(opened) << opened.error().message;
    const Summary summary = summarize(**opened, deviceExtent(**opened));
    EXPECT_EQ(summary.window.durationNs(), 22'453'059);
    EXPECT_EQ(summary.gpuBusyNs, 5'761);
    EXPECT_EQ(summary.kernelCount, 2);
    EXPECT_EQ(summary.verdict.bound, Bound::Overhead);
}

}  // namespace gapscope

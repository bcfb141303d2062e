// The CPU's stream: order, barriers, asynchronous launches, what is recorded, and how it ends.
#include "core/runner/cpu_stream.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <chrono>
#include <mutex>
#include <set>

namespace gapscope {
namespace {

CpuKernel kernelOf(std::vector<CpuKernel::Stage> stages) {
    CpuKernel kernel;
    kernel.stages = std::move(stages);
    return kernel;
}

class CpuStreamThreads : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Counts, CpuStreamThreads, testing::Values(1, 2, 3, 8));

TEST_P(CpuStreamThreads, KernelsRunInOrderWithABarrierAfterEachStage) {
    ActivityLog log(TraceLevel::Off);
    CpuStream stream(GetParam(), log);
    const auto threads = static_cast<size_t>(GetParam());
    // Each stage reads what every worker wrote in the stage before it: a missing barrier shows as a lost step.
    std::vector<int64_t> a(threads, 0), b(threads, 0);
    const auto advance = [threads](const std::vector<int64_t>& from, std::vector<int64_t>& to, Part part) {
        int64_t smallest = from[0];
        for (size_t i = 1; i < threads; ++i)
            smallest = std::min(smallest, from[i]);
        to[static_cast<size_t>(part.index)] = smallest + 1;
    };
    const CpuKernel kernel = kernelOf(
        {[&](const Step&, Part part) { advance(a, b, part); }, [&](const Step&, Part part) { advance(b, a, part); }});
    constexpr int kLaunches = 5000;  // more than the ring holds
    for (int i = 0; i < kLaunches; ++i)
        stream.launch(kernel, {}, "cpuLaunchKernel");
    stream.synchronize();
    for (const int64_t value : a)
        EXPECT_EQ(value, 2 * kLaunches);
}

TEST(CpuStream, HostGoesOnWhileAKernelRuns) {
    ActivityLog log(TraceLevel::Off);
    CpuStream stream(2, log);
    std::atomic<bool> hostWentOn{false};
    std::atomic<bool> sawHost{false};
    const CpuKernel kernel = kernelOf({[&](const Step&, Part) {
        while (!hostWentOn.load())
            std::this_thread::yield();
        sawHost = true;
    }});
    stream.launch(kernel, {}, "cpuLaunchKernel");
    hostWentOn = true;  // were launch() to wait, this would never be reached
    stream.synchronize();
    EXPECT_TRUE(sawHost);
}

TEST(CpuStream, RecordsLaunchesAndKernelsWithTheirCorrelation) {
    ActivityLog log(TraceLevel::Full);
    CpuStream stream(2, log);
    PlanOp body, head;
    body.kind = head.kind = OpKind::Add;
    body.fixedCost = {100, 10};
    head.fixedCost = {7, 3};
    head.head = true;
    std::vector<CpuKernel> kernels(2, kernelOf({[](const Step&, Part) {}}));
    kernels[0].op = &body;
    kernels[1].op = &head;
    kernels[0].activityOp = 4;
    kernels[1].activityOp = 5;
    Step step;
    step.bodyToken = -1;
    step.headToken = 0;
    step.repeat = 3;
    stream.launch(kernels[0], step, "cpuLaunchKernel");
    stream.launchGraph(kernels, 9, step, "cpuGraphLaunch");
    stream.synchronize();
    const ActivityLog::Batch batch = log.drain();
    ASSERT_EQ(batch.api.size(), 3U);
    EXPECT_STREQ(batch.api[0].name, "cpuLaunchKernel");
    EXPECT_STREQ(batch.api[1].name, "cpuGraphLaunch");
    EXPECT_STREQ(batch.api[2].name, "cpuStreamSynchronize");
    ASSERT_EQ(batch.device.size(), 3U);
    EXPECT_EQ(batch.device[0].correlationId, batch.api[0].correlationId);
    EXPECT_EQ(batch.device[1].correlationId, batch.api[1].correlationId);
    EXPECT_EQ(batch.device[2].correlationId, batch.api[1].correlationId);
    EXPECT_EQ(batch.device[0].graphNodeId, 0U);
    EXPECT_NE(batch.device[1].graphNodeId, batch.device[2].graphNodeId);
    EXPECT_EQ(batch.device[1].op, 4U);
    EXPECT_EQ(batch.device[2].op, 5U);
    EXPECT_EQ(batch.device[1].token, -1);
    EXPECT_EQ(batch.device[2].token, 0);
    EXPECT_EQ(batch.device[1].bytes, 100);
    EXPECT_EQ(batch.device[2].flops, 3);
    EXPECT_EQ(batch.device[2].workers, 2);
    EXPECT_EQ(batch.device[2].repeat, 3);
    int64_t before = batch.api[0].startNs;
    for (const DeviceActivity& activity : batch.device) {
        EXPECT_LE(before, activity.startNs);
        EXPECT_LE(activity.startNs, activity.endNs);
        before = activity.endNs;  // one stream: kernels never overlap
    }
    EXPECT_LE(before, batch.api[2].endNs);
}

TEST(CpuStream, LevelGraphKeepsOneRecordALaunch) {
    ActivityLog log(TraceLevel::Graph);
    CpuStream stream(2, log);
    PlanOp op;
    op.kind = OpKind::Add;
    op.fixedCost = {100, 10};
    std::vector<CpuKernel> kernels(3, kernelOf({[](const Step&, Part) {}}));
    for (CpuKernel& kernel : kernels)
        kernel.op = &op;
    stream.launchGraph(kernels, 9, {}, "cpuGraphLaunch");
    stream.launch(kernels[0], {}, "cpuLaunchKernel");
    stream.synchronize();
    const ActivityLog::Batch batch = log.drain();
    ASSERT_EQ(batch.device.size(), 2U);
    EXPECT_EQ(batch.device[0].kind, DeviceActivityKind::GraphLaunch);
    EXPECT_EQ(batch.device[0].op, 9U);
    EXPECT_EQ(batch.device[0].bytes, 300);
    EXPECT_EQ(batch.device[1].kind, DeviceActivityKind::GraphLaunch);
    EXPECT_EQ(batch.device[1].bytes, 100);
}

TEST(CpuStream, RecordsNothingWhenOff) {
    ActivityLog log(TraceLevel::Off);
    CpuStream stream(2, log);
    const CpuKernel kernel = kernelOf({[](const Step&, Part) {}});
    stream.launch(kernel, {}, "cpuLaunchKernel");
    stream.launchAndWait(kernel, {}, "cpuMemcpy");
    stream.synchronize();
    EXPECT_TRUE(log.drain().empty());
}

TEST(CpuStream, CancelSkipsWhatHasNotBegun) {
    ActivityLog log(TraceLevel::Off);
    CpuStream stream(2, log);
    std::atomic<int> runs{0};
    std::atomic<bool> go{false};
    const CpuKernel first = kernelOf({[&](const Step&, Part) {
        while (!go.load())
            std::this_thread::yield();
    }});
    const CpuKernel counted = kernelOf({[&](const Step&, Part) { ++runs; }});
    stream.launch(first, {}, "cpuLaunchKernel");
    for (int i = 0; i < 100; ++i)
        stream.launch(counted, {}, "cpuLaunchKernel");
    stream.cancel();
    go = true;
    stream.synchronize();
    EXPECT_EQ(runs, 0);
}

TEST(CpuStream, IdleWorkersSleep) {
    ActivityLog log(TraceLevel::Off);
    CpuStream stream(4, log);
    stream.synchronize();
    const auto cpuTime = [] {
        rusage usage{};
        getrusage(RUSAGE_SELF, &usage);
        const auto ns = [](const timeval& time) { return time.tv_sec * 1000000000LL + time.tv_usec * 1000LL; };
        return ns(usage.ru_utime) + ns(usage.ru_stime);
    };
    const int64_t before = cpuTime();
    std::this_thread::sleep_for(std::chrono::milliseconds(400));
    // Four spinning workers would have burnt 0.8 s on two cores; CPU time does not depend on how busy the machine is.
    EXPECT_LT(cpuTime() - before, 100'000'000);
}

}  // namespace
}  // namespace gapscope

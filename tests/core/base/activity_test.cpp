#include "core/base/activity.h"

#include <gtest/gtest.h>

#include <thread>

namespace gapscope {

TEST(ActivityLog, EveryRecordComesOutOnceThoughThreadsWriteWhileOneReads) {
    ActivityLog log;
    constexpr int kRecords = 20000;
    std::jthread host([&] {
        for (int i = 0; i < kRecords; ++i)
            log.add(ApiActivity{i, i + 1, "call", currentThreadId(), 1});
    });
    std::jthread device([&] {
        for (int i = 0; i < kRecords; ++i)
            log.add(DeviceActivity{.startNs = i, .endNs = i + 1});
    });
    size_t api = 0, ops = 0;
    const auto read = [&] {
        const ActivityLog::Batch batch = log.drain();
        for (const ApiActivity& record : batch.api)
            ASSERT_EQ(record.startNs, static_cast<int64_t>(api++));
        for (const DeviceActivity& record : batch.device)
            ASSERT_EQ(record.startNs, static_cast<int64_t>(ops++));
    };
    while (api < kRecords || ops < kRecords)
        read();
    EXPECT_TRUE(log.drain().empty());
}

TEST(ActivityLog, OpsKeepTheirIndexAcrossBatches) {
    ActivityLog log;
    EXPECT_EQ(log.describe({.kernelName = "a"}), 0u);
    EXPECT_EQ(log.drain().firstOp, 0u);
    EXPECT_EQ(log.describe({.kernelName = "b"}), 1u);
    const ActivityLog::Batch batch = log.drain();
    EXPECT_EQ(batch.firstOp, 1u);
    ASSERT_EQ(batch.ops.size(), 1u);
    EXPECT_EQ(batch.ops[0].kernelName, "b");
}

TEST(ActivityLog, PhaseScopeIsSilentWhenTracingIsOff) {
    ActivityLog off(TraceLevel::Off), on;
    { PhaseScope a(off, "prefill"), b(on, "prefill"); }
    EXPECT_TRUE(off.drain().empty());
    const ActivityLog::Batch batch = on.drain();
    ASSERT_EQ(batch.ranges.size(), 1u);
    EXPECT_EQ(batch.ranges[0].name, "prefill");
    EXPECT_GE(batch.ranges[0].endNs, batch.ranges[0].startNs);
}

namespace {
struct ListingTracer final : DeviceTracer {
    std::vector<std::string> calls;
    void enterLaunch(uint64_t externalId) override { calls.push_back("enter " + std::to_string(externalId)); }
    void leaveLaunch() override { calls.push_back("leave"); }
};
}  // namespace

TEST(ActivityLog, ALaunchScopeNotesTheLaunchBeforeTheTracerHearsOfIt) {
    ActivityLog log;
    ListingTracer tracer;
    { LaunchScope unwatched(log, {.op = 7}); }
    EXPECT_TRUE(log.drain().empty());
    log.setDeviceTracer(&tracer);
    { LaunchScope eager(log, {.op = 3, .token = 5, .repeat = -1, .bytes = 10, .flops = 20}); }
    const LaunchContext nodes[] = {{.op = 3, .token = 6}, {.op = 4, .token = 7}};
    { LaunchScope graph(log, {.op = 9, .token = 6}, nodes); }
    EXPECT_EQ(tracer.calls, (std::vector<std::string>{"enter 1", "leave", "enter 2", "leave"}));
    const ActivityLog::Batch batch = log.drain();
    ASSERT_EQ(batch.launches.size(), 2u);
    EXPECT_FALSE(batch.empty());
    EXPECT_EQ(batch.launches[0].externalId, 1u);
    EXPECT_EQ(batch.launches[0].context.op, 3u);
    EXPECT_EQ(batch.launches[0].context.token, 5);
    EXPECT_EQ(batch.launches[0].context.repeat, -1);
    EXPECT_EQ(batch.launches[0].context.bytes, 10);
    EXPECT_EQ(batch.launches[1].externalId, 2u);
    ASSERT_EQ(batch.launches[1].nodes.size(), 2u);
    EXPECT_EQ(batch.launches[1].nodes[1].token, 7);
    EXPECT_TRUE(log.drain().empty());
}

}  // namespace gapscope

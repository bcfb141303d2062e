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
    void enterLaunch(const LaunchContext& context, std::span<const LaunchContext> nodes) override {
        calls.push_back("enter op " + std::to_string(context.op) + " token " + std::to_string(context.token) + ", " +
                        std::to_string(nodes.size()) + " nodes");
    }
    void leaveLaunch() override { calls.push_back("leave"); }
};
}  // namespace

TEST(ActivityLog, LaunchScopesTellTheTracerAndNobodyElse) {
    ActivityLog log;
    ListingTracer tracer;
    { LaunchScope unwatched(log, {.op = 7}); }
    log.setDeviceTracer(&tracer);
    { LaunchScope eager(log, {.op = 3, .token = 5}); }
    const LaunchContext nodes[] = {{.op = 3, .token = 6}, {.op = 4, .token = 7}};
    { LaunchScope graph(log, {.op = 9, .token = 6}, nodes); }
    EXPECT_EQ(tracer.calls, (std::vector<std::string>{"enter op 3 token 5, 0 nodes", "leave",
                                                      "enter op 9 token 6, 2 nodes", "leave"}));
    EXPECT_TRUE(log.drain().empty());
}

}  // namespace gapscope

#include "core/trace/trace_builder.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace gapscope {

TEST(TraceBuilder, ASnapshotStaysAsItWasWhileTheBuilderGoesOn) {
    TraceBuilder builder;
    const TrackId track = builder.internTrack({.deviceId = 0, .streamId = 7});
    builder.add(DeviceOpRow{.startNs = 10, .endNs = 20, .name = builder.intern("k"), .track = track});
    const TracePtr before = builder.snapshot();
    for (int i = 0; i < 40000; ++i)
        builder.add(DeviceOpRow{.startNs = 100 + i, .endNs = 101 + i, .name = builder.intern("later"), .track = track});
    EXPECT_EQ(before->deviceOps().startNs.size(), 1u);
    EXPECT_EQ(before->extent(), (TimeRange{10, 20}));
    const TracePtr after = builder.snapshot();
    EXPECT_EQ(after->deviceOps().startNs.size(), 40001u);
    EXPECT_EQ(after->deviceOps().startNs[40000], 100 + 39999);
    EXPECT_EQ(after->string(after->deviceOps().name[40000]), "later");
    EXPECT_EQ(rowAt(after->deviceOps(), 0).endNs, 20);
    EXPECT_EQ(after->extent(), (TimeRange{10, 100 + 40000}));
}

TEST(TraceBuilder, InternsEqualRowsOnce) {
    TraceBuilder builder;
    EXPECT_EQ(builder.intern("a"), builder.intern("a"));
    EXPECT_NE(builder.intern("a"), builder.intern("b"));
    EXPECT_EQ(builder.internTrack({.streamId = 1}), builder.internTrack({.streamId = 1}));
    EXPECT_NE(builder.internTrack({.streamId = 1}), builder.internTrack({.streamId = 2}));
    const OpRow op{.name = builder.intern("q_proj"), .layer = 3, .bytes = 10};
    EXPECT_EQ(builder.internOp(op), builder.internOp(op));
}

TEST(TraceBuilder, SnapshotsCanBeReadWhileAnotherThreadAppends) {
    TraceBuilder builder;
    std::mutex mutex;
    std::atomic<bool> stop = false;
    std::jthread reader([&] {
        while (!stop) {
            TracePtr trace;
            {
                const std::lock_guard lock(mutex);
                trace = builder.snapshot();
            }
            const auto& ops = trace->deviceOps();
            for (size_t i = 0; i < ops.startNs.size(); ++i) {
                ASSERT_EQ(ops.startNs[i], static_cast<int64_t>(i));
                ASSERT_EQ(trace->string(ops.name[i]), std::to_string(i % 100));
            }
        }
    });
    for (int i = 0; i < 50000; ++i) {
        const std::lock_guard lock(mutex);
        builder.add(DeviceOpRow{.startNs = i, .endNs = i + 1, .name = builder.intern(std::to_string(i % 100))});
    }
    stop = true;
}

TEST(Diagnostics, CountsByName) {
    Diagnostics diagnostics;
    diagnostics.add("orphan_kernel", Severity::Info, 2, "No launch.");
    diagnostics.add("orphan_kernel", Severity::Info, 3, "ignored");
    diagnostics.add("none", Severity::Error, 0, "never shown");
    ASSERT_EQ(diagnostics.entries().size(), 1u);
    EXPECT_EQ(diagnostics.countOf("orphan_kernel"), 5);
    EXPECT_EQ(diagnostics.entries()[0].text, "No launch.");
}

TEST(GlobalIds, SplitAndJoinAsNsysWritesThem) {
    const uint64_t real = 281477392629904;  // from an nsys export: VM 1, PID 144, TID 144
    EXPECT_EQ(processIdOf(real), 144u);
    EXPECT_EQ(threadIdOf(real), 144u);
    EXPECT_EQ(globalPidOf(real), 281477392629760u);
    EXPECT_EQ(makeGlobalTid(144, 144) & 0xFFFFFFFFFFFF, real & 0xFFFFFFFFFFFF);
}

}  // namespace gapscope

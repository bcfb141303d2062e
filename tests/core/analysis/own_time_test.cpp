// Overlapping operations: an instant belongs to the one that began first, and rates count it once.
#include "core/analysis/own_time.h"

#include <gtest/gtest.h>

#include <set>

#include "core/analysis/summary.h"
#include "tests/core/analysis/hand_made_trace.h"
#include "tests/core/analysis/random_traces.h"
#include "tests/core/analysis/reference.h"

namespace gapscope {

namespace {

struct Planned : Builder {
    void op(int64_t start, int64_t end, int64_t bytes, TrackId on) {
        OpId id;
        if (bytes > 0) id = internOp({.name = intern("q_proj"), .layer = 3, .bytes = bytes});
        add(DeviceOpRow{
            .startNs = start, .endNs = end, .name = intern("gemv"), .track = on, .category = Category::Gemm, .op = id});
    }
    void op(int64_t start, int64_t end, int64_t bytes) { op(start, end, bytes, track); }
};

}  // namespace

TEST(OwnTime, OfWhatDoesNotOverlapIsTheDuration) {
    Planned b;
    b.op(0, 10, 5);
    b.op(10, 20, 5);
    b.op(15, 30, 0);  // without a plan
    EXPECT_TRUE(ownStartNs(*b.snapshot()).empty());
}

TEST(OwnTime, BeginsWhereTheOneBeforeEnds) {
    Planned b;
    const TrackId other =
        b.internTrack({.globalPid = makeGlobalTid(1, 0), .deviceId = 1, .contextId = 2, .streamId = 7});
    b.op(0, 100, 5);
    b.op(80, 200, 5);   // waits for the first
    b.op(120, 150, 5);  // lies within the second
    b.op(120, 150, 5, other);
    b.op(190, 250, 0);  // nothing is known of it
    b.op(180, 300, 5);
    const ColumnView<int64_t> own = ownStartNs(*b.snapshot());
    const std::vector<int64_t> expected{0, 100, 150, 120, 190, 200};
    ASSERT_EQ(own.size(), expected.size());
    for (size_t row = 0; row < expected.size(); ++row)
        EXPECT_EQ(own[row], expected[row]) << row;
}

TEST(OwnTime, AMemoryBoundGraphRunIsCalledSo) {
    // Each kernel begins when half of the one before has run: durations add up to twice the time.
    Planned b;
    b.setDevice({.id = 0, .name = "d", .peakBytesPerSecond = 1e9});
    for (int i = 0; i < 100; ++i)
        b.op(i * 50, i * 50 + 100, 40);
    const Summary summary = summarize(*b.snapshot(), {0, 5050});
    EXPECT_EQ(summary.throughput.all.ns, 5050);
    EXPECT_NEAR(summary.throughput.all.bytesPerSecond(), 0.79e9, 0.01e9);
    EXPECT_EQ(summary.verdict.bound, Bound::Memory) << summary.verdict.sentence;
}

using OwnTimes = RandomTraces;

TEST_P(OwnTimes, AddUpToTheTimeThatAnyRan) {
    RandomTrace random(static_cast<uint32_t>(GetParam()), {.deviceOps = 60, .spanNs = 400, .own = true});
    const TracePtr own = random.build().snapshot();
    reference::Reference rows(*own, window);
    std::erase_if(rows.ops, [&](const DeviceOpRow& op) { return !knownPlanOf(*own, op.op); });
    std::set<uint32_t> devices;
    for (const DeviceOpRow& op : rows.ops)
        devices.insert(rows.deviceOf(op));
    int64_t expected = 0;
    for (const uint32_t device : devices)
        for (int64_t ns = window.startNs; ns < window.endNs; ++ns)
            expected += rows.busyAt(device, ns);
    EXPECT_EQ(throughput(*own, window).all.ns, expected);
}

INSTANTIATE_TEST_SUITE_P(Seeds, OwnTimes, testing::Range(0, 40));

}  // namespace gapscope

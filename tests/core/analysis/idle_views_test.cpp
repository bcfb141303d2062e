// Who is to blame for idle time and HTA's classes of it: worked examples, and random traces against the definition read
// row by row.
#include <gtest/gtest.h>

#include <map>

#include "core/analysis/culprits.h"
#include "core/analysis/stream_idle.h"
#include "tests/core/analysis/hand_made_trace.h"
#include "tests/core/analysis/random_traces.h"
#include "tests/core/analysis/reference.h"

namespace gapscope {

namespace {

struct IdleViews : RandomTraces {};

const Culprit* find(const std::vector<Culprit>& rows, CulpritKind kind, std::string_view name) {
    for (const Culprit& row : rows)
        if (row.kind == kind && row.name == name) return &row;
    return nullptr;
}

}  // namespace

TEST(Gaps, OfKernelsWithoutALaunchNameWhatTheirProcessDid) {
    Builder b;
    const uint64_t other = makeGlobalTid(2, 9);
    b.add(RangeRow{.startNs = 0, .endNs = 1000, .name = b.intern("busy elsewhere"), .globalTid = other});
    b.call(5, 8, "cudaLaunchKernel", 77, other);
    b.range(0, 1000, "forward");
    b.range(15, 28, "aten::mm");
    b.kernel(10, 20, 0);
    b.kernel(30, 40, 9);
    const TracePtr trace = b.snapshot();
    const GapTable table = findGaps(*trace, {10, 50});
    ASSERT_EQ(table.gaps.size(), 2u);
    EXPECT_EQ(trace->string(table.gaps[0].hostName), "aten::mm");  // nobody of process 1 calls the API
    EXPECT_EQ(trace->string(table.gaps[1].hostName), "forward");
    EXPECT_EQ(table.causes[GapCause::Unknown], 20);  // what the host did is known, whether it was the cause is not
}

TEST(Gaps, AtTheWindowsEndAreToldByWhoLaunchedForTheDevice) {
    Builder b;
    const uint64_t other = makeGlobalTid(2, 9);
    const TrackId second = b.internTrack({.globalPid = makeGlobalTid(2, 0), .deviceId = 1, .streamId = 7});
    for (uint32_t i = 0; i < 3; ++i) {  // the launching thread of the window
        b.call(i * 10, i * 10 + 2, "cudaLaunchKernel", i + 1);
        b.kernel(i * 10 + 3, i * 10 + 5, i + 1);
    }
    b.call(0, 2, "cudaLaunchKernel", 1, other);
    b.add(DeviceOpRow{.startNs = 3, .endNs = 9, .name = b.intern("k"), .track = second, .correlationId = 1});
    b.call(10, 90, "cudaStreamSynchronize", 2, other);
    const GapTable table = findGaps(*b.snapshot(), {0, 100});
    const Gap& last = table.gaps.back();
    EXPECT_EQ(last.deviceId, 1u);
    EXPECT_EQ(last.range, (TimeRange{9, 100}));
    EXPECT_EQ(last.causes[GapCause::HostWaiting], 80);
}

TEST(Culprits, TakeTheirPartsOfEachGap) {
    // Gap 110-300: host 110-290 in layer 3, call 290-295, latency 5. Gap 400-720: host 400-705 mostly in a synchronize
    // within decode 1, call 705-710, latency 10. Gap 800-900: host 800-890 in layer 4, call 890-896, latency 4.
    Builder b;
    b.call(0, 1, "cudaLaunchKernel", 1);
    b.kernel(100, 110, 1);
    b.range(100, 300, "layer 3");
    b.call(290, 295, "cudaLaunchKernel", 2);
    b.kernel(300, 400, 2);
    b.range(400, 720, "decode 1");
    b.call(410, 700, "cudaStreamSynchronize", 3);
    b.call(705, 710, "cudaLaunchKernel", 4);
    b.kernel(720, 800, 4);
    b.range(790, 900, "layer 4");
    b.call(890, 896, "cudaLaunchKernel", 5);
    b.kernel(900, 910, 5);
    const TracePtr trace = b.snapshot();
    const GapTable table = findGaps(*trace, {100, 910});
    const std::vector<Culprit> rows = culprits(*trace, table.gaps);
    ASSERT_EQ(rows.size(), 4u);
    EXPECT_EQ(rows[0].name, "decode N");
    EXPECT_EQ(rows[0].call, "cudaStreamSynchronize");
    EXPECT_EQ(rows[0].idleNs, 305);
    EXPECT_EQ(rows[0].causes[GapCause::HostWaiting], 290);
    EXPECT_EQ(rows[1].name, "layer N");
    EXPECT_EQ(rows[1].call, "");
    EXPECT_EQ(rows[1].idleNs, 180 + 90);
    EXPECT_EQ(rows[1].gapCount, 2);
    EXPECT_EQ(rows[1].longestNs, 180);
    EXPECT_EQ(table.gaps[rows[1].longestGap].range.startNs, 110);
    ASSERT_NE(find(rows, CulpritKind::LaunchCall, "cudaLaunchKernel"), nullptr);
    EXPECT_EQ(find(rows, CulpritKind::LaunchCall, "cudaLaunchKernel")->idleNs, 5 + 5 + 6);
    ASSERT_NE(find(rows, CulpritKind::DeviceLatency, "cudaLaunchKernel"), nullptr);
    EXPECT_EQ(find(rows, CulpritKind::DeviceLatency, "cudaLaunchKernel")->idleNs, 5 + 10 + 4);
}

TEST(Culprits, OfAGraphLaunchAreTheHostBeforeItAndTheDeviceWithin) {
    Builder b;
    b.kernel(0, 10, 0);
    b.range(10, 100, "decode 7");
    b.call(80, 90, "cudaGraphLaunch", 1);
    b.kernel(100, 110, 1);
    b.kernel(115, 120, 1);
    const TracePtr trace = b.snapshot();
    const std::vector<Culprit> rows = culprits(*trace, findGaps(*trace, {0, 120}).gaps);
    ASSERT_EQ(rows.size(), 3u);
    EXPECT_EQ(rows[0].name, "decode N");
    EXPECT_EQ(rows[0].idleNs, 70);
    EXPECT_EQ(find(rows, CulpritKind::LaunchCall, "cudaGraphLaunch")->idleNs, 10);
    EXPECT_EQ(find(rows, CulpritKind::DeviceLatency, "cudaGraphLaunch")->idleNs, 10 + 5);
    EXPECT_EQ(find(rows, CulpritKind::DeviceLatency, "cudaGraphLaunch")->gapCount, 2);
}

TEST(Culprits, GroupNamesLeaveOutWhatOnlyCounts) {
    EXPECT_EQ(groupName("layer 5"), "layer N");
    EXPECT_EQ(groupName("ProfilerStep#12"), "ProfilerStep#N");
    EXPECT_EQ(groupName("aten::mm, seq = 12, op_id = 34"), "aten::mm");
    EXPECT_EQ(groupName("FSDP::pre_forward (blocks.9._wrapped), op_id = 993836"),
              "FSDP::pre_forward (blocks.N._wrapped)");
    EXPECT_EQ(groupName("aten::conv2d"), "aten::conv2d");
    EXPECT_EQ(groupName("cuLaunchKernel_v2"), "cuLaunchKernel_v2");
    EXPECT_EQ(groupName("model.py(10): forward"), "model.py(N): forward");
    EXPECT_EQ(groupName("\xC3\xA4"
                        "1"),
              "\xC3\xA4"
              "1");
    EXPECT_EQ(groupName(", seq = 1"), ", seq = N");
    EXPECT_EQ(groupName(""), "");
}

TEST(StreamIdle, HasHtasThreeClasses) {
    Builder b;
    b.call(0, 5, "cudaLaunchKernel", 1);
    b.kernel(10'000, 20'000, 1);
    b.call(25'000, 26'000, "cudaLaunchKernel", 2);  // called after the kernel before had ended
    b.kernel(30'000, 40'000, 2);
    b.call(31'000, 32'000, "cudaLaunchKernel", 3);  // in the queue already: 29,999 ns are below 30 us
    b.kernel(69'999, 80'000, 3);
    b.call(32'000, 33'000, "cudaLaunchKernel", 4);  // in the queue, but 30,000 ns are not below
    b.kernel(110'000, 120'000, 4);
    b.kernel(121'000, 122'000, 0);  // no call in the file
    const TracePtr trace = b.snapshot();
    const auto streams = streamIdle(*trace, joinLaunches(*trace), {0, 200'000});
    ASSERT_EQ(streams.size(), 1u);
    EXPECT_EQ(streams[0].operationCount, 5);
    EXPECT_EQ(streams[0][StreamIdleClass::HostWait].totalNs, 10'000);
    EXPECT_EQ(streams[0][StreamIdleClass::KernelWait].totalNs, 29'999 + 1'000);
    EXPECT_EQ(streams[0][StreamIdleClass::Other].totalNs, 30'000);
    const auto strict = streamIdle(*trace, joinLaunches(*trace), {0, 200'000}, 500);
    EXPECT_EQ(strict[0][StreamIdleClass::KernelWait].count, 0);
    EXPECT_EQ(strict[0][StreamIdleClass::Other].count, 3);
}

TEST_P(IdleViews, StreamIdleByTheDefinition) {
    const reference::Reference expected(*trace, window);
    const LaunchJoin join = joinLaunches(*trace);
    for (const int64_t thresholdNs : {int64_t{5}, kHtaKernelWaitNs}) {
        std::map<uint32_t, std::vector<uint32_t>> streams;
        for (uint32_t i = 0; i < expected.ops.size(); ++i)
            if (window.contains(expected.ops[i].startNs)) streams[expected.ops[i].track.value].push_back(i);
        const auto rows = streamIdle(*trace, join, window, thresholdNs);
        ASSERT_EQ(rows.size(), streams.size());
        for (const StreamIdle& row : rows) {
            auto& ops = streams.at(row.track.value);
            ASSERT_EQ(row.operationCount, static_cast<int64_t>(ops.size()));
            std::ranges::stable_sort(ops, {}, [&](uint32_t op) { return expected.ops[op].startNs; });
            std::map<StreamIdleClass, std::vector<int64_t>> intervals;
            for (size_t i = 1; i < ops.size(); ++i) {
                const int64_t endNs = expected.ops[ops[i - 1]].endNs;
                const int64_t idleNs = expected.ops[ops[i]].startNs - endNs;
                const int call = expected.callOf(expected.ops[ops[i]]);
                const bool isHost = call >= 0 && expected.calls[static_cast<size_t>(call)].startNs > endNs;
                intervals[isHost                 ? StreamIdleClass::HostWait
                          : idleNs < thresholdNs ? StreamIdleClass::KernelWait
                                                 : StreamIdleClass::Other]
                    .push_back(idleNs);
            }
            for (int i = 0; i < kStreamIdleClassCount; ++i) {
                const auto& of = intervals[static_cast<StreamIdleClass>(i)];
                EXPECT_EQ(row.classes[static_cast<size_t>(i)].count, static_cast<int64_t>(of.size()));
                int64_t total = 0;
                for (const int64_t ns : of)
                    total += ns;
                EXPECT_EQ(row.classes[static_cast<size_t>(i)].totalNs, total);
            }
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Seeds, IdleViews, testing::Range(0, 60));

}  // namespace gapscope

// Real exports of Nsight Systems, held against figures computed by other programs (see the traces' README).
#include "core/import/nsys_sqlite.h"

#include <gtest/gtest.h>

#include "tests/support/test_files.h"

namespace gapscope {

namespace {

int64_t unionNs(const Trace& trace, uint32_t device) {
    std::vector<TimeRange> ranges;
    const auto& ops = trace.deviceOps();
    for (size_t i = 0; i < ops.startNs.size(); ++i)
        if (trace.tracks()[ops.track[i].value].deviceId == device) ranges.push_back({ops.startNs[i], ops.endNs[i]});
    std::ranges::sort(ranges);
    int64_t total = 0, end = INT64_MIN;
    for (const TimeRange range : ranges) {
        total += std::max<int64_t>(0, range.endNs - std::max(end, range.startNs));
        end = std::max(end, range.endNs);
    }
    return total;
}

}  // namespace

TEST(NsysSqlite, ReadsTwoGpusOfARealExport) {
    const auto path = test::sharedFile("traces/public/mfu_2gpu_before.sqlite");
    GAPSCOPE_NEEDS_FILE(path, "traces/public/mfu_2gpu_before.sqlite");
    const auto trace = openTrace(path);
    ASSERT_TRUE(trace) << trace.error().message;
    const auto& ops = (*trace)->deviceOps();
    EXPECT_EQ(ops.startNs.size(), 4010u + 1020u + 269u);
    EXPECT_EQ((*trace)->apiCalls().startNs.size(), 7466u);
    EXPECT_EQ((*trace)->ranges().startNs.size(), 19118u);
    EXPECT_EQ(unionNs(**trace, 0), 273'817'787);
    EXPECT_EQ(unionNs(**trace, 1), 267'275'916);
    EXPECT_EQ((*trace)->origin().utcEpochNs, 1779782330176752435);
    EXPECT_EQ((*trace)->run(), nullptr);
    bool anyGemm = false;
    for (size_t i = 0; i < ops.startNs.size(); ++i)
        anyGemm |= ops.category[i] == Category::Gemm;
    EXPECT_TRUE(anyGemm);
    for (size_t i = 1; i < ops.startNs.size(); ++i)
        ASSERT_LE(ops.startNs[i - 1], ops.startNs[i]);
    const auto& calls = (*trace)->apiCalls();
    for (size_t i = 0; i < calls.startNs.size(); ++i) {
        const std::string_view name = (*trace)->string(calls.name[i]);
        ASSERT_FALSE(name.ends_with("_v7000") || name.ends_with("_v3020")) << name;
    }
}

TEST(NsysSqlite, ReadsATinyCompleteExport) {
    const auto path = test::sharedFile("traces/public/mock.sqlite");
    GAPSCOPE_NEEDS_FILE(path, "traces/public/mock.sqlite");
    const auto trace = openTrace(path);
    ASSERT_TRUE(trace) << trace.error().message;
    EXPECT_EQ((*trace)->deviceOps().startNs.size(), 3u);
    EXPECT_EQ((*trace)->apiCalls().startNs.size(), 9u);
    EXPECT_EQ(unionNs(**trace, 0), 5'761);
    ASSERT_EQ((*trace)->devices().size(), 1u);
    EXPECT_EQ((*trace)->devices()[0].name, "NVIDIA GeForce RTX 3080");
    EXPECT_EQ((*trace)->devices()[0].totalMemoryBytes, 10736893952);
    EXPECT_EQ((*trace)->overheads().startNs.size(), 31u);
}

}  // namespace gapscope

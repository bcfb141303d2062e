// Real exports of Nsight Systems, held against figures computed by other programs (see the traces' README).
#include "core/import/nsys_sqlite.h"

#include <gtest/gtest.h>

#include "tests/core/testing/small_nsys_export.h"
#include "tests/core/testing/temp_folder.h"
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
    EXPECT_EQ((*trace)->ranges().startNs.size(), 19118u + 366u);  // and the waits
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

namespace {

// "kind name [start, end) on thread", of all ranges.
std::vector<std::string> rangesOf(const Trace& trace) {
    std::vector<std::string> found;
    for (size_t row = 0; row < trace.ranges().startNs.size(); ++row) {
        const RangeRow range = rowAt(trace.ranges(), row);
        const char* kinds[] = {"user", "op", "python", "wait"};
        found.push_back(std::string(kinds[static_cast<size_t>(range.kind)]) + " " +
                        std::string(trace.string(range.name)) + " " + std::to_string(range.startNs) + " " +
                        std::to_string(range.endNs) + " on " + std::to_string(processIdOf(range.globalTid)) + ":" +
                        std::to_string(threadIdOf(range.globalTid)));
    }
    return found;
}

Diagnostic diagnosticOf(const Trace& trace, std::string_view name) {
    for (const Diagnostic& entry : trace.diagnostics().entries())
        if (entry.name == name) return entry;
    return {};
}

}  // namespace

TEST(NsysSqlite, ReadsWaitsLibraryCallsMetricsAndMessages) {
    const TempFolder folder;
    writeSmallNsysExport(folder / "small.sqlite", NsysSchema::V3_25);
    const auto opened = openTrace(folder / "small.sqlite");
    ASSERT_TRUE(opened) << opened.error().message;
    const Trace& trace = **opened;
    // A wait stands on the thread of its call; one whose call is not there, on its process alone.
    EXPECT_EQ(rangesOf(trace),
              (std::vector<std::string>{"user token 0 900 9500 on 5:6", "op cublasGemmEx 950 1600 on 5:6",
                                        "user layer 0 1000 2200 on 5:6", "wait wait for stream 7 2600 8900 on 5:6",
                                        "wait wait for device 4100 4200 on 7:0"}));
    EXPECT_EQ(trace.diagnostics().countOf("gpu_wait_without_call"), 1);

    ASSERT_EQ(trace.counters().size(), 1u);
    EXPECT_EQ(trace.string(trace.counters()[0].name), "SMs Active");
    EXPECT_EQ(trace.counters()[0].deviceId, 1u);
    ASSERT_EQ(trace.counterSamples().timeNs.size(), 2u);
    EXPECT_EQ(trace.counterSamples().timeNs[0], 2000);  // in order of time
    EXPECT_EQ(trace.counterSamples().value[0], 35);

    EXPECT_EQ(diagnosticOf(trace, "nsight_message_1"),
              (Diagnostic{"nsight_message_1", Severity::DataLoss, 2, "Nsight Systems said: Some events were lost."}));
    EXPECT_EQ(diagnosticOf(trace, "nsight_message_2").severity, Severity::Info);
    EXPECT_EQ(diagnosticOf(trace, "nsight_tables_not_shown"),
              (Diagnostic{"nsight_tables_not_shown", Severity::Info, 2,
                          "Rows of these tables of the export are not shown: CUPTI_ACTIVITY_KIND_CUDA_EVENT (2)."}));
}

TEST(NsysSqlite, AnOldExportHasNothingLeftOver) {
    const TempFolder folder;
    writeSmallNsysExport(folder / "old.sqlite", NsysSchema::V2);
    const auto opened = openTrace(folder / "old.sqlite");
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_EQ(diagnosticOf(**opened, "nsight_tables_not_shown").count, 0);
    EXPECT_EQ((*opened)->threadName(makeGlobalTid(5, 6) | uint64_t{1} << 56), "python3");
}

}  // namespace gapscope

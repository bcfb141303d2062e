// import -> save -> reload -> export -> import gives the same trace, in every format that this program writes and
// reads.
#include <gtest/gtest.h>

#include "core/export/chrome_json.h"
#include "core/export/perfetto_trace.h"
#include "core/export/session_writer.h"
#include "core/import/open_trace.h"
#include "tests/core/testing/canonical_trace.h"
#include "tests/core/testing/random_trace.h"
#include "tests/core/testing/temp_folder.h"

namespace gapscope {

namespace {

TracePtr reopen(const std::filesystem::path& path) {
    auto trace = openTrace(path);
    EXPECT_TRUE(trace.has_value()) << (trace ? "" : trace.error().message);
    return trace.value_or(nullptr);
}

int64_t totalNs(const auto& table) {
    int64_t total = 0;
    for (size_t row = 0; row < table.startNs.size(); ++row)
        total += table.endNs[row] - table.startNs[row];
    return total;
}

}  // namespace

TEST(RoundTrip, ChromeJsonGivesBackWhatItsReaderKeeps) {
    const TempFolder folder;
    for (uint32_t seed = 0; seed < 60; ++seed) {
        SCOPED_TRACE(seed);
        const TracePtr trace = RandomTrace(seed, {.own = seed % 2 == 0}).build().snapshot();
        ASSERT_TRUE(exportChromeJson(*trace, folder / "1.json"));
        const TracePtr imported = reopen(folder / "1.json");
        ASSERT_TRUE(imported);
        EXPECT_EQ(imported->deviceOps().startNs.size(), trace->deviceOps().startNs.size());
        EXPECT_EQ(imported->apiCalls().startNs.size(), trace->apiCalls().startNs.size());
        EXPECT_EQ(imported->ranges().startNs.size(), trace->ranges().startNs.size());
        EXPECT_EQ(imported->overheads().startNs.size(), trace->overheads().startNs.size());
        EXPECT_EQ(totalNs(imported->deviceOps()), totalNs(trace->deviceOps()));
        EXPECT_EQ(totalNs(imported->apiCalls()), totalNs(trace->apiCalls()));
        EXPECT_EQ(totalNs(imported->ranges()), totalNs(trace->ranges()));
        EXPECT_EQ(imported->extent().durationNs(), trace->extent().durationNs());

        ASSERT_TRUE(saveSession(*imported, folder / "2.gapscope"));
        const TracePtr reloaded = reopen(folder / "2.gapscope");
        ASSERT_TRUE(reloaded);
        ASSERT_TRUE(exportChromeJson(*reloaded, folder / "3.json"));
        const TracePtr back = reopen(folder / "3.json");
        ASSERT_TRUE(back);
        expectSameRows(*imported, *back);
    }
}

// Perfetto traces carry everything that a Trace holds: nothing is lost on the first way either.
TEST(RoundTrip, PerfettoTracesGiveBackEverything) {
    const TempFolder folder;
    for (uint32_t seed = 0; seed < 60; ++seed) {
        SCOPED_TRACE(seed);
        const TracePtr trace = RandomTrace(seed, {.own = seed % 2 == 0}).build().snapshot();
        const auto report = exportPerfettoTrace(*trace, folder / "1.pftrace");
        ASSERT_TRUE(report) << report.error().message;
        const TracePtr imported = reopen(folder / "1.pftrace");
        ASSERT_TRUE(imported);
        expectSameRows(*trace, *imported);
        EXPECT_EQ(trace->diagnostics(), imported->diagnostics());
        ASSERT_EQ(trace->run() == nullptr, imported->run() == nullptr);
        if (trace->run()) {
            RunInfo expected = *trace->run();
            expected.modelPath = "gemma.gguf";  // exports do not tell where it lies
            EXPECT_EQ(expected, *imported->run());
        }

        ASSERT_TRUE(saveSession(*imported, folder / "2.gapscope"));
        const TracePtr reloaded = reopen(folder / "2.gapscope");
        ASSERT_TRUE(reloaded);
        ASSERT_TRUE(exportPerfettoTrace(*reloaded, folder / "3.pftrace"));
        const TracePtr back = reopen(folder / "3.pftrace");
        ASSERT_TRUE(back);
        expectSameRows(*imported, *back);
    }
}

TEST(RoundTrip, PerfettoTracesOfAnyTimes) {
    for (const int64_t firstNs : {int64_t{-5'000'000'000}, int64_t{0}, int64_t{1} << 57}) {
        for (const int64_t steadyNs : {int64_t{0}, int64_t{7}, int64_t{1} << 57}) {
            SCOPED_TRACE(std::to_string(firstNs) + " " + std::to_string(steadyNs));
            TraceBuilder builder;
            builder.add(RangeRow{firstNs, firstNs + 3, builder.intern("r"), makeGlobalTid(1, 2)});
            builder.setOrigin({.steadyNs = steadyNs, .utcEpochNs = 0});
            const TempFolder folder;
            ASSERT_TRUE(exportPerfettoTrace(*builder.snapshot(), folder / "t.pftrace"));
            const TracePtr back = reopen(folder / "t.pftrace");
            ASSERT_TRUE(back);
            expectSameRows(*builder.snapshot(), *back);
            EXPECT_TRUE(back->diagnostics().entries().empty());
        }
    }
}

TEST(RoundTrip, PerfettoTracesOfRowsWithoutNamesAndStreams) {
    TraceBuilder builder;
    const TrackId track = builder.internTrack({.globalPid = makeGlobalTid(1, 0)});
    builder.add(DeviceOpRow{.startNs = 1, .endNs = 2, .track = track});
    builder.add(DeviceOpRow{.startNs = 5, .endNs = 7});
    builder.add(ApiCallRow{.startNs = 1, .endNs = 2});
    builder.add(RangeRow{.startNs = 1, .endNs = 2});
    const TempFolder folder;
    const auto report = exportPerfettoTrace(*builder.snapshot(), folder / "t.pftrace");
    ASSERT_TRUE(report);
    ASSERT_EQ(report->notRepresented.size(), 1u);
    EXPECT_EQ(report->notRepresented[0].name, "operationsWithoutStream");
    const TracePtr back = reopen(folder / "t.pftrace");
    ASSERT_TRUE(back);
    EXPECT_EQ(back->deviceOps().startNs.size(), 2u);
    EXPECT_EQ(back->apiCalls().startNs.size(), 1u);
    EXPECT_EQ(back->ranges().startNs.size(), 1u);
}

TEST(RoundTrip, AnEmptyTraceIsAPerfettoTrace) {
    const TempFolder folder;
    const TracePtr empty = TraceBuilder().snapshot();
    ASSERT_TRUE(exportPerfettoTrace(*empty, folder / "t.pftrace"));
    const TracePtr back = reopen(folder / "t.pftrace");
    ASSERT_TRUE(back);
    expectSameRows(*empty, *back);
}

}  // namespace gapscope

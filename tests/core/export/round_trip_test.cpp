// import -> save -> reload -> export -> import gives the same trace, in every format that this program writes and
// reads.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

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

// Rows, diagnostics and run.
void expectSame(const Trace& expected, const Trace& actual) {
    expectSameRows(expected, actual);
    EXPECT_EQ(expected.diagnostics(), actual.diagnostics());
    ASSERT_EQ(expected.run() == nullptr, actual.run() == nullptr);
    if (!expected.run()) return;
    RunInfo run = *expected.run();
    run.modelPath = std::filesystem::path(run.modelPath).filename().string();  // exports do not tell where it lies
    EXPECT_EQ(run, *actual.run());
}

}  // namespace

enum class Format { ChromeJson, PackedChromeJson, Perfetto };

class RoundTrip : public testing::TestWithParam<Format> {
protected:
    TracePtr through(const Trace& trace) const {
        const char* const name = GetParam() == Format::ChromeJson         ? "t.json"
                                 : GetParam() == Format::PackedChromeJson ? "t.json.gz"
                                                                          : "t.pftrace";
        const auto report = GetParam() == Format::Perfetto ? exportPerfettoTrace(trace, m_folder / name)
                                                           : exportChromeJson(trace, m_folder / name);
        EXPECT_TRUE(report) << report.error().message;
        return reopen(m_folder / name);
    }
    const TempFolder m_folder;
};

TEST_P(RoundTrip, GivesBackEverything) {
    for (uint32_t seed = 0; seed < 60; ++seed) {
        SCOPED_TRACE(seed);
        const RandomTraceShape shape{.own = seed % 2 == 0, .manyPlaces = seed % 3 == 0};
        const TracePtr trace = RandomTrace(seed, shape).build().snapshot();
        const TracePtr imported = through(*trace);
        ASSERT_TRUE(imported);
        expectSame(*trace, *imported);

        ASSERT_TRUE(saveSession(*imported, m_folder / "2.gapscope"));
        const TracePtr reloaded = reopen(m_folder / "2.gapscope");
        ASSERT_TRUE(reloaded);
        expectSame(*imported, *reloaded);
        const TracePtr back = through(*reloaded);
        ASSERT_TRUE(back);
        expectSame(*imported, *back);
    }
}

TEST_P(RoundTrip, OfAnyTimes) {
    for (const int64_t firstNs : {int64_t{-5'000'000'000}, int64_t{0}, int64_t{1} << 57}) {
        for (const TraceOrigin origin :
             {TraceOrigin{}, TraceOrigin{.steadyNs = 7}, TraceOrigin{.steadyNs = int64_t{1} << 57},
              TraceOrigin{.utcEpochNs = 1'790'857'026'000'000'001}}) {
            SCOPED_TRACE(std::to_string(firstNs) + " " + std::to_string(origin.steadyNs));
            TraceBuilder builder;
            builder.add(RangeRow{firstNs, firstNs + 3, builder.intern("r"), makeGlobalTid(1, 2)});
            builder.setOrigin(origin);
            const TracePtr back = through(*builder.snapshot());
            ASSERT_TRUE(back);
            expectSame(*builder.snapshot(), *back);
        }
    }
}

TEST_P(RoundTrip, OfRowsWithoutNamesAndStreams) {
    TraceBuilder builder;
    const TrackId track = builder.internTrack({.globalPid = makeGlobalTid(1, 0)});
    builder.add(DeviceOpRow{.startNs = 1, .endNs = 2, .track = track});
    builder.add(DeviceOpRow{.startNs = 5, .endNs = 7});
    builder.add(ApiCallRow{.startNs = 1, .endNs = 2});
    builder.add(RangeRow{.startNs = 1, .endNs = 2});
    const TracePtr back = through(*builder.snapshot());
    ASSERT_TRUE(back);
    EXPECT_EQ(back->deviceOps().startNs.size(), 2u);
    EXPECT_EQ(back->apiCalls().startNs.size(), 1u);
    EXPECT_EQ(back->ranges().startNs.size(), 1u);
    const auto report = exportChromeJson(*builder.snapshot(), m_folder / "told.json");
    ASSERT_TRUE(report);
    ASSERT_EQ(report->notRepresented.size(), 1u);
    EXPECT_EQ(report->notRepresented[0].name, "operationsWithoutStream");
}

// Names that the format has other words for, and numbers at the ends of their types.
TEST_P(RoundTrip, OfWordsAndNumbersThatTheFormatHasOthersFor) {
    TraceBuilder builder;
    const TrackId track = builder.internTrack({makeGlobalTid(7, 0), 0, 1, 7});
    const char* const names[] = {"[CUDA memcpy Host-to-Device]", "Memcpy HtoD (Pageable -> Device)", "[CUDA memset]"};
    for (const char* const name : names)
        builder.add(DeviceOpRow{.startNs = 3,
                                .endNs = 4,
                                .name = builder.intern(name),
                                .track = track,
                                .kind = name == names[2] ? DeviceOpKind::Set : DeviceOpKind::Copy,
                                .category = Category::Gemm,
                                .correlationId = UINT32_MAX,
                                .copyBytes = int64_t{1} << 62,
                                .graphNodeId = UINT64_MAX});
    builder.add(DeviceOpRow{.startNs = 3,
                            .endNs = 4,
                            .name = builder.intern("token"),
                            .track = track,
                            .config = builder.internLaunchConfig({.grid = {INT32_MAX, 1, 1}, .occupancyPercent = 0}),
                            .token = INT32_MAX,
                            .repeat = INT16_MAX});
    builder.add(CounterSampleRow{-9, builder.internCounter({.name = builder.intern("value"), .deviceId = 7}), -0.25});
    builder.setThread(makeGlobalTid(7, 0), "of the process");
    builder.setThread(makeGlobalTid(7, 3), "python 7: of 7: no row");
    const TracePtr back = through(*builder.snapshot());
    ASSERT_TRUE(back);
    expectSame(*builder.snapshot(), *back);
}

TEST_P(RoundTrip, OfNothing) {
    const TracePtr empty = TraceBuilder().snapshot();
    const TracePtr back = through(*empty);
    ASSERT_TRUE(back);
    expectSame(*empty, *back);
}

// Other programs may rewrite our JSON and leave out what is not theirs.
TEST(OwnChromeJson, WithoutItsHeadIsReadAsAnyOtherAndSaysWhatItLeavesOut) {
    const TempFolder folder;
    const TracePtr trace = RandomTrace(3).build().snapshot();
    ASSERT_TRUE(exportChromeJson(*trace, folder / "t.json"));
    std::ifstream file(folder / "t.json", std::ios::binary);
    const std::string text(std::istreambuf_iterator<char>(file), {});
    const size_t head = text.find("\"gapscope\":");
    ASSERT_NE(head, std::string::npos);
    for (const char* const other : {"\"renamed\":", "\"gapscope\":{\"threads\":7},\"rest\":",
                                    "\"gapscope\":{\"processes\":[{\"pid\":\"x\"},7],\"zeroNs\":1},\"rest\":"}) {
        SCOPED_TRACE(other);
        std::string changed = text;
        changed.replace(head, std::string_view("\"gapscope\":").size(), other);
        std::ofstream(folder / "changed.json", std::ios::binary) << changed;
        const TracePtr read = reopen(folder / "changed.json");
        ASSERT_TRUE(read);
        EXPECT_EQ(read->deviceOps().startNs.size(), trace->deviceOps().startNs.size());
        EXPECT_EQ(read->ranges().startNs.size(), trace->ranges().startNs.size());
        EXPECT_EQ(read->run(), nullptr);
        EXPECT_TRUE(read->tokens().emittedNs.empty());
        EXPECT_TRUE(read->annotations().empty());
        EXPECT_EQ(read->diagnostics().countOf("instant_event"),
                  static_cast<int64_t>(trace->tokens().emittedNs.size() + trace->annotations().notes.size()));
        EXPECT_EQ(read->diagnostics().countOf("counter_event"),
                  static_cast<int64_t>(trace->counterSamples().timeNs.size()));
    }
}

INSTANTIATE_TEST_SUITE_P(Formats, RoundTrip,
                         testing::Values(Format::ChromeJson, Format::PackedChromeJson, Format::Perfetto));

}  // namespace gapscope

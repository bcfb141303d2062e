// A session file gives back what was written: every table, row by row, and every field of the run.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include "core/export/session_writer.h"
#include "core/import/open_trace.h"
#include "tests/core/testing/random_trace.h"
#include "tests/core/testing/same_trace.h"
#include "tests/core/testing/temp_folder.h"

namespace gapscope {

namespace {

TracePtr reopen(const std::filesystem::path& path) {
    auto trace = openTrace(path);
    EXPECT_TRUE(trace.has_value()) << (trace ? "" : trace.error().message);
    return trace.value_or(nullptr);
}

}  // namespace

TEST(SessionRoundTrip, GivesBackEveryRowOfRandomTraces) {
    const TempFolder folder;
    for (uint32_t seed = 0; seed < 40; ++seed) {
        SCOPED_TRACE(seed);
        const TracePtr trace = RandomTrace(seed, {.own = seed % 4 != 3}).build().snapshot();
        const auto path = folder / (std::to_string(seed) + ".gapscope");
        ASSERT_TRUE(saveSession(*trace, path));
        const TracePtr back = reopen(path);
        ASSERT_TRUE(back);
        expectSameTrace(*trace, *back);
    }
}

TEST(SessionRoundTrip, BatchesAddUpToTheSameFile) {
    const TempFolder folder;
    for (uint32_t seed = 100; seed < 110; ++seed) {
        SCOPED_TRACE(seed);
        RandomTrace random(seed);
        TraceBuilder builder;
        const auto path = folder / (std::to_string(seed) + ".gapscope");
        auto writer = SessionWriter::create(path);
        ASSERT_TRUE(writer) << writer.error().message;
        for (int batch = 0; batch < 5; ++batch) {
            random.grow(builder, 0.4);
            if (batch == 2) builder.setRun({.modelName = "will be replaced", .promptTokens = {1, 2, 3, 4, 5, 6}});
            ASSERT_TRUE((*writer)->append(*builder.snapshot()));
            // Readable at any time, by another connection, while the writer has it open.
            const TracePtr live = reopen(path);
            ASSERT_TRUE(live);
            expectSameTrace(*builder.snapshot(), *live);
        }
        builder.setRun(random.run());
        ASSERT_TRUE((*writer)->append(*builder.snapshot()));
        ASSERT_TRUE((*writer)->finish());
        EXPECT_FALSE(std::filesystem::exists(path.string() + "-wal"));
        EXPECT_FALSE(std::filesystem::exists(path.string() + "-shm"));
        const TracePtr back = reopen(path);
        ASSERT_TRUE(back);
        expectSameTrace(*builder.snapshot(), *back);
    }
}

TEST(SessionRoundTrip, AnEmptyTraceIsASession) {
    const TempFolder folder;
    const TracePtr empty = TraceBuilder().snapshot();
    ASSERT_TRUE(saveSession(*empty, folder / "empty.gapscope"));
    const TracePtr back = reopen(folder / "empty.gapscope");
    ASSERT_TRUE(back);
    expectSameTrace(*empty, *back);
}

TEST(SessionRoundTrip, RowsWithoutNamesStayWithoutNames) {
    TraceBuilder builder;
    const TrackId track = builder.internTrack({.globalPid = makeGlobalTid(1, 0)});
    builder.add(DeviceOpRow{.startNs = 1, .endNs = 2, .track = track});
    builder.add(ApiCallRow{.startNs = 1, .endNs = 2});
    builder.add(RangeRow{.startNs = 1, .endNs = 2});
    const TempFolder folder;
    ASSERT_TRUE(saveSession(*builder.snapshot(), folder / "s.gapscope"));
    const TracePtr back = reopen(folder / "s.gapscope");
    ASSERT_TRUE(back);
    expectSameTrace(*builder.snapshot(), *back);
}

TEST(SessionRoundTrip, SaveAsReplacesAndLeavesNothingBeside) {
    const TempFolder folder;
    const auto path = folder / "s.gapscope";
    ASSERT_TRUE(saveSession(*RandomTrace(1).build().snapshot(), path));
    const TracePtr second = RandomTrace(2).build().snapshot();
    ASSERT_TRUE(saveSession(*second, path));
    const TracePtr back = reopen(path);
    ASSERT_TRUE(back);
    expectSameTrace(*second, *back);
    int files = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder.path()))
        ++files;
    EXPECT_EQ(files, 1);
}

TEST(SessionRoundTrip, AFailedSaveKeepsWhatWasThere) {
    const TempFolder folder;
    const auto path = folder / "s.gapscope";
    const TracePtr first = RandomTrace(1).build().snapshot();
    ASSERT_TRUE(saveSession(*first, path));
    std::stop_source stop;
    stop.request_stop();
    const Status cancelled = saveSession(*RandomTrace(2).build().snapshot(), path, stop.get_token());
    ASSERT_FALSE(cancelled);
    EXPECT_EQ(cancelled.error().kind, ErrorKind::Cancelled);
    const TracePtr back = reopen(path);
    ASSERT_TRUE(back);
    expectSameTrace(*first, *back);
    int files = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder.path()))
        ++files;
    EXPECT_EQ(files, 1);
}

TEST(SessionRoundTrip, AnOldWalOfTheSameNameIsNotReplayed) {
    const TempFolder folder;
    const auto path = folder / "s.gapscope";
    {
        auto writer = SessionWriter::create(folder / "old.gapscope");
        ASSERT_TRUE(writer);
        ASSERT_TRUE((*writer)->append(*RandomTrace(5).build().snapshot()));
        std::filesystem::copy_file(folder / "old.gapscope-wal", folder / "s.gapscope-wal");
    }
    const TracePtr trace = RandomTrace(6).build().snapshot();
    ASSERT_TRUE(saveSession(*trace, path));
    const TracePtr back = reopen(path);
    ASSERT_TRUE(back);
    expectSameTrace(*trace, *back);
}

TEST(SessionFile, AnswersNsightStyleQueries) {
    const TempFolder folder;
    const TracePtr trace = RandomTrace(7).build().snapshot();
    ASSERT_TRUE(saveSession(*trace, folder / "s.gapscope"));
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open((folder / "s.gapscope").c_str(), &database), SQLITE_OK);
    sqlite3_stmt* query = nullptr;
    // The join that Nsight Systems' documentation gives, by process and correlation id.
    ASSERT_EQ(sqlite3_prepare_v2(database,
                                 "SELECT count(*), sum(k.end - k.start) FROM CUPTI_ACTIVITY_KIND_KERNEL k "
                                 "JOIN StringIds s ON s.id = k.shortName JOIN NVTX_EVENTS n ON n.eventType = 59 "
                                 "JOIN StringIds t ON t.id = n.textId WHERE t.value = 'model_inference'",
                                 -1, &query, nullptr),
              SQLITE_OK)
        << sqlite3_errmsg(database);
    ASSERT_EQ(sqlite3_step(query), SQLITE_ROW);
    int64_t kernels = 0, ns = 0;
    const auto& ops = trace->deviceOps();
    for (size_t i = 0; i < ops.startNs.size(); ++i) {
        if (ops.kind[i] != DeviceOpKind::Kernel) continue;
        ++kernels;
        ns += ops.endNs[i] - ops.startNs[i];
    }
    EXPECT_EQ(sqlite3_column_int64(query, 0), kernels);
    EXPECT_EQ(sqlite3_column_int64(query, 1), ns);
    sqlite3_finalize(query);
    sqlite3_close(database);
}

}  // namespace gapscope

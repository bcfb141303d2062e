// Files that are no traces, or broken ones: one clear sentence each, never a crash.
#include "core/import/open_trace.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <random>

#include "core/base/sqlite.h"
#include "core/export/session_writer.h"
#include "tests/core/testing/packed.h"
#include "tests/core/testing/random_trace.h"
#include "tests/core/testing/same_trace.h"
#include "tests/core/testing/temp_folder.h"

namespace gapscope {

namespace {

std::string bytesOf(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

void write(const std::filesystem::path& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

std::string sentenceFor(const std::filesystem::path& path) {
    const auto trace = openTrace(path);
    return trace ? "(opened)" : trace.error().message;
}

class OpenTrace : public testing::Test {
protected:
    std::string sentence(const std::string& name, const std::string& bytes) {
        write(folder / name, bytes);
        return sentenceFor(folder / name);
    }
    TempFolder folder;
};

}  // namespace

TEST_F(OpenTrace, SaysWhatAFileIsThatIsNoTrace) {
    EXPECT_NE(sentence("a.txt", "hello").find("is not a trace this program knows"), std::string::npos);
    EXPECT_NE(sentence("empty.gapscope", "").find("is empty"), std::string::npos);
    EXPECT_NE(sentence("config.json", "{\"model_type\":1}").find("is JSON but no trace"), std::string::npos);
    EXPECT_NE(sentence("a.json.gz", "\x1F\x8B\x08").find("ends in the middle of its gzip data"), std::string::npos);
    EXPECT_NE(sentence("a.txt.gz", gzipped("hello")).find("is a gzip file, but what is in it does not begin like JSON"),
              std::string::npos);
    EXPECT_NE(sentence("a.nsys-rep", "anything").find("nsys export --type sqlite a.nsys-rep"), std::string::npos);
    EXPECT_NE(sentence("short.gapscope", "SQLite for").find("cut short"), std::string::npos);
    EXPECT_NE(sentenceFor(folder.path()).find("is a folder"), std::string::npos);
    EXPECT_NE(sentenceFor(folder / "nowhere").find("does not exist"), std::string::npos);
    EXPECT_NE(sentenceFor("/dev/null").find("is not a regular file"), std::string::npos);
}

TEST_F(OpenTrace, GoesByContentAndNotByName) {
    const std::string json = "\n {\"traceEvents\":[{\"ph\":\"X\",\"ts\":1,\"dur\":1}]}";
    EXPECT_EQ(sentence("a.sqlite", json), "(opened)");
    EXPECT_EQ(sentence("a.json", gzipped(json)), "(opened)");
    EXPECT_EQ(sentence("a.gz", zstdPacked(json)), "(opened)");
    ASSERT_TRUE(saveSession(*RandomTrace(1).build().snapshot(), folder / "session.json"));
    EXPECT_EQ(sentenceFor(folder / "session.json"), "(opened)");
}

TEST_F(OpenTrace, SaysThatAFileCannotBeRead) {
    write(folder / "locked.gapscope", "SQLite format 3");
    std::filesystem::permissions(folder / "locked.gapscope", std::filesystem::perms::none);
    if (::access((folder / "locked.gapscope").c_str(), R_OK) == 0) GTEST_SKIP() << "root may read every file";
    EXPECT_NE(sentenceFor(folder / "locked.gapscope").find("cannot be read"), std::string::npos);
}

TEST_F(OpenTrace, SaysThatADatabaseHoldsNoTrace) {
    auto database = Database::open(folder / "other.sqlite", Database::Mode::Create);
    ASSERT_TRUE(database);
    ASSERT_TRUE(database->execute("CREATE TABLE people (name TEXT)"));
    EXPECT_NE(sentenceFor(folder / "other.sqlite").find("no trace"), std::string::npos);
}

TEST_F(OpenTrace, RefusesSessionsOfANewerFormat) {
    ASSERT_TRUE(saveSession(*RandomTrace(1).build().snapshot(), folder / "s.gapscope"));
    auto database = Database::open(folder / "s.gapscope", Database::Mode::ReadWrite);
    ASSERT_TRUE(database);
    ASSERT_TRUE(database->execute("UPDATE GAPSCOPE_META SET value = 99 WHERE name = 'formatVersion'"));
    ASSERT_TRUE(database->close());
    EXPECT_NE(sentenceFor(folder / "s.gapscope").find("written by a newer Gapscope (session format 99"),
              std::string::npos);
}

TEST_F(OpenTrace, SaysHowMuchOfACutFileIsThere) {
    ASSERT_TRUE(saveSession(*RandomTrace(1, {.deviceOps = 3000}).build().snapshot(), folder / "s.gapscope"));
    const std::string bytes = bytesOf(folder / "s.gapscope");
    for (const size_t length : {size_t{50}, size_t{100}, size_t{4096}, bytes.size() / 2, bytes.size() - 1}) {
        const std::string told = sentence("cut.gapscope", bytes.substr(0, length));
        EXPECT_NE(told.find("cut short"), std::string::npos) << length << ": " << told;
    }
}

TEST_F(OpenTrace, SurvivesDamagedBytes) {
    ASSERT_TRUE(saveSession(*RandomTrace(1).build().snapshot(), folder / "s.gapscope"));
    const std::string bytes = bytesOf(folder / "s.gapscope");
    std::mt19937 random(7);
    int opened = 0, refused = 0;
    for (int round = 0; round < 150; ++round) {
        std::string damaged = bytes;
        for (int i = 0; i < 1 + round % 20; ++i)
            damaged[100 + random() % (damaged.size() - 100)] = static_cast<char>(random());
        const std::string told = sentence("damaged.gapscope", damaged);
        (told == "(opened)" ? opened : refused)++;
        EXPECT_FALSE(told.empty());
    }
    EXPECT_EQ(opened + refused, 150);
    EXPECT_GT(refused, 0);
}

TEST_F(OpenTrace, ToleratesAnExportWithHalfItsTablesAndColumns) {
    auto database = Database::open(folder / "old.sqlite", Database::Mode::Create);
    ASSERT_TRUE(database);
    ASSERT_TRUE(
        database->execute("CREATE TABLE StringIds (id INTEGER PRIMARY KEY, value TEXT);"
                          "INSERT INTO StringIds VALUES (1, 'ampere_sgemm_128x64_tn'), (2, 'cudaLaunchKernel_v7000');"
                          "CREATE TABLE CUPTI_ACTIVITY_KIND_KERNEL (start, end, deviceId, streamId, correlationId, "
                          "globalPid, demangledName);"
                          "INSERT INTO CUPTI_ACTIVITY_KIND_KERNEL VALUES (100, 200, 0, 7, 5, 16777216, 1), (300, 250, "
                          "0, 7, 6, 16777216, 1),"
                          " (400, 410, 0, 7, 99999999999, 16777216, 77);"
                          "CREATE TABLE CUPTI_ACTIVITY_KIND_RUNTIME (start, end, globalTid, correlationId, nameId);"
                          "INSERT INTO CUPTI_ACTIVITY_KIND_RUNTIME VALUES (10, 20, 16777217, 5, 2);"));
    ASSERT_TRUE(database->close());
    const auto trace = openTrace(folder / "old.sqlite");
    ASSERT_TRUE(trace) << trace.error().message;
    ASSERT_EQ((*trace)->deviceOps().startNs.size(), 2u);
    EXPECT_EQ((*trace)->string((*trace)->deviceOps().name[0]), "ampere_sgemm_128x64_tn");
    EXPECT_EQ((*trace)->deviceOps().category[0], Category::Gemm);
    EXPECT_EQ((*trace)->string((*trace)->deviceOps().name[1]), "[unknown]");
    EXPECT_EQ((*trace)->deviceOps().correlationId[1], 0u);
    EXPECT_EQ((*trace)->string((*trace)->apiCalls().name[0]), "cudaLaunchKernel");
    EXPECT_EQ((*trace)->diagnostics().countOf("row_without_time"), 1);
    EXPECT_EQ((*trace)->diagnostics().countOf("unknown_name"), 1);
}

TEST_F(OpenTrace, DoesNotRunViewsOfAFile) {
    auto database = Database::open(folder / "view.sqlite", Database::Mode::Create);
    ASSERT_TRUE(database);
    ASSERT_TRUE(database->execute(
        "CREATE VIEW CUPTI_ACTIVITY_KIND_KERNEL AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
        "SELECT i AS start, i AS end FROM n"));
    ASSERT_TRUE(database->close());
    EXPECT_NE(sentenceFor(folder / "view.sqlite").find("no trace"), std::string::npos);
}

TEST_F(OpenTrace, OpensPackedSessionsAndLeavesNothingBehind) {
    const TempFolder temporary;
    ::setenv("TMPDIR", temporary.path().c_str(), 1);
    const TracePtr trace = RandomTrace(3).build().snapshot();
    ASSERT_TRUE(saveSession(*trace, folder / "a.gapscope"));
    const std::string bytes = bytesOf(folder / "a.gapscope");
    write(folder / "a.gapscope.gz", gzipped(bytes));
    write(folder / "no-name", zstdPacked(bytes));
    for (const char* name : {"a.gapscope.gz", "no-name"}) {
        const auto opened = openTrace(folder / name);
        ASSERT_TRUE(opened) << opened.error().message;
        expectSameTrace(*trace, **opened);
    }
    const std::string packed = gzipped(bytes);
    const std::string cut = sentence("cut.gz", packed.substr(0, packed.size() / 2));
    EXPECT_NE(cut.find("cut.gz cannot be unpacked: the file ends in the middle of its gzip data"), std::string::npos)
        << cut;
    // What is wrong with the content is said of the file that the person named.
    const std::string damaged = sentence("damaged.gz", gzipped(bytes.substr(0, bytes.size() / 2)));
    EXPECT_EQ(damaged.find("unpacked-"), std::string::npos) << damaged;
    EXPECT_NE(damaged.find("damaged.gz"), std::string::npos) << damaged;
    EXPECT_TRUE(std::filesystem::is_empty(temporary.path()));
    ::unsetenv("TMPDIR");
}

TEST_F(OpenTrace, StopsWhenAskedAndReportsProgress) {
    ASSERT_TRUE(saveSession(*RandomTrace(1, {.deviceOps = 20000}).build().snapshot(), folder / "s.gapscope"));
    double last = 0;
    ASSERT_TRUE(openTrace(folder / "s.gapscope", [&](double share) {
        EXPECT_GE(share, last);
        EXPECT_LE(share, 1);
        last = share;
    }));
    EXPECT_GT(last, 0.3);
    std::stop_source stop;
    const auto cancelled = openTrace(
        folder / "s.gapscope", [&](double) { stop.request_stop(); }, stop.get_token());
    ASSERT_FALSE(cancelled);
    EXPECT_EQ(cancelled.error().kind, ErrorKind::Cancelled);
}

}  // namespace gapscope

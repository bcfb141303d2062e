// A program that dies while it writes: what was committed is there, is found, and can be closed properly.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>

#include "core/export/session_writer.h"
#include "core/import/open_trace.h"
#include "core/import/recover_session.h"
#include "tests/core/testing/random_trace.h"
#include "tests/core/testing/same_trace.h"
#include "tests/core/testing/temp_folder.h"

namespace gapscope {

namespace {

// Runs `body` in a child process; its result is the exit code.
template <class Body>
pid_t inChild(Body body) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(body());
    return child;
}

int waitFor(pid_t child) {
    int status = 0;
    ::waitpid(child, &status, 0);
    return status;
}

}  // namespace

TEST(Recovery, AKilledWriterLosesNothingThatWasCommitted) {
    const TempFolder folder;
    const auto path = folder / "run.gapscope";
    std::array<int, 2> pipe{};
    ASSERT_EQ(::pipe(pipe.data()), 0);
    const pid_t child = inChild([&] {
        RandomTrace random(3);
        TraceBuilder builder;
        builder.setRun({.modelName = "Gemma", .promptTokens = {2, 3}});
        auto writer = SessionWriter::create(path);
        if (!writer) return 1;
        for (;;) {
            random.grow(builder, 1.0);
            if (!(*writer)->append(*builder.snapshot())) return 2;
            const auto rows = static_cast<int64_t>(builder.snapshot()->deviceOps().startNs.size());
            if (::write(pipe[1], &rows, sizeof rows) != sizeof rows) return 3;
        }
    });
    ::close(pipe[1]);
    int64_t committed = 0;
    for (int batch = 0; batch < 20; ++batch)
        ASSERT_EQ(::read(pipe[0], &committed, sizeof committed), static_cast<ssize_t>(sizeof committed));
    EXPECT_TRUE(findUnfinished(folder.path()).empty()) << "a session that is being written is not unfinished";
    EXPECT_FALSE(recoverSession(path));
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    EXPECT_TRUE(WIFSIGNALED(waitFor(child)));
    ::close(pipe[0]);

    const auto asKilled = openTrace(path);  // readable without recovery
    ASSERT_TRUE(asKilled) << asKilled.error().message;
    const auto rows = static_cast<int64_t>((*asKilled)->deviceOps().startNs.size());
    EXPECT_GE(rows, committed);
    EXPECT_EQ(rows % 60, 0) << "only whole batches";

    const auto unfinished = findUnfinished(folder.path());
    ASSERT_EQ(unfinished.size(), 1u);
    EXPECT_EQ(unfinished[0].path, path);
    EXPECT_EQ(unfinished[0].modelName, "Gemma");
    EXPECT_GE(unfinished[0].eventCount, rows);
    const Status recovered = recoverSession(path);
    ASSERT_TRUE(recovered) << recovered.error().message;
    EXPECT_FALSE(std::filesystem::exists(path.string() + "-wal"));
    EXPECT_TRUE(findUnfinished(folder.path()).empty());
    const auto after = openTrace(path);
    ASSERT_TRUE(after) << after.error().message;
    EXPECT_EQ(static_cast<int64_t>((*after)->deviceOps().startNs.size()), rows);
    ASSERT_TRUE((*after)->run());
    EXPECT_EQ((*after)->run()->stopReason, "interrupted");
    EXPECT_EQ((*after)->run()->promptTokens, (std::vector<int32_t>{2, 3}));
}

TEST(Recovery, FindsOnlyUnfinishedSessions) {
    const TempFolder folder;
    EXPECT_TRUE(findUnfinished(folder / "nowhere").empty());
    ASSERT_TRUE(saveSession(*RandomTrace(1).build().snapshot(), folder / "done.gapscope"));
    std::ofstream(folder / "junk.gapscope") << "not a session";
    std::filesystem::create_directory(folder / "folder.gapscope");
    EXPECT_TRUE(findUnfinished(folder.path()).empty());
    EXPECT_FALSE(recoverSession(folder / "junk.gapscope"));
    EXPECT_FALSE(recoverSession(folder / "nowhere.gapscope"));
    EXPECT_TRUE(recoverSession(folder / "done.gapscope"));
}

TEST(SessionWriter, SaysWhyASessionCannotBeMade) {
    const TempFolder folder;
    std::ofstream(folder / "there.gapscope") << "precious";
    const auto exists = SessionWriter::create(folder / "there.gapscope");
    ASSERT_FALSE(exists);
    EXPECT_NE(exists.error().message.find("exists already"), std::string::npos);
    EXPECT_EQ(std::filesystem::file_size(folder / "there.gapscope"), 8u);
    const auto nowhere = SessionWriter::create(folder / "no" / "folder.gapscope");
    ASSERT_FALSE(nowhere);
    EXPECT_EQ(nowhere.error().kind, ErrorKind::NotFound);
    const Status aFolder = saveSession(*TraceBuilder().snapshot(), folder.path());
    ASSERT_FALSE(aFolder);
    EXPECT_NE(aFolder.error().message.find("is a folder"), std::string::npos);
    // The file that the person named, not the one beside it that is written until it is whole.
    const std::string named = (folder / "no" / "folder.gapscope").string();
    const Status unsaved = saveSession(*TraceBuilder().snapshot(), named);
    ASSERT_FALSE(unsaved);
    EXPECT_EQ(unsaved.error().message, named + " cannot be written: No such file or directory.");
}

TEST(SessionWriter, AFullDiskIsOneClearErrorAndLosesNothingCommitted) {
    const TempFolder folder;
    const auto path = folder / "full.gapscope";
    // A limit on the size of files stands in for a full disk; both end in the same branch. In a child, because the
    // limit cannot be lifted again.
    const pid_t child = inChild([&] {
        ::signal(SIGXFSZ, SIG_IGN);
        const rlimit limit{1 << 20, 1 << 20};
        RandomTrace random(4);
        TraceBuilder builder;
        auto writer = SessionWriter::create(path);
        if (!writer || ::setrlimit(RLIMIT_FSIZE, &limit) != 0) return 1;
        for (int batch = 0; batch < 1000; ++batch) {
            random.grow(builder, 5.0);
            const Status status = (*writer)->append(*builder.snapshot());
            if (!status) return status.error().kind == ErrorKind::NoSpace ? 42 : 2;
        }
        return 3;
    });
    const int status = waitFor(child);
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 42);
    const auto trace = openTrace(path);
    ASSERT_TRUE(trace) << trace.error().message;
    EXPECT_GT((*trace)->deviceOps().startNs.size(), 0u);
    EXPECT_EQ((*trace)->deviceOps().startNs.size() % 300, 0u);

    const TracePtr big = RandomTrace(5, {.deviceOps = 50000}).build().snapshot();
    const pid_t saver = inChild([&] {
        ::signal(SIGXFSZ, SIG_IGN);
        const rlimit limit{1 << 20, 1 << 20};
        if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return 1;
        const Status saved = saveSession(*big, folder / "saved.gapscope");
        if (saved || saved.error().kind != ErrorKind::NoSpace) return 2;
        const std::string named = (folder / "saved.gapscope").string();
        return saved.error().message.starts_with(named + " cannot be written any further: ") ? 42 : 3;
    });
    EXPECT_EQ(WEXITSTATUS(waitFor(saver)), 42);
    EXPECT_FALSE(std::filesystem::exists(folder / "saved.gapscope"));
}

}  // namespace gapscope

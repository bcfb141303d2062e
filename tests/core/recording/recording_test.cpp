// A whole run through runner, capture and session file, on the built-in tiny model: no foreign file is needed.
#include "core/recording/recording.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "core/analysis/summary.h"
#include "core/analysis/window.h"
#include "core/import/open_trace.h"
#include "core/runner/model_catalog.h"

namespace gapscope {
namespace {

namespace fs = std::filesystem;

struct RecordingTest : testing::Test {
    const fs::path folder = fs::temp_directory_path() / ("gapscope-recording-" + std::to_string(getpid()));
    RecordingTest() { fs::create_directories(folder); }
    ~RecordingTest() override { fs::remove_all(folder); }

    RecordingSettings tinyRun() const {
        RecordingSettings settings;
        settings.modelPath = resourceFolder() / "tiny-random-gemma3.gguf";
        settings.generate.prompt = "hello world";
        settings.generate.maxNewTokens = 8;
        settings.generate.ignoreEos = true;
        settings.generate.threads = 2;
        settings.sessionPath = folder / "run.gapscope";
        return settings;
    }
};

TEST_F(RecordingTest, TheSavedSessionHoldsWhatTheLiveTraceShowed) {
    const auto recording = Recording::start(tinyRun());
    ASSERT_TRUE(recording) << recording.error().message;
    (*recording)->wait();
    ASSERT_TRUE((*recording)->result()) << (*recording)->result().error().message;
    ASSERT_TRUE((*recording)->sessionStatus()) << (*recording)->sessionStatus().error().message;
    const TracePtr live = (*recording)->trace();
    const auto saved = openTrace(folder / "run.gapscope");
    ASSERT_TRUE(saved) << saved.error().message;

    EXPECT_EQ(*live->run(), *(*saved)->run());
    EXPECT_EQ(live->run()->stopReason, "length");
    EXPECT_TRUE(live->run()->textIsNoise);
    EXPECT_EQ(live->threadName(live->apiCalls().globalTid[0]), "CPU launch");
    EXPECT_EQ((*saved)->threadName((*saved)->apiCalls().globalTid[0]), "CPU launch");
    EXPECT_EQ((*recording)->result()->repeats.at(0).tokens.size(), 8u);
    ASSERT_GT(live->deviceOps().startNs.size(), 8u);
    ASSERT_EQ(live->deviceOps().startNs.size(), (*saved)->deviceOps().startNs.size());
    EXPECT_EQ(live->apiCalls().startNs.size(), (*saved)->apiCalls().startNs.size());
    EXPECT_EQ(live->ranges().startNs.size(), (*saved)->ranges().startNs.size());
    EXPECT_EQ(live->tokens().id.size(), (*saved)->tokens().id.size());

    const Summary before = summarize(*live, defaultWindow(*live));
    const Summary after = summarize(**saved, defaultWindow(**saved));
    EXPECT_GT(before.gpuBusyNs, 0);
    EXPECT_EQ(before.gpuBusyNs, after.gpuBusyNs);
    EXPECT_EQ(before.gapCauses, after.gapCauses);
    EXPECT_EQ(before.gapCauses.totalNs(), before.gpuIdleNs);
    EXPECT_EQ(before.kernelCount, after.kernelCount);
}

TEST_F(RecordingTest, EveryKernelIsJoinedToALaunchAnOpAndAToken) {
    RecordingSettings settings = tinyRun();
    settings.generate.warmup = 0;
    settings.sessionPath.clear();
    const auto recording = Recording::start(std::move(settings));
    ASSERT_TRUE(recording) << recording.error().message;
    (*recording)->wait();
    const TracePtr trace = (*recording)->trace();
    std::vector<int> kernelsOfToken(8, 0);
    for (size_t i = 0; i < trace->deviceOps().startNs.size(); ++i) {
        const DeviceOpRow row = rowAt(trace->deviceOps(), i);
        EXPECT_TRUE(row.op.valid());
        EXPECT_NE(row.correlationId, 0u);
        ASSERT_GE(row.token, -1);
        ASSERT_LT(row.token, 8);
        if (row.token >= 0) ++kernelsOfToken[static_cast<size_t>(row.token)];
    }
    for (const int count : kernelsOfToken)
        EXPECT_GT(count, 0);
}

TEST_F(RecordingTest, CancelKeepsWhatThereIs) {
    RecordingSettings settings = tinyRun();
    settings.generate.maxNewTokens = 400;
    settings.generate.repeats = 200;
    const auto recording = Recording::start(std::move(settings));
    ASSERT_TRUE(recording) << recording.error().message;
    while ((*recording)->progress().tokenCount == 0 && !(*recording)->done())
        usleep(1000);
    (*recording)->cancel();
    (*recording)->wait();
    EXPECT_EQ((*recording)->progress().state, RecordingState::Cancelled);
    const auto saved = openTrace(folder / "run.gapscope");
    ASSERT_TRUE(saved) << saved.error().message;
    EXPECT_EQ((*saved)->run()->stopReason, "cancelled");
    EXPECT_GT((*saved)->deviceOps().startNs.size(), 0u);
}

TEST_F(RecordingTest, ABatchsSessionTellsEachPromptsTokens) {
    RecordingSettings settings = tinyRun();
    settings.generate.prompts = {"hello", "hello world and more", "one"};
    settings.generate.batch = 2;
    settings.generate.ignoreEos = true;
    const int64_t newTokens = settings.generate.maxNewTokens;
    const auto recording = Recording::start(std::move(settings));
    ASSERT_TRUE(recording) << recording.error().message;
    (*recording)->wait();
    ASSERT_TRUE((*recording)->result()) << (*recording)->result().error().message;
    const RepeatResult& repeat = (*recording)->result()->repeats.back();
    EXPECT_EQ((*recording)->progress().texts.size(), 3u);
    const auto saved = openTrace(folder / "run.gapscope");
    ASSERT_TRUE(saved) << saved.error().message;
    const Trace& trace = **saved;
    ASSERT_TRUE(trace.run());
    EXPECT_EQ(trace.run()->prompt, "hello\nhello world and more\none");
    EXPECT_EQ(trace.run()->sequences, 3);
    EXPECT_EQ(trace.run()->batch, 2);
    EXPECT_EQ(trace.run()->kvPages, repeat.kvPages);
    EXPECT_GT(repeat.kvPages, 0);
    std::vector<std::string> texts(3);
    for (size_t row = 0; row < trace.tokens().id.size(); ++row)
        if (trace.tokens().repeat[row] == 0)
            texts[static_cast<size_t>(trace.tokens().sequence[row])] += trace.string(trace.tokens().text[row]);
    for (size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(texts[i], repeat.sequences[i].text);
        EXPECT_EQ((*recording)->progress().texts[i], texts[i]);
    }
    const auto told = phases(trace, defaultWindow(trace));
    ASSERT_TRUE(told);
    ASSERT_EQ(told->sequences.size(), 3u);
    EXPECT_EQ(told->drafts.steps, repeat.drafts.steps);
    EXPECT_EQ(told->drafts.tokens, 3 * (newTokens - 1));
    for (size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(told->sequences[i].tokenCount, newTokens);
        EXPECT_EQ(told->sequences[i].timeToFirstTokenNs, repeat.sequences[i].timeToFirstTokenNs);
        EXPECT_EQ(told->sequences[i].decodeNs, repeat.sequences[i].decodeNs);
    }
}

TEST_F(RecordingTest, TracingOffStillTellsTextAndTimes) {
    RecordingSettings settings = tinyRun();
    settings.traceLevel = TraceLevel::Off;
    const auto recording = Recording::start(std::move(settings));
    ASSERT_TRUE(recording) << recording.error().message;
    (*recording)->wait();
    const TracePtr trace = (*recording)->trace();
    EXPECT_EQ(trace->deviceOps().startNs.size(), 0u);
    EXPECT_EQ(trace->apiCalls().startNs.size(), 0u);
    EXPECT_EQ(trace->tokens().id.size(), 8u + 8u);  // warm-up and measured
    ASSERT_EQ(trace->run()->repeatTimes.size(), 1u);
    EXPECT_GT(trace->run()->repeatTimes[0].decodeNs, 0);
}

TEST_F(RecordingTest, BadSettingsAndPathsAreOneSentenceBeforeAnythingStarts) {
    RecordingSettings noTokens = tinyRun();
    noTokens.generate.maxNewTokens = 0;
    const auto refused = Recording::start(noTokens);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::WrongUse);

    RecordingSettings nowhere = tinyRun();
    nowhere.sessionPath = folder / "no" / "such" / "folder" / "x.gapscope";
    EXPECT_FALSE(Recording::start(nowhere));

    RecordingSettings taken = tinyRun();
    taken.sessionPath = folder;  // exists
    EXPECT_FALSE(Recording::start(taken));
}

TEST_F(RecordingTest, AModelThatCannotBeLoadedLeavesAFailedSessionWithTheReason) {
    RecordingSettings settings = tinyRun();
    settings.modelPath = folder / "missing.gguf";
    const auto recording = Recording::start(std::move(settings));
    ASSERT_TRUE(recording) << recording.error().message;
    (*recording)->wait();
    EXPECT_FALSE((*recording)->result());
    EXPECT_EQ((*recording)->progress().state, RecordingState::Failed);
    const auto saved = openTrace(folder / "run.gapscope");
    ASSERT_TRUE(saved) << saved.error().message;
    EXPECT_NE((*saved)->run()->stopReason.find("missing.gguf"), std::string::npos);
}

}  // namespace
}  // namespace gapscope

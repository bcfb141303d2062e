// The ladder on the tiny model: every rung of the CPU runs, has its session, and says the same tokens.
#include "core/ladder/ladder.h"

#include <gtest/gtest.h>

#include "core/import/open_trace.h"
#include "core/runner/devices.h"
#include "tests/core/testing/temp_folder.h"
#include "tests/support/test_files.h"

namespace gapscope {
namespace {

class LadderOfTheTinyModel : public testing::Test {
protected:
    LadderSettings settings() const {
        LadderSettings settings;
        settings.folder = m_folder / "sessions";
        settings.run.modelPath = test::repositoryFile("resources/tiny-random-gemma3.gguf");
        GenerateSettings& generate = settings.run.generate;
        generate.device = "cpu";
        generate.promptIds = {2, 40, 41, 99, 7, 300, 40, 41, 99, 8, 12, 40, 41};
        generate.maxNewTokens = 24;
        generate.ignoreEos = true;
        generate.warmup = 0;
        generate.threads = 2;
        return settings;
    }
    TempFolder m_folder;
};

TEST_F(LadderOfTheTinyModel, RunsEveryRungOfTheCpu) {
    std::vector<std::string> told;
    LadderEvents events;
    size_t most = 0;
    events.onRung = [&](const LadderRung& rung) { told.push_back(rung.name); };
    events.onProgress = [&](size_t, size_t count, const std::string&, const RecordingProgress&) { most = count; };
    const Result<Ladder> ladder = climb(settings(), events);
    ASSERT_TRUE(ladder) << ladder.error().message;
    EXPECT_EQ(told, (std::vector<std::string>{"eager", "fused", "graph", "speculative"}));
    EXPECT_EQ(most, 4u);
    EXPECT_EQ(ladder->device, "cpu");
    EXPECT_FALSE(ladder->cancelled);
    for (const LadderRung& rung : ladder->rungs) {
        SCOPED_TRACE(rung.name);
        EXPECT_EQ(rung.notRun, "");
        EXPECT_TRUE(rung.sameTokens);
        EXPECT_EQ(rung.figures.tokenCount, 23);
        EXPECT_GT(rung.figures.tokensPerSecond, 0);
        EXPECT_GT(rung.figures.busyShare, 0);
        EXPECT_LE(rung.figures.busyShare, 1);
        EXPECT_EQ(rung.prediction.tokensPerSecond > 0, rung.name != "eager") << rung.prediction.missing;
        const auto opened = openTrace(rung.session);
        ASSERT_TRUE(opened) << opened.error().message;
        EXPECT_EQ((*opened)->run()->mode, modeName(rung.mode));
        EXPECT_EQ((*opened)->run()->speculation, rung.speculates ? "ngram" : "off");
        // The file says what the run said.
        EXPECT_DOUBLE_EQ(ladderFigures(**opened).tokensPerSecond, rung.figures.tokensPerSecond);
    }
    const std::vector<LadderRung>& rungs = ladder->rungs;
    EXPECT_EQ(rungs[1].prediction.from, "eager");
    EXPECT_EQ(rungs[2].prediction.from, "fused");
    EXPECT_GT(rungs[0].figures.launchesPerToken, 4 * rungs[1].figures.launchesPerToken);
    EXPECT_GT(rungs[1].figures.launchesPerToken, 4 * rungs[2].figures.launchesPerToken);
    EXPECT_EQ(rungs[0].drafts.drafted, 0);
    EXPECT_GT(rungs[3].drafts.accepted, 0);
}

TEST_F(LadderOfTheTinyModel, StopsWhereItIsTold) {
    std::stop_source stop;
    LadderEvents events;
    events.onRung = [&](const LadderRung& rung) {
        if (rung.name == "fused") stop.request_stop();
    };
    const Result<Ladder> ladder = climb(settings(), events, stop.get_token());
    ASSERT_TRUE(ladder) << ladder.error().message;
    EXPECT_TRUE(ladder->cancelled);
    EXPECT_EQ(ladder->rungs[1].notRun, "");
    for (const size_t left : {2u, 3u}) {
        EXPECT_EQ(ladder->rungs[left].notRun, "Cancelled.");
        EXPECT_TRUE(ladder->rungs[left].session.empty());
    }
}

TEST_F(LadderOfTheTinyModel, SaysWhyItCannotBegin) {
    LadderSettings wrong = settings();
    wrong.run.modelPath = m_folder / "nothing.gguf";
    EXPECT_FALSE(climb(wrong));
    wrong = settings();
    wrong.run.generate.device = "tpu";
    const Result<Ladder> ladder = climb(wrong);
    ASSERT_FALSE(ladder);
    EXPECT_EQ(ladder.error().kind, ErrorKind::WrongUse);
}

TEST(Ladder, OffersPersistentWhereTheDeviceHasIt) {
    RunDevice gpu{.id = "cuda:0", .modes = {Mode::Eager, Mode::Fused, Mode::Graph, Mode::Persistent}};
    std::vector<std::string> names;
    for (const LadderRung& rung : rungsOf(gpu))
        names.push_back(rung.name);
    EXPECT_EQ(names, (std::vector<std::string>{"eager", "fused", "graph", "persistent", "speculative"}));
    EXPECT_EQ(sessionsOf(gpu, "f")[3], std::filesystem::path("f/4-persistent.gapscope"));
    gpu.modes.pop_back();
    EXPECT_EQ(rungsOf(gpu).size(), 4u);
}

}  // namespace
}  // namespace gapscope

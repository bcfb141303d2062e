// The ladder on the tiny model: every rung of the CPU runs, has its session, and says the same tokens.
#include "core/ladder/ladder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

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
        generate.speculation.kind = Speculation::Ngram;
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
        EXPECT_EQ((*opened)->run()->speculation, rung.drafter);
        EXPECT_EQ(rung.drafter, rung.speculates() ? "ngram" : "off");
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

// The model as its own draft model foresees every token; so says its rehearsal.
TEST_F(LadderOfTheTinyModel, ADraftModelIsARungBesideLookup) {
    LadderSettings both = settings();
    SpeculationSettings& speculation = both.run.generate.speculation;
    speculation = {.kind = Speculation::Model, .draftTokens = 3, .draftModel = both.run.modelPath};
    const Result<Ladder> ladder = climb(both);
    ASSERT_TRUE(ladder) << ladder.error().message;
    ASSERT_EQ(ladder->rungs.size(), 5u);
    const LadderRung &lookup = ladder->rungs[3], &model = ladder->rungs[4];
    EXPECT_EQ(lookup.name, "speculative");
    EXPECT_EQ(model.name, "draft-model");
    EXPECT_EQ(model.drafter, "tiny-random-gemma3");
    EXPECT_EQ(model.session.filename(), "5-draft-model.gapscope");
    EXPECT_EQ(model.notRun, "");
    EXPECT_EQ(model.mode, lookup.mode) << "both on the fastest rung without drafts";
    EXPECT_EQ(model.prediction.from, lookup.prediction.from);
    EXPECT_TRUE(model.sameTokens);
    EXPECT_EQ(model.figures.tokenCount, 23);
    EXPECT_EQ(model.drafts.steps, 6) << "23 tokens after the first, four a step";
    EXPECT_EQ(model.drafts.drafted, 17);
    EXPECT_EQ(model.acceptance(), 1);
    EXPECT_GT(lookup.drafts.steps, model.drafts.steps);
    EXPECT_GT(model.prediction.tokensPerSecond, 0) << model.prediction.missing;
    EXPECT_NE(model.prediction.assumes.find("17 of 17 drafted tokens right"), std::string::npos)
        << model.prediction.assumes;
    const auto opened = openTrace(model.session);
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_EQ((*opened)->run()->speculation, "tiny-random-gemma3");
}

TEST_F(LadderOfTheTinyModel, ADraftModelThatCannotDraftStopsNoOtherRung) {
    LadderSettings wrong = settings();
    const std::filesystem::path notes = m_folder / "notes.gguf";
    std::ofstream(notes) << "no model";
    wrong.run.generate.speculation = {.kind = Speculation::Model, .draftModel = notes};
    const Result<Ladder> ladder = climb(wrong);
    ASSERT_TRUE(ladder) << ladder.error().message;
    for (size_t i = 0; i < 4; ++i)
        EXPECT_TRUE(ladder->rungs[i].ran()) << ladder->rungs[i].name;
    const LadderRung& model = ladder->rungs[4];
    EXPECT_FALSE(model.ran());
    EXPECT_NE(model.notRun.find("notes.gguf"), std::string::npos) << model.notRun;
    EXPECT_EQ(std::ranges::count(model.notRun, '\n'), 0);
    EXPECT_EQ(model.prediction.tokensPerSecond, 0);
}

TEST_F(LadderOfTheTinyModel, ADraftModelWithOtherWordsStopsNoOtherRung) {
    const std::filesystem::path real = test::realModelPath();
    GAPSCOPE_NEEDS_FILE(real, "the real Gemma 3 270M");
    LadderSettings wrong = settings();
    wrong.run.generate.speculation = {.kind = Speculation::Model, .draftModel = real};
    const Result<Ladder> ladder = climb(wrong);
    ASSERT_TRUE(ladder) << ladder.error().message;
    EXPECT_TRUE(ladder->rungs[3].ran());
    EXPECT_FALSE(ladder->rungs[4].ran());
    EXPECT_NE(ladder->rungs[4].notRun.find("262144 tokens"), std::string::npos) << ladder->rungs[4].notRun;
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

TEST_F(LadderOfTheTinyModel, AMissingDraftModelIsToldBeforeTheFirstRung) {
    LadderSettings wrong = settings();
    wrong.run.generate.speculation.setDrafter("ngarm");
    LadderEvents events;
    events.onRung = [](const LadderRung& rung) { ADD_FAILURE() << rung.name; };
    const Result<Ladder> ladder = climb(wrong, events);
    ASSERT_FALSE(ladder);
    EXPECT_EQ(ladder.error().kind, ErrorKind::WrongUse);
    EXPECT_NE(ladder.error().message.find("no draft model ngarm"), std::string::npos) << ladder.error().message;
    EXPECT_FALSE(std::filesystem::exists(wrong.folder));
}

// The file is gone once it was read; its trial is named as the window's caption and the command line tell it.
TEST_F(LadderOfTheTinyModel, ADraftModelIsReadOnceAndItsTrialIsNamed) {
    LadderSettings both = settings();
    const std::filesystem::path copy = m_folder / "copy.gguf";
    std::filesystem::copy_file(both.run.modelPath, copy);
    both.run.generate.speculation = {.kind = Speculation::Model, .draftModel = copy};
    std::vector<std::string> phases;
    LadderEvents events;
    events.onProgress = [&](size_t, size_t, const std::string& name, const RecordingProgress& progress) {
        if (name != "draft-model") return;
        phases.push_back(progress.phase);
        if (progress.phase == "Reading weights") std::filesystem::remove(copy);
    };
    const Result<Ladder> ladder = climb(both, events);
    ASSERT_TRUE(ladder) << ladder.error().message;
    EXPECT_FALSE(std::filesystem::exists(copy));
    EXPECT_EQ(ladder->rungs[4].notRun, "");
    EXPECT_GT(ladder->rungs[4].prediction.tokensPerSecond, 0) << ladder->rungs[4].prediction.missing;
    for (const std::string_view trial : {"Trial on the text", "Trial of its speed"})
        EXPECT_TRUE(std::ranges::any_of(phases, [&](const std::string& phase) { return phase.starts_with(trial); }))
            << ::testing::PrintToString(phases);
}

TEST(Ladder, OffersPersistentWhereTheDeviceHasIt) {
    RunDevice gpu{.id = "cuda:0", .modes = {Mode::Eager, Mode::Fused, Mode::Graph, Mode::Persistent}};
    std::vector<std::string> names;
    SpeculationSettings speculation{.kind = Speculation::Ngram};
    for (const LadderRung& rung : rungsOf(gpu, speculation))
        names.push_back(rung.name);
    EXPECT_EQ(names, (std::vector<std::string>{"eager", "fused", "graph", "persistent", "speculative"}));
    EXPECT_EQ(sessionsOf(gpu, speculation, "f")[3], std::filesystem::path("f/4-persistent.gapscope"));
    gpu.modes.pop_back();
    EXPECT_EQ(rungsOf(gpu, speculation).size(), 4u);
    speculation.kind = Speculation::Off;
    EXPECT_EQ(rungsOf(gpu, speculation).size(), 3u);
    speculation = {.kind = Speculation::Model, .draftModel = "/m/small.gguf"};
    EXPECT_EQ(rungsOf(gpu, speculation).back().drafter, "small");
}

}  // namespace
}  // namespace gapscope

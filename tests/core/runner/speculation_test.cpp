// Speculative decoding changes how long a run takes and never what it says.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>

#include "core/runner/cpu_stream.h"
#include "core/runner/drafter.h"
#include "core/runner/generate.h"
#include "tests/core/testing/temp_folder.h"
#include "tests/support/test_files.h"

namespace gapscope {
namespace {

using Ids = std::vector<int32_t>;

TEST(NgramDrafter, DraftsWhatFollowedTheSameTokens) {
    const auto draft = [](const Ids& text, int64_t most) { return NgramDrafter::lookUp(text, most); };
    EXPECT_EQ(draft({1, 2, 3, 4, 5, 1, 2}, 4), (Ids{3, 4, 5, 1}));
    EXPECT_EQ(draft({1, 2, 3, 4, 5, 1, 2}, 2), (Ids{3, 4}));
    EXPECT_EQ(draft({1, 2, 3, 4, 5, 2}, 4), Ids()) << "one token in common is no reason";
    EXPECT_EQ(draft({1, 2, 3, 1, 2, 4, 1, 2}, 1), (Ids{4})) << "the latest of equal ones";
    EXPECT_EQ(draft({9, 1, 2, 3, 8, 1, 2, 4, 9, 1, 2}, 1), (Ids{3})) << "the longest first";
    EXPECT_EQ(draft({7, 7, 7, 7}, 3), (Ids{7})) << "no further than the text goes";
    EXPECT_EQ(draft({1, 2, 1, 2}, 0), Ids());
    EXPECT_EQ(draft({}, 4), Ids());
    EXPECT_EQ(draft({5}, 4), Ids());
    EXPECT_EQ(draft({5, 5}, 4), Ids());
    EXPECT_EQ(draft({5, 5, 5}, 4), (Ids{5}));
}

class SpeculativeRun : public testing::Test {
protected:
    void SetUp() override {
        load(test::repositoryFile("resources/tiny-random-gemma3.gguf"));
        // Repeats itself, and so does what the tiny model makes of it, now and then.
        m_settings.promptIds = {2, 40, 41, 99, 7, 300, 40, 41, 99, 8, 12, 40, 41};
        m_settings.maxNewTokens = 60;
        m_settings.ignoreEos = true;
        m_settings.warmup = 0;
        m_settings.threads = 2;
        m_settings.topLogits = 3;
    }

    void load(const std::filesystem::path& path) {
        auto model = Model::load(path);
        ASSERT_TRUE(model) << model.error().message;
        m_model = *model;
    }

    GenerateResult run(Speculation kind, TraceLevel level = TraceLevel::Off) {
        m_settings.speculation.kind = kind;
        ActivityLog log(level);
        auto result = generate(*m_model, m_settings, log);
        EXPECT_TRUE(result) << (result ? "" : result.error().message);
        m_batch = log.drain();
        return result ? *result : GenerateResult();
    }

    // The same tokens from the same logits, to the bit. Returns how it went.
    DraftCounts expectSame(Speculation kind = Speculation::Ngram) {
        const GenerateResult plain = run(Speculation::Off);
        const GenerateResult drafted = run(kind);
        if (plain.repeats.empty() || drafted.repeats.empty()) return {};
        const RepeatResult& wanted = plain.repeats[0];
        const RepeatResult& got = drafted.repeats[0];
        EXPECT_EQ(got.tokens, wanted.tokens);
        EXPECT_EQ(got.text, wanted.text);
        EXPECT_EQ(drafted.stopReason, plain.stopReason);
        EXPECT_EQ(got.steps.size(), wanted.steps.size());
        for (size_t i = 0; i < std::min(got.steps.size(), wanted.steps.size()); ++i) {
            EXPECT_EQ(got.steps[i].logSumExp, wanted.steps[i].logSumExp) << "step " << i;
            for (size_t j = 0; j < wanted.steps[i].top.size(); ++j) {
                EXPECT_EQ(got.steps[i].top[j].id, wanted.steps[i].top[j].id) << "step " << i;
                EXPECT_EQ(got.steps[i].top[j].logit, wanted.steps[i].top[j].logit) << "step " << i;
            }
        }
        EXPECT_EQ(wanted.drafts, (DraftCounts{.steps = static_cast<int64_t>(wanted.tokens.size()) - 1}));
        EXPECT_EQ(got.drafts.steps + got.drafts.accepted, static_cast<int64_t>(got.tokens.size()) - 1);
        return got.drafts;
    }

    std::shared_ptr<const Model> m_model;
    GenerateSettings m_settings;
    ActivityLog::Batch m_batch;
};

TEST_F(SpeculativeRun, HasTheLogitsOfPlainDecodingToTheBit) {
    for (const Mode mode : {Mode::Eager, Mode::Fused, Mode::Graph}) {
        for (const Precision precision : {Precision::File, Precision::Fp32}) {
            for (const int64_t most : {int64_t{1}, int64_t{4}, kMostDraftTokens}) {
                SCOPED_TRACE(std::string(modeName(mode)) + " " + std::string(precisionName(precision)) + " " +
                             std::to_string(most));
                m_settings.mode = mode;
                m_settings.precision = precision;
                m_settings.speculation.draftTokens = most;
                const DraftCounts counts = expectSame();
                EXPECT_GT(counts.accepted, 0);
                EXPECT_LE(counts.drafted, counts.checks * most);
            }
        }
    }
}

// Weights in bf16 go through the exact kernels, which have another order of sums for many tokens.
TEST_F(SpeculativeRun, HasThemOfFloatWeightsToo) {
    const std::filesystem::path tiny = test::sharedFile("goldens/tiny-hf");
    GAPSCOPE_NEEDS_FILE(tiny, "goldens/tiny-hf");
    load(tiny);
    m_settings.promptIds = {2, 40, 41, 99, 7, 30, 40, 41, 99, 8, 12, 40, 41};
    for (const int64_t most : {3, 9}) {
        m_settings.speculation.draftTokens = most;
        EXPECT_GT(expectSame().accepted, 0);
    }
}

// A sampled token is drawn once for each row that counts, so that the same seed gives the same tokens; many drafts are
// rejected here.
TEST_F(SpeculativeRun, SamplesTheSameTokens) {
    m_settings.maxNewTokens = 200;
    int64_t rejected = 0;
    for (const uint64_t seed : {1, 2, 3}) {
        m_settings.sampling = {0.4, 5, 0.95, seed};
        for (const int64_t topLogits : {0, 2}) {
            m_settings.topLogits = topLogits;
            const DraftCounts counts = expectSame();
            rejected += counts.drafted - counts.accepted;
        }
    }
    EXPECT_GT(rejected, 0);
}

// Far past the window and once around the ring of a local layer, with rejected drafts written into it.
TEST_F(SpeculativeRun, HoldsPastTheWindow) {
    m_settings.maxNewTokens = 900;
    m_settings.forceIds.resize(880);
    for (size_t i = 0; i < m_settings.forceIds.size(); ++i)
        m_settings.forceIds[i] = static_cast<int32_t>(20 + (i % 7) + (i % 41 == 0 ? 5 : 0));
    m_settings.speculation.draftTokens = 7;
    const DraftCounts counts = expectSame();
    EXPECT_GT(counts.accepted, 300);
    EXPECT_GT(counts.drafted, counts.accepted);
}

TEST_F(SpeculativeRun, NeverWritesPastTheEnd) {
    for (int64_t tokens = 1; tokens <= 12; ++tokens) {
        m_settings.maxNewTokens = tokens;
        m_settings.speculation.draftTokens = kMostDraftTokens;
        expectSame();
    }
}

TEST_F(SpeculativeRun, RecordsAcceptanceOfEachStep) {
    m_settings.topLogits = 0;
    m_settings.repeats = 2;
    const GenerateResult result = run(Speculation::Ngram, TraceLevel::Full);
    const DraftCounts& counts = result.repeats.at(0).drafts;
    ASSERT_GT(counts.accepted, 0);
    EXPECT_EQ(result.repeats.at(1).drafts, counts);
    DraftCounts told;
    std::map<int32_t, const TokenActivity*> firstOfStep;
    int32_t place = 0;
    for (const TokenActivity& token : m_batch.tokens) {
        if (token.repeat != 0) continue;
        EXPECT_EQ(token.place, token.place == 0 ? 0 : place + 1);
        place = token.place;
        EXPECT_LE(token.place, token.accepted);
        EXPECT_LE(token.accepted, token.drafted);
        if (token.place > 0 || token.token == 0) continue;
        firstOfStep[token.token] = &token;
        ++told.steps;
        told.checks += token.drafted > 0 ? 1 : 0;
        told.drafted += token.drafted;
        told.accepted += token.accepted;
    }
    EXPECT_EQ(told, counts);
    // Device work belongs to the first token of its step.
    for (const DeviceActivity& activity : m_batch.device)
        EXPECT_TRUE(activity.repeat != 0 || activity.token <= 0 || firstOfStep.contains(activity.token));
    std::map<std::string, int> ranges;
    for (const RangeActivity& range : m_batch.ranges)
        ++ranges[range.name.substr(0, range.name.find(':'))];
    EXPECT_EQ(ranges["verify"], 2 * counts.checks);
    EXPECT_GE(ranges["draft"], 2 * counts.checks);
    for (const auto& [token, first] : firstOfStep)
        EXPECT_EQ(ranges["decode " + std::to_string(token)], 2);
    const auto verified =
        std::ranges::find_if(m_batch.ranges, [](const auto& r) { return r.name.starts_with("verify"); });
    EXPECT_TRUE(verified->name.ends_with(" accepted")) << verified->name;
}

TEST_F(SpeculativeRun, IsForetoldFromTheTokens) {
    m_settings.topLogits = 0;
    for (const int64_t most : {1, 4, 8}) {
        m_settings.speculation.draftTokens = most;
        const RepeatResult result = run(Speculation::Ngram).repeats.at(0);
        EXPECT_EQ(countNgramDrafts(m_settings.promptIds, result.tokens, most), result.drafts);
    }
}

TEST_F(SpeculativeRun, RefusesImpossibleNumbersOfDrafts) {
    for (const int64_t most : {int64_t{0}, kMostDraftTokens + 1}) {
        m_settings.speculation.draftTokens = most;
        const Status status = validate(m_settings);
        ASSERT_FALSE(status);
        EXPECT_EQ(status.error().kind, ErrorKind::WrongUse);
        EXPECT_NE(status.error().message.find("from 1 to 16"), std::string::npos);
    }
    EXPECT_EQ(speculationFromName("ngram"), Speculation::Ngram);
    EXPECT_EQ(speculationName(Speculation::Off), "off");
    EXPECT_FALSE(speculationFromName("magic"));
}

TEST(Speculation, CountsWhatAModelWouldHaveBrought) {
    const std::vector<int32_t> tokens = {1, 2, 3, 4, 5, 6}, guesses = {9, 2, 9, 4, 5, 6};
    // 2 is right and 3 is not, which the model then gives itself; 4 and 5 are, and 6 is its own.
    EXPECT_EQ(countModelDrafts(tokens, guesses, 2),
              (DraftCounts{.steps = 2, .checks = 2, .drafted = 4, .accepted = 3}));
    EXPECT_EQ(countModelDrafts(tokens, tokens, 16),
              (DraftCounts{.steps = 1, .checks = 1, .drafted = 4, .accepted = 4}));
}

// A second model as drafter: the tiny model itself, which foresees every token, or one whose weights are a little
// others, which often errs.
class SpeculationByModel : public SpeculativeRun {
protected:
    void SetUp() override {
        SpeculativeRun::SetUp();
        m_settings.speculation.draftModel = m_tiny;
    }
    std::filesystem::path otherModel() {
        std::ifstream in(m_tiny, std::ios::binary);
        std::string bytes{std::istreambuf_iterator<char>(in), {}};
        // Its last tensors are block-quantised; low bits of their numbers are always a number.
        for (size_t i = bytes.size() * 9 / 10; i < bytes.size(); i += 7)
            bytes[i] = static_cast<char>(bytes[i] ^ 1);
        const std::filesystem::path path = m_folder / "other.gguf";
        std::ofstream(path, std::ios::binary) << bytes;
        return path;
    }
    const std::filesystem::path m_tiny = test::repositoryFile("resources/tiny-random-gemma3.gguf");
    TempFolder m_folder;
};

TEST_F(SpeculationByModel, AcceptsAllThatTheModelItselfDrafts) {
    for (const Mode mode : {Mode::Eager, Mode::Fused, Mode::Graph}) {
        SCOPED_TRACE(modeName(mode));
        m_settings.mode = mode;
        const DraftCounts counts = expectSame(Speculation::Model);
        EXPECT_EQ(counts.accepted, counts.drafted);
        EXPECT_EQ(counts.steps, 12) << "59 tokens after the first, five a step";
    }
}

TEST_F(SpeculationByModel, OvertakesWhatTheDrafterGotWrong) {
    m_settings.speculation.draftModel = otherModel();
    for (const int64_t most : {1, 4, 11}) {
        SCOPED_TRACE(most);
        m_settings.speculation.draftTokens = most;
        const DraftCounts counts = expectSame(Speculation::Model);
        EXPECT_GT(counts.accepted, 0);
        EXPECT_LT(counts.accepted, counts.drafted);
    }
}

TEST_F(SpeculationByModel, HoldsPastTheWindow) {
    m_settings.promptIds.clear();
    for (int32_t i = 0; i < 300; ++i)
        m_settings.promptIds.push_back(3 + i * i % 250);
    m_settings.maxNewTokens = 80;
    const DraftCounts own = expectSame(Speculation::Model);
    EXPECT_EQ(own.accepted, own.drafted) << "its cache is what it would be had it read all of it at once";
    m_settings.speculation.draftModel = otherModel();
    expectSame(Speculation::Model);
}

TEST_F(SpeculationByModel, ItsWorkIsToldApart) {
    m_settings.topLogits = 0;
    m_settings.mode = Mode::Fused;
    run(Speculation::Model, TraceLevel::Full);
    int64_t drafts = 0;
    for (const DeviceActivity& activity : m_batch.device) {
        if (activity.kind != DeviceActivityKind::Kernel) continue;
        const OpActivity& op = m_batch.ops.at(activity.op);
        const bool isDraft = op.opName.starts_with("draft ");
        EXPECT_EQ(activity.streamId, isDraft ? CpuStream::kDraftStreamId : CpuStream::kStreamId) << op.opName;
        if (!isDraft) continue;
        ++drafts;
        EXPECT_EQ(op.layer, -1);
        EXPECT_GT(activity.token, 0);
    }
    EXPECT_GT(drafts, 0);
}

TEST_F(SpeculationByModel, SaysWhyAModelCannotDraft) {
    const auto problem = [&](const std::filesystem::path& path) {
        m_settings.speculation = {.kind = Speculation::Model, .draftModel = path};
        ActivityLog log(TraceLevel::Off);
        const auto result = generate(*m_model, m_settings, log);
        return result ? std::string() : result.error().message;
    };
    EXPECT_NE(problem(m_folder / "none.gguf").find("none.gguf"), std::string::npos);
    EXPECT_NE(problem({}).find("needs the model's file"), std::string::npos);
    const std::filesystem::path real = test::realModelPath();
    GAPSCOPE_NEEDS_FILE(real, "the real Gemma 3 270M");
    const std::string words = problem(real);
    EXPECT_NE(words.find("262144 tokens"), std::string::npos) << words;
    EXPECT_EQ(SpeculationSettings({.kind = Speculation::Model, .draftModel = "/m/gemma-3-270m.gguf"}).name(),
              "gemma-3-270m");
    EXPECT_EQ(SpeculationSettings({.kind = Speculation::Model, .draftModel = "/m/gemma-3-1b-it/"}).name(),
              "gemma-3-1b-it");
}

TEST(SpeculativeRealModel, SaysWhatPlainDecodingSays) {
    const std::filesystem::path path = test::realModelPath();
    GAPSCOPE_NEEDS_FILE(path, "the real Gemma 3 270M");
    auto model = Model::load(path);
    ASSERT_TRUE(model) << model.error().message;
    for (const char* prompt : {"Here is the list again. apple, banana, cherry, dates, elderberry, fig, grape. apple, "
                               "banana, cherry, dates,",
                               "The capital of France is"}) {
        GenerateSettings settings;
        settings.device = "cpu";
        settings.prompt = prompt;
        settings.maxNewTokens = 40;
        settings.ignoreEos = true;
        settings.warmup = 0;
        ActivityLog log(TraceLevel::Off);
        const auto plain = generate(**model, settings, log);
        settings.speculation.kind = Speculation::Ngram;
        const auto drafted = generate(**model, settings, log);
        ASSERT_TRUE(plain && drafted);
        EXPECT_EQ(drafted->repeats.at(0).tokens, plain->repeats.at(0).tokens) << prompt;
        EXPECT_EQ(countNgramDrafts(plain->promptTokens, plain->repeats[0].tokens, settings.speculation.draftTokens),
                  drafted->repeats[0].drafts);
    }
}

}  // namespace
}  // namespace gapscope

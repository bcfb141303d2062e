// Batches on the GPU: whatever the others are, each sequence has the logits that its prompt has alone in the same mode,
// to the bit, also those that join later or end early, and those whose prompts begin the same.
#include <set>

#include "core/runner/plan_launcher.h"
#include "core/runner/prompt.h"
#include "cuda_test_support.h"
#include "tests/support/batch_fixture.h"

namespace gapscope {

namespace {

class CudaBatch : public test::BatchFixture, public testing::WithParamInterface<std::tuple<Precision, Mode>> {
protected:
    void SetUp() override {
        GAPSCOPE_NEEDS_GPU();
        BatchFixture::SetUp();
        m_settings.device = "cuda";
        std::tie(m_settings.precision, m_settings.mode) = GetParam();
    }

    static constexpr int64_t kChunk = kGpuChunkTokens;

    // A beginning of `from` with so many tokens.
    std::string withTokens(const std::string& from, int64_t tokens) const {
        GenerateSettings settings = m_settings;
        // Each token but the first is of one letter at least.
        for (auto length = static_cast<size_t>(tokens) - 2; length <= from.size(); ++length) {
            settings.prompt = from.substr(0, length);
            const auto prompt = makePrompt(*m_model, settings);
            if (prompt && static_cast<int64_t>(prompt->ids.size()) == tokens) return settings.prompt;
        }
        ADD_FAILURE() << "no beginning has " << tokens << " tokens";
        return "a";
    }
};

std::string caseName(const testing::TestParamInfo<CudaBatch::ParamType>& info) {
    return std::string(precisionName(std::get<Precision>(info.param))) + "_" +
           std::string(modeName(std::get<Mode>(info.param)));
}

}  // namespace

TEST_P(CudaBatch, GivesEachPromptTheLogitsThatItHasAlone) {
    for (const size_t words : {0, 1, 90, 2, 61, 7, 140, 33, 15, 4, 3})
        m_prompts.push_back(text(static_cast<char>('g' + words % 19), words));
    const std::vector<GenerateResult> alone = runAlone();
    for (const int64_t batch : {1, 2, 3, 5, 8, 9, 16})
        expectSame(batch, alone);
}

TEST_P(CudaBatch, ReadsGreedyTokensFromTheDevice) {
    m_settings.topLogits = 0;
    const RepeatResult repeat = expectSame(3);
    EXPECT_LT(repeat.drafts.steps, 7 * 39 / 2);
}

// End tokens come at different places, and others take the room.
TEST_P(CudaBatch, SamplesTheSameTokensAndEndsWhereTheyEnd) {
    m_settings.ignoreEos = false;
    m_settings.maxNewTokens = 120;
    m_settings.sampling.temperature = 5;
    std::set<size_t> lengths;
    for (const uint64_t seed : {1, 2, 3}) {
        m_settings.sampling.seed = seed;
        for (const SequenceResult& sequence : expectSame(4).sequences)
            if (sequence.stopReason == "end token") lengths.insert(sequence.tokens.size());
    }
    EXPECT_GT(lengths.size(), 1U);
}

// Where a single run's ring has come round.
TEST_P(CudaBatch, HoldsPastTheWindow) {
    m_prompts = {text('x', 300), text('y', 5), text('z', 200)};
    m_settings.maxNewTokens = 700;
    expectSame(2);
}

// Prompts of one chunk and of several that begin the same, chunk borders at their ends and behind them.
TEST_P(CudaBatch, SharesWholeChunksOfACommonBeginning) {
    const std::string system = text('s', 600);
    m_settings.maxNewTokens = 3;
    m_prompts = {withTokens(system, 2 * kChunk + 40),
                 system,
                 withTokens(system, 2 * kChunk),
                 withTokens(system, 2 * kChunk + 1),
                 withTokens(system, kChunk + 300) + " and other words",
                 withTokens(system, kChunk),
                 withTokens(system, kChunk + 1),
                 withTokens(system, kChunk - 1)};
    std::vector<int64_t> reused;
    for (const SequenceResult& sequence : expectSame(3).sequences)
        reused.push_back(sequence.reusedTokens);
    EXPECT_EQ(reused, (std::vector<int64_t>{0, 2 * kChunk, kChunk, 2 * kChunk, kChunk, 0, kChunk, 0}));
}

TEST_P(CudaBatch, RepeatsShareWhatTheOneBeforeLeft) {
    m_settings.maxNewTokens = 3;
    m_prompts = {text('s', 600), "b", text('t', 400)};
    const std::vector<GenerateResult> alone = runAlone();
    m_settings.repeats = 2;
    m_settings.reusePrefix = true;
    const GenerateResult together = runBatch(2);
    ASSERT_EQ(together.repeats.size(), 2U);
    EXPECT_EQ(together.repeats[0].reusedTokens, 0);
    EXPECT_GE(together.repeats[1].sequences[0].reusedTokens, 2 * kChunk);
    for (const RepeatResult& repeat : together.repeats)
        for (size_t i = 0; i < m_prompts.size(); ++i) {
            const std::vector<TopLogits>& steps = repeat.sequences[i].steps;
            ASSERT_EQ(steps.size(), 3U);
            for (size_t step = 0; step < steps.size(); ++step)
                EXPECT_EQ(steps[step].logSumExp, alone[i].repeats[0].steps[step].logSumExp) << i;
        }
}

// The last chunk is a step of one row.
TEST_P(CudaBatch, OfPromptsThatEndWithAChunkOfOneToken) {
    const std::string system = text('s', 400);
    const std::string other = text('t', 400);
    const std::string chunk = withTokens(system, kChunk + 1);
    m_prompts = {chunk, other, system, "b", chunk, other, withTokens(other, kChunk + 1)};
    expectSame(2);
}

INSTANTIATE_TEST_SUITE_P(All, CudaBatch,
                         testing::Combine(testing::Values(Precision::Bf16, Precision::File, Precision::Int8),
                                          testing::Values(Mode::Fused, Mode::Graph)),
                         caseName);
// Its steps are mode graph's; alone its prompts have one kernel a token.
INSTANTIATE_TEST_SUITE_P(Persistent, CudaBatch,
                         testing::Combine(testing::Values(Precision::Bf16, Precision::Int8),
                                          testing::Values(Mode::Persistent)),
                         caseName);

namespace {

TEST(CudaBatchErrors, EagerRunsOnePromptAtATimeAndSaysSo) {
    GAPSCOPE_NEEDS_GPU();
    const auto model = Model::load(test::repositoryFile("resources/tiny-random-gemma3.gguf"));
    ASSERT_TRUE(model) << model.error().message;
    GenerateSettings settings;
    settings.device = "cuda";
    settings.prompts = {"one", "two"};
    settings.mode = Mode::Eager;
    ActivityLog log(TraceLevel::Off);
    const auto result = generate(**model, settings, log);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, ErrorKind::WrongUse);
    EXPECT_NE(result.error().message.find("one prompt at a time"), std::string::npos) << result.error().message;
}

}  // namespace

}  // namespace gapscope

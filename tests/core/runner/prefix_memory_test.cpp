// A run that begins as the one before computes only what is new, and says what it would have said anyway.
#include "core/runner/prefix_memory.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/test_files.h"

namespace gapscope {
namespace {

using Ids = std::vector<int32_t>;

TEST(ReusablePrefix, IsTheCommonBeginningWithoutThePromptsLastToken) {
    const CachedText cached{.tokens = {1, 2, 3, 4, 5}};
    EXPECT_EQ(reusablePrefix(cached, Ids{1, 2, 3, 9, 9}, 0), 3);
    EXPECT_EQ(reusablePrefix(cached, Ids{1, 2, 3, 4, 5, 6, 7}, 0), 5);
    EXPECT_EQ(reusablePrefix(cached, Ids{1, 2, 3, 4, 5}, 0), 4);
    EXPECT_EQ(reusablePrefix(cached, Ids{1, 2}, 0), 1);
    EXPECT_EQ(reusablePrefix(cached, Ids{9, 2, 3}, 0), 0);
    EXPECT_EQ(reusablePrefix(cached, Ids{1}, 0), 0);
    EXPECT_EQ(reusablePrefix(cached, Ids{}, 0), 0);
    EXPECT_EQ(reusablePrefix({}, Ids{1, 2}, 0), 0);
}

TEST(ReusablePrefix, EndsWhereLocalLayersForgot) {
    // Token 5 looks back at positions 3, 4 and itself with a window of 3.
    const auto reusable = [](int64_t oldest) {
        return reusablePrefix({.tokens = {1, 2, 3, 4, 5, 6, 7, 8}, .oldest = oldest}, Ids{1, 2, 3, 4, 5, 9}, 3);
    };
    EXPECT_EQ(reusable(0), 5);
    EXPECT_EQ(reusable(3), 5);
    EXPECT_EQ(reusable(4), 0);
}

TEST(ReusablePrefix, IsOfWholeUnits) {
    const CachedText cached{.tokens = {1, 2, 3, 4, 5, 6, 7, 8}};
    const auto reusable = [&](const Ids& prompt) { return reusablePrefix(cached, prompt, 2, 3); };
    EXPECT_EQ(reusable({1, 2, 3, 4, 5, 6, 7}), 6);
    EXPECT_EQ(reusable({1, 2, 3, 4, 5, 6}), 3) << "the last token's logits are wanted";
    EXPECT_EQ(reusable({1, 2, 3, 9}), 3);
    EXPECT_EQ(reusable({1, 2, 3}), 0);
    EXPECT_EQ(reusable({1, 2, 9, 9, 9}), 0);
}

TEST(PrefixMemory, ServesTheDeviceAndTheRoundingThatItIsOf) {
    PrefixMemory memory{.device = "cuda:0", .precision = Precision::Bf16, .mode = Mode::Graph};
    EXPECT_FALSE(memory.serves("cuda:0", Precision::Bf16, Mode::Graph)) << "nothing is kept";
    memory.cache = std::make_shared<int>();
    EXPECT_TRUE(memory.serves("cuda:0", Precision::Bf16, Mode::Graph));
    EXPECT_TRUE(memory.serves("cuda:0", Precision::Bf16, Mode::Persistent));
    EXPECT_FALSE(memory.serves("cuda:0", Precision::Bf16, Mode::Eager));
    EXPECT_FALSE(memory.serves("cuda:0", Precision::Int8, Mode::Graph));
    EXPECT_FALSE(memory.serves("cuda:1", Precision::Bf16, Mode::Graph));
    EXPECT_FALSE(memory.serves("cpu", Precision::Bf16, Mode::Graph));
    memory.device = "cpu";
    EXPECT_TRUE(memory.serves("cpu", Precision::Bf16, Mode::Eager));
}

class PrefixReuse : public testing::Test {
protected:
    void SetUp() override {
        const auto model = Model::load(test::repositoryFile("resources/tiny-random-gemma3.gguf"));
        ASSERT_TRUE(model) << model.error().message;
        m_model = *model;
        m_memory.model = m_model;
        m_settings.promptIds = {2, 40, 41, 99, 7, 300};
        m_settings.maxNewTokens = 6;
        m_settings.ignoreEos = true;
        m_settings.warmup = 0;
        m_settings.threads = 2;
        m_settings.topLogits = 1;
        m_settings.reusePrefix = true;
    }
    RepeatResult run(PrefixMemory* memory, size_t repeat = 0) {
        ActivityLog log(TraceLevel::Full);
        const auto result = generate(*m_model, m_settings, log, {}, {}, memory);
        m_batch = log.drain();
        EXPECT_TRUE(result) << (result ? "" : result.error().message);
        return result && result->repeats.size() > repeat ? result->repeats[repeat] : RepeatResult();
    }
    // A run with the memory is what it would be without; rows computed together may round in another way than alone.
    int64_t expectSame() {
        const RepeatResult got = run(&m_memory), wanted = run(nullptr);
        EXPECT_EQ(wanted.reusedTokens, 0);
        EXPECT_EQ(got.tokens, wanted.tokens);
        for (size_t i = 0; i < std::min(got.steps.size(), wanted.steps.size()); ++i)
            EXPECT_NEAR(got.steps[i].logSumExp, wanted.steps[i].logSumExp, 1e-4) << i;
        return got.reusedTokens;
    }
    Ids longPrompt(int32_t tokens) const {
        Ids ids;
        for (int32_t i = 0; i < tokens; ++i)
            ids.push_back(3 + i * i % 250);
        return ids;
    }

    std::shared_ptr<const Model> m_model;
    PrefixMemory m_memory;
    GenerateSettings m_settings;
    ActivityLog::Batch m_batch;
};

TEST_F(PrefixReuse, ARepeatComputesOnlyThePromptsLastToken) {
    m_settings.repeats = 2;
    const RepeatResult first = run(nullptr), second = run(nullptr, 1);
    EXPECT_EQ(first.reusedTokens, 0);
    EXPECT_EQ(second.reusedTokens, 5);
    EXPECT_EQ(first.tokens, second.tokens);
    m_settings.reusePrefix = false;
    EXPECT_EQ(run(nullptr, 1).reusedTokens, 0);
}

TEST_F(PrefixReuse, TheNextRunBeginsWhereItsPromptDiffers) {
    EXPECT_EQ(expectSame(), 0) << "nothing was left yet";
    const Ids said = run(&m_memory).tokens;
    EXPECT_EQ(m_memory.text.tokens.size(), 11u) << "prompt and new tokens but the last";
    m_settings.promptIds.insert(m_settings.promptIds.end(), said.begin(), said.end());
    m_settings.promptIds.insert(m_settings.promptIds.end(), {17, 18});
    m_settings.maxNewTokens = 30;  // a larger cache than the one that was left
    EXPECT_EQ(expectSame(), 11);
    m_settings.promptIds = {2, 40, 41, 12, 7};
    m_settings.maxNewTokens = 3;  // a smaller one
    EXPECT_EQ(expectSame(), 3);
    m_settings.promptIds[0] = 3;
    EXPECT_EQ(expectSame(), 0);
}

TEST_F(PrefixReuse, HoldsPastTheWindowOrStartsAnew) {
    const auto window = static_cast<int32_t>(m_model->config().slidingWindow);
    ASSERT_GT(window, 0);
    m_settings.promptIds = longPrompt(3 * window);
    run(&m_memory);
    m_settings.promptIds.push_back(77);
    EXPECT_GE(expectSame(), 3 * window) << "goes on at the end";
    // Far back: local layers no longer have what the first new token looks at.
    m_settings.promptIds = longPrompt(3 * window + 400);
    run(&m_memory);
    m_settings.promptIds.resize(static_cast<size_t>(window) + 3);
    m_settings.promptIds.back() = 5;
    EXPECT_EQ(expectSame(), 0);
}

TEST_F(PrefixReuse, OnlyWhatIsOfTheSameModelAndPrecision) {
    run(&m_memory);
    m_settings.precision = Precision::Fp32;
    EXPECT_EQ(run(&m_memory).reusedTokens, 0);
    EXPECT_EQ(run(&m_memory).reusedTokens, 5);
    m_memory.model = nullptr;
    EXPECT_EQ(run(&m_memory).reusedTokens, 0);
}

TEST_F(PrefixReuse, ACancelledRunLeavesNothing) {
    run(&m_memory);
    std::stop_source stop;
    stop.request_stop();
    ActivityLog log(TraceLevel::Off);
    ASSERT_TRUE(generate(*m_model, m_settings, log, {}, stop.get_token(), &m_memory));
    EXPECT_EQ(m_memory.cache, nullptr);
}

TEST_F(PrefixReuse, WorksWithDraftsOfAnotherModel) {
    m_settings.speculation = {.kind = Speculation::Model,
                              .draftModel = test::repositoryFile("resources/tiny-random-gemma3.gguf")};
    run(&m_memory);
    EXPECT_EQ(expectSame(), 5);
}

}  // namespace
}  // namespace gapscope

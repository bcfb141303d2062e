// The tiny random Gemma 3 (Hugging Face directory, bfloat16) against transformers in float32: all three spellings of
// its config, all modes. It has a small window, grouped queries and a scale that is not 1/sqrt(headDim).
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "core/runner/generate.h"
#include "tests/golden/golden_files.h"
#include "tests/support/test_files.h"

namespace gapscope {
namespace {

using test::GoldenTiny;

struct Case {
    const char* config;
    const char* golden;
};

class TinyModel : public testing::TestWithParam<Case> {
protected:
    void SetUp() override {
        const std::filesystem::path weights = test::sharedFile("goldens/tiny-hf/model.safetensors");
        GAPSCOPE_NEEDS_FILE(weights, "goldens/tiny-hf");
        const std::filesystem::path folder = weights.parent_path();
        std::filesystem::create_symlink(weights, m_folder.path() / "model.safetensors");
        std::filesystem::copy_file(folder / GetParam().config, m_folder.path() / "config.json");
        auto model = Model::load(m_folder.path());
        ASSERT_TRUE(model) << model.error().message;
        m_model = *model;
        m_golden = test::readGoldenTiny(folder / GetParam().golden);
    }

    GenerateSettings settings(Mode mode, int64_t newTokens) const {
        GenerateSettings settings;
        settings.mode = mode;
        settings.precision = Precision::Fp32;
        settings.promptIds = m_golden.inputIds;
        settings.maxNewTokens = newTokens;
        settings.ignoreEos = true;
        settings.warmup = 0;
        settings.threads = 2;
        return settings;
    }

    RepeatResult run(const GenerateSettings& settings) const {
        ActivityLog log(TraceLevel::Off);
        auto result = generate(*m_model, settings, log);
        EXPECT_TRUE(result) << (result ? "" : result.error().message);
        return result ? result->repeats.at(0) : RepeatResult();
    }

    static void expectLogits(const TopLogits& step, const std::vector<double>& expected) {
        ASSERT_EQ(step.top.size(), expected.size());
        double worst = 0;
        for (const TopLogits::Entry& entry : step.top)
            worst = std::max(worst, std::abs(entry.logit - expected[static_cast<size_t>(entry.id)]));
        EXPECT_LT(worst, 1e-3);
    }

    test::TemporaryFolder m_folder;
    std::shared_ptr<const Model> m_model;
    GoldenTiny m_golden;
};

INSTANTIATE_TEST_SUITE_P(Configs, TinyModel,
                         testing::Values(Case{"config.json", "golden.json"}, Case{"config-legacy.json", "golden.json"},
                                         Case{"config-legacy-scaled.json", "golden-scaled.json"}));

TEST_P(TinyModel, GreedyTokensInEveryMode) {
    for (const Mode mode : {Mode::Eager, Mode::Fused, Mode::Graph}) {
        SCOPED_TRACE(modeName(mode));
        const RepeatResult result = run(settings(mode, static_cast<int64_t>(m_golden.greedyIds.size())));
        EXPECT_EQ(result.tokens, m_golden.greedyIds);
    }
}

TEST_P(TinyModel, AllLogitsAtTheLastPromptPosition) {
    for (const Mode mode : {Mode::Eager, Mode::Fused, Mode::Graph}) {
        SCOPED_TRACE(modeName(mode));
        GenerateSettings run1 = settings(mode, 1);
        run1.topLogits = static_cast<int64_t>(m_golden.lastLogits.size());
        const RepeatResult result = run(run1);
        ASSERT_EQ(result.steps.size(), 1U);
        expectLogits(result.steps[0], m_golden.lastLogits);
    }
}

// The prompt fed token by token, teacher-forced: decode must see what prefill saw, across the window's border.
TEST_P(TinyModel, DecodeAgreesWithPrefillAtEveryPosition) {
    for (const Mode mode : {Mode::Eager, Mode::Fused, Mode::Graph}) {
        SCOPED_TRACE(modeName(mode));
        GenerateSettings forced = settings(mode, static_cast<int64_t>(m_golden.inputIds.size()));
        forced.forceIds.assign(m_golden.inputIds.begin() + 1, m_golden.inputIds.end());
        forced.promptIds.resize(1);
        forced.topLogits = static_cast<int64_t>(m_golden.lastLogits.size());
        const RepeatResult result = run(forced);
        ASSERT_EQ(result.steps.size(), m_golden.inputIds.size());
        for (size_t i = 0; i < result.steps.size(); ++i)
            EXPECT_EQ(result.steps[i].top[0].id, m_golden.argmax[i]) << "position " << i;
        expectLogits(result.steps[20], m_golden.logits20);
        expectLogits(result.steps.back(), m_golden.lastLogits);
    }
}

}  // namespace
}  // namespace gapscope

// The tiny random Gemma 3 (Hugging Face directory, bfloat16) against transformers in float32: all three spellings of
// its config, all modes. It has a small window, grouped queries and a scale that is not 1/sqrt(headDim).
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <iostream>

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
        settings.device = "cpu";
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

    // The prompt fed token by token, all logits of each step.
    GenerateSettings forcedAlongThePrompt(Mode mode) const {
        GenerateSettings forced = settings(mode, static_cast<int64_t>(m_golden.inputIds.size()));
        forced.forceIds.assign(m_golden.inputIds.begin() + 1, m_golden.inputIds.end());
        forced.promptIds.resize(1);
        forced.topLogits = static_cast<int64_t>(m_golden.lastLogits.size());
        return forced;
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

// Teacher-forced: decode must see what prefill saw, across the window's border.
TEST_P(TinyModel, DecodeAgreesWithPrefillAtEveryPosition) {
    for (const Mode mode : {Mode::Eager, Mode::Fused, Mode::Graph}) {
        SCOPED_TRACE(modeName(mode));
        const RepeatResult result = run(forcedAlongThePrompt(mode));
        ASSERT_EQ(result.steps.size(), m_golden.inputIds.size());
        for (size_t i = 0; i < result.steps.size(); ++i)
            EXPECT_EQ(result.steps[i].top[0].id, m_golden.argmax[i]) << "position " << i;
        expectLogits(result.steps[20], m_golden.logits20);
        expectLogits(result.steps.back(), m_golden.lastLogits);
    }
}

// A GPU computes in its own precisions: its choices are the reference's wherever the reference's margin is more than
// twice the largest error. The logits between the golden ones are those of the CPU in fp32, which the tests above hold
// to the golden ones.
TEST_P(TinyModel, AGpuChoosesAsTheReferenceWhereTheMarginIsAboveItsError) {
    const std::vector<RunDevice> gpus = test::gpus();
    if (gpus.empty()) GTEST_SKIP() << "no GPU here";
    const RepeatResult expected = run(forcedAlongThePrompt(Mode::Fused));
    ASSERT_EQ(expected.steps.size(), m_golden.inputIds.size());
    for (const Precision precision : gpus.front().precisions) {
        for (const Mode mode : gpus.front().modes) {
            if (mode == Mode::Persistent && precision != Precision::Bf16) continue;  // reads no other weights
            SCOPED_TRACE(std::string(precisionName(precision)) + " " + std::string(modeName(mode)));
            GenerateSettings forced = forcedAlongThePrompt(mode);
            forced.device = gpus.front().id;
            forced.precision = precision;
            const RepeatResult actual = run(forced);
            ASSERT_EQ(actual.steps.size(), expected.steps.size());
            double largest = 0, sumOfErrors = 0, sumOfSquares = 0;
            for (size_t i = 0; i < actual.steps.size(); ++i) {
                std::vector<double> logits(m_golden.lastLogits.size());
                for (const TopLogits::Entry& entry : expected.steps[i].top)
                    logits[static_cast<size_t>(entry.id)] = entry.logit;
                ASSERT_EQ(actual.steps[i].top.size(), logits.size());
                for (const TopLogits::Entry& entry : actual.steps[i].top) {
                    const double reference = logits[static_cast<size_t>(entry.id)];
                    ASSERT_TRUE(std::isfinite(entry.logit));
                    largest = std::max(largest, std::abs(entry.logit - reference));
                    sumOfErrors += (entry.logit - reference) * (entry.logit - reference);
                    sumOfSquares += reference * reference;
                }
            }
            const double relative = std::sqrt(sumOfErrors / sumOfSquares);
            // 8 bits of a bf16 activation, rounded a few times a layer; int8 rounds weights to a 127th of their row
            // too.
            EXPECT_LT(relative, precision == Precision::Int8 ? 0.1 : 0.03);
            int compared = 0;
            for (size_t i = 0; i < actual.steps.size(); ++i) {
                const auto& top = expected.steps[i].top;
                if (static_cast<double>(top[0].logit) - static_cast<double>(top[1].logit) <= 2 * largest) continue;
                ++compared;
                EXPECT_EQ(actual.steps[i].top[0].id, m_golden.argmax[i]) << "position " << i;
            }
            // And after a prompt processed as a whole.
            GenerateSettings greedy = settings(mode, static_cast<int64_t>(m_golden.greedyIds.size()));
            greedy.device = gpus.front().id;
            greedy.precision = precision;
            greedy.forceIds = m_golden.greedyIds;
            greedy.topLogits = 1;
            const RepeatResult chosen = run(greedy);
            ASSERT_EQ(chosen.steps.size(), m_golden.greedyIds.size());
            for (size_t i = 0; i < chosen.steps.size(); ++i) {
                if (m_golden.greedyMargin[i] <= 2 * largest) continue;
                ++compared;
                EXPECT_EQ(chosen.steps[i].top[0].id, m_golden.greedyIds[i]) << "new token " << i;
            }
            std::cout << precisionName(precision) << ' ' << modeName(mode) << ": relative error " << relative
                      << ", largest " << largest << ", " << compared << " choices above the margin\n";
            EXPECT_GT(compared, 10);
        }
    }
}

}  // namespace
}  // namespace gapscope

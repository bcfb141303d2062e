// A batch changes how long a run takes and never what a prompt gets: each sequence has the logits that its prompt has
// alone, to the bit. This compares them, on whichever device.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>

#include "core/runner/generate.h"
#include "tests/support/test_files.h"

namespace gapscope::test {

class BatchFixture : public testing::Test {
protected:
    void SetUp() override {
        load(repositoryFile("resources/tiny-random-gemma3.gguf"));
        m_settings.chat = false;
        m_settings.maxNewTokens = 40;
        m_settings.ignoreEos = true;
        m_settings.warmup = 0;
        m_settings.threads = 2;
        m_settings.topLogits = 2;
        for (size_t i = 0; i < 7; ++i)
            m_prompts.push_back(text(static_cast<char>('a' + i), 3 + 11 * i));
    }

    void load(const std::filesystem::path& path) {
        auto model = Model::load(path);
        ASSERT_TRUE(model) << model.error().message;
        m_model = *model;
    }

    // Of so many words, or somewhat more tokens.
    static std::string text(char letter, size_t words) {
        std::string text;
        for (size_t i = 0; i < words; ++i)
            text +=
                std::string(1 + i * 5 % 3, static_cast<char>('a' + (static_cast<size_t>(letter) + i * i) % 26)) + " ";
        return text + letter;
    }

    GenerateResult run(const GenerateSettings& settings, TraceLevel level = TraceLevel::Off) {
        ActivityLog log(level);
        auto result = generate(*m_model, settings, log);
        EXPECT_TRUE(result) << (result ? "" : result.error().message);
        m_log = log.drain();
        return result ? *result : GenerateResult();
    }

    GenerateResult runBatch(int64_t batch, TraceLevel level = TraceLevel::Off) {
        GenerateSettings settings = m_settings;
        settings.prompts = m_prompts;
        settings.batch = batch;
        return run(settings, level);
    }

    std::vector<GenerateResult> runAlone() {
        std::vector<GenerateResult> results;
        for (const std::string& prompt : m_prompts) {
            GenerateSettings settings = m_settings;
            settings.prompt = prompt;
            results.push_back(run(settings));
        }
        return results;
    }

    // Returns the batch's repeat.
    RepeatResult expectSame(int64_t batch) { return expectSame(batch, runAlone()); }
    RepeatResult expectSame(int64_t batch, const std::vector<GenerateResult>& eachAlone) {
        const GenerateResult together = runBatch(batch);
        if (together.repeats.empty()) return {};
        const RepeatResult& repeat = together.repeats[0];
        EXPECT_EQ(repeat.sequences.size(), m_prompts.size());
        for (size_t i = 0; i < std::min(repeat.sequences.size(), m_prompts.size()); ++i) {
            SCOPED_TRACE("prompt " + std::to_string(i) + ", batch " + std::to_string(batch));
            const GenerateResult& alone = eachAlone[i];
            if (alone.repeats.empty()) continue;
            const RepeatResult& wanted = alone.repeats[0];
            const SequenceResult& got = repeat.sequences[i];
            EXPECT_EQ(got.promptTokens, alone.promptTokens);
            EXPECT_EQ(got.tokens, wanted.tokens);
            EXPECT_EQ(got.text, wanted.text);
            EXPECT_EQ(got.stopReason, alone.stopReason);
            EXPECT_EQ(got.steps.size(), wanted.steps.size());
            for (size_t j = 0; j < std::min(got.steps.size(), wanted.steps.size()); ++j)
                EXPECT_EQ(got.steps[j].logSumExp, wanted.steps[j].logSumExp) << "step " << j;
        }
        return repeat;
    }

    std::shared_ptr<const Model> m_model;
    GenerateSettings m_settings;
    std::vector<std::string> m_prompts;
    ActivityLog::Batch m_log;
};

}  // namespace gapscope::test

// A run on the GPU that begins as the one before takes whole chunks of its prompt from what that one left, and has the
// logits of a run from nothing, to the bit.
#include "core/runner/prefix_memory.h"

#include <map>

#include "core/runner/plan_launcher.h"
#include "cuda_test_support.h"
#include "tests/support/test_files.h"

namespace gapscope {

namespace {

using Ids = std::vector<int32_t>;

constexpr int64_t kChunk = kGpuChunkTokens;

class CudaPrefix : public testing::Test {
protected:
    void SetUp() override {
        GAPSCOPE_NEEDS_GPU();
        auto model = Model::load(test::repositoryFile("resources/tiny-random-gemma3.gguf"));
        ASSERT_TRUE(model) << model.error().message;
        m_model = *model;
        m_memory.model = m_model;
        m_settings.device = "cuda";
        m_settings.precision = Precision::Bf16;
        m_settings.mode = Mode::Graph;
        m_settings.maxNewTokens = 20;
        m_settings.ignoreEos = true;
        m_settings.warmup = 0;
        m_settings.topLogits = m_model->config().vocabulary;
        m_settings.reusePrefix = true;
    }

    Ids text(int64_t tokens) const {
        Ids ids;
        for (int64_t i = 0; i < tokens; ++i)
            ids.push_back(static_cast<int32_t>((i * i * 13 + i * 37 + 5) % m_model->config().vocabulary));
        return ids;
    }
    static Ids changedAt(Ids ids, int64_t position) {
        int32_t& id = ids[static_cast<size_t>(position)];
        id = id == 17 ? 18 : 17;
        return ids;
    }

    std::vector<RepeatResult> run(PrefixMemory* memory, const GenerateEvents& events = {}, std::stop_token stop = {}) {
        ActivityLog log(TraceLevel::Off);
        auto result = generate(*m_model, m_settings, log, events, std::move(stop), memory);
        EXPECT_TRUE(result) << (result ? "" : result.error().message);
        return result ? result->repeats : std::vector<RepeatResult>();
    }
    static void expectSame(const RepeatResult& got, const RepeatResult& wanted) {
        EXPECT_EQ(got.tokens, wanted.tokens);
        ASSERT_EQ(got.steps.size(), wanted.steps.size());
        for (size_t step = 0; step < got.steps.size(); ++step) {
            const auto& [top, logSumExp] = got.steps[step];
            EXPECT_EQ(logSumExp, wanted.steps[step].logSumExp) << step;
            for (size_t i = 0; i < top.size(); ++i)
                ASSERT_EQ(top[i].logit, wanted.steps[step].top[i].logit) << step << ", " << i;
        }
    }
    const RepeatResult& fromNothing() {
        const auto [found, isNew] = m_fromNothing.try_emplace({*m_settings.mode, m_settings.promptIds});
        if (!isNew) return found->second;
        const std::vector<RepeatResult> repeats = run(nullptr);
        if (!repeats.empty()) found->second = repeats[0];
        EXPECT_EQ(found->second.reusedTokens, 0);
        return found->second;
    }
    // With what the run before left against a run from nothing.
    void expectReuse(const Ids& prompt, int64_t tokens) {
        SCOPED_TRACE(testing::Message() << prompt.size() << " tokens, " << tokens << " known");
        m_settings.promptIds = prompt;
        const std::vector<RepeatResult> got = run(&m_memory);
        ASSERT_EQ(got.size(), 1U);
        EXPECT_EQ(got[0].reusedTokens, tokens);
        expectSame(got[0], fromNothing());
    }

    std::shared_ptr<const Model> m_model;
    PrefixMemory m_memory;
    GenerateSettings m_settings;
    std::map<std::pair<Mode, Ids>, RepeatResult> m_fromNothing;
};

class CudaPrefixOf : public CudaPrefix, public testing::WithParamInterface<std::tuple<Precision, Mode>> {
protected:
    void SetUp() override {
        CudaPrefix::SetUp();
        std::tie(m_settings.precision, m_settings.mode) = GetParam();
    }
};

std::string caseName(const testing::TestParamInfo<CudaPrefixOf::ParamType>& info) {
    return std::string(precisionName(std::get<Precision>(info.param))) + "_" +
           std::string(modeName(std::get<Mode>(info.param)));
}

}  // namespace

// All prompts are past the window, and so is what local layers still hold of the first chunks.
TEST_P(CudaPrefixOf, RunsReuseWholeChunksOfTheRunBefore) {
    ASSERT_GT(kChunk, m_model->config().slidingWindow);
    const Ids whole = text(3 * kChunk + 70);
    expectReuse(whole, 0);
    expectReuse(whole, 3 * kChunk);
    expectReuse(text(3 * kChunk), 2 * kChunk);      // the last token's logits are wanted
    expectReuse(text(2 * kChunk + 1), 2 * kChunk);  // a last chunk of one token
    expectReuse(changedAt(whole, kChunk + 188), kChunk);
    expectReuse(whole, kChunk);  // the chunk that differed is not taken for this one's
    expectReuse(text(kChunk), 0);
    expectReuse(whole, kChunk);
}

TEST_P(CudaPrefixOf, RepeatsReuseWholeChunks) {
    m_settings.promptIds = text(2 * kChunk + 5);
    m_settings.repeats = 3;
    const std::vector<RepeatResult> repeats = run(nullptr);
    m_settings.repeats = 1;
    ASSERT_EQ(repeats.size(), 3U);
    for (size_t i = 0; i < repeats.size(); ++i) {
        EXPECT_EQ(repeats[i].reusedTokens, i == 0 ? 0 : 2 * kChunk);
        expectSame(repeats[i], fromNothing());
    }
}

INSTANTIATE_TEST_SUITE_P(
    All, CudaPrefixOf,
    testing::Values(std::tuple(Precision::Bf16, Mode::Eager), std::tuple(Precision::Bf16, Mode::Fused),
                    std::tuple(Precision::Bf16, Mode::Graph), std::tuple(Precision::Bf16, Mode::Persistent),
                    std::tuple(Precision::File, Mode::Eager), std::tuple(Precision::File, Mode::Graph),
                    std::tuple(Precision::Int8, Mode::Eager), std::tuple(Precision::Int8, Mode::Graph),
                    std::tuple(Precision::Int8, Mode::Persistent)),
    caseName);

TEST_F(CudaPrefix, NothingIsLeftOfAPromptWithoutAWholeChunk) {
    expectReuse(text(kChunk + 9), 0);
    expectReuse(changedAt(text(kChunk + 9), kChunk - 1), 0);
    EXPECT_NE(m_memory.cache, nullptr);
    expectReuse(text(kChunk - 1), 0);
    EXPECT_EQ(m_memory.cache, nullptr);
}

TEST_F(CudaPrefix, NothingIsLeftOfACancelledRun) {
    const Ids prompt = text(2 * kChunk + 70);
    for (const bool inPrompt : {true, false}) {
        expectReuse(prompt, 0);
        std::stop_source stop;
        GenerateEvents events;
        events.onProgress = [&](const std::string& phase, double) {
            if (phase == (inPrompt ? "Prefill" : "Decode")) stop.request_stop();
        };
        m_settings.promptIds = changedAt(prompt, kChunk);
        run(&m_memory, events, stop.get_token());
        EXPECT_TRUE(stop.stop_requested());
        EXPECT_EQ(m_memory.cache, nullptr);
    }
    expectReuse(prompt, 0);
}

// Beside what is left here no run has room.
TEST_F(CudaPrefix, WhatIsLeftMakesRoomForARun) {
    m_settings.promptIds = text(kChunk + 9);
    size_t freeBytes = 0, totalBytes = 0;
    GAPSCOPE_CUDA_OK(cudaMemGetInfo(&freeBytes, &totalBytes));
    void* occupied = nullptr;
    GAPSCOPE_CUDA_OK(cudaMalloc(&occupied, freeBytes - (size_t{100} << 20)));
    m_memory.cache = {occupied, [](const void* memory) { cudaFree(const_cast<void*>(memory)); }};
    m_memory.device = "cuda:0";
    m_memory.precision = m_settings.precision;
    m_memory.mode = *m_settings.mode;
    m_memory.text.tokens = m_settings.promptIds;
    expectReuse(m_settings.promptIds, 0);
}

TEST_F(CudaPrefix, HoldsWithDrafts) {
    m_settings.speculation = {.kind = Speculation::Ngram, .draftTokens = kMostDraftTokens};
    m_settings.maxNewTokens = 60;
    const Ids prompt = text(kChunk + 100);
    expectReuse(prompt, 0);
    expectReuse(prompt, kChunk);
}

TEST_F(CudaPrefix, HoldsBetweenModesThatRoundAlike) {
    const Ids prompt = text(kChunk + 33);
    expectReuse(prompt, 0);
    for (const Mode mode : {Mode::Fused, Mode::Persistent, Mode::Graph}) {
        m_settings.mode = mode;
        expectReuse(prompt, kChunk);
    }
    m_settings.mode = Mode::Eager;
    expectReuse(prompt, 0);
    m_settings.precision = Precision::Int8;
    m_fromNothing.clear();
    expectReuse(prompt, 0);
}

}  // namespace gapscope

// What a batch asks of a GPU: which chunks of a prompt it computes and which it takes from pages that another prompt
// filled. The device is one that only writes down what it is asked for.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "core/runner/batch_run.h"
#include "kernels/cpu/kv_cache_view.h"
#include "tests/support/test_files.h"

namespace gapscope {
namespace {

using Ids = std::vector<int32_t>;

// Of a prompt: from pages, or a pass over so many of its tokens from a position on.
struct Work {
    enum Kind { FromPages, Fill, Choose, Batch } kind;
    int64_t position = 0;
    int64_t tokens = 0;
    std::vector<int32_t> pages = {};
    bool operator==(const Work& other) const {
        return kind == other.kind && position == other.position && tokens == other.tokens;
    }
};

std::ostream& operator<<(std::ostream& out, const Work& work) {
    return out << "kind " << work.kind << " at " << work.position << ", " << work.tokens << " tokens";
}

class FakeGpu : public Backend {
public:
    const BackendInfo& info() const override { return m_info; }
    bool quantizedActivations() const override { return false; }
    int64_t kvElementBytes() const override { return 2; }
    PlanFlavor planFlavor() const override { return PlanFlavor::Cuda; }
    Result<PlanId> add(Plan plan) override {
        m_plans.push_back(std::move(plan));
        return m_plans.size() - 1;
    }
    const Plan& plan(PlanId id) const override { return m_plans[id]; }
    void uploadIds(const Step&, std::span<const int32_t>) override {}
    void launch(PlanId, size_t, const Step&) override {}
    void launchGraph(PlanId id, const Step& step) override {
        const PlanRequest& request = m_plans[id].request;
        work.push_back({request.batch  ? Work::Batch
                        : request.head ? Work::Choose
                                       : Work::Fill,
                        step.position, request.tokens, step.rows->pages});
    }
    void takeFromPages(const Step& step) override {
        work.push_back({Work::FromPages, step.position, 0, step.rows->pages});
    }
    Status readTokens(const Step&, std::span<int32_t> ids) override {
        std::ranges::fill(ids, 7);
        return {};
    }
    Status readLogits(const Step&, int64_t, std::span<float>) override { return {}; }
    Status synchronize() override { return {}; }
    void cancel() override {}

    std::vector<Work> work;

private:
    BackendInfo m_info;
    std::vector<Plan> m_plans;
};

class GpuBatch : public testing::Test {
protected:
    void SetUp() override {
        const auto model = Model::load(test::repositoryFile("resources/tiny-random-gemma3.gguf"));
        ASSERT_TRUE(model) << model.error().message;
        m_model = *model;
        m_settings.maxNewTokens = 1;
        m_settings.ignoreEos = true;
    }

    // Each prompt's work. `reused`: what was known of each.
    std::vector<std::vector<Work>> workOf(const std::vector<Ids>& prompts, std::vector<int64_t>& reused) {
        std::vector<std::vector<Work>> byPrompt;
        ActivityLog log(TraceLevel::Off);
        GenerateEvents events;
        FakeGpu gpu;
        events.onToken = [&](const TokenEvent&) { byPrompt.push_back(std::exchange(gpu.work, {})); };
        BatchRun batch(*m_model, m_settings, log, events, {}, gpu, Mode::Graph, prompts,
                       pagesOfBatch(prompts, static_cast<int64_t>(prompts.size()), m_settings.maxNewTokens));
        RepeatResult result;
        std::string stopReason;
        EXPECT_TRUE(batch.repeat(0, result, stopReason));
        reused.clear();
        for (const SequenceResult& sequence : result.sequences)
            reused.push_back(sequence.reusedTokens);
        return byPrompt;
    }

    std::shared_ptr<const Model> m_model;
    GenerateSettings m_settings;
};

Ids counting(int64_t tokens) {
    Ids ids(static_cast<size_t>(tokens));
    std::iota(ids.begin(), ids.end(), 0);
    return ids;
}

constexpr int64_t kChunk = kGpuChunkTokens;

TEST_F(GpuBatch, TakesWholeChunksFromAnotherPromptsPages) {
    const Ids first = counting(2 * kChunk + 76);
    Ids differs = counting(2 * kChunk + 30);
    differs[static_cast<size_t>(kChunk + 200)] = 9;
    const std::vector<Ids> prompts = {first, differs, counting(2 * kChunk), counting(2 * kChunk + 1),
                                      counting(kChunk - 1)};
    std::vector<int64_t> reused;
    const auto work = workOf(prompts, reused);
    ASSERT_EQ(work.size(), prompts.size());
    EXPECT_EQ(reused, (std::vector<int64_t>{0, kChunk, kChunk, 2 * kChunk, 0}));
    EXPECT_EQ(work[0], (std::vector<Work>{
                           {Work::Fill, 0, kChunk}, {Work::Fill, kChunk, kChunk}, {Work::Choose, 2 * kChunk, 76}}));
    EXPECT_EQ(work[1], (std::vector<Work>{
                           {Work::FromPages, kChunk}, {Work::Fill, kChunk, kChunk}, {Work::Choose, 2 * kChunk, 30}}));
    EXPECT_EQ(work[2], (std::vector<Work>{{Work::FromPages, kChunk}, {Work::Choose, kChunk, kChunk}}))
        << "the last token's logits are wanted";
    EXPECT_EQ(work[3], (std::vector<Work>{{Work::FromPages, 2 * kChunk}, {Work::Batch, 2 * kChunk, 1}}));
    EXPECT_EQ(work[4], (std::vector<Work>{{Work::Choose, 0, kChunk - 1}}));
    const auto sharedPages = [&](size_t a, size_t b) {
        const std::vector<int32_t>& pages = work[a].front().pages;
        return std::ranges::mismatch(pages, work[b].front().pages).in1 - pages.begin();
    };
    EXPECT_EQ(sharedPages(0, 1) * kKvPagePositions, kChunk);
    EXPECT_EQ(sharedPages(0, 3) * kKvPagePositions, 2 * kChunk);
}

// What is behind the last whole chunk has the bits of a pass of its own length.
TEST_F(GpuBatch, SharesNothingOfAChunkThatIsNotWhole) {
    std::vector<int64_t> reused;
    workOf({counting(kChunk + 400), counting(2 * kChunk + 5), counting(2 * kChunk + 6)}, reused);
    EXPECT_EQ(reused, (std::vector<int64_t>{0, kChunk, 2 * kChunk}))
        << "the second prompt's whole chunk is found, though the first one's tokens are in it";
    workOf({counting(kChunk - 1), counting(kChunk - 1)}, reused);
    EXPECT_EQ(reused, (std::vector<int64_t>{0, 0}));
}

}  // namespace
}  // namespace gapscope

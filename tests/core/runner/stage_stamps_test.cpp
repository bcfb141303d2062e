// The stages of mode persistent from its plan, and what their stamps become: no GPU is needed for either.
#include "core/runner/stage_stamps.h"

#include <gtest/gtest.h>

#include "core/runner/generate.h"
#include "tests/support/test_files.h"

namespace gapscope {
namespace {

PlannedStage stage(const char* name, int64_t bytes = 0) {
    return {.op = {.opName = name}, .bytes = bytes};
}

TEST(PlannedStages, AreThoseOfTheKernelInItsOrder) {
    auto loaded = Model::load(test::repositoryFile("resources/tiny-random-gemma3.gguf"));
    ASSERT_TRUE(loaded) << loaded.error().message;
    const Model& model = **loaded;
    for (const bool boundsHead : {false, true}) {
        const Plan plan = makePlan(
            model,
            {.flavor = PlanFlavor::Cuda, .precision = Precision::Bf16, .boundsHead = boundsHead, .kvElementBytes = 2});
        const std::vector<PlannedStage> stages = plannedStages(plan);
        // The kernel's own count, kernels/cuda/persistent_decode.h.
        ASSERT_EQ(stages.size(), 9 * static_cast<size_t>(model.config().layers) + 4);
        struct Expected {
            const char* name;
            Category category;
        };
        constexpr Expected kOfLayer[] = {
            {"qkv_proj: input", Category::Norm}, {"qkv_proj", Category::Gemm},
            {"attention", Category::Attention},  {"o_proj: input", Category::Attention},
            {"o_proj", Category::Gemm},          {"gate_up_gelu: input", Category::Norm},
            {"gate_up_gelu", Category::Gemm},    {"down_proj: input", Category::Communication},
            {"down_proj", Category::Gemm}};
        for (size_t at = 1; at + 3 < stages.size(); ++at) {
            const Expected& expected = kOfLayer[(at - 1) % std::size(kOfLayer)];
            EXPECT_EQ(stages[at].op.opName, expected.name);
            EXPECT_EQ(stages[at].op.category, expected.category);
            EXPECT_EQ(stages[at].op.layer, static_cast<int32_t>((at - 1) / std::size(kOfLayer)));
            EXPECT_EQ(stages[at].bytes > 0, expected.category == Category::Gemm) << expected.name;
        }
        const LayerWeights& first = model.layers().front();
        const int64_t weights = 2 * (first.down.rows * first.down.columns);
        EXPECT_GE(stages[9].bytes, weights);
        EXPECT_LT(stages[9].bytes, weights + 8 * (first.down.rows + first.down.columns));
        EXPECT_EQ(stages.front().op.opName, "embed_tokens");
        EXPECT_EQ(stages[stages.size() - 3].op.opName, "lm_head: input");
        EXPECT_EQ(stages[stages.size() - 2].op.opName, "lm_head");
        EXPECT_EQ(stages.back().op.opName, "next_token");
    }
}

TEST(StageStamps, BecomeTheirDifferences) {
    ActivityLog log;
    StageStamps stamps({stage("a: input"), stage("a", 70)}, log);
    std::vector<uint32_t> memory(stamps.stampCount());
    const StageStamps::Launch first = stamps.next(memory.data(), log), second = stamps.next(memory.data(), log);
    EXPECT_NE(first.number, 0U);
    EXPECT_NE(first.number, second.number);
    std::ranges::copy(std::initializer_list<uint32_t>{100, 103, 110}, first.stamps);
    std::ranges::copy(std::initializer_list<uint32_t>{UINT32_MAX - 1, UINT32_MAX, 6}, second.stamps);  // wraps around
    stamps.tell(memory.data(), log);
    stamps.tell(memory.data(), log);  // nothing is told twice
    const ActivityLog::Batch batch = log.drain();
    ASSERT_EQ(batch.stages.size(), 2U);
    EXPECT_EQ(batch.untoldStages, 0);
    for (size_t at = 0; at < 2; ++at) {
        const StagesActivity& told = batch.stages[at];
        EXPECT_EQ(told.launch, (at == 0 ? first : second).number);
        ASSERT_EQ(told.stages.size(), 2U);
        EXPECT_EQ(told.stages[0].ticks, at == 0 ? 3 : 1);
        EXPECT_EQ(told.stages[1].ticks, 7);
        EXPECT_EQ(batch.ops[told.stages[1].op].opName, "a");
        EXPECT_EQ(told.stages[1].bytes, 70);
    }
}

TEST(StageStamps, CountTheLaunchesThatTheyHaveNoRoomFor) {
    ActivityLog log;
    StageStamps stamps({stage("a")}, log);
    std::vector<uint32_t> memory(stamps.stampCount());
    for (const size_t more : {3U, 0U, 1U}) {
        for (size_t i = 0; i < StageStamps::kSlots; ++i) {
            const StageStamps::Launch launch = stamps.next(memory.data(), log);
            ASSERT_NE(launch.number, 0U);
            ASSERT_LE(launch.stamps + 2, memory.data() + memory.size());
        }
        for (size_t i = 0; i < more; ++i) {
            EXPECT_EQ(stamps.next(memory.data(), log).number, 0U);
            EXPECT_EQ(stamps.next(memory.data(), log).stamps, nullptr);
        }
        stamps.tell(memory.data(), log);
        const ActivityLog::Batch batch = log.drain();
        EXPECT_EQ(batch.stages.size(), StageStamps::kSlots);
        EXPECT_EQ(batch.untoldStages, static_cast<int64_t>(2 * more));
    }
    EXPECT_TRUE(log.drain().empty());
    log.addUntoldStages(1);
    EXPECT_FALSE(log.drain().empty());
}

}  // namespace
}  // namespace gapscope

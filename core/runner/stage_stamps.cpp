#include "core/runner/stage_stamps.h"

#include <utility>

namespace gapscope {

namespace {

// What brings the input of a product into each block: norms, with what all blocks computed before; the parts of
// attention; activations as they are.
Category inputCategory(OpKind kind) {
    if (kind == OpKind::CombineMatmul) return Category::Attention;
    return kind == OpKind::Matmul ? Category::Communication : Category::Norm;
}

bool isProduct(OpKind kind) {
    return kind == OpKind::NormQkv || kind == OpKind::CombineMatmul || kind == OpKind::NormGateUp ||
           kind == OpKind::Matmul || kind == OpKind::NormHead || kind == OpKind::HeadBounds;
}

}  // namespace

std::vector<PlannedStage> plannedStages(const Plan& plan) {
    std::vector<PlannedStage> stages;
    for (const PlanOp& op : plan.ops) {
        // The rope's table comes with the embedding, the choice of the token in one piece.
        if (op.kind == OpKind::CosSin || (op.head && !isProduct(op.kind) && op.kind != OpKind::Argmax)) continue;
        PlannedStage stage{.op = describeOp(op, plan.request), .bytes = 0};
        if (isProduct(op.kind)) {
            PlannedStage input = stage;
            input.op.opName += kStageInputSuffix;
            input.op.category = inputCategory(op.kind);
            stages.push_back(std::move(input));
            stage.bytes = op.fixedCost.bytes;
        }
        stages.push_back(std::move(stage));
    }
    return stages;
}

StageStamps::StageStamps(const std::vector<PlannedStage>& stages, ActivityLog& log) {
    for (const PlannedStage& stage : stages)
        m_stages.push_back({.op = log.describe(stage.op), .bytes = stage.bytes});
}

StageStamps::Launch StageStamps::next(uint32_t* memory, ActivityLog& log) {
    if (m_launched.size() == kSlots) {
        ++m_untold;
        return {};
    }
    m_launched.push_back(log.nextCorrelationId());
    return {m_launched.back(), memory + (m_launched.size() - 1) * stampsOfLaunch()};
}

void StageStamps::tell(const uint32_t* memory, ActivityLog& log) {
    for (const uint32_t launch : m_launched) {
        StagesActivity told{.launch = launch, .stages = m_stages};
        for (size_t stage = 0; stage < m_stages.size(); ++stage)
            told.stages[stage].ticks = static_cast<int64_t>(memory[stage + 1] - memory[stage]);
        log.add(std::move(told));
        memory += stampsOfLaunch();
    }
    m_launched.clear();
    if (m_untold > 0) log.addUntoldStages(std::exchange(m_untold, 0));
}

}  // namespace gapscope

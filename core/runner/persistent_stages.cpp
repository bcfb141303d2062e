#include "core/runner/persistent_stages.h"

#include <cuda_runtime_api.h>

#include <utility>

#include "kernels/cuda/persistent_decode.h"

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

Result<PersistentStages> PersistentStages::create(const Plan& plan, int layers, ActivityLog& log) {
    std::vector<uint32_t> ops;
    for (const PlanOp& op : plan.ops) {
        // The rope's table comes with the embedding, the choice of the token in one piece.
        if (op.kind == OpKind::CosSin || (op.head && !isProduct(op.kind) && op.kind != OpKind::Argmax)) continue;
        OpActivity stage = describeOp(op, plan.request);
        if (isProduct(op.kind)) {
            OpActivity input = stage;
            input.opName += ": input";
            input.category = inputCategory(op.kind);
            ops.push_back(log.describe(std::move(input)));
        }
        ops.push_back(log.describe(std::move(stage)));
    }
    if (ops.size() != cuda::persistentStageCount(layers))
        return fail("Mode persistent does other steps than its plan tells; its stages cannot be named.");
    void* raw = nullptr;
    const cudaError_t error = cudaHostAlloc(&raw, kSlots * (ops.size() + 1) * sizeof(uint32_t), cudaHostAllocMapped);
    if (error != cudaSuccess)
        return cudaFailure("No pinned memory could be had for the stages of mode persistent", error);
    return PersistentStages(std::move(ops), CudaHostMemory(raw));
}

PersistentStages::Launch PersistentStages::next(ActivityLog& log) {
    if (m_launched.size() == kSlots) return {};
    m_launched.push_back(log.nextCorrelationId());
    return {m_launched.back(), slot(m_launched.size() - 1)};
}

void PersistentStages::tell(ActivityLog& log) {
    for (size_t at = 0; at < m_launched.size(); ++at) {
        const uint32_t* const stamps = slot(at);
        StagesActivity told{.launch = m_launched[at], .stages = {}};
        told.stages.reserve(m_ops.size());
        for (size_t stage = 0; stage < m_ops.size(); ++stage)
            told.stages.push_back({m_ops[stage], static_cast<int64_t>(stamps[stage + 1] - stamps[stage])});
        log.add(std::move(told));
    }
    m_launched.clear();
}

}  // namespace gapscope

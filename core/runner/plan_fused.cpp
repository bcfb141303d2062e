// The fused plan: eight kernels a layer, each reading its weights once and its small neighbours folded in.
#include "core/runner/plan_builder.h"

namespace gapscope {

Plan makeFusedPlan(const Model& model, const PlanRequest& request) {
    PlanBuilder plan(model, request);
    const ModelConfig& config = plan.config();
    plan.embedding(config.embeddingScale);
    plan.cosSin({{Buffer::CosGlobal}, {Buffer::SinGlobal}, {Buffer::CosLocal}, {Buffer::SinLocal}}, true, "rotary");

    const auto layerCount = static_cast<int32_t>(config.layers);
    for (int32_t layer = 0; layer < layerCount; ++layer) {
        const LayerWeights& weights = model.layers()[static_cast<size_t>(layer)];
        plan.enterLayer(layer);
        if (layer == 0)
            plan.small(OpKind::RmsNorm, "input_norm", 1, config.hidden, {{Buffer::Residual}}, {{Buffer::Normed}})
                .norms[0] = &weights.inputNorm;
        plan.matmul(Buffer::Normed, {&weights.q, &weights.k, &weights.v}, {Buffer::Query, Buffer::Key, Buffer::Value},
                    "qkv_proj", "qkv");
        PlanOp& rope = plan.small(OpKind::QkNormRopeCache, "qk_norm_rope_cache", config.heads, config.headDim,
                                  {{Buffer::Query}, {Buffer::Key}, {Buffer::Value}}, {{Buffer::Query}});
        rope.norms = {&weights.queryNorm, &weights.keyNorm};
        rope.fixedCost.bytes =
            request.tokens * config.headDim * (8 * config.heads + 2 * config.kvHeads * (4 + request.kvElementBytes));
        // A part of the prompt without its end only has to leave keys and values behind.
        const bool last = layer + 1 == layerCount;
        if (last && !request.head) break;
        plan.attention();
        plan.matmul(Buffer::Attended, {&weights.output}, {Buffer::Projected}, "o_proj");
        PlanOp& middle = plan.small(OpKind::AddRmsNorm, "post_attention_norm", 1, config.hidden,
                                    {{Buffer::Projected}, {Buffer::Residual}}, {{Buffer::Normed}});
        middle.norms = {&weights.postAttentionNorm, &weights.preFeedForwardNorm};
        plan.gateUpGelu(weights);
        plan.matmul(Buffer::Gate, {&weights.down}, {Buffer::Projected}, "down_proj");
        if (last) plan.enterHead();
        PlanOp& end =
            plan.small(OpKind::AddRmsNorm, last ? "final_norm" : "post_ffn_norm", 1, config.hidden,
                       {plan.lastRows(Buffer::Projected), plan.lastRows(Buffer::Residual)}, {{Buffer::Normed}});
        end.norms = {&weights.postFeedForwardNorm,
                     last ? &model.outputNorm() : &model.layers()[static_cast<size_t>(layer) + 1].inputNorm};
    }
    if (request.head && request.boundsHead) {
        plan.boundedHead();
    } else if (request.head) {
        plan.matmul(Buffer::Normed, {&model.head()}, {Buffer::Logits}, "lm_head");
        plan.argmax();
    }
    return plan.take();
}

}  // namespace gapscope

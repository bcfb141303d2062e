// Fused, drafts checked: a few tokens whose products read each weight once, and everything about them as the step of
// one token computes it, so that each token gets the logits that it has alone. Norms are kernels of their own here, and
// attention joins its parts itself: inside the products every block would do both for every token.
#include <utility>

#include "core/runner/plan_cuda.h"

namespace gapscope {

PlanOp& CudaPlan::rowsProduct(std::string opName, Buffer in, std::initializer_list<const MatrixView*> matrices,
                              std::initializer_list<Buffer> out, int64_t outBytes) {
    return product(OpKind::MatmulRows, "gemv_rows", std::move(opName), {in}, matrices, out, outBytes);
}

Plan CudaPlan::checkDrafts() {
    const int64_t hidden = m_config.hidden;
    embedding(m_config.embeddingScale, kFloatBytes);
    ropeTable();
    const std::vector<float>* postNorm = nullptr;  // of the sublayer before, whose output waits in Projected
    const auto norm = [&](const std::string& name, const std::vector<float>& next) {
        PlanOp& op = small(OpKind::NormRows, Category::Norm, "norm_rows_bf16", name, 1, hidden,
                           postNorm ? 3 * kFloatBytes + kBf16Bytes : kFloatBytes + kBf16Bytes, {{Buffer::Residual}},
                           {{Buffer::Normed}});
        op.norms = {postNorm, &next};
        op.fixedCost.flops = (postNorm ? 9 : 4) * op.tokens * hidden;
        if (postNorm) op.in[1] = {Buffer::Projected};
    };
    for (int32_t layer = 0; layer < m_config.layers; ++layer) {
        const LayerWeights& weights = m_model.layers()[static_cast<size_t>(layer)];
        enter(layer);
        norm("input_norm", weights.inputNorm);
        rowsProduct("qkv_proj", Buffer::Normed, {&weights.q, &weights.k, &weights.v},
                    {Buffer::Query, Buffer::Key, Buffer::Value}, kFloatBytes);
        small(OpKind::RopeCacheRows, Category::Rope, "rope_cache_rows_bf16", "k_norm_rope_cache", 2 * m_config.kvHeads,
              m_config.headDim, kFloatBytes + kBf16Bytes, {{Buffer::Key}, {Buffer::Value}}, {})
            .norms = {&weights.queryNorm, &weights.keyNorm};
        PlanOp& attended = attention(OpKind::AttentionRows, "attention_rows_norm_rope_bf16");
        attended.norms = {&weights.queryNorm, &weights.keyNorm};
        rowsProduct("o_proj", Buffer::Attended, {&weights.output}, {Buffer::Projected}, kFloatBytes);
        postNorm = &weights.postAttentionNorm;
        norm("post_attention_norm", weights.preFeedForwardNorm);
        product(OpKind::GateUpRows, "gemv_gate_up_gelu_rows", "gate_up_gelu", {Buffer::Normed},
                {&weights.gate, &weights.up}, {Buffer::Activated}, 1);
        rowsProduct("down_proj", Buffer::Activated, {&weights.down}, {Buffer::Projected}, kFloatBytes);
        postNorm = &weights.postFeedForwardNorm;
    }
    enter(-1);
    m_head = true;
    norm("final_norm", m_model.outputNorm());
    rowsProduct("lm_head", Buffer::Normed, {&m_model.head()}, {Buffer::Logits}, kFloatBytes);
    if (m_plan.request.boundsHead)
        boundHead(m_plan.ops.back());
    else
        partialArgmax();
    chooseToken();
    return std::move(m_plan);
}

}  // namespace gapscope

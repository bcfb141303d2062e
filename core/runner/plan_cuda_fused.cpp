// Fused: five kernels a layer for one token; for more, matmuls with the small ops between them folded together.
#include <utility>

#include "core/runner/plan_cuda.h"

namespace gapscope {

Plan CudaPlan::fusedDecode() {
    embedding(m_config.embeddingScale, kFloatBytes);
    ropeTable();
    Buffer stream = Buffer::Residual;
    Buffer other = Buffer::ResidualOther;
    const std::vector<float>* postNorm = nullptr;  // of the sublayer before, whose output waits in Projected
    // What a norm in a GEMV reads and leaves behind; the stream moves to the other buffer.
    const auto withNorm = [&](PlanOp& op, const std::vector<float>& next) {
        op.norms = {postNorm, &next};
        op.fixedCost.flops += (postNorm ? 9 : 4) * m_config.hidden;
        if (!postNorm) return;
        op.in[1] = {Buffer::Projected};
        op.out[3] = {other};
        op.fixedCost.bytes += 3 * kFloatBytes * m_config.hidden;
        std::swap(stream, other);
    };
    for (int32_t layer = 0; layer < m_config.layers; ++layer) {
        const LayerWeights& weights = m_model.layers()[static_cast<size_t>(layer)];
        enter(layer);
        withNorm(product(OpKind::NormQkv, "gemv_norm_qkv", "qkv_proj", {stream}, {&weights.q, &weights.k, &weights.v},
                         {Buffer::Query, Buffer::Key, Buffer::Value}, kFloatBytes),
                 weights.inputNorm);
        PlanOp& attended = attention(OpKind::AttentionDecode, "attention_decode_norm_rope_bf16");
        attended.norms = {&weights.queryNorm, &weights.keyNorm};
        attended.out[0] = {Buffer::Partials};
        if (isLast(layer) && !m_plan.request.head) return std::move(m_plan);
        product(OpKind::CombineMatmul, "gemv_combine_output", "o_proj", {Buffer::Partials}, {&weights.output},
                {Buffer::Projected}, kFloatBytes);
        postNorm = &weights.postAttentionNorm;
        withNorm(product(OpKind::NormGateUp, "gemv_norm_gate_up_gelu", "gate_up_gelu", {stream},
                         {&weights.gate, &weights.up}, {Buffer::Activated}, 1),
                 weights.preFeedForwardNorm);
        product(OpKind::Matmul, "gemv_split", "down_proj", {Buffer::Activated}, {&weights.down}, {Buffer::Projected},
                kFloatBytes);
        postNorm = &weights.postFeedForwardNorm;
    }
    enter(-1);
    m_head = true;
    withNorm(product(OpKind::NormHead, "gemv_norm_head", "lm_head", {stream}, {&m_model.head()}, {Buffer::Logits},
                     kFloatBytes),
             m_model.outputNorm());
    if (m_plan.request.boundsHead) boundHead(m_plan.ops.back());
    chooseToken();
    return std::move(m_plan);
}

Plan CudaPlan::fusedPrefill() {
    const int64_t hidden = m_config.hidden;
    embedding(m_config.embeddingScale, kFloatBytes);
    ropeTable();
    for (int32_t layer = 0; layer < m_config.layers; ++layer) {
        const LayerWeights& weights = m_model.layers()[static_cast<size_t>(layer)];
        enter(layer);
        if (layer == 0)
            small(OpKind::RmsNorm, Category::Norm, "rms_norm", "input_norm", 1, hidden, 6, {{Buffer::Residual}},
                  {{Buffer::Normed}})
                .norms[0] = &weights.inputNorm;
        prefillQkv(weights);
        if (isLast(layer) && !m_plan.request.head) return std::move(m_plan);
        attention(OpKind::Attention, "attention_prefill_bf16").in[0] = {Buffer::Rotated};
        prefillLinear(Buffer::Attended, {&weights.output}, {Buffer::Projected}, {"o_proj"});
        small(OpKind::AddRmsNorm, Category::Norm, "add_rms_norm", "post_attention_norm", 1, hidden, 14,
              {{Buffer::Projected}, {Buffer::Residual}}, {{Buffer::Normed}})
            .norms = {&weights.postAttentionNorm, &weights.preFeedForwardNorm};
        prefillLinear(Buffer::Normed, {&weights.gate, &weights.up}, {Buffer::Gate, Buffer::Up},
                      {"gate_proj", "up_proj"});
        small(OpKind::GeluGate, Category::Elementwise, "gelu_gate_bf16", "gelu_gate", 1, m_config.feedForward, 10,
              {{Buffer::Gate}, {Buffer::Up}}, {{Buffer::Activated}});
        prefillLinear(Buffer::Activated, {&weights.down}, {Buffer::Projected}, {"down_proj"});
        if (isLast(layer)) {
            enter(-1);
            m_head = true;
        }
        small(OpKind::AddRmsNorm, Category::Norm, "add_rms_norm", m_head ? "final_norm" : "post_ffn_norm", 1, hidden,
              14, {lastRow(Buffer::Projected), lastRow(Buffer::Residual)}, {{Buffer::Normed}})
            .norms = {&weights.postFeedForwardNorm,
                      m_head ? &m_model.outputNorm() : &m_model.layers()[static_cast<size_t>(layer) + 1].inputNorm};
    }
    product(OpKind::Matmul, "gemv_many_rows", "lm_head", {Buffer::Normed}, {&m_model.head()}, {Buffer::Logits},
            kFloatBytes);
    partialArgmax();
    chooseToken();
    return std::move(m_plan);
}

}  // namespace gapscope

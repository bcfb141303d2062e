// Eager: what PyTorch launches for transformers' Gemma 3, kernel by kernel.
#include <cmath>
#include <utility>

#include "core/runner/plan_cuda.h"

namespace gapscope {

// Gemma3RMSNorm.forward: x.float(), pow, mean, + eps, rsqrt, mul, weight.float(), 1 + weight, mul, type_as.
void CudaPlan::eagerNorm(const std::string& name, Operand in, Buffer out, int64_t heads, int64_t columns,
                         const std::vector<float>& weights) {
    const Operand x{Buffer::FloatInput};
    const Operand product{Buffer::FloatProduct};
    const Operand scale{Buffer::RowScale};
    const Operand weight{Buffer::FloatWeights};
    small(OpKind::CastFloat, Category::Elementwise, "cast_to_float", name + ".float", heads, columns, 6, {in}, {x});
    small(OpKind::Square, Category::Elementwise, "pow_f32", name + ".pow", heads, columns, 8, {x}, {product});
    small(OpKind::MeanRows, Category::Reduction, "mean_f32", name + ".mean", heads, columns, 4, {product}, {scale});
    small(OpKind::AddScalar, Category::Elementwise, "add_scalar_f32", name + ".add_eps", heads, 1, 8, {scale}, {scale})
        .scalar = static_cast<float>(m_config.rmsEpsilon);
    small(OpKind::Rsqrt, Category::Elementwise, "rsqrt_f32", name + ".rsqrt", heads, 1, 8, {scale}, {scale});
    small(OpKind::MulRows, Category::Elementwise, "mul_rows_f32", name + ".mul_rsqrt", heads, columns, 8, {x, scale},
          {product});
    PlanOp& cast = small(OpKind::CastFloat, Category::Elementwise, "cast_to_float", name + ".weight_float", 1, columns,
                         6, {}, {weight});
    cast.tokens = 1;
    cast.fixedCost = {6 * columns, 0};
    cast.norms[0] = &weights;
    PlanOp& one = small(OpKind::AddScalar, Category::Elementwise, "add_scalar_f32", name + ".one_plus_weight", 1,
                        columns, 8, {weight}, {weight});
    one.tokens = 1;
    one.fixedCost = {8 * columns, columns};
    one.scalar = 1;
    small(OpKind::MulWeights, Category::Elementwise, "mul_weights_f32", name + ".mul_weight", heads, columns, 8,
          {product, weight}, {product});
    small(OpKind::CastBf16, Category::Elementwise, "cast_to_bf16", name + ".type_as", heads, columns, 6, {product},
          {{out}});
}

// apply_rotary_pos_emb: x * cos + cat(-x2, x1) * sin.
void CudaPlan::eagerRope(const std::string& name, Buffer x, int64_t heads) {
    const int64_t columns = m_config.headDim;
    const Operand cos{m_global ? Buffer::CosGlobal : Buffer::CosLocal};
    const Operand sin{m_global ? Buffer::SinGlobal : Buffer::SinLocal};
    small(OpKind::MulHeads, Category::Elementwise, "mul_heads_bf16", name + ".mul_cos", heads, columns, 4, {{x}, cos},
          {{Buffer::Rotated}});
    small(OpKind::NegateHalf, Category::Elementwise, "neg_bf16", name + ".neg", heads, columns / 2, 4, {{x}},
          {{Buffer::Negated}});
    small(OpKind::JoinHalves, Category::Copy, "cat_bf16", name + ".cat", heads, columns, 4, {{Buffer::Negated}, {x}},
          {{Buffer::Projected}});
    small(OpKind::MulHeads, Category::Elementwise, "mul_heads_bf16", name + ".mul_sin", heads, columns, 4,
          {{Buffer::Projected}, sin}, {{Buffer::Projected}});
    small(OpKind::Add, Category::Elementwise, "add_bf16", name + ".add", heads, columns, 6,
          {{Buffer::Rotated}, {Buffer::Projected}}, {{x}});
}

void CudaPlan::eagerResidual(const std::string& name, const std::vector<float>& weights) {
    const int64_t hidden = m_config.hidden;
    eagerNorm(name, {Buffer::Projected}, Buffer::Projected, 1, hidden, weights);
    small(OpKind::Add, Category::Elementwise, "add_bf16", name + ".residual", 1, hidden, 6,
          {{Buffer::Residual}, {Buffer::Projected}}, {{Buffer::Residual}});
}

namespace {

// Rounded to nearest even, as embed_scale.to(bfloat16) is.
double roundToBf16(double value) {
    int exponent = 0;
    const double mantissa = std::frexp(value, &exponent);
    return std::ldexp(std::nearbyint(std::ldexp(mantissa, 8)), exponent - 8);
}

}  // namespace

Plan CudaPlan::eager() {
    const int64_t heads = m_config.heads;
    const int64_t kvHeads = m_config.kvHeads;
    const int64_t headDim = m_config.headDim;
    embedding(1, kBf16Bytes);
    small(OpKind::MulScalar, Category::Elementwise, "mul_scalar_bf16", "embed_scale", 1, m_config.hidden, 4,
          {{Buffer::Residual}}, {{Buffer::Residual}})
        .scalar = static_cast<float>(roundToBf16(m_config.embeddingScale));
    for (const bool global : {true, false}) {
        PlanOp& op = small(
            OpKind::CosSin, Category::Rope, "rope_cos_sin", global ? "rotary_global" : "rotary_local", 1, headDim, 4,
            {}, {{global ? Buffer::CosGlobal : Buffer::CosLocal}, {global ? Buffer::SinGlobal : Buffer::SinLocal}});
        op.global = global;
    }
    for (int32_t layer = 0; layer < m_config.layers; ++layer) {
        const LayerWeights& weights = m_model.layers()[static_cast<size_t>(layer)];
        enter(layer);
        eagerNorm("input_norm", {Buffer::Residual}, Buffer::Normed, 1, m_config.hidden, weights.inputNorm);
        eagerLinear(Buffer::Normed, weights.q, Buffer::Query, "q_proj");
        eagerLinear(Buffer::Normed, weights.k, Buffer::Key, "k_proj");
        eagerLinear(Buffer::Normed, weights.v, Buffer::Value, "v_proj");
        eagerNorm("q_norm", {Buffer::Query}, Buffer::Query, heads, headDim, weights.queryNorm);
        eagerNorm("k_norm", {Buffer::Key}, Buffer::Key, kvHeads, headDim, weights.keyNorm);
        eagerRope("q_rope", Buffer::Query, heads);
        eagerRope("k_rope", Buffer::Key, kvHeads);
        for (const Buffer half : {Buffer::Key, Buffer::Value})
            small(OpKind::CacheWrite, Category::Copy, "cache_write_bf16", half == Buffer::Key ? "cache_k" : "cache_v",
                  kvHeads, headDim, 4, {{half}}, {});
        // A part of the prompt without its end only has to leave keys and values behind.
        if (isLast(layer) && !m_plan.request.head) break;
        const bool inParts = rows() == 1 || checks();
        PlanOp& attended = attention(OpKind::Attention, inParts ? "attention_bf16" : "attention_prefill_bf16");
        if (inParts) {
            attended.out[0] = {Buffer::Partials};
            small(OpKind::AttentionCombine, Category::Attention, "attention_combine_bf16", "attention_combine", heads,
                  headDim, kBf16Bytes, {{Buffer::Partials}}, {{Buffer::Attended}});
        }
        eagerLinear(Buffer::Attended, weights.output, Buffer::Projected, "o_proj");
        eagerResidual("post_attention_norm", weights.postAttentionNorm);
        eagerNorm("pre_ffn_norm", {Buffer::Residual}, Buffer::Normed, 1, m_config.hidden, weights.preFeedForwardNorm);
        eagerLinear(Buffer::Normed, weights.gate, Buffer::Gate, "gate_proj");
        small(OpKind::Gelu, Category::Elementwise, "gelu_tanh_bf16", "gelu", 1, m_config.feedForward, 4,
              {{Buffer::Gate}}, {{Buffer::Gate}});
        eagerLinear(Buffer::Normed, weights.up, Buffer::Up, "up_proj");
        small(OpKind::Mul, Category::Elementwise, "mul_bf16", "gate_mul", 1, m_config.feedForward, 6,
              {{Buffer::Gate}, {Buffer::Up}}, {{Buffer::Gate}});
        eagerLinear(Buffer::Gate, weights.down, Buffer::Projected, "down_proj");
        eagerResidual("post_ffn_norm", weights.postFeedForwardNorm);
    }
    if (!m_plan.request.head) return std::move(m_plan);
    enter(-1);
    m_head = true;
    eagerNorm("final_norm", lastRow(Buffer::Residual), Buffer::Normed, 1, m_config.hidden, m_model.outputNorm());
    if (checks())
        rowsProduct("lm_head", Buffer::Normed, {&m_model.head()}, {Buffer::LogitsBf16}, kBf16Bytes);
    else
        product(OpKind::Matmul, "gemv_many_rows", "lm_head", {Buffer::Normed}, {&m_model.head()}, {Buffer::LogitsBf16},
                kBf16Bytes);
    small(OpKind::CastFloat, Category::Elementwise, "cast_to_float", "logits.float", 1, m_config.vocabulary, 6,
          {{Buffer::LogitsBf16}}, {{Buffer::Logits}});
    partialArgmax();
    chooseToken();
    return std::move(m_plan);
}

}  // namespace gapscope

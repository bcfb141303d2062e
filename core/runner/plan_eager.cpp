// The plan of eager PyTorch: each op of the Gemma 3 modules is a kernel of its own.
#include "core/runner/plan_builder.h"

namespace gapscope {

namespace {

// x.pow(2), mean(-1), + eps, rsqrt, x * r, * weight: the six kernels of Gemma3RMSNorm. (Its seventh, 1 + weight, is
// done once at load.)
void norm(PlanBuilder& plan, const std::string& name, Operand in, Buffer out, int64_t heads, int64_t columns,
          const std::vector<float>& weights) {
    plan.small(OpKind::Square, name + ".pow", heads, columns, {in}, {{Buffer::Scratch}});
    PlanOp& mean =
        plan.small(OpKind::MeanRows, name + ".mean", heads, columns, {{Buffer::Scratch}}, {{Buffer::RowScale}});
    mean.fixedCost.bytes = 4 * mean.tokens * heads * (columns + 1);
    plan.small(OpKind::AddScalar, name + ".add_eps", heads, 1, {{Buffer::RowScale}}, {{Buffer::RowScale}}).scalar =
        static_cast<float>(plan.config().rmsEpsilon);
    plan.small(OpKind::Rsqrt, name + ".rsqrt", heads, 1, {{Buffer::RowScale}}, {{Buffer::RowScale}});
    PlanOp& scaled =
        plan.small(OpKind::MulRows, name + ".mul_rsqrt", heads, columns, {in, {Buffer::RowScale}}, {{Buffer::Scratch}});
    scaled.fixedCost.bytes = 4 * scaled.tokens * heads * (2 * columns + 1);
    PlanOp& weighted =
        plan.small(OpKind::MulWeights, name + ".mul_weight", heads, columns, {{Buffer::Scratch}}, {{out}});
    weighted.norms[0] = &weights;
    weighted.fixedCost.bytes += 4 * columns;
}

// apply_rotary_pos_emb: x * cos + rotate_half(x) * sin.
void rope(PlanBuilder& plan, const std::string& name, Buffer x, int64_t heads, bool global) {
    const int64_t columns = plan.config().headDim;
    const Operand cos{global ? Buffer::CosGlobal : Buffer::CosLocal};
    const Operand sin{global ? Buffer::SinGlobal : Buffer::SinLocal};
    plan.small(OpKind::MulHeads, name + ".mul_cos", heads, columns, {{x}, cos}, {{Buffer::Rotated}});
    plan.small(OpKind::RotateHalf, name + ".rotate_half", heads, columns, {{x}}, {{Buffer::Scratch}});
    plan.small(OpKind::MulHeads, name + ".mul_sin", heads, columns, {{Buffer::Scratch}, sin}, {{Buffer::Scratch}});
    plan.small(OpKind::Add, name + ".add", heads, columns, {{Buffer::Rotated}, {Buffer::Scratch}}, {{x}});
}

void projection(PlanBuilder& plan, Buffer in, const MatrixView& matrix, Buffer out, const std::string& name) {
    plan.matmul(in, {&matrix}, {out}, name);
}

// Norms the sublayer's output and adds it to the residual stream.
void residual(PlanBuilder& plan, const std::string& name, const std::vector<float>& weights) {
    const int64_t hidden = plan.config().hidden;
    norm(plan, name, {Buffer::Projected}, Buffer::Projected, 1, hidden, weights);
    plan.small(OpKind::Add, name + ".residual", 1, hidden, {{Buffer::Residual}, {Buffer::Projected}},
               {{Buffer::Residual}});
}

}  // namespace

Plan makeEagerPlan(const Model& model, const PlanRequest& request) {
    PlanBuilder plan(model, request);
    const ModelConfig& config = plan.config();
    const int64_t queries = config.heads * config.headDim;
    plan.embedding(1);
    plan.small(OpKind::MulScalar, "embed_scale", 1, config.hidden, {{Buffer::Residual}}, {{Buffer::Residual}}).scalar =
        static_cast<float>(config.embeddingScale);
    plan.cosSin({{Buffer::CosGlobal}, {Buffer::SinGlobal}}, true, "rotary_global");
    plan.cosSin({{Buffer::CosLocal}, {Buffer::SinLocal}}, false, "rotary_local");

    const auto layerCount = static_cast<int32_t>(config.layers);
    for (int32_t layer = 0; layer < layerCount; ++layer) {
        const LayerWeights& weights = model.layers()[static_cast<size_t>(layer)];
        const bool global = config.isGlobal[static_cast<size_t>(layer)];
        plan.enterLayer(layer);
        norm(plan, "input_norm", {Buffer::Residual}, Buffer::Normed, 1, config.hidden, weights.inputNorm);
        plan.quantize(Buffer::Normed, config.hidden, {&weights.q, &weights.k, &weights.v}, "qkv_input");
        projection(plan, Buffer::Normed, weights.q, Buffer::Query, "q_proj");
        projection(plan, Buffer::Normed, weights.k, Buffer::Key, "k_proj");
        projection(plan, Buffer::Normed, weights.v, Buffer::Value, "v_proj");
        norm(plan, "q_norm", {Buffer::Query}, Buffer::Query, config.heads, config.headDim, weights.queryNorm);
        norm(plan, "k_norm", {Buffer::Key}, Buffer::Key, config.kvHeads, config.headDim, weights.keyNorm);
        rope(plan, "q_rope", Buffer::Query, config.heads, global);
        rope(plan, "k_rope", Buffer::Key, config.kvHeads, global);
        plan.small(OpKind::KvWrite, "kv_cache", 2 * config.kvHeads, config.headDim, {{Buffer::Key}, {Buffer::Value}},
                   {})
            .fixedCost.bytes = 2 * request.tokens * config.kvHeads * config.headDim * (4 + request.kvElementBytes);
        // A part of the prompt without its end only has to leave keys and values behind.
        if (layer + 1 == layerCount && !request.head) break;
        plan.attention();
        plan.quantize(Buffer::Attended, queries, {&weights.output}, "o_input");
        projection(plan, Buffer::Attended, weights.output, Buffer::Projected, "o_proj");
        residual(plan, "post_attention_norm", weights.postAttentionNorm);
        norm(plan, "pre_ffn_norm", {Buffer::Residual}, Buffer::Normed, 1, config.hidden, weights.preFeedForwardNorm);
        plan.quantize(Buffer::Normed, config.hidden, {&weights.gate, &weights.up}, "ffn_input");
        projection(plan, Buffer::Normed, weights.gate, Buffer::Gate, "gate_proj");
        plan.small(OpKind::Gelu, "gelu", 1, config.feedForward, {{Buffer::Gate}}, {{Buffer::Gate}});
        projection(plan, Buffer::Normed, weights.up, Buffer::Up, "up_proj");
        plan.small(OpKind::Mul, "gate_mul", 1, config.feedForward, {{Buffer::Gate}, {Buffer::Up}}, {{Buffer::Gate}});
        plan.quantize(Buffer::Gate, config.feedForward, {&weights.down}, "down_input");
        projection(plan, Buffer::Gate, weights.down, Buffer::Projected, "down_proj");
        residual(plan, "post_ffn_norm", weights.postFeedForwardNorm);
    }
    if (request.head) {
        plan.enterHead();
        norm(plan, "final_norm", plan.lastRows(Buffer::Residual), Buffer::Normed, 1, config.hidden, model.outputNorm());
        plan.quantize(Buffer::Normed, config.hidden, {&model.head()}, "head_input");
        projection(plan, Buffer::Normed, model.head(), Buffer::Logits, "lm_head");
        plan.argmax();
    }
    return plan.take();
}

}  // namespace gapscope

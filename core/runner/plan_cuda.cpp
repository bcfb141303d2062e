// The plans of the CUDA backend, whose weights are bf16 on the device.
// Eager: what PyTorch launches for transformers' Gemma 3 in bf16, kernel by kernel: bf16 between modules, fp32 inside a
// norm with casts around it, 1 + weight anew each time. Residual, Normed, Projected, Query, Key, Value, Attended, Gate,
// Up, Rotated, Negated, the rope tables and LogitsBf16 hold bf16; FloatInput, FloatProduct, FloatWeights and RowScale
// fp32.
// Fused: five kernels a layer for one token; for more, matmuls with the small ops between them folded together. The
// residual stream, projections, queries, keys and values are fp32; what a matmul reads is bf16.
#include <algorithm>
#include <cmath>
#include <utility>

#include "core/runner/plan.h"

namespace gapscope {

namespace {

constexpr int64_t kFloat = 4;
constexpr int64_t kHalf = 2;

std::string shape(std::initializer_list<int64_t> sizes) {
    std::string text = "[";
    for (const int64_t size : sizes) {
        if (text.size() > 1) text += ',';
        text += std::to_string(size);
    }
    return text + "]";
}

class CudaPlan {
public:
    CudaPlan(const Model& model, const PlanRequest& request) : m_model(model), m_config(model.config()) {
        m_plan.request = request;
    }

    Plan eager();
    Plan fusedDecode();
    Plan fusedPrefill();

private:
    int64_t rows() const { return m_head ? 1 : m_plan.request.tokens; }
    Operand lastRow(Buffer buffer) const { return {buffer, m_head ? m_plan.request.tokens - 1 : 0}; }
    int64_t queries() const { return m_config.heads * m_config.headDim; }
    bool isLast(int32_t layer) const { return layer + 1 == m_config.layers; }
    void enter(int32_t layer) {
        m_layer = layer;
        m_global = layer >= 0 && m_config.isGlobal[static_cast<size_t>(layer)];
    }

    PlanOp& add(OpKind kind, Category category, const char* kernelName, std::string opName);
    // [rows, heads * columns] in and out; `bytes` an element of all of them together.
    PlanOp& small(OpKind kind, Category category, const char* kernelName, std::string opName, int64_t heads,
                  int64_t columns, int64_t bytes, std::initializer_list<Operand> in,
                  std::initializer_list<Operand> out);
    PlanOp& product(OpKind kind, const char* kernelName, std::string opName, Operand in,
                    std::initializer_list<const MatrixView*> matrices, std::initializer_list<Buffer> out,
                    int64_t outBytes);
    void embedding(const char* kernelName, double scale, int64_t outBytes);
    PlanOp& attention(OpKind kind, const char* kernelName);
    void chooseToken();

    void eagerNorm(const std::string& name, Operand in, Buffer out, int64_t heads, int64_t columns,
                   const std::vector<float>& weights);
    void eagerRope(const std::string& name, Buffer x, int64_t heads);
    void eagerProjection(Buffer in, const MatrixView& matrix, Buffer out, const char* name);
    void eagerResidual(const std::string& name, const std::vector<float>& weights);

    const Model& m_model;
    const ModelConfig& m_config;
    Plan m_plan;
    int32_t m_layer = -1;
    bool m_global = false;
    bool m_head = false;
};

PlanOp& CudaPlan::add(OpKind kind, Category category, const char* kernelName, std::string opName) {
    PlanOp op;
    op.kind = kind;
    op.category = category;
    op.kernelName = kernelName;
    op.opName = std::move(opName);
    op.layer = m_layer;
    op.head = m_head;
    op.global = m_global;
    op.tokens = rows();
    op.dtype = "bf16";
    return m_plan.ops.emplace_back(std::move(op));
}

PlanOp& CudaPlan::small(OpKind kind, Category category, const char* kernelName, std::string opName, int64_t heads,
                        int64_t columns, int64_t bytes, std::initializer_list<Operand> in,
                        std::initializer_list<Operand> out) {
    PlanOp& op = add(kind, category, kernelName, std::move(opName));
    op.heads = heads;
    op.columns = columns;
    std::copy(in.begin(), in.end(), op.in.begin());
    std::copy(out.begin(), out.end(), op.out.begin());
    op.shapes = heads > 1 ? shape({op.tokens, heads, columns}) : shape({op.tokens, columns});
    op.fixedCost = {op.tokens * heads * columns * bytes, op.tokens * heads * columns};
    return op;
}

PlanOp& CudaPlan::product(OpKind kind, const char* kernelName, std::string opName, Operand in,
                          std::initializer_list<const MatrixView*> matrices, std::initializer_list<Buffer> out,
                          int64_t outBytes) {
    PlanOp& op = add(kind, Category::Gemm, kernelName, std::move(opName));
    op.in[0] = in;
    op.columns = (*matrices.begin())->columns;
    int64_t outputs = 0;
    size_t i = 0;
    for (const MatrixView* matrix : matrices) {
        op.matrices[i++] = matrix;
        outputs += matrix->rows;
    }
    i = 0;
    for (const Buffer buffer : out)
        op.out[i++] = {buffer};
    op.shapes = shape({op.tokens, op.columns}) + " x " + shape({outputs, op.columns});
    op.fixedCost = {kHalf * outputs * op.columns + op.tokens * (kHalf * op.columns + outBytes * outputs),
                    2 * op.tokens * outputs * op.columns};
    return op;
}

void CudaPlan::embedding(const char* kernelName, double scale, int64_t outBytes) {
    const MatrixView& table = m_model.embedding();
    PlanOp& op = add(OpKind::Embedding, Category::Embedding, kernelName, "embed_tokens");
    op.columns = table.columns;
    op.matrices[0] = &table;
    op.in[0] = {Buffer::Ids};
    op.out[0] = {Buffer::Residual};
    op.scalar = static_cast<float>(scale);
    op.shapes = shape({op.tokens}) + " of " + shape({table.rows, table.columns});
    op.fixedCost = {op.tokens * (kFloat + (kHalf + outBytes) * table.columns), op.tokens * table.columns};
}

PlanOp& CudaPlan::attention(OpKind kind, const char* kernelName) {
    PlanOp& op = add(kind, Category::Attention, kernelName, "attention");
    op.heads = m_config.heads;
    op.columns = m_config.headDim;
    op.in[0] = {Buffer::Query};
    op.out[0] = {Buffer::Attended};
    op.scalar = static_cast<float>(m_config.attentionScale);
    op.window = m_global ? 0 : m_config.slidingWindow;
    op.shapes = shape({op.tokens, op.heads, op.columns}) + " over " + std::to_string(m_config.kvHeads) + " kv heads, " +
                (op.window > 0 ? "window " + std::to_string(op.window) : std::string("all keys"));
    op.fixedCost = {2 * kHalf * op.tokens * op.heads * op.columns, 0};
    op.costPerKey = {2 * m_config.kvHeads * m_config.headDim * kHalf, 4 * op.heads * op.columns};
    return op;
}

void CudaPlan::chooseToken() {
    PlanOp& op = add(OpKind::Argmax, Category::Sampling, "argmax_next_token", "next_token");
    op.columns = m_config.vocabulary;
    op.heads = m_plan.request.tokens;  // by so many the position grows
    op.in[0] = {Buffer::Logits};
    op.out[0] = {Buffer::Ids};
    op.dtype = "f32";
    op.shapes = shape({1, op.columns});
}

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

void CudaPlan::eagerProjection(Buffer in, const MatrixView& matrix, Buffer out, const char* name) {
    product(OpKind::Matmul, rows() == 1 ? "gemv_bf16" : "gemm_bf16", name, {in}, {&matrix}, {out}, kHalf);
}

void CudaPlan::eagerResidual(const std::string& name, const std::vector<float>& weights) {
    const int64_t hidden = m_config.hidden;
    eagerNorm(name, {Buffer::Projected}, Buffer::Projected, 1, hidden, weights);
    small(OpKind::Add, Category::Elementwise, "add_bf16", name + ".residual", 1, hidden, 6,
          {{Buffer::Residual}, {Buffer::Projected}}, {{Buffer::Residual}});
}

// Rounded to nearest even, as embed_scale.to(bfloat16) is.
double roundToBf16(double value) {
    int exponent = 0;
    const double mantissa = std::frexp(value, &exponent);
    return std::ldexp(std::nearbyint(std::ldexp(mantissa, 8)), exponent - 8);
}

Plan CudaPlan::eager() {
    const int64_t heads = m_config.heads;
    const int64_t kvHeads = m_config.kvHeads;
    const int64_t headDim = m_config.headDim;
    embedding("embedding_bf16", 1, kHalf);
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
        eagerProjection(Buffer::Normed, weights.q, Buffer::Query, "q_proj");
        eagerProjection(Buffer::Normed, weights.k, Buffer::Key, "k_proj");
        eagerProjection(Buffer::Normed, weights.v, Buffer::Value, "v_proj");
        eagerNorm("q_norm", {Buffer::Query}, Buffer::Query, heads, headDim, weights.queryNorm);
        eagerNorm("k_norm", {Buffer::Key}, Buffer::Key, kvHeads, headDim, weights.keyNorm);
        eagerRope("q_rope", Buffer::Query, heads);
        eagerRope("k_rope", Buffer::Key, kvHeads);
        for (const Buffer half : {Buffer::Key, Buffer::Value})
            small(OpKind::CacheWrite, Category::Copy, "cache_write_bf16", half == Buffer::Key ? "cache_k" : "cache_v",
                  kvHeads, headDim, 4, {{half}}, {});
        // A part of the prompt without its end only has to leave keys and values behind.
        if (isLast(layer) && !m_plan.request.head) break;
        attention(OpKind::Attention, "attention_bf16");
        if (rows() == 1)
            small(OpKind::AttentionCombine, Category::Attention, "attention_combine_bf16", "attention_combine", heads,
                  headDim, kHalf, {{Buffer::Partials}}, {{Buffer::Attended}});
        eagerProjection(Buffer::Attended, weights.output, Buffer::Projected, "o_proj");
        eagerResidual("post_attention_norm", weights.postAttentionNorm);
        eagerNorm("pre_ffn_norm", {Buffer::Residual}, Buffer::Normed, 1, m_config.hidden, weights.preFeedForwardNorm);
        eagerProjection(Buffer::Normed, weights.gate, Buffer::Gate, "gate_proj");
        small(OpKind::Gelu, Category::Elementwise, "gelu_tanh_bf16", "gelu", 1, m_config.feedForward, 4,
              {{Buffer::Gate}}, {{Buffer::Gate}});
        eagerProjection(Buffer::Normed, weights.up, Buffer::Up, "up_proj");
        small(OpKind::Mul, Category::Elementwise, "mul_bf16", "gate_mul", 1, m_config.feedForward, 6,
              {{Buffer::Gate}, {Buffer::Up}}, {{Buffer::Gate}});
        eagerProjection(Buffer::Gate, weights.down, Buffer::Projected, "down_proj");
        eagerResidual("post_ffn_norm", weights.postFeedForwardNorm);
    }
    if (!m_plan.request.head) return std::move(m_plan);
    enter(-1);
    m_head = true;
    eagerNorm("final_norm", lastRow(Buffer::Residual), Buffer::Normed, 1, m_config.hidden, m_model.outputNorm());
    product(OpKind::Matmul, "gemv_many_rows_bf16", "lm_head", {Buffer::Normed}, {&m_model.head()}, {Buffer::LogitsBf16},
            kHalf);
    small(OpKind::CastFloat, Category::Elementwise, "cast_to_float", "logits.float", 1, m_config.vocabulary, 6,
          {{Buffer::LogitsBf16}}, {{Buffer::Logits}});
    small(OpKind::ArgmaxPartial, Category::Sampling, "argmax_partial", "argmax", 1, m_config.vocabulary, kFloat,
          {{Buffer::Logits}}, {});
    chooseToken();
    return std::move(m_plan);
}

Plan CudaPlan::fusedDecode() {
    embedding("embedding_bf16", m_config.embeddingScale, kFloat);
    small(OpKind::CosSin, Category::Rope, "rope_table", "rotary", 2, m_config.headDim, kFloat, {},
          {{Buffer::CosLocal}, {Buffer::CosGlobal}});
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
        op.fixedCost.bytes += 3 * kFloat * m_config.hidden;
        std::swap(stream, other);
    };
    for (int32_t layer = 0; layer < m_config.layers; ++layer) {
        const LayerWeights& weights = m_model.layers()[static_cast<size_t>(layer)];
        enter(layer);
        withNorm(product(OpKind::NormQkv, "gemv_norm_qkv_bf16", "qkv_proj", {stream},
                         {&weights.q, &weights.k, &weights.v}, {Buffer::Query, Buffer::Key, Buffer::Value}, kFloat),
                 weights.inputNorm);
        PlanOp& attended = attention(OpKind::AttentionDecode, "attention_decode_norm_rope_bf16");
        attended.norms = {&weights.queryNorm, &weights.keyNorm};
        attended.out[0] = {Buffer::Partials};
        if (isLast(layer) && !m_plan.request.head) return std::move(m_plan);
        product(OpKind::CombineMatmul, "gemv_combine_output_bf16", "o_proj", {Buffer::Partials}, {&weights.output},
                {Buffer::Projected}, kFloat);
        postNorm = &weights.postAttentionNorm;
        withNorm(product(OpKind::NormGateUp, "gemv_norm_gate_up_gelu_bf16", "gate_up_gelu", {stream},
                         {&weights.gate, &weights.up}, {Buffer::Activated}, 1),
                 weights.preFeedForwardNorm);
        product(OpKind::Matmul, "gemv_split_bf16", "down_proj", {Buffer::Activated}, {&weights.down},
                {Buffer::Projected}, kFloat);
        postNorm = &weights.postFeedForwardNorm;
    }
    enter(-1);
    m_head = true;
    withNorm(product(OpKind::NormHead, "gemv_norm_head_bf16", "lm_head", {stream}, {&m_model.head()}, {Buffer::Logits},
                     kFloat),
             m_model.outputNorm());
    chooseToken();
    return std::move(m_plan);
}

Plan CudaPlan::fusedPrefill() {
    const int64_t hidden = m_config.hidden;
    embedding("embedding_bf16", m_config.embeddingScale, kFloat);
    for (int32_t layer = 0; layer < m_config.layers; ++layer) {
        const LayerWeights& weights = m_model.layers()[static_cast<size_t>(layer)];
        enter(layer);
        if (layer == 0)
            small(OpKind::RmsNorm, Category::Norm, "rms_norm", "input_norm", 1, hidden, 6, {{Buffer::Residual}},
                  {{Buffer::Normed}})
                .norms[0] = &weights.inputNorm;
        product(OpKind::Matmul, "gemm_bf16", "q_proj", {Buffer::Normed}, {&weights.q}, {Buffer::Query}, kFloat);
        product(OpKind::Matmul, "gemm_bf16", "k_proj", {Buffer::Normed}, {&weights.k}, {Buffer::Key}, kFloat);
        product(OpKind::Matmul, "gemm_bf16", "v_proj", {Buffer::Normed}, {&weights.v}, {Buffer::Value}, kFloat);
        PlanOp& rope = small(OpKind::QkNormRopeCache, Category::Rope, "qk_norm_rope_cache_bf16", "qk_norm_rope_cache",
                             m_config.heads + 2 * m_config.kvHeads, m_config.headDim, 6,
                             {{Buffer::Query}, {Buffer::Key}, {Buffer::Value}}, {{Buffer::Rotated}});
        rope.norms = {&weights.queryNorm, &weights.keyNorm};
        if (isLast(layer) && !m_plan.request.head) return std::move(m_plan);
        attention(OpKind::Attention, "attention_bf16").in[0] = {Buffer::Rotated};
        product(OpKind::Matmul, "gemm_bf16", "o_proj", {Buffer::Attended}, {&weights.output}, {Buffer::Projected},
                kFloat);
        small(OpKind::AddRmsNorm, Category::Norm, "add_rms_norm", "post_attention_norm", 1, hidden, 14,
              {{Buffer::Projected}, {Buffer::Residual}}, {{Buffer::Normed}})
            .norms = {&weights.postAttentionNorm, &weights.preFeedForwardNorm};
        product(OpKind::Matmul, "gemm_bf16", "gate_proj", {Buffer::Normed}, {&weights.gate}, {Buffer::Gate}, kFloat);
        product(OpKind::Matmul, "gemm_bf16", "up_proj", {Buffer::Normed}, {&weights.up}, {Buffer::Up}, kFloat);
        small(OpKind::GeluGate, Category::Elementwise, "gelu_gate_bf16", "gelu_gate", 1, m_config.feedForward, 10,
              {{Buffer::Gate}, {Buffer::Up}}, {{Buffer::Activated}});
        product(OpKind::Matmul, "gemm_bf16", "down_proj", {Buffer::Activated}, {&weights.down}, {Buffer::Projected},
                kFloat);
        if (isLast(layer)) {
            enter(-1);
            m_head = true;
        }
        small(OpKind::AddRmsNorm, Category::Norm, "add_rms_norm", m_head ? "final_norm" : "post_ffn_norm", 1, hidden,
              14, {lastRow(Buffer::Projected), lastRow(Buffer::Residual)}, {{Buffer::Normed}})
            .norms = {&weights.postFeedForwardNorm,
                      m_head ? &m_model.outputNorm() : &m_model.layers()[static_cast<size_t>(layer) + 1].inputNorm};
    }
    product(OpKind::Matmul, "gemv_many_rows_bf16", "lm_head", {Buffer::Normed}, {&m_model.head()}, {Buffer::Logits},
            kFloat);
    small(OpKind::ArgmaxPartial, Category::Sampling, "argmax_partial", "argmax", 1, m_config.vocabulary, kFloat,
          {{Buffer::Logits}}, {});
    chooseToken();
    return std::move(m_plan);
}

}  // namespace

Plan makeCudaPlan(const Model& model, const PlanRequest& request) {
    CudaPlan plan(model, request);
    if (request.eager) return plan.eager();
    return request.tokens == 1 ? plan.fusedDecode() : plan.fusedPrefill();
}

}  // namespace gapscope

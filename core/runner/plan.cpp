#include "core/runner/plan.h"

#include <algorithm>
#include <utility>

#include "core/runner/plan_builder.h"

namespace gapscope {

namespace {

std::string shape(std::initializer_list<int64_t> sizes) {
    std::string text = "[";
    for (const int64_t size : sizes) {
        if (text.size() > 1) text += ',';
        text += std::to_string(size);
    }
    return text + "]";
}

std::string typeNames(std::initializer_list<const MatrixView*> matrices) {
    std::vector<std::string_view> seen;
    std::string text;
    for (const MatrixView* matrix : matrices) {
        const std::string_view name = weightTypeInfo(matrix->type).name;
        if (std::find(seen.begin(), seen.end(), name) != seen.end()) continue;
        seen.push_back(name);
        if (!text.empty()) text += '_';
        text += name;
    }
    return text;
}

struct SmallOp {
    Category category;
    std::string_view kernelName;
    int64_t flopsPerElement;
};

SmallOp smallOp(OpKind kind) {
    switch (kind) {
        case OpKind::MulScalar:
            return {Category::Elementwise, "mul_scalar_f32", 1};
        case OpKind::Square:
            return {Category::Elementwise, "pow_f32", 1};
        case OpKind::MeanRows:
            return {Category::Reduction, "mean_f32", 1};
        case OpKind::AddScalar:
            return {Category::Elementwise, "add_scalar_f32", 1};
        case OpKind::Rsqrt:
            return {Category::Elementwise, "rsqrt_f32", 2};
        case OpKind::MulRows:
            return {Category::Elementwise, "mul_rows_f32", 1};
        case OpKind::MulWeights:
            return {Category::Elementwise, "mul_weights_f32", 1};
        case OpKind::Mul:
            return {Category::Elementwise, "mul_f32", 1};
        case OpKind::Add:
            return {Category::Elementwise, "add_f32", 1};
        case OpKind::Gelu:
            return {Category::Elementwise, "gelu_tanh_f32", 12};
        case OpKind::RotateHalf:
            return {Category::Elementwise, "rotate_half_f32", 1};
        case OpKind::MulHeads:
            return {Category::Elementwise, "mul_heads_f32", 1};
        case OpKind::KvWrite:
            return {Category::Copy, "copy_kv_cache", 0};
        case OpKind::RmsNorm:
            return {Category::Norm, "rms_norm", 4};
        case OpKind::AddRmsNorm:
            return {Category::Norm, "add_rms_norm", 9};
        case OpKind::QkNormRopeCache:
            return {Category::Rope, "qk_norm_rope_cache", 10};
        default:
            return {Category::Other, "op", 0};
    }
}

bool isAttention(OpKind kind) {
    return kind == OpKind::Attention || kind == OpKind::AttentionDecode || kind == OpKind::AttentionRows;
}

}  // namespace

OpCost PlanOp::cost(int64_t position) const {
    if (!isAttention(kind)) return fixedCost;
    // Query t is at position + t and sees min(position + t + 1, window) keys.
    const int64_t last = position + tokens;  // keys the last query would see without a window
    int64_t pairs = tokens * position + tokens * (tokens + 1) / 2;
    int64_t keys = last;
    if (window > 0) {
        const int64_t over = last - window;  // by how much the last query's keys pass the window
        if (over > 0) {
            const int64_t count = std::min(over, tokens);  // queries that are cut
            // They are cut by over, over - 1, ..., over - count + 1.
            pairs -= count * over - count * (count - 1) / 2;
        }
        keys = std::min(keys, window - 1 + tokens);
    }
    return {fixedCost.bytes + keys * costPerKey.bytes, fixedCost.flops + pairs * costPerKey.flops};
}

OpCost PlanOp::cost(std::span<const int32_t> positions) const {
    OpCost total = fixedCost;
    if (!isAttention(kind)) return total;
    for (const int32_t position : positions) {
        const int64_t keys = window > 0 ? std::min<int64_t>(position + 1, window) : position + 1;
        total.bytes += keys * costPerKey.bytes;
        total.flops += keys * costPerKey.flops;
    }
    return total;
}

int64_t bufferColumns(Buffer buffer, const ModelConfig& config) {
    const int64_t queries = config.heads * config.headDim;
    const int64_t keys = config.kvHeads * config.headDim;
    switch (buffer) {
        case Buffer::Ids:
        case Buffer::Positions:
            return 1;
        case Buffer::Residual:
        case Buffer::Normed:
        case Buffer::Projected:
            return config.hidden;
        case Buffer::Scratch:
            return std::max(config.hidden, queries);
        case Buffer::Rotated:
        case Buffer::Query:
        case Buffer::Attended:
            return queries;
        case Buffer::RowScale:
            return config.heads;
        case Buffer::Key:
        case Buffer::Value:
            return keys;
        case Buffer::Gate:
        case Buffer::Up:
            return config.feedForward;
        case Buffer::CosLocal:
        case Buffer::SinLocal:
        case Buffer::CosGlobal:
        case Buffer::SinGlobal:
            return config.headDim;
        case Buffer::Logits:
            return config.vocabulary;
        case Buffer::None:
        case Buffer::Quantized:
        default:  // CUDA's own are sized by its backend
            return 0;
    }
    return 0;
}

int64_t widestInput(const ModelConfig& config) {
    return std::max({config.hidden, config.heads * config.headDim, config.feedForward});
}

PlanOp& PlanBuilder::add(OpKind kind, Category category, std::string kernelName, std::string opName) {
    PlanOp op;
    op.kind = kind;
    op.category = category;
    op.kernelName = std::move(kernelName);
    op.opName = std::move(opName);
    op.layer = m_layer;
    op.head = m_head;
    op.global = m_global;
    op.tokens = rows();
    return m_plan.ops.emplace_back(std::move(op));
}

bool PlanBuilder::wantsQuantized(std::initializer_list<const MatrixView*> matrices) const {
    return m_plan.request.quantizedActivations &&
           std::any_of(matrices.begin(), matrices.end(),
                       [](const MatrixView* matrix) { return weightTypeInfo(matrix->type).blockElements > 1; });
}

void PlanBuilder::embedding(double scale) {
    const MatrixView& table = m_model.embedding();
    PlanOp& op = add(OpKind::Embedding, Category::Embedding,
                     "embedding_" + std::string(weightTypeInfo(table.type).name), "embed_tokens");
    op.columns = table.columns;
    op.matrices[0] = &table;
    op.in[0] = {Buffer::Ids};
    op.out[0] = {Buffer::Residual};
    op.scalar = static_cast<float>(scale);
    op.dtype = weightTypeInfo(table.type).name;
    op.shapes = shape({op.tokens}) + " of " + shape({table.rows, table.columns});
    op.fixedCost = {op.tokens * (4 + rowBytes(table.type, table.columns) + 4 * table.columns),
                    op.tokens * table.columns};
}

void PlanBuilder::cosSin(std::initializer_list<Operand> out, bool global, std::string_view opName) {
    PlanOp& op = add(OpKind::CosSin, Category::Rope, "rope_cos_sin", std::string(opName));
    op.columns = m_config.headDim;
    op.global = global;
    std::copy(out.begin(), out.end(), op.out.begin());
    op.shapes = shape({op.tokens, op.columns}) + " x " + std::to_string(out.size());
    const int64_t elements = op.tokens * op.columns * static_cast<int64_t>(out.size());
    op.fixedCost = {4 * elements, 10 * elements};
}

void PlanBuilder::quantize(Buffer in, int64_t columns, std::initializer_list<const MatrixView*> matrices,
                           std::string_view name) {
    if (!wantsQuantized(matrices)) return;
    PlanOp& op = add(OpKind::Quantize, Category::Quantize, "quantize_rows_int8", std::string(name));
    op.columns = columns;
    op.in[0] = {in};
    op.out[0] = {Buffer::Quantized};
    op.dtype = "int8";
    op.shapes = shape({op.tokens, columns});
    op.fixedCost = {op.tokens * (4 * columns + columns + columns / 2), op.tokens * 4 * columns};
}

void PlanBuilder::matmul(Buffer in, std::initializer_list<const MatrixView*> matrices,
                         std::initializer_list<Buffer> out, std::string_view opName, std::string_view kernelPrefix) {
    const std::string types = typeNames(matrices);
    std::string kernelName(kernelPrefix);
    if (!kernelName.empty()) kernelName += '_';
    kernelName += (rows() == 1 ? "gemv_" : "gemm_") + types;
    PlanOp& op = add(OpKind::Matmul, Category::Gemm, std::move(kernelName), std::string(opName));
    op.dtype = types;
    op.in[0] = {in};
    op.in[1] = {wantsQuantized(matrices) ? Buffer::Quantized : Buffer::None};
    size_t i = 0;
    int64_t outputs = 0;
    int64_t weightBytes = 0;
    for (const MatrixView* matrix : matrices) {
        op.matrices[i] = matrix;
        op.out[i] = {out.begin()[i]};
        outputs += matrix->rows;
        weightBytes += matrix->bytes();
        ++i;
    }
    op.columns = op.matrices[0]->columns;
    op.shapes = shape({op.tokens, op.columns}) + " x " + shape({outputs, op.columns});
    op.fixedCost = {weightBytes + 4 * op.tokens * (op.columns + outputs), 2 * op.tokens * outputs * op.columns};
}

void PlanBuilder::gateUpGelu(const LayerWeights& weights) {
    matmul(Buffer::Normed, {&weights.gate, &weights.up}, {Buffer::Gate, Buffer::Up}, "gate_up_gelu", "gate_up_gelu");
    PlanOp& op = m_plan.ops.back();
    op.kind = OpKind::GateUpGelu;
    op.fixedCost.flops += 13 * op.tokens * weights.gate.rows;
}

void PlanBuilder::attention() {
    const bool decodes = rows() == 1 || m_plan.request.batch;
    PlanOp& op =
        add(OpKind::Attention, Category::Attention, decodes ? "attention_decode" : "attention_prefill", "attention");
    op.heads = m_config.heads;
    op.columns = m_config.headDim;
    op.in[0] = {Buffer::Query};
    op.out[0] = {Buffer::Attended};
    op.scalar = static_cast<float>(m_config.attentionScale);
    op.window = m_global ? 0 : m_config.slidingWindow;
    op.dtype = m_plan.request.kvElementBytes == 2 ? "f16" : "f32";
    op.shapes = shape({op.tokens, op.heads, op.columns}) + " over " + std::to_string(m_config.kvHeads) + " kv heads, " +
                (op.window > 0 ? "window " + std::to_string(op.window) : std::string("all keys"));
    op.fixedCost = {2 * 4 * op.tokens * op.heads * op.columns, 0};
    op.costPerKey = {2 * m_config.kvHeads * m_config.headDim * m_plan.request.kvElementBytes,
                     4 * op.heads * op.columns};
}

void PlanBuilder::argmax() {
    PlanOp& op = add(OpKind::Argmax, Category::Sampling, "argmax", "next_token");
    op.columns = m_config.vocabulary;
    op.in[0] = {Buffer::Logits};
    op.out[0] = {Buffer::Ids};
    op.shapes = shape({op.tokens, op.columns});
    op.fixedCost = {4 * op.tokens * op.columns, op.tokens * op.columns};
}

void PlanBuilder::boundedHead() {
    const MatrixView& head = m_model.head();
    matmul(Buffer::Normed, {&head}, {Buffer::Logits}, "lm_head");
    PlanOp& bounds = m_plan.ops.back();
    bounds.kind = OpKind::HeadBounds;
    bounds.kernelName += "_upper_bits";
    bounds.dtype += ", upper 5 bits";
    bounds.fixedCost.bytes += head.rows * rowBytes(WeightType::Q5_0, head.columns) - head.bytes();
    argmax();
    PlanOp& choice = m_plan.ops.back();
    choice.kind = OpKind::HeadChoice;
    choice.kernelName += "_by_bounds";
    choice.in[1] = {Buffer::Normed};
    choice.matrices[0] = &head;
}

PlanOp& PlanBuilder::small(OpKind kind, std::string opName, int64_t heads, int64_t columns,
                           std::initializer_list<Operand> in, std::initializer_list<Operand> out) {
    const SmallOp info = smallOp(kind);
    PlanOp& op = add(kind, info.category, std::string(info.kernelName), std::move(opName));
    op.heads = heads;
    op.columns = columns;
    std::copy(in.begin(), in.end(), op.in.begin());
    std::copy(out.begin(), out.end(), op.out.begin());
    op.shapes = heads > 1 ? shape({op.tokens, heads, columns}) : shape({op.tokens, columns});
    const int64_t elements = op.tokens * heads * columns;
    // One input or output is of this size; factors by row, head or column are small beside it.
    op.fixedCost = {4 * elements * static_cast<int64_t>(in.size() + out.size()), info.flopsPerElement * elements};
    return op;
}

Plan makePlan(const Model& model, const PlanRequest& request) {
    if (request.flavor == PlanFlavor::Cuda) return makeCudaPlan(model, request);
    return request.eager ? makeEagerPlan(model, request) : makeFusedPlan(model, request);
}

OpActivity describeOp(const PlanOp& op, const PlanRequest& request) {
    OpActivity activity{op.kernelName, op.opName, op.shapes, op.dtype, op.category, op.layer};
    if (request.drafts) {
        activity.opName = "draft " + op.opName;
        activity.layer = -1;  // its layers are not those of the model that is asked
    }
    return activity;
}

std::string graphName(const PlanRequest& request) {
    if (request.drafts) return request.tokens == 1 ? "draft_graph" : "draft_prefill_graph";
    if (request.batch) return "decode_graph";
    if (request.checksDrafts) return "verify_graph";
    return request.tokens == 1 ? "decode_graph" : "prefill_graph";
}

}  // namespace gapscope

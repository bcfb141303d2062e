// The plans of the CUDA backend, whose weights are bf16, int8 or packed block types on the device (cuda_formats.h).
// Eager: bf16 between modules, fp32 inside a norm with casts around it, 1 + weight anew each time. Residual, Normed,
// Projected, Query, Key, Value, Attended, Gate, Up, Rotated, Negated, the rope tables and LogitsBf16 hold bf16;
// FloatInput, FloatProduct, FloatWeights and RowScale fp32. Around an int8 matmul activations are fp16, as in
// bitsandbytes.
// Fused: the residual stream, projections, queries, keys and values are fp32; what a matmul reads is bf16.
#include "core/runner/plan_cuda.h"

#include <algorithm>
#include <utility>

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

std::string formatName(CudaFormat format) {
    switch (format) {
        case CudaFormat::Bf16:
            return "bf16";
        case CudaFormat::Packed:
            return "packed";
        case CudaFormat::Int8:
            return "int8";
    }
    return "bf16";
}

// "q5_0", or of several "q5_0,q8_0".
std::string typeNames(const CudaFormats& formats, std::initializer_list<const MatrixView*> matrices) {
    if (formats.of(**matrices.begin()) == CudaFormat::Int8) return "int8";
    std::string names;
    std::string_view last;
    for (const MatrixView* matrix : matrices) {
        const std::string_view name = weightTypeInfo(formats.type(*matrix)).name;
        if (name == last) continue;
        if (!names.empty()) names += ',';
        names += last = name;
    }
    return names;
}

}  // namespace

PlanOp& CudaPlan::add(OpKind kind, Category category, std::string kernelName, std::string opName) {
    PlanOp op;
    op.kind = kind;
    op.category = category;
    op.kernelName = std::move(kernelName);
    op.opName = std::move(opName);
    op.layer = m_layer;
    op.head = m_head;
    op.global = m_global;
    op.tokens = rows();
    op.paged = m_plan.request.batch;
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

PlanOp& CudaPlan::product(OpKind kind, const std::string& kernelName, std::string opName, Operand in,
                          std::initializer_list<const MatrixView*> matrices, std::initializer_list<Buffer> out,
                          int64_t outBytes) {
    const CudaFormat format = m_formats.of(**matrices.begin());
    PlanOp& op = add(kind, Category::Gemm, kernelName + "_" + formatName(format), std::move(opName));
    op.dtype = typeNames(m_formats, matrices);
    op.in[0] = in;
    op.columns = (*matrices.begin())->columns;
    int64_t outputs = 0;
    int64_t weightBytes = 0;
    size_t i = 0;
    for (const MatrixView* matrix : matrices) {
        op.matrices[i++] = matrix;
        outputs += matrix->rows;
        weightBytes += m_formats.bytes(*matrix);
    }
    i = 0;
    for (const Buffer buffer : out)
        op.out[i++] = {buffer};
    op.shapes = shape({op.tokens, op.columns}) + " x " + shape({outputs, op.columns});
    op.fixedCost = {weightBytes + op.tokens * (kBf16Bytes * op.columns + outBytes * outputs),
                    2 * op.tokens * outputs * op.columns};
    return op;
}

void CudaPlan::embedding(double scale, int64_t outBytes) {
    const MatrixView& table = m_model.embedding();
    PlanOp& op =
        add(OpKind::Embedding, Category::Embedding, "embedding_" + formatName(m_formats.of(table)), "embed_tokens");
    op.dtype = typeNames(m_formats, {&table});
    op.columns = table.columns;
    op.matrices[0] = &table;
    op.in[0] = {Buffer::Ids};
    op.out[0] = {Buffer::Residual};
    op.scalar = static_cast<float>(scale);
    op.shapes = shape({op.tokens}) + " of " + shape({table.rows, table.columns});
    op.fixedCost = {op.tokens * (kFloatBytes + m_formats.bytes(table) / table.rows + outBytes * table.columns),
                    op.tokens * table.columns};
}

void CudaPlan::ropeTable() {
    small(OpKind::CosSin, Category::Rope, "rope_table", "rotary", 2, m_config.headDim, kFloatBytes, {},
          {{Buffer::CosLocal}, {Buffer::CosGlobal}});
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
    op.fixedCost = {2 * kBf16Bytes * op.tokens * op.heads * op.columns, 0};
    op.costPerKey = {2 * m_config.kvHeads * m_config.headDim * kBf16Bytes, 4 * op.heads * op.columns};
    return op;
}

void CudaPlan::chooseToken() {
    PlanOp& op =
        add(OpKind::Argmax, Category::Sampling, checks() ? "argmax_checked_tokens" : "argmax_next_token", "next_token");
    op.columns = m_config.vocabulary;
    op.heads = m_plan.request.tokens;  // by so many the position grows
    op.in[0] = {Buffer::Logits};
    op.out[0] = {Buffer::Ids};
    op.dtype = "f32";
    op.shapes = shape({op.tokens, op.columns});
}

void CudaPlan::partialArgmax() {
    small(OpKind::ArgmaxPartial, Category::Sampling, "argmax_partial", "argmax", 1, m_config.vocabulary, kFloatBytes,
          {{Buffer::Logits}}, {});
}

void CudaPlan::boundHead(PlanOp& bounds) {
    const MatrixView& head = *bounds.matrices[0];
    bounds.kind = OpKind::HeadBounds;
    bounds.kernelName = checks() ? "gemv_head_bounds_rows_bf16" : "gemv_norm_head_bounds_bf16";
    bounds.dtype += ", upper 5 bits";
    if (!checks()) bounds.out[1] = {Buffer::Normed};
    bounds.fixedCost.bytes += head.rows * rowBytes(WeightType::Q5_0, head.columns) - m_formats.bytes(head);
    PlanOp& choice = small(OpKind::HeadChoice, Category::Sampling, "head_choice_by_bounds_bf16", "head_choice", 1,
                           head.rows, kFloatBytes, {{Buffer::Logits}, {Buffer::Normed}}, {});
    choice.matrices[0] = &head;
}

Plan makeCudaPlan(const Model& model, const PlanRequest& request) {
    CudaPlan plan(model, request);
    if (request.eager) return plan.eager();
    if (request.checksDrafts) return plan.checkDrafts();
    return request.tokens == 1 ? plan.fusedDecode() : plan.fusedPrefill();
}

}  // namespace gapscope

// One linear layer: a product for bf16 weights, more than that for others.
#include <utility>

#include "core/runner/plan_cuda.h"

namespace gapscope {

void CudaPlan::gemmBf16(Buffer in, std::initializer_list<const MatrixView*> matrices, Buffer out,
                        const std::string& name, int64_t outBytes) {
    const bool packed = m_formats.of(**matrices.begin()) == CudaFormat::Packed;
    int64_t row = 0;
    for (const MatrixView* matrix : matrices) {
        if (!packed) break;
        PlanOp& unpack = add(OpKind::DequantizeWeights, Category::Quantize, "dequantize_packed", name + ".dequantize");
        unpack.matrices[0] = matrix;
        unpack.columns = matrix->columns;
        unpack.out[0] = {Buffer::WeightsBf16, row};
        unpack.dtype = weightTypeInfo(m_formats.type(*matrix)).name;
        unpack.shapes = "[" + std::to_string(matrix->rows) + "," + std::to_string(matrix->columns) + "]";
        unpack.fixedCost = {m_formats.bytes(*matrix) + kBf16Bytes * matrix->rows * matrix->columns,
                            matrix->rows * matrix->columns};
        row += matrix->rows;
    }
    PlanOp& op = product(OpKind::Matmul, "gemm", name, {in}, matrices, {out}, outBytes);
    op.kernelName = "gemm_bf16";
    if (packed) op.in[1] = {Buffer::WeightsBf16};
}

// What tells the outlier columns of `in`, 16 bits an element.
void CudaPlan::findOutliers(Buffer in, int64_t columns, const std::string& name) {
    small(OpKind::FindOutliers, Category::Reduction, "outlier_columns", name + ".outlier_columns", 1, columns,
          kBf16Bytes, {{in}}, {{Buffer::OutlierColumns}});
    PlanOp& list = small(OpKind::ListOutliers, Category::Quantize, "list_outlier_columns", name + ".argwhere", 1,
                         columns, 1, {{Buffer::OutlierColumns}}, {{Buffer::OutlierColumns}});
    list.tokens = 1;
    list.fixedCost = {columns, columns};
}

void CudaPlan::quantizeInput(Buffer in, int64_t columns, const std::string& name) {
    PlanOp& op = small(OpKind::QuantizeInt8, Category::Quantize, "int8_vector_quant", name + ".quantize", 1, columns,
                       kBf16Bytes + 1, {{in}}, {{Buffer::Int8Input}, {Buffer::Int8Absmax}});
    op.dtype = "int8";
}

PlanOp& CudaPlan::gemmInt8(const MatrixView& matrix, const std::string& name) {
    PlanOp& op =
        product(OpKind::MatmulInt8, "gemm", name, {Buffer::Int8Input}, {&matrix}, {Buffer::Int8Products}, kFloatBytes);
    op.kernelName = rows() == 1 ? "gemv_int8_i32" : "gemm_int8_i32";
    return op;
}

// bitsandbytes' Linear8bitLt: cast, |x| >= 6, any of it (for which the host waits), quantise, multiply, dequantise, the
// outlier columns apart where there are some, cast back.
//
// Outliers are columns of all rows together, so where each token is to have the bits that it has alone, each takes the
// steps by itself.
void CudaPlan::eagerLinearInt8(Buffer in, const MatrixView& matrix, Buffer out, const std::string& name) {
    const int64_t times = checks() ? rows() : 1;
    m_oneRow = checks();
    for (int64_t row = 0; row < times; ++row)
        eagerInt8Steps({in, row}, matrix, {out, row}, name);
    m_oneRow = false;
}

void CudaPlan::eagerInt8Steps(Operand in, const MatrixView& matrix, Operand out, const std::string& name) {
    const int64_t inputs = matrix.columns;
    const int64_t outputs = matrix.rows;
    const Category elementwise = Category::Elementwise;
    const Operand half{Buffer::HalfInput};
    const Operand result{Buffer::HalfOutput};
    small(OpKind::CastHalf, elementwise, "cast_to_half", name + ".half", 1, inputs, 4, {in}, {half});
    small(OpKind::AbsoluteHalf, elementwise, "abs_f16", name + ".abs", 1, inputs, 4, {half}, {{Buffer::HalfAbsolute}});
    small(OpKind::MarkOutliers, elementwise, "ge_scalar_f16", name + ".ge_threshold", 1, inputs, 3,
          {{Buffer::HalfAbsolute}}, {{Buffer::OutlierMask}});
    small(OpKind::AnyOutlier, Category::Reduction, "any_or", name + ".any", 1, inputs, 1, {{Buffer::OutlierMask}},
          {{Buffer::OutlierFlag}});
    add(OpKind::ReadOutlierFlag, Category::Copy, "copy_outlier_flag", name + ".any_to_host").in[0] = {
        Buffer::OutlierFlag};
    const size_t conditional = m_plan.ops.size();
    findOutliers(Buffer::HalfInput, inputs, name);
    for (size_t i = conditional; i < m_plan.ops.size(); ++i)
        m_plan.ops[i].onlyWithOutliers = true;
    quantizeInput(Buffer::HalfInput, inputs, name);
    gemmInt8(matrix, name);
    PlanOp& dequantize =
        small(OpKind::DequantizeHalf, Category::Quantize, "dequant_mm_int32_f16", name + ".dequantize", 1, outputs,
              kFloatBytes + kBf16Bytes, {{Buffer::Int8Products}, {Buffer::Int8Absmax}}, {result});
    dequantize.matrices[0] = &matrix;
    const auto withOutliers = [&](OpKind kind, Category category, const char* kernel, const char* step,
                                  int64_t columns) -> PlanOp& {
        PlanOp& op = small(kind, category, kernel, name + step, 1, columns, kBf16Bytes, {{Buffer::OutlierColumns}}, {});
        op.matrices[0] = &matrix;
        op.onlyWithOutliers = true;
        op.fixedCost = {};  // how many there are is not known beforehand
        return op;
    };
    PlanOp& gather = withOutliers(OpKind::GatherOutliers, elementwise, "gather_outliers_f16", ".outliers", inputs);
    gather.in[1] = half;
    gather.out[0] = {Buffer::OutlierValues};
    withOutliers(OpKind::DequantizeOutlierWeights, Category::Quantize, "dequantize_columns_f16", ".outlier_weights",
                 inputs)
        .out[0] = {Buffer::OutlierWeights};
    PlanOp& addmm = withOutliers(OpKind::AddOutliers, Category::Gemm, "addmm_outliers_f16", ".addmm", outputs);
    addmm.in[1] = {Buffer::OutlierValues};
    addmm.in[2] = {Buffer::OutlierWeights};
    addmm.out[0] = result;
    small(OpKind::CastHalfToBf16, elementwise, "cast_half_to_bf16", name + ".to", 1, outputs, 4, {result}, {out});
}

void CudaPlan::eagerLinear(Buffer in, const MatrixView& matrix, Buffer out, const std::string& name) {
    if (m_formats.of(matrix) == CudaFormat::Int8)
        eagerLinearInt8(in, matrix, out, name);
    else if (checks())
        rowsProduct(name, in, {&matrix}, {out}, kBf16Bytes);
    else if (rows() == 1)
        product(OpKind::Matmul, "gemv", name, {in}, {&matrix}, {out}, kBf16Bytes);
    else
        gemmBf16(in, {&matrix}, out, name, kBf16Bytes);
}

void CudaPlan::prefillLinear(Buffer in, std::initializer_list<const MatrixView*> matrices,
                             std::initializer_list<Buffer> out, std::initializer_list<std::string_view> names) {
    const bool int8 = m_formats.of(**matrices.begin()) == CudaFormat::Int8;
    if (int8) {
        const std::string first(*names.begin());
        const int64_t columns = (*matrices.begin())->columns;
        findOutliers(in, columns, first);
        quantizeInput(in, columns, first);
    }
    for (size_t i = 0; i < matrices.size(); ++i) {
        const MatrixView& matrix = *matrices.begin()[i];
        const std::string name(names.begin()[i]);
        const Buffer target = out.begin()[i];
        if (!int8) {
            gemmBf16(in, {&matrix}, target, name, kFloatBytes);
            continue;
        }
        gemmInt8(matrix, name);
        PlanOp& dequantize =
            small(OpKind::DequantizeFloat, Category::Quantize, "dequant_mm_add_outliers", name + ".dequantize", 1,
                  matrix.rows, 2 * kFloatBytes, {{Buffer::Int8Products}, {in}, {Buffer::OutlierColumns}}, {{target}});
        dequantize.matrices[0] = &matrix;
    }
}

// Queries, keys and values, then their norm and rope. One product where the weights allow it: alone, keys and values
// leave most of a GPU idle.
void CudaPlan::prefillQkv(const LayerWeights& weights) {
    const bool together = m_formats.of(weights.q) != CudaFormat::Int8;
    if (together)
        gemmBf16(Buffer::Normed, {&weights.q, &weights.k, &weights.v}, Buffer::Query, "qkv_proj", kFloatBytes);
    else
        prefillLinear(Buffer::Normed, {&weights.q, &weights.k, &weights.v}, {Buffer::Query, Buffer::Key, Buffer::Value},
                      {"q_proj", "k_proj", "v_proj"});
    PlanOp& rope = small(OpKind::QkNormRopeCache, Category::Rope, "qk_norm_rope_cache_bf16", "qk_norm_rope_cache",
                         m_config.heads + 2 * m_config.kvHeads, m_config.headDim, kFloatBytes + kBf16Bytes,
                         {{Buffer::Query}}, {{Buffer::Rotated}});
    rope.norms = {&weights.queryNorm, &weights.keyNorm};
    if (together) return;
    rope.in[1] = {Buffer::Key};
    rope.in[2] = {Buffer::Value};
}

}  // namespace gapscope

#include "core/runner/cuda_formats.h"

#include <algorithm>
#include <initializer_list>

#include "core/runner/generate.h"

namespace gapscope {

namespace {

// Linear layers are quantised by LLM.int8(); the embedding table and the head stay in 16 bit, as bitsandbytes leaves
// them.
enum class MatrixRole : uint8_t { Linear, Table };

bool isBlockType(const MatrixView* matrix) {
    return weightTypeInfo(matrix->type).blockElements > 1;
}

}  // namespace

CudaFormats::CudaFormats(const Model& model, Precision precision) {
    // Of matrices that one kernel multiplies together, which have one format: a block type among them makes all Packed.
    const auto add = [&](MatrixRole role, std::initializer_list<const MatrixView*> together) {
        CudaFormat format = CudaFormat::Bf16;
        if (precision == Precision::Int8 && role == MatrixRole::Linear)
            format = CudaFormat::Int8;
        else if (precision == Precision::File && std::ranges::any_of(together, isBlockType))
            format = CudaFormat::Packed;
        for (const MatrixView* matrix : together) {
            m_formats.emplace(matrix->data, format);
            m_matrices.push_back(matrix);
        }
    };
    add(MatrixRole::Table, {&model.embedding()});
    if (!model.tiedHead()) add(MatrixRole::Table, {&model.head()});
    for (const LayerWeights& layer : model.layers()) {
        add(MatrixRole::Linear, {&layer.q, &layer.k, &layer.v});
        add(MatrixRole::Linear, {&layer.output});
        add(MatrixRole::Linear, {&layer.gate, &layer.up});
        add(MatrixRole::Linear, {&layer.down});
    }
}

WeightType CudaFormats::type(const MatrixView& matrix) const {
    return of(matrix) == CudaFormat::Packed && isBlockType(&matrix) ? matrix.type : WeightType::BF16;
}

int64_t CudaFormats::bytes(const MatrixView& matrix) const {
    if (of(matrix) == CudaFormat::Int8)
        return matrix.rows * (matrix.columns + static_cast<int64_t>(sizeof(float)));  // a scale a row
    return matrix.rows * rowBytes(type(matrix), matrix.columns);
}

}  // namespace gapscope

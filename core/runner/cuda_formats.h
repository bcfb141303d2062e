// In which form the CUDA backend keeps each matrix. One place, because its plans say what is launched and its weights
// what is there; needs no CUDA.
#pragma once

#include <cstddef>
#include <unordered_map>
#include <vector>

#include "core/runner/model.h"

namespace gapscope {

enum class Precision : uint8_t;

enum class CudaFormat : uint8_t {
    Bf16,
    Packed,  // block types as the file has them (kernels/cuda/packed_matrix.h)
    Int8,    // LLM.int8() (kernels/cuda/int8_matrix.h)
};

class CudaFormats {
public:
    CudaFormats(const Model& model, Precision precision);

    CudaFormat of(const MatrixView& matrix) const { return m_formats.at(matrix.data); }
    // What it is on the device: the file's block type, or bf16 for all else. For Int8 it means nothing.
    WeightType type(const MatrixView& matrix) const;
    // Read when the whole matrix is.
    int64_t bytes(const MatrixView& matrix) const;

    // Every matrix of the model once; a tied head is the embedding table.
    const std::vector<const MatrixView*>& matrices() const { return m_matrices; }

private:
    std::unordered_map<const std::byte*, CudaFormat> m_formats;  // by where the file has it
    std::vector<const MatrixView*> m_matrices;
};

}  // namespace gapscope

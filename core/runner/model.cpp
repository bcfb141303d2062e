// What a loaded model says of itself.
#include "core/runner/model.h"

#include "core/runner/mapped_file.h"

namespace gapscope {

Model::Model() = default;
Model::~Model() = default;

std::string Model::quantizationName() const {
    return m_quantization;
}

int64_t Model::weightBytes() const {
    int64_t bytes = m_embedding.bytes() + (tiedHead() ? 0 : m_head.bytes());
    size_t norms = m_outputNorm.size();
    for (const LayerWeights& layer : m_layers) {
        for (const MatrixView* const matrix :
             {&layer.q, &layer.k, &layer.v, &layer.output, &layer.gate, &layer.up, &layer.down})
            bytes += matrix->bytes();
        norms += layer.inputNorm.size() + layer.postAttentionNorm.size() + layer.preFeedForwardNorm.size() +
                 layer.postFeedForwardNorm.size() + layer.queryNorm.size() + layer.keyNorm.size();
    }
    return bytes + static_cast<int64_t>(norms * sizeof(float));
}

void Model::releasePages(const MatrixView& matrix) const {
    // A copy in our own memory is in no file and stays: dropping its pages would lose it.
    for (const auto& file : m_files)
        if (matrix.data && file->contains(matrix.data))
            return file->releasePages({matrix.data, static_cast<size_t>(matrix.bytes())});
}

}  // namespace gapscope

// A loaded Gemma 3: numbers, weights where they lie (memory-mapped) and tokenizer. Immutable and shared by runs.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/runner/model_config.h"
#include "core/runner/tokenizer.h"
#include "kernels/weight_type.h"

namespace gapscope {

class MappedFile;

struct LayerWeights {
    MatrixView q, k, v, output;  // [heads*headDim, hidden] ..., [hidden, heads*headDim]
    MatrixView gate, up, down;   // [feedForward, hidden] x2, [hidden, feedForward]
    // fp32, the 1 of Gemma's (1 + w) already added
    std::vector<float> inputNorm, postAttentionNorm, preFeedForwardNorm, postFeedForwardNorm;  // [hidden]
    std::vector<float> queryNorm, keyNorm;                                                     // [headDim]
};

class Model {
public:
    using Progress = std::function<void(const std::string& phase, double share)>;  // share 0..1

    // A .gguf file or a Hugging Face directory (config.json, *.safetensors, tokenizer.model).
    // The error says which file, and where in it, is wrong. A directory without tokenizer.model loads too
    // (`tokenizer()` is null then): token ids can be run without text.
    static Result<std::shared_ptr<const Model>> load(const std::filesystem::path& path, const Progress& progress = {},
                                                     std::stop_token stop = {});

    ~Model();

    const ModelConfig& config() const { return m_config; }
    const MatrixView& embedding() const { return m_embedding; }  // [vocabulary, hidden]
    const MatrixView& head() const { return m_head; }            // same bytes as embedding() when tied
    bool tiedHead() const { return m_head.data == m_embedding.data; }
    const std::vector<LayerWeights>& layers() const { return m_layers; }
    const std::vector<float>& outputNorm() const { return m_outputNorm; }
    const Tokenizer* tokenizer() const { return m_tokenizer.get(); }
    const std::filesystem::path& path() const { return m_path; }
    std::string quantizationName() const;         // "Q4_K_M", "bf16": for people
    bool isRandom() const { return m_isRandom; }  // marked in the file as random weights: its text is noise
    int64_t weightBytes() const;                  // of all matrices and norms, each once

    // Tells the system that the mapped bytes of `matrix` need not stay in memory (they can be read again).
    void releasePages(const MatrixView& matrix) const;

private:
    friend class ModelLoader;
    Model();

    ModelConfig m_config;
    MatrixView m_embedding, m_head;
    std::vector<LayerWeights> m_layers;
    std::vector<float> m_outputNorm;
    std::unique_ptr<Tokenizer> m_tokenizer;
    std::vector<std::shared_ptr<const MappedFile>> m_files;     // the matrices lie in these
    std::vector<std::unique_ptr<std::byte[]>> m_alignedCopies;  // of matrices that a file holds at an odd address
    std::filesystem::path m_path;
    std::string m_quantization;
    bool m_isRandom = false;
};

}  // namespace gapscope

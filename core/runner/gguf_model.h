// What a GGUF says of a Gemma 3, and what it leaves unsaid, filled in.
#pragma once

#include <string>

#include "core/base/result.h"
#include "core/runner/gguf.h"
#include "core/runner/model_config.h"
#include "core/runner/tensor_source.h"
#include "core/runner/tokenizer.h"

namespace gapscope {

// The first words a catalog or loader needs: an error if the file holds anything but a Gemma 3 text model.
Status requireGemma3(const GgufFile& file);

Result<ModelConfig> ggufModelConfig(const GgufFile& file);
Result<GgufVocabulary> ggufVocabulary(const GgufFile& file);  // no pieces where the file has no vocabulary
std::string ggufQuantizationName(const GgufFile& file);       // "Q4_K_M"; empty if the file does not say
bool ggufIsRandom(const GgufFile& file);                      // marked as random weights

class GgufTensorSource : public TensorSource {
public:
    explicit GgufTensorSource(const GgufFile& file) : m_file(file) {}
    Result<std::optional<TensorView>> find(TensorRole role, int64_t layer) const override;
    std::string nameOf(TensorRole role, int64_t layer) const override;
    double addedToNorms() const override { return 0; }  // llama.cpp's converter has added the 1 already

private:
    const GgufFile& m_file;
};

}  // namespace gapscope

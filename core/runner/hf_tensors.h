// The tensors of a Hugging Face folder: model.safetensors, or the parts that model.safetensors.index.json lists.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/runner/mapped_file.h"
#include "core/runner/safetensors.h"
#include "core/runner/tensor_source.h"

namespace gapscope {

// The names of the part files in an index, each once, sorted. Only plain names: an index cannot point out of its
// folder.
Result<std::vector<std::string>> safetensorsParts(std::string_view indexJson, const std::string& name);

class HfTensors : public TensorSource {
public:
    enum class Head : uint8_t { Tied, Own };

    static Result<HfTensors> open(const std::filesystem::path& folder, Head head);

    Result<std::optional<TensorView>> find(TensorRole role, int64_t layer) const override;
    std::string nameOf(TensorRole role, int64_t layer) const override;
    double addedToNorms() const override { return 1; }
    std::vector<std::shared_ptr<const MappedFile>> files() const { return m_mappings; }

private:
    HfTensors() = default;
    bool has(const std::string& name) const { return m_fileOf.contains(name); }

    Head m_head = Head::Tied;
    std::string m_prefix;      // "model.", "language_model.model.", ...
    std::string m_headPrefix;  // of lm_head
    std::vector<std::shared_ptr<const MappedFile>> m_mappings;
    std::vector<SafetensorsFile> m_files;
    std::unordered_map<std::string, size_t> m_fileOf;
};

}  // namespace gapscope

// Numbers of a Gemma 3 from a Hugging Face folder: config.json in the three forms that are about (transformers 5,
// the older flat keys, text_config of the multimodal models), generation_config.json and the chat template.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/runner/hf_tensors.h"
#include "core/runner/model_config.h"

namespace gapscope {

struct HfConfig {
    ModelConfig model;
    HfTensors::Head head = HfTensors::Head::Tied;
};

// `name` stands in errors.
Result<HfConfig> parseHfConfig(std::string_view configJson, const std::string& name);
Result<std::vector<int32_t>> endTokensOf(std::string_view generationJson, const std::string& name);  // may be none
Result<std::string> chatTemplateOf(std::string_view tokenizerConfigJson, const std::string& name);   // may be empty

Result<HfConfig> readHfConfig(const std::filesystem::path& folder);

// "google/gemma-3-1b-it" below a Hugging Face cache (models--google--gemma-3-1b-it/snapshots/X), else the folder's
// name.
std::string nameOfFolder(const std::filesystem::path& folder);

}  // namespace gapscope

// Hugging Face's names for Gemma 3's tensors, and the files they lie in.
#include "core/runner/hf_tensors.h"

#include <simdjson.h>

#include <algorithm>
#include <set>
#include <utility>

namespace gapscope {

namespace fs = std::filesystem;

namespace {

constexpr size_t kMostParts = 1024;

// Empty: there is no such tensor in this form.
constexpr const char* kNames[kTensorRoles] = {"embed_tokens.weight",
                                              "lm_head.weight",
                                              "norm.weight",
                                              "input_layernorm.weight",
                                              "post_attention_layernorm.weight",
                                              "pre_feedforward_layernorm.weight",
                                              "post_feedforward_layernorm.weight",
                                              "self_attn.q_norm.weight",
                                              "self_attn.k_norm.weight",
                                              "self_attn.q_proj.weight",
                                              "self_attn.k_proj.weight",
                                              "self_attn.v_proj.weight",
                                              "",
                                              "self_attn.o_proj.weight",
                                              "mlp.gate_proj.weight",
                                              "mlp.up_proj.weight",
                                              "mlp.down_proj.weight"};

// Text-only checkpoints; multimodal ones as first published and as transformers writes them today; a bare text model.
constexpr const char* kPrefixes[] = {"model.", "language_model.model.", "model.language_model.", ""};

}  // namespace

Result<std::vector<std::string>> safetensorsParts(std::string_view indexJson, const std::string& name) {
    simdjson::dom::parser parser;
    simdjson::dom::object map;
    if (parser.parse(indexJson.data(), indexJson.size())["weight_map"].get_object().get(map))
        return fail(name + " is not an index of safetensors files: it has no \"weight_map\".", ErrorKind::BadFile);
    std::set<std::string> parts;
    for (const auto [tensor, value] : map) {
        std::string_view part;
        if (value.get_string().get(part) || part.empty() || part.size() > 255 || part == "." || part == ".." ||
            part.find('/') != part.npos || part.find('\0') != part.npos)
            return fail(
                name + ": the file named for " + std::string(tensor.substr(0, 80)) + " is not a plain file name.",
                ErrorKind::BadFile);
        parts.emplace(part);
        if (parts.size() > kMostParts)
            return fail(name + " lists more than " + std::to_string(kMostParts) + " files.", ErrorKind::BadFile);
    }
    if (parts.empty()) return fail(name + " lists no files.", ErrorKind::BadFile);
    return std::vector<std::string>(parts.begin(), parts.end());
}

Result<HfTensors> HfTensors::open(const fs::path& folder, Head head) {
    HfTensors tensors;
    tensors.m_head = head;
    std::vector<std::string> parts = {"model.safetensors"};
    std::error_code error;
    if (!fs::exists(folder / parts[0], error)) {
        const fs::path index = folder / "model.safetensors.index.json";
        if (!fs::exists(index, error))
            return fail(folder.string() + " has neither model.safetensors nor model.safetensors.index.json.",
                        ErrorKind::NotFound);
        ASSIGN_OR_RETURN(const std::string text, readSmallFile(index));
        ASSIGN_OR_RETURN(parts, safetensorsParts(text, index.string()));
    }
    for (const std::string& part : parts) {
        const fs::path path = folder / part;
        ASSIGN_OR_RETURN(auto mapping, MappedFile::open(path));
        ASSIGN_OR_RETURN(SafetensorsFile file, SafetensorsFile::parse(mapping->bytes(), path.string()));
        for (const auto& [name, entry] : file.tensors())
            if (!tensors.m_fileOf.emplace(name, tensors.m_files.size()).second)
                return fail(path.string() + ": the tensor " + name.substr(0, 80) + " is in another part already.",
                            ErrorKind::BadFile);
        tensors.m_mappings.push_back(std::move(mapping));
        tensors.m_files.push_back(std::move(file));
    }
    const auto prefix = std::find_if(std::begin(kPrefixes), std::end(kPrefixes),
                                     [&](const char* start) { return tensors.has(start + std::string(kNames[0])); });
    if (prefix == std::end(kPrefixes))
        return fail(folder.string() + ": no file of it has a Gemma 3 embedding (model.embed_tokens.weight).",
                    ErrorKind::BadFile);
    tensors.m_prefix = *prefix;
    if (!tensors.has("lm_head.weight") && tensors.has("language_model.lm_head.weight"))
        tensors.m_headPrefix = "language_model.";
    if (head == Head::Own && !tensors.has(tensors.m_headPrefix + "lm_head.weight"))
        return fail(
            folder.string() + ": config.json asks for an output matrix of its own, but lm_head.weight is missing.",
            ErrorKind::BadFile);
    return tensors;
}

std::string HfTensors::nameOf(TensorRole role, int64_t layer) const {
    const char* const name = kNames[static_cast<size_t>(role)];
    if (role == TensorRole::Head) return m_headPrefix + name;
    return m_prefix + (role < TensorRole::InputNorm ? "" : "layers." + std::to_string(layer) + ".") + name;
}

Result<std::optional<TensorView>> HfTensors::find(TensorRole role, int64_t layer) const {
    // transformers ties the two whatever the file holds, unless the configuration says otherwise.
    if (role == TensorRole::FusedQueryKeyValue || (role == TensorRole::Head && m_head == Head::Tied))
        return std::nullopt;
    const std::string name = nameOf(role, layer);
    const auto found = m_fileOf.find(name);
    if (found == m_fileOf.end()) return std::nullopt;
    const SafetensorsFile& file = m_files[found->second];
    const SafetensorsEntry* const entry = file.tensor(name);
    TensorView view;
    view.name = file.name() + ": the tensor " + name;
    if (entry->type == "F32")
        view.type = WeightType::F32;
    else if (entry->type == "F16")
        view.type = WeightType::F16;
    else if (entry->type == "BF16")
        view.type = WeightType::BF16;
    else
        return fail(
            view.name + " is stored as " + entry->type + ", which Gapscope does not run (F32, F16 and BF16 are).",
            ErrorKind::BadFile);
    view.shape = entry->shape;
    view.data = entry->data;
    return view;
}

}  // namespace gapscope

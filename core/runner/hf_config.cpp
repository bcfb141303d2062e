// Keys as transformers' configuration_gemma3.py reads and writes them; its defaults where a (multimodal) file is
// sparse.
#include "core/runner/hf_config.h"

#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

namespace gapscope {

namespace fs = std::filesystem;
namespace dom = simdjson::dom;

namespace {

// One JSON object with typed access: an absent key or null is none. A number that is there but of another kind is not
// passed over for a default: it becomes one that no check lets through (-1, or not a number).
class Section {
public:
    explicit Section(dom::object object) : m_object(object) {}

    std::optional<dom::element> get(std::string_view key) const {
        dom::element value;
        if (m_object[key].get(value) || value.is_null()) return std::nullopt;
        return value;
    }
    std::optional<double> number(std::string_view key) const {
        double value = 0;
        const auto element = get(key);
        if (!element) return std::nullopt;
        return element->get_double().get(value) ? std::numeric_limits<double>::quiet_NaN() : value;
    }
    std::optional<int64_t> integer(std::string_view key) const {
        const auto element = get(key);
        if (!element) return std::nullopt;
        if (int64_t whole = 0; !element->get_int64().get(whole)) return whole;
        double real = 0;  // 1e6 is a whole number too
        if (element->get_double().get(real) || std::abs(real) > 1e15 || real != std::floor(real)) return -1;
        return static_cast<int64_t>(real);
    }
    std::optional<bool> boolean(std::string_view key) const {
        bool value = false;
        const auto element = get(key);
        if (!element || element->get_bool().get(value)) return std::nullopt;
        return value;
    }
    std::optional<std::string_view> string(std::string_view key) const {
        std::string_view value;
        const auto element = get(key);
        if (!element || element->get_string().get(value)) return std::nullopt;
        return value;
    }
    std::optional<Section> section(std::string_view key) const {
        dom::object value;
        const auto element = get(key);
        if (!element || element->get_object().get(value)) return std::nullopt;
        return Section(value);
    }
    std::optional<dom::array> array(std::string_view key) const {
        dom::array value;
        const auto element = get(key);
        if (!element || element->get_array().get(value)) return std::nullopt;
        return value;
    }

private:
    dom::object m_object;
};

Result<Section> parseObject(dom::parser& parser, std::string_view json, const std::string& name) {
    dom::object root;
    if (const auto error = parser.parse(json.data(), json.size()).get_object().get(root))
        return fail(name + " is not a JSON object (" + simdjson::error_message(error) + ").", ErrorKind::BadFile);
    return Section(root);
}

// "eos_token_id": 1 or [1, 106]
std::vector<int32_t> endTokensIn(const Section& section) {
    std::vector<int32_t> ends;
    const auto add = [&](int64_t id) {
        if (id < 0 || id > std::numeric_limits<int32_t>::max() || ends.size() >= 64) return;
        if (std::find(ends.begin(), ends.end(), id) == ends.end()) ends.push_back(static_cast<int32_t>(id));
    };
    if (const auto one = section.integer("eos_token_id")) add(*one);
    if (const auto many = section.array("eos_token_id"))
        for (const auto element : *many)
            if (int64_t id = 0; !element.get_int64().get(id)) add(id);
    return ends;
}

// How far apart positions are: 1, or the factor of linear scaling. Other ways of scaling are other models.
Result<double> linearScale(const std::optional<Section>& scaling, const std::string& name) {
    if (!scaling) return 1.0;
    auto type = scaling->string("rope_type");
    if (!type) type = scaling->string("type");
    if (!type || *type == "default") return 1.0;
    if (*type != "linear")
        return fail(name + " scales rope positions by \"" + std::string(type->substr(0, 40)) +
                        "\"; Gemma 3 scales them linearly.",
                    ErrorKind::BadFile);
    const auto factor = scaling->number("factor");
    if (!factor) return fail(name + " asks for linear rope scaling without a factor.", ErrorKind::BadFile);
    return *factor;
}

Status readRope(const Section& text, ModelConfig& model, const std::string& name) {
    model.ropeThetaGlobal = text.number("rope_theta").value_or(1e6);
    model.ropeThetaLocal = text.number("rope_local_base_freq").value_or(1e4);
    std::optional<Section> scaling = text.section("rope_scaling");
    if (const auto parameters = text.section("rope_parameters")) {  // transformers 5
        const auto global = parameters->section("full_attention");
        const auto local = parameters->section("sliding_attention");
        scaling = global ? global : parameters;
        model.ropeThetaGlobal = scaling->number("rope_theta").value_or(model.ropeThetaGlobal);
        if (local) {
            model.ropeThetaLocal = local->number("rope_theta").value_or(model.ropeThetaLocal);
            ASSIGN_OR_RETURN(const double localScale, linearScale(local, name));
            if (localScale != 1)
                return fail(name + " scales the positions of local layers, which no Gemma 3 does.", ErrorKind::BadFile);
        }
    }
    ASSIGN_OR_RETURN(model.ropeScaleGlobal, linearScale(scaling, name));
    return {};
}

Status readLayerKinds(const Section& text, ModelConfig& model, const std::string& name) {
    const auto kinds = text.array("layer_types");
    if (!kinds) {
        auto period = text.integer("sliding_window_pattern");
        if (!period) period = text.integer("_sliding_window_pattern");
        if (period.value_or(6) < 0)
            return fail(name + " has an impossible sliding_window_pattern.", ErrorKind::BadFile);
        model.isGlobal = globalLayers(model.layers, period.value_or(6));
        return {};
    }
    model.isGlobal.clear();
    for (const auto element : *kinds) {
        std::string_view kind;
        if (element.get_string().get(kind) || (kind != "full_attention" && kind != "sliding_attention"))
            return fail(name + " has a layer that is neither full nor sliding attention.", ErrorKind::BadFile);
        model.isGlobal.push_back(kind == "full_attention");
    }
    return {};
}

// What would need other arithmetic than Gemma 3's.
Status refuseOthers(const Section& root, const Section& text, const std::string& name) {
    const auto refuse = [&](const char* what) { return fail(name + " " + what + ".", ErrorKind::BadFile); };
    if (root.get("quantization_config"))
        return refuse("describes quantised weights; take the original folder (bf16) or a GGUF");
    if (text.boolean("use_bidirectional_attention").value_or(false))
        return refuse("describes an embedding model, which generates no text");
    if (text.boolean("attention_bias").value_or(false)) return refuse("has attention biases, which no Gemma 3 has");
    for (const char* const key : {"attn_logit_softcapping", "final_logit_softcapping"})
        if (text.number(key).value_or(0) != 0) return refuse("caps its logits, which no Gemma 3 does");
    if (text.string("hidden_activation").value_or("gelu_pytorch_tanh") != "gelu_pytorch_tanh")
        return refuse("uses another activation than Gemma 3's gelu_pytorch_tanh");
    return {};
}

}  // namespace

std::string nameOfFolder(const fs::path& folder) {
    fs::path clean = folder.lexically_normal();
    if (!clean.has_filename()) clean = clean.parent_path();
    if (clean.parent_path().filename() != "snapshots") return clean.filename().string();
    std::string name = clean.parent_path().parent_path().filename().string();
    if (!name.starts_with("models--")) return clean.filename().string();
    name.erase(0, 8);
    const auto gap = name.find("--");
    return gap == name.npos ? name : name.substr(0, gap) + "/" + name.substr(gap + 2);
}

Result<HfConfig> parseHfConfig(std::string_view configJson, const std::string& name) {
    dom::parser parser;
    ASSIGN_OR_RETURN(const Section root, parseObject(parser, configJson, name));
    const auto type = root.string("model_type");
    if (!type) return fail(name + " does not say what model it describes (model_type).", ErrorKind::BadFile);
    if (*type != "gemma3" && *type != "gemma3_text")
        return fail(name + " describes a " + std::string(type->substr(0, 40)) + " model; Gapscope runs Gemma 3.",
                    ErrorKind::BadFile);
    const Section text = root.section("text_config").value_or(root);
    RETURN_IF_ERROR(refuseOthers(root, text, name));

    HfConfig config;
    ModelConfig& model = config.model;
    model.hidden = text.integer("hidden_size").value_or(2304);
    model.layers = text.integer("num_hidden_layers").value_or(26);
    model.heads = text.integer("num_attention_heads").value_or(8);
    model.kvHeads = text.integer("num_key_value_heads").value_or(4);
    model.headDim = text.integer("head_dim").value_or(256);
    model.feedForward = text.integer("intermediate_size").value_or(9216);
    model.vocabulary = text.integer("vocab_size").value_or(262208);
    model.contextLength = text.integer("max_position_embeddings").value_or(131072);
    model.slidingWindow = text.integer("sliding_window").value_or(4096);
    model.rmsEpsilon = text.number("rms_norm_eps").value_or(1e-6);
    model.embeddingScale = std::sqrt(static_cast<double>(std::max<int64_t>(model.hidden, 0)));
    model.attentionScale = 1 / std::sqrt(text.number("query_pre_attn_scalar").value_or(256));
    RETURN_IF_ERROR(readRope(text, model, name));
    model.endTokens = endTokensIn(root);
    if (model.endTokens.empty()) model.endTokens = endTokensIn(text);
    if (model.endTokens.empty()) model.endTokens = {1};
    auto bos = root.integer("bos_token_id");
    if (!bos) bos = text.integer("bos_token_id");
    model.bosToken = bos && *bos >= 0 && *bos < model.vocabulary && *bos < 1 << 24 ? static_cast<int32_t>(*bos) : 2;

    // The layer list is made from a layer count that must be sane first.
    model.isGlobal.assign(static_cast<size_t>(std::clamp<int64_t>(model.layers, 0, 1 << 10)), true);
    RETURN_IF_ERROR(checkConfig(model, name));
    RETURN_IF_ERROR(readLayerKinds(text, model, name));
    RETURN_IF_ERROR(checkConfig(model, name));

    auto tied = root.boolean("tie_word_embeddings");
    if (!tied) tied = text.boolean("tie_word_embeddings");
    config.head = tied.value_or(true) ? HfTensors::Head::Tied : HfTensors::Head::Own;
    return config;
}

Result<std::vector<int32_t>> endTokensOf(std::string_view generationJson, const std::string& name) {
    dom::parser parser;
    ASSIGN_OR_RETURN(const Section root, parseObject(parser, generationJson, name));
    return endTokensIn(root);
}

Result<std::string> chatTemplateOf(std::string_view tokenizerConfigJson, const std::string& name) {
    dom::parser parser;
    ASSIGN_OR_RETURN(const Section root, parseObject(parser, tokenizerConfigJson, name));
    if (const auto text = root.string("chat_template")) return std::string(*text);
    // Some tokenizers carry several, each with a name.
    if (const auto several = root.array("chat_template"))
        for (const auto element : *several) {
            dom::object object;
            if (element.get_object().get(object)) continue;
            const Section entry(object);
            if (entry.string("name") == "default") return std::string(entry.string("template").value_or(""));
        }
    return std::string();
}

Result<HfConfig> readHfConfig(const fs::path& folder) {
    const fs::path path = folder / "config.json";
    std::error_code error;
    if (!fs::exists(path, error))
        return fail(folder.string() + " is not a model folder: it has no config.json.", ErrorKind::NotFound);
    ASSIGN_OR_RETURN(const std::string text, readSmallFile(path));
    ASSIGN_OR_RETURN(HfConfig config, parseHfConfig(text, path.string()));
    config.model.name = nameOfFolder(folder);
    if (const fs::path generation = folder / "generation_config.json"; fs::exists(generation, error)) {
        ASSIGN_OR_RETURN(const std::string json, readSmallFile(generation));
        ASSIGN_OR_RETURN(std::vector<int32_t> ends, endTokensOf(json, generation.string()));
        if (!ends.empty()) config.model.endTokens = std::move(ends);
    }
    if (const fs::path chat = folder / "chat_template.jinja"; fs::exists(chat, error)) {
        ASSIGN_OR_RETURN(config.model.chatTemplate, readSmallFile(chat));
    } else if (const fs::path tokenizer = folder / "tokenizer_config.json"; fs::exists(tokenizer, error)) {
        ASSIGN_OR_RETURN(const std::string json, readSmallFile(tokenizer));
        ASSIGN_OR_RETURN(config.model.chatTemplate, chatTemplateOf(json, tokenizer.string()));
    }
    return config;
}

}  // namespace gapscope

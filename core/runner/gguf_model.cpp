// Gemma 3 in GGUF: keys "gemma3.*", tensors "blk.N.*". llama.cpp, whose format this is, knows several numbers from the
// layer count alone and does not write them; newer files may carry them, and then the file is right.
#include "core/runner/gguf_model.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace gapscope {

namespace {

constexpr int64_t kLayersOf27B = 62;
constexpr int64_t kEndOfTurn = 106;

std::string key(const char* name) {
    return std::string("gemma3.") + name;
}

Result<int64_t> requiredInteger(const GgufFile& file, const char* name) {
    const auto value = file.integer(key(name));
    if (!value)
        return fail(file.name() + " lacks the number " + key(name) + ": it is not a complete Gemma 3 file.",
                    ErrorKind::BadFile);
    return *value;
}

Result<std::vector<bool>> layerKinds(const GgufFile& file, int64_t layers, int64_t window) {
    const std::string name = key("attention.sliding_window_pattern");
    if (window == 0) return globalLayers(layers, 0);
    if (const auto local = file.integers(name)) {  // one flag a layer: true where it slides
        if (static_cast<int64_t>(local->size()) < layers)
            return fail(file.name() + ": " + name + " is shorter than the layers are many.", ErrorKind::BadFile);
        std::vector<bool> isGlobal;
        for (int64_t layer = 0; layer < layers; ++layer)
            isGlobal.push_back((*local)[static_cast<size_t>(layer)] == 0);
        return isGlobal;
    }
    return globalLayers(layers, file.integer(name).value_or(6));
}

// Only the global layers of 4B and larger have scaled positions. Files that do not say so are older than the key.
Result<double> globalRopeScale(const GgufFile& file, int64_t layers) {
    const auto factor = file.number(key("rope.scaling.factor"));
    if (const auto type = file.string(key("rope.scaling.type"))) {
        if (*type == "none") return 1.0;
        if (*type != "linear")
            return fail(file.name() + " scales rope positions by \"" + std::string(type->substr(0, 40)) +
                            "\"; Gemma 3 scales them linearly.",
                        ErrorKind::BadFile);
        return factor.value_or(8.0);
    }
    if (factor) return *factor == 0 ? 1.0 : *factor;
    return layers == 34 || layers == 48 || layers == kLayersOf27B ? 8.0 : 1.0;
}

double attentionScale(const GgufFile& file, const ModelConfig& config) {
    if (const auto scale = file.number(key("attention.scale")); scale && *scale != 0) return *scale;
    // 27B divides by the square root of hidden / heads (168), all others of the head size.
    const auto scalar =
        static_cast<double>(config.layers == kLayersOf27B ? config.hidden / config.heads : config.headDim);
    return 1 / std::sqrt(scalar);
}

std::vector<int32_t> endTokens(const GgufFile& file, bool hasChatTemplate) {
    std::vector<int32_t> ends;
    const auto add = [&](int64_t id) {
        if (id < 0 || id > std::numeric_limits<int32_t>::max()) return;
        const auto token = static_cast<int32_t>(id);
        if (std::find(ends.begin(), ends.end(), token) == ends.end()) ends.push_back(token);
    };
    add(file.integer("tokenizer.ggml.eos_token_id").value_or(1));
    if (const auto endOfTurn = file.integer("tokenizer.ggml.eot_token_id")) add(*endOfTurn);
    // Files made before that key: a model that chats ends its turns with this piece.
    if (hasChatTemplate) {
        const auto pieces = file.strings("tokenizer.ggml.tokens");
        if (pieces && pieces->size() > kEndOfTurn && (*pieces)[kEndOfTurn] == "<end_of_turn>") add(kEndOfTurn);
    }
    return ends;
}

constexpr const char* kNames[kTensorRoles] = {"token_embd.weight",
                                              "output.weight",
                                              "output_norm.weight",
                                              "attn_norm.weight",
                                              "post_attention_norm.weight",
                                              "ffn_norm.weight",
                                              "post_ffw_norm.weight",
                                              "attn_q_norm.weight",
                                              "attn_k_norm.weight",
                                              "attn_q.weight",
                                              "attn_k.weight",
                                              "attn_v.weight",
                                              "attn_qkv.weight",
                                              "attn_output.weight",
                                              "ffn_gate.weight",
                                              "ffn_up.weight",
                                              "ffn_down.weight"};

}  // namespace

Status requireGemma3(const GgufFile& file) {
    const auto architecture = file.string("general.architecture");
    if (!architecture)
        return fail(file.name() + " does not say which architecture it holds (general.architecture).",
                    ErrorKind::BadFile);
    if (*architecture != "gemma3")
        return fail(
            file.name() + " holds a " + std::string(architecture->substr(0, 40)) + " model; Gapscope runs Gemma 3.",
            ErrorKind::BadFile);
    if (file.integer("split.count").value_or(1) > 1)
        return fail(file.name() + " is one part of a split model: join the parts first (llama-gguf-split --merge).",
                    ErrorKind::BadFile);
    return {};
}

Result<ModelConfig> ggufModelConfig(const GgufFile& file) {
    RETURN_IF_ERROR(requireGemma3(file));
    ModelConfig config;
    config.name = file.string("general.name").value_or("");
    ASSIGN_OR_RETURN(config.hidden, requiredInteger(file, "embedding_length"));
    ASSIGN_OR_RETURN(config.layers, requiredInteger(file, "block_count"));
    ASSIGN_OR_RETURN(config.heads, requiredInteger(file, "attention.head_count"));
    config.kvHeads = file.integer(key("attention.head_count_kv")).value_or(config.heads);
    config.headDim = file.integer(key("attention.key_length")).value_or(256);
    if (file.integer(key("attention.value_length")).value_or(config.headDim) != config.headDim)
        return fail(file.name() + ": keys and values differ in length, which no Gemma 3 has.", ErrorKind::BadFile);
    ASSIGN_OR_RETURN(config.feedForward, requiredInteger(file, "feed_forward_length"));
    ASSIGN_OR_RETURN(config.contextLength, requiredInteger(file, "context_length"));
    for (const char* const name : {"attn_logit_softcapping", "final_logit_softcapping"})
        if (file.number(key(name)).value_or(0) != 0)
            return fail(file.name() + " caps its logits (" + key(name) + "), which no Gemma 3 does.",
                        ErrorKind::BadFile);

    const GgufTensor* const embedding = file.tensor(kNames[0]);
    if (!embedding || embedding->shape.size() != 2)
        return fail(file.name() + " lacks the matrix token_embd.weight: it is not a complete Gemma 3 file.",
                    ErrorKind::BadFile);
    config.vocabulary = embedding->shape[1];
    config.slidingWindow = file.integer(key("attention.sliding_window")).value_or(0);
    config.ropeThetaGlobal = file.number(key("rope.freq_base")).value_or(1e6);
    config.ropeThetaLocal = file.number(key("rope.freq_base_swa")).value_or(1e4);
    config.rmsEpsilon = file.number(key("attention.layer_norm_rms_epsilon")).value_or(1e-6);
    config.embeddingScale = std::sqrt(static_cast<double>(config.hidden));
    config.chatTemplate = file.string("tokenizer.chat_template").value_or("");
    config.endTokens = endTokens(file, !config.chatTemplate.empty());
    const int64_t bos = file.integer("tokenizer.ggml.bos_token_id").value_or(2);
    config.bosToken = bos >= 0 && bos < config.vocabulary ? static_cast<int32_t>(bos) : 2;
    config.addBos = file.boolean("tokenizer.ggml.add_bos_token").value_or(true);

    // The rest is computed from numbers that must be sane first.
    config.isGlobal.assign(static_cast<size_t>(std::clamp<int64_t>(config.layers, 0, 1 << 10)), true);
    config.attentionScale = 1;
    RETURN_IF_ERROR(checkConfig(config, file.name()));
    config.attentionScale = attentionScale(file, config);
    ASSIGN_OR_RETURN(config.isGlobal, layerKinds(file, config.layers, config.slidingWindow));
    ASSIGN_OR_RETURN(config.ropeScaleGlobal, globalRopeScale(file, config.layers));
    RETURN_IF_ERROR(checkConfig(config, file.name()));
    return config;
}

Result<GgufVocabulary> ggufVocabulary(const GgufFile& file) {
    GgufVocabulary vocabulary;
    if (!file.has("tokenizer.ggml.tokens")) return vocabulary;
    const auto kind = file.string("tokenizer.ggml.model").value_or("llama");
    if (kind != "llama")
        return fail(file.name() + " has a vocabulary of the kind \"" + std::string(kind.substr(0, 40)) +
                        "\"; Gemma 3's is a SentencePiece one (\"llama\").",
                    ErrorKind::BadFile);
    auto pieces = file.strings("tokenizer.ggml.tokens");
    auto scores = file.floats("tokenizer.ggml.scores");
    const auto types = file.integers("tokenizer.ggml.token_type");
    if (!pieces || !scores || !types)
        return fail(file.name() + ": the vocabulary's pieces, scores or types are missing or of a wrong kind.",
                    ErrorKind::BadFile);
    vocabulary.pieces = std::move(*pieces);
    vocabulary.scores = std::move(*scores);
    for (const int64_t type : *types)
        vocabulary.types.push_back(static_cast<int32_t>(std::clamp<int64_t>(type, 0, 255)));
    const auto id = [&](const char* name, int32_t otherwise) {
        const int64_t value = file.integer(name).value_or(otherwise);
        return static_cast<int32_t>(std::clamp<int64_t>(value, -1, std::numeric_limits<int32_t>::max()));
    };
    vocabulary.bos = id("tokenizer.ggml.bos_token_id", 2);
    vocabulary.eos = id("tokenizer.ggml.eos_token_id", 1);
    vocabulary.unknown = id("tokenizer.ggml.unknown_token_id", 3);
    vocabulary.padding = id("tokenizer.ggml.padding_token_id", 0);
    // note: llama.cpp takes an absent key for true, which is right for Llama; no Gemma has the prefix.
    vocabulary.addSpacePrefix = file.boolean("tokenizer.ggml.add_space_prefix").value_or(false);
    return vocabulary;
}

std::string ggufQuantizationName(const GgufFile& file) {
    switch (file.integer("general.file_type").value_or(-1)) {
        case 0:
            return "F32";
        case 1:
            return "F16";
        case 2:
            return "Q4_0";
        case 7:
            return "Q8_0";
        case 8:
            return "Q5_0";
        case 14:
            return "Q4_K_S";
        case 15:
            return "Q4_K_M";
        case 16:
            return "Q5_K_S";
        case 17:
            return "Q5_K_M";
        case 18:
            return "Q6_K";
        case 32:
            return "BF16";
        default:
            return {};
    }
}

bool ggufIsRandom(const GgufFile& file) {
    return file.boolean("gapscope.random_weights").value_or(false);
}

std::string GgufTensorSource::nameOf(TensorRole role, int64_t layer) const {
    const char* const name = kNames[static_cast<size_t>(role)];
    return role < TensorRole::InputNorm ? name : "blk." + std::to_string(layer) + "." + name;
}

Result<std::optional<TensorView>> GgufTensorSource::find(TensorRole role, int64_t layer) const {
    const std::string name = nameOf(role, layer);
    const GgufTensor* const tensor = m_file.tensor(name);
    if (!tensor) return std::nullopt;
    TensorView view;
    view.name = m_file.name() + ": the tensor " + name;
    const auto type =
        tensor->ggmlType <= 255 ? weightTypeFromGgml(static_cast<int>(tensor->ggmlType)) : std::optional<WeightType>();
    if (!type)
        return fail(view.name + " is stored as " + ggmlTypeName(tensor->ggmlType) +
                        ", which Gapscope does not run (F32, F16, BF16, Q8_0, Q4_0, Q5_0, Q4_K, Q5_K and Q6_K are).",
                    ErrorKind::BadFile);
    view.type = *type;
    view.shape.assign(tensor->shape.rbegin(), tensor->shape.rend());
    view.data = tensor->data;
    return view;
}

}  // namespace gapscope

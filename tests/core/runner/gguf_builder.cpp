// Writes the format from its description, independently of the reader under test.
#include "tests/core/runner/gguf_builder.h"

#include <algorithm>
#include <cstring>

#include "tests/core/runner/tiny_vocabulary.h"

namespace gapscope::test {

namespace {

template <class T>
void append(std::string& out, T value) {
    char bytes[sizeof value];
    std::memcpy(bytes, &value, sizeof value);
    out.append(bytes, sizeof value);
}

void appendText(std::string& out, const std::string& text) {
    append<uint64_t>(out, text.size());
    out += text;
}

struct FieldWriter {
    std::string& out;
    void operator()(uint32_t value) const { append<uint32_t>(out, 4), append(out, value); }
    void operator()(float value) const { append<uint32_t>(out, 6), append(out, value); }
    void operator()(bool value) const { append<uint32_t>(out, 7), append<uint8_t>(out, value); }
    void operator()(const GgufText& value) const { append<uint32_t>(out, 8), appendText(out, value.text); }
    void operator()(const GgufTexts& value) const {
        array(8, value.texts.size());
        for (const std::string& text : value.texts)
            appendText(out, text);
    }
    void operator()(const GgufFloats& value) const {
        array(6, value.values.size());
        for (const float number : value.values)
            append(out, number);
    }
    void operator()(const GgufInts& value) const {
        array(5, value.values.size());
        for (const int32_t number : value.values)
            append(out, number);
    }
    void array(uint32_t type, size_t count) const {
        append<uint32_t>(out, 9);
        append<uint32_t>(out, type);
        append<uint64_t>(out, count);
    }
};

std::string q8Bytes(int64_t elements) {
    std::string bytes;
    for (int64_t block = 0; block < elements / 32; ++block) {
        append<uint16_t>(bytes, 0x2C00);  // 1/16 as a half
        bytes.append(32, '\1');
    }
    return bytes;
}

std::string ones(int64_t count) {
    std::string bytes;
    for (int64_t index = 0; index < count; ++index)
        append(bytes, 1.0F);
    return bytes;
}

}  // namespace

void GgufBuilder::set(const std::string& key, GgufField value) {
    for (auto& [name, field] : fields)
        if (name == key) {
            field = std::move(value);
            return;
        }
    fields.emplace_back(key, std::move(value));
}

void GgufBuilder::remove(const std::string& key) {
    std::erase_if(fields, [&](const auto& field) { return field.first == key; });
}

GgufTensorSpec& GgufBuilder::tensor(const std::string& name) {
    return *std::find_if(tensors.begin(), tensors.end(), [&](const auto& tensor) { return tensor.name == name; });
}

void GgufBuilder::removeTensor(const std::string& name) {
    std::erase_if(tensors, [&](const auto& tensor) { return tensor.name == name; });
}

std::string GgufBuilder::build() const {
    std::string out = "GGUF";
    append(out, version);
    append<uint64_t>(out, tensors.size() + static_cast<uint64_t>(extraTensors));
    append<uint64_t>(out, fields.size() + static_cast<uint64_t>(extraKeys));
    for (const auto& [key, field] : fields) {
        appendText(out, key);
        std::visit(FieldWriter{out}, field);
    }
    std::string data;
    for (const GgufTensorSpec& tensor : tensors) {
        appendText(out, tensor.name);
        append<uint32_t>(out, static_cast<uint32_t>(tensor.shape.size()));
        for (const int64_t extent : tensor.shape)
            append(out, extent);
        append(out, tensor.type);
        append<uint64_t>(out, tensor.offset < 0 ? data.size() : static_cast<uint64_t>(tensor.offset));
        data += tensor.bytes;
        data.resize((data.size() + alignment - 1) / alignment * alignment);
    }
    out.resize((out.size() + alignment - 1) / alignment * alignment);
    return out + data;
}

GgufBuilder tinyGemma() {
    GgufBuilder file;
    file.set("general.architecture", GgufText{"gemma3"});
    file.set("general.name", GgufText{"Test model"});
    file.set("general.file_type", uint32_t{7});
    file.set("gemma3.context_length", uint32_t{256});
    file.set("gemma3.embedding_length", uint32_t{32});
    file.set("gemma3.block_count", uint32_t{2});
    file.set("gemma3.feed_forward_length", uint32_t{64});
    file.set("gemma3.attention.head_count", uint32_t{2});
    file.set("gemma3.attention.head_count_kv", uint32_t{1});
    file.set("gemma3.attention.key_length", uint32_t{32});
    file.set("gemma3.attention.value_length", uint32_t{32});
    file.set("gemma3.attention.layer_norm_rms_epsilon", 1e-6F);
    file.set("gemma3.attention.sliding_window", uint32_t{16});
    file.set("gemma3.rope.freq_base", 1e6F);
    file.set("tokenizer.ggml.model", GgufText{"llama"});
    GgufTexts pieces;
    GgufFloats scores;
    GgufInts types;
    for (const TinyPiece& piece : tinyPieces()) {
        pieces.texts.push_back(piece.text);
        scores.values.push_back(piece.score);
        types.values.push_back(piece.type);
    }
    const auto vocabulary = static_cast<int64_t>(pieces.texts.size());
    file.set("tokenizer.ggml.tokens", std::move(pieces));
    file.set("tokenizer.ggml.scores", std::move(scores));
    file.set("tokenizer.ggml.token_type", std::move(types));
    file.set("tokenizer.ggml.bos_token_id", uint32_t{2});
    file.set("tokenizer.ggml.eos_token_id", uint32_t{1});
    file.set("tokenizer.ggml.add_bos_token", true);

    const auto matrix = [&](const std::string& name, int64_t columns, int64_t rows) {
        file.add({name, {columns, rows}, 8, q8Bytes(columns * rows)});
    };
    const auto norm = [&](const std::string& name, int64_t size) { file.add({name, {size}, 0, ones(size)}); };
    matrix("token_embd.weight", 32, vocabulary);
    for (const std::string block : {"blk.0.", "blk.1."}) {
        norm(block + "attn_norm.weight", 32);
        matrix(block + "attn_q.weight", 32, 64);
        matrix(block + "attn_k.weight", 32, 32);
        matrix(block + "attn_v.weight", 32, 32);
        norm(block + "attn_q_norm.weight", 32);
        norm(block + "attn_k_norm.weight", 32);
        matrix(block + "attn_output.weight", 64, 32);
        norm(block + "post_attention_norm.weight", 32);
        norm(block + "ffn_norm.weight", 32);
        matrix(block + "ffn_gate.weight", 32, 64);
        matrix(block + "ffn_up.weight", 32, 64);
        matrix(block + "ffn_down.weight", 64, 32);
        norm(block + "post_ffw_norm.weight", 32);
    }
    norm("output_norm.weight", 32);
    return file;
}

}  // namespace gapscope::test

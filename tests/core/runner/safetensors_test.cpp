// Hugging Face folders: safetensors headers and config.json, right and wrong in one thing each.
#include "core/runner/safetensors.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "core/runner/hf_config.h"
#include "core/runner/model.h"
#include "tests/support/test_files.h"

namespace gapscope {

namespace fs = std::filesystem;

namespace {

std::string safetensors(const std::string& header, const std::string& data) {
    const uint64_t length = header.size();
    std::string bytes(sizeof length, '\0');
    std::memcpy(bytes.data(), &length, sizeof length);
    return bytes + header + data;
}

Result<SafetensorsFile> parse(const std::string& bytes) {
    return SafetensorsFile::parse(std::as_bytes(std::span(bytes)), "test.safetensors");
}

std::string entry(const std::string& type, const std::string& shape, const std::string& offsets) {
    return R"({"dtype":")" + type + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}";
}

// A folder that holds the tiny golden model with other files in place of some of its own.
class CopyOfTiny {
public:
    explicit CopyOfTiny(const fs::path& original) {
        for (const char* const name : {"config.json", "generation_config.json", "model.safetensors"})
            fs::copy_file(original / name, path() / name);
        for (const char* const name : {"config.json", "generation_config.json", "model.safetensors"})
            fs::permissions(path() / name, fs::perms::owner_all);
    }
    const fs::path& path() const { return m_folder.path(); }
    std::string error() const {
        const auto model = Model::load(path());
        return model ? "" : model.error().message;
    }
    void replace(const std::string& file, const std::string& from, const std::string& to) const {
        std::string text = test::readText(path() / file);
        const auto at = text.find(from);
        ASSERT_NE(at, std::string::npos) << from;
        test::writeBytes(path() / file, text.substr(0, at) + to + text.substr(at + from.size()));
    }

private:
    test::TemporaryFolder m_folder;
};

}  // namespace

TEST(Safetensors, ReadsNamesShapesAndBytes) {
    const std::string header = R"({"__metadata__":{"format":"pt"},"a":)" + entry("BF16", "[2,3]", "[4,16]") +
                               R"(,"b":)" + entry("F32", "[1]", "[0,4]") + "}  ";
    const std::string bytes = safetensors(header, "0123456789abcdef");
    const auto file = parse(bytes);
    ASSERT_TRUE(file) << file.error().message;
    ASSERT_EQ(file->tensors().size(), 2U);
    const SafetensorsEntry* const a = file->tensor("a");
    ASSERT_NE(a, nullptr);
    EXPECT_EQ(a->type, "BF16");
    EXPECT_EQ(a->shape, (std::vector<int64_t>{2, 3}));
    EXPECT_EQ(std::memcmp(a->data.data(), "456789abcdef", 12), 0);
    EXPECT_EQ(a->data.size(), 12U);
    EXPECT_EQ(file->tensor("c"), nullptr);
}

TEST(Safetensors, RefusesWhatDoesNotFit) {
    const std::string data(16, 'x');
    const auto refused = [&](const std::string& header) { return !parse(safetensors(header, data)).has_value(); };
    const auto one = [](const std::string& type, const std::string& shape, const std::string& offsets) {
        return R"({"a":)" + entry(type, shape, offsets) + "}";
    };
    EXPECT_FALSE(refused(one("F32", "[2,2]", "[0,16]")));
    EXPECT_FALSE(refused(one("F8_E4M3", "[16]", "[0,16]")));
    EXPECT_TRUE(refused(one("F32", "[2,2]", "[0,17]")));
    EXPECT_TRUE(refused(one("F32", "[2,2]", "[16,0]")));
    EXPECT_TRUE(refused(one("F32", "[2,2]", "[0]")));
    EXPECT_TRUE(refused(one("F32", "[2,2]", "[-4,12]")));
    EXPECT_TRUE(refused(one("F32", "[2,2]", "[0,18446744073709551615]")));
    EXPECT_TRUE(refused(one("F32", "[2,1]", "[0,16]")));
    EXPECT_TRUE(refused(one("F32", "[-2,-2]", "[0,16]")));
    EXPECT_TRUE(refused(one("F32", "[4294967296,4294967296,1]", "[0,16]")));  // 2^64 bytes would wrap to 0
    EXPECT_TRUE(refused(one("F32", "[1099511627776,1099511627776]", "[0,0]")));
    EXPECT_TRUE(refused(one("F32", "[1,1,1,1,1,1,1,1,4]", "[0,16]")));
    EXPECT_TRUE(refused(R"({"a":{"dtype":"F32"}})"));
    EXPECT_TRUE(refused(R"({"a":3})"));
    EXPECT_TRUE(refused(R"([1,2])"));
    EXPECT_TRUE(refused("{"));
    EXPECT_TRUE(refused(R"({"a":)" + entry("F32", "[1]", "[0,4]") + R"(,"a":)" + entry("F32", "[1]", "[0,4]") + "}"));
    const auto two = [](const std::string& first, const std::string& second) {
        return R"({"a":)" + entry("F32", "[2]", first) + R"(,"b":)" + entry("F32", "[2]", second) + "}";
    };
    EXPECT_FALSE(refused(two("[8,16]", "[0,8]")));
    EXPECT_TRUE(refused(two("[0,8]", "[7,15]")));
    EXPECT_TRUE(refused(two("[4,12]", "[4,12]")));
    EXPECT_TRUE(refused(std::string(5000, '[') + std::string(5000, ']')));
}

TEST(Safetensors, RefusesImpossibleHeaderLengths) {
    std::string bytes = safetensors("{}", "");
    EXPECT_TRUE(parse(bytes));
    for (const uint64_t length : {uint64_t{3}, uint64_t{1} << 25, uint64_t{1} << 63, UINT64_MAX, UINT64_MAX - 7}) {
        std::memcpy(bytes.data(), &length, sizeof length);
        EXPECT_FALSE(parse(bytes)) << length;
    }
}

TEST(Safetensors, EveryTruncationIsAnError) {
    const std::string whole = safetensors(R"({"a":)" + entry("F32", "[2,2]", "[0,16]") + "}", std::string(16, 'x'));
    for (size_t length = 0; length < whole.size(); ++length) {
        const auto part = std::make_unique<std::byte[]>(length);
        std::memcpy(part.get(), whole.data(), length);
        ASSERT_FALSE(SafetensorsFile::parse({part.get(), length}, "cut")) << length;
    }
}

TEST(HfFolder, SaysWhichFileIsWrong) {
    const auto original = test::sharedFile("goldens/tiny-hf");
    GAPSCOPE_NEEDS_FILE(original, "goldens/tiny-hf");
    const auto expectError = [&](const std::string& words, const std::function<void(const CopyOfTiny&)>& change) {
        const CopyOfTiny copy(original);
        change(copy);
        EXPECT_NE(copy.error().find(words), std::string::npos) << words << ": \"" << copy.error() << "\"";
    };
    EXPECT_EQ(CopyOfTiny(original).error(), "");
    const auto replacing = [](const std::string& file, const std::string& from, const std::string& to) {
        return [=](const CopyOfTiny& copy) { copy.replace(file, from, to); };
    };
    expectError("describes a llama model", replacing("config.json", "gemma3_text", "llama"));
    expectError("not a JSON object",
                [](const CopyOfTiny& copy) { test::writeBytes(copy.path() / "config.json", "{"); });
    expectError("is empty", [](const CopyOfTiny& copy) { test::writeBytes(copy.path() / "config.json", ""); });
    expectError("config.json", [](const CopyOfTiny& copy) { fs::remove(copy.path() / "config.json"); });
    expectError("model.safetensors", [](const CopyOfTiny& copy) { fs::remove(copy.path() / "model.safetensors"); });
    expectError("has the shape", replacing("config.json", "\"intermediate_size\": 128", "\"intermediate_size\": 256"));
    expectError("has the shape", replacing("config.json", "\"vocab_size\": 512", "\"vocab_size\": 513"));
    expectError("layers.8", replacing("config.json", "\"layer_types\": [",
                                      "\"num_hidden_layers\": 9, \"x\": [], \"layer_types\": [\"full_attention\","));
    expectError("of 8 layers are given", [](const CopyOfTiny& copy) {
        copy.replace("config.json", "\"num_hidden_layers\": 8", "\"num_hidden_layers\": 7");
    });
    expectError("neither full nor sliding", replacing("config.json", "full_attention\",", "chunked_attention\","));
    expectError("lm_head.weight is missing",
                replacing("config.json", "\"tie_word_embeddings\": true", "\"tie_word_embeddings\": false"));
    expectError("embedding model", replacing("config.json", "\"use_bidirectional_attention\": false",
                                             "\"use_bidirectional_attention\": true"));
    expectError("quantised", replacing("config.json", "\"use_cache\": true",
                                       R"("quantization_config": {"load_in_8bit": true}, "use_cache": true)"));
    expectError("caps its logits",
                replacing("config.json", "\"final_logit_softcapping\": null", "\"final_logit_softcapping\": 30.0"));
    expectError("generation_config.json",
                [](const CopyOfTiny& copy) { test::writeBytes(copy.path() / "generation_config.json", "not json"); });
    expectError("past the end",
                [](const CopyOfTiny& copy) { fs::resize_file(copy.path() / "model.safetensors", 400000); });
    expectError("tokenizer.model", [](const CopyOfTiny& copy) {
        test::writeBytes(copy.path() / "tokenizer.model", "no protobuf at all");
    });
}

TEST(HfFolder, ReadsPartsByTheirIndex) {
    const auto original = test::sharedFile("goldens/tiny-hf");
    GAPSCOPE_NEEDS_FILE(original, "goldens/tiny-hf");
    const CopyOfTiny copy(original);
    // The one file taken apart into two, tensor by tensor.
    const std::string whole = test::readText(original / "model.safetensors");
    const auto file = parse(whole);
    ASSERT_TRUE(file);
    std::string headers[2], datas[2], map;
    int count = 0;
    for (const auto& [name, tensor] : file->tensors()) {
        const int part = count++ % 2;
        const std::string text(reinterpret_cast<const char*>(tensor.data.data()), tensor.data.size());
        std::string shape;
        for (const int64_t extent : tensor.shape)
            shape.append(shape.empty() ? "" : ",").append(std::to_string(extent));
        const std::string begin = std::to_string(datas[part].size());
        const std::string end = std::to_string(datas[part].size() + text.size());
        headers[part].append(headers[part].empty() ? "{\"" : ",\"").append(name).append("\":");
        headers[part] += entry(tensor.type, std::string("[").append(shape).append("]"),
                               std::string("[").append(begin).append(",").append(end).append("]"));
        datas[part] += text;
        map.append(map.empty() ? "\"" : ",\"").append(name).append("\":\"part").append(std::to_string(part));
        map += ".safetensors\"";
    }
    for (const int part : {0, 1}) {
        std::string header = headers[part].append("}");
        if (part == 0 && header.size() % 2 == 0) header += ' ';  // so that its tensors begin at odd addresses
        const std::string name = std::string("part").append(std::to_string(part)).append(".safetensors");
        test::writeBytes(copy.path() / name, safetensors(header, datas[part]));
    }
    fs::remove(copy.path() / "model.safetensors");
    const auto index = copy.path() / "model.safetensors.index.json";
    test::writeBytes(index, R"({"metadata":{},"weight_map":{)" + map + "}}");
    const auto model = Model::load(copy.path());
    ASSERT_TRUE(model) << model.error().message;
    const auto reference = Model::load(original);
    ASSERT_TRUE(reference);
    for (size_t layer = 0; layer < 8; ++layer) {
        const MatrixView& a = (*model)->layers()[layer].up;
        const MatrixView& b = (*reference)->layers()[layer].up;
        EXPECT_EQ(reinterpret_cast<uintptr_t>(a.data) % 2, 0U);
        EXPECT_EQ(std::memcmp(a.data, b.data, static_cast<size_t>(b.bytes())), 0);
        (*model)->releasePages(a);
        EXPECT_EQ(std::memcmp(a.data, b.data, static_cast<size_t>(b.bytes())), 0);
    }
    EXPECT_EQ((*model)->outputNorm(), (*reference)->outputNorm());
    EXPECT_EQ((*model)->weightBytes(), (*reference)->weightBytes());

    for (const char* const name : {"../part0.safetensors", "/etc/passwd", "", ".."}) {
        test::writeBytes(index, std::string(R"({"weight_map":{"model.embed_tokens.weight":")") + name + "\"}}");
        EXPECT_NE(copy.error().find("not a plain file name"), std::string::npos) << copy.error();
    }
    test::writeBytes(index, R"({"weight_map":{"model.embed_tokens.weight":"part9.safetensors"}})");
    EXPECT_NE(copy.error().find("part9.safetensors"), std::string::npos) << copy.error();
    test::writeBytes(index, R"({"weight_map":{}})");
    EXPECT_NE(copy.error().find("lists no files"), std::string::npos) << copy.error();
}

TEST(HfFolder, FindsTheChatTemplate) {
    const auto original = test::sharedFile("goldens/tiny-hf");
    GAPSCOPE_NEEDS_FILE(original, "goldens/tiny-hf");
    const CopyOfTiny copy(original);
    EXPECT_EQ((*Model::load(copy.path()))->config().chatTemplate, "");
    test::writeBytes(copy.path() / "tokenizer_config.json", R"({"chat_template": "from json"})");
    EXPECT_EQ((*Model::load(copy.path()))->config().chatTemplate, "from json");
    test::writeBytes(
        copy.path() / "tokenizer_config.json",
        R"({"chat_template": [{"name": "tool", "template": "no"}, {"name": "default", "template": "yes"}]})");
    EXPECT_EQ((*Model::load(copy.path()))->config().chatTemplate, "yes");
    test::writeBytes(copy.path() / "chat_template.jinja", "from jinja");
    EXPECT_EQ((*Model::load(copy.path()))->config().chatTemplate, "from jinja");
}

// The multimodal form: text keys nested and sparse. Numbers of the 4B.
TEST(HfConfig, ReadsTheTextPartOfAMultimodalModel) {
    const auto config = parseHfConfig(R"({"architectures": ["Gemma3ForConditionalGeneration"], "model_type": "gemma3",
        "eos_token_id": [1, 106], "text_config": {"hidden_size": 2560, "intermediate_size": 10240,
        "model_type": "gemma3_text", "num_hidden_layers": 34, "rope_scaling": {"factor": 8.0, "rope_type": "linear"},
        "sliding_window": 1024}, "vision_config": {"hidden_size": 1152}})",
                                      "config.json");
    ASSERT_TRUE(config) << config.error().message;
    const ModelConfig& model = config->model;
    EXPECT_EQ(model.hidden, 2560);
    EXPECT_EQ(model.layers, 34);
    EXPECT_EQ(model.heads, 8);
    EXPECT_EQ(model.kvHeads, 4);
    EXPECT_EQ(model.headDim, 256);
    EXPECT_EQ(model.vocabulary, 262208);
    EXPECT_EQ(model.contextLength, 131072);
    EXPECT_EQ(model.slidingWindow, 1024);
    EXPECT_EQ(model.ropeScaleGlobal, 8);
    EXPECT_EQ(model.attentionScale, 1.0 / 16);
    EXPECT_EQ(model.endTokens, (std::vector<int32_t>{1, 106}));
    EXPECT_TRUE(model.isGlobal[5]);
    EXPECT_FALSE(model.isGlobal[4]);
}

TEST(HfConfig, RefusesNumbersThatCannotBe) {
    const auto refused = [](const std::string& more) {
        return !parseHfConfig(R"({"model_type": "gemma3_text")" + more + "}", "config.json").has_value();
    };
    EXPECT_FALSE(refused(""));
    EXPECT_FALSE(refused(R"(, "rope_theta": 1e6)"));
    EXPECT_TRUE(refused(R"(, "num_hidden_layers": -1)"));
    EXPECT_TRUE(refused(R"(, "num_hidden_layers": 1e18)"));
    EXPECT_TRUE(refused(R"(, "num_hidden_layers": "many")"));
    EXPECT_TRUE(refused(R"(, "rope_theta": "far")"));
    EXPECT_TRUE(refused(R"(, "head_dim": 0)"));
    EXPECT_TRUE(refused(R"(, "hidden_size": 9223372036854775807)"));
    EXPECT_TRUE(refused(R"(, "query_pre_attn_scalar": 0)"));
    EXPECT_TRUE(refused(R"(, "query_pre_attn_scalar": -4)"));
    EXPECT_TRUE(refused(R"(, "rms_norm_eps": 0)"));
    EXPECT_TRUE(refused(R"(, "rope_scaling": {"rope_type": "yarn", "factor": 8})"));
    EXPECT_TRUE(refused(R"(, "rope_scaling": {"rope_type": "linear"})"));
    EXPECT_TRUE(refused(R"(, "rope_scaling": {"rope_type": "linear", "factor": 0})"));
    EXPECT_TRUE(refused(R"(, "sliding_window": 0)"));
    EXPECT_TRUE(refused(R"(, "layer_types": ["full_attention"])"));
}

}  // namespace gapscope

// GGUF files made here, right and wrong in one thing each: what must load, what must be refused and with which words.
#include "core/runner/gguf.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <memory>
#include <string>

#include "core/runner/gguf_model.h"
#include "core/runner/model.h"
#include "core/runner/model_loader.h"
#include "tests/core/runner/gguf_builder.h"
#include "tests/core/runner/tiny_vocabulary.h"
#include "tests/support/test_files.h"

namespace gapscope {

using test::GgufBuilder;
using test::GgufText;

namespace {

std::span<const std::byte> bytesOf(const std::string& text) {
    return std::as_bytes(std::span(text));
}

// Loads as from a file; "" if that went well, else the error.
std::string loadError(const GgufBuilder& builder) {
    const std::string bytes = builder.build();
    const auto file = GgufFile::parse(bytesOf(bytes), "test.gguf");
    if (!file) return file.error().message;
    const Model::Progress none;
    const auto model = ModelLoader(none, {}).fromGguf(*file);
    return model ? "" : model.error().message;
}

Result<ModelConfig> configOf(const GgufBuilder& builder) {
    const std::string bytes = builder.build();
    const auto file = GgufFile::parse(bytesOf(bytes), "test.gguf");
    if (!file) return tl::unexpected(file.error());
    return ggufModelConfig(*file);
}

struct Wrong {
    const char* name;
    std::function<void(GgufBuilder&)> change;
    const char* words;  // that the error must hold
};

}  // namespace

TEST(Gguf, AFileMadeHereLoadsWhole) {
    const test::TemporaryFolder folder;
    const auto path = folder.path() / "tiny.gguf";
    test::writeBytes(path, test::tinyGemma().build());
    const auto loaded = Model::load(path);
    ASSERT_TRUE(loaded) << loaded.error().message;
    const Model& model = **loaded;
    EXPECT_EQ(model.config().vocabulary, static_cast<int64_t>(test::tinyPieces().size()));
    EXPECT_EQ(model.config().layers, 2);
    EXPECT_EQ(model.layers()[1].down.columns, 64);
    EXPECT_EQ(model.layers()[1].down.rows, 32);
    EXPECT_EQ(std::memcmp(model.layers()[1].down.data + 2, "\1\1\1\1", 4), 0);
    EXPECT_EQ(model.outputNorm(), std::vector<float>(32, 1.0F));  // as in the file: its 1 is in there already
    EXPECT_FALSE(model.isRandom());
    EXPECT_EQ(model.quantizationName(), "Q8_0");
    // 2 layers of 2*2048 + 2*1024 + 3*2048 elements and the embedding, 34 bytes for 32; norms of 4*32 + 2*32 floats.
    const int64_t elements = 2 * (2 * 2048 + 2 * 1024 + 3 * 2048) + model.config().vocabulary * 32;
    EXPECT_EQ(model.weightBytes(), elements / 32 * 34 + 4 * (2 * (4 * 32 + 2 * 32) + 32));
}

TEST(Gguf, Version2HasTheSameLayout) {
    GgufBuilder file = test::tinyGemma();
    file.version = 2;
    EXPECT_EQ(loadError(file), "");
}

TEST(Gguf, OtherAlignmentsWork) {
    for (const uint32_t alignment : {8U, 64U, 4096U}) {
        GgufBuilder file = test::tinyGemma();
        file.alignment = alignment;
        file.set("general.alignment", alignment);
        EXPECT_EQ(loadError(file), "") << alignment;
    }
}

TEST(Gguf, RefusesWhatIsWrongWithASentence) {
    const Wrong cases[] = {
        {"version 1", [](GgufBuilder& f) { f.version = 1; }, "version 1"},
        {"version 4", [](GgufBuilder& f) { f.version = 4; }, "version 4"},
        {"big-endian", [](GgufBuilder& f) { f.version = 3U << 24; }, "big-endian"},
        {"llama", [](GgufBuilder& f) { f.set("general.architecture", GgufText{"llama"}); },
         "holds a llama model; Gapscope runs Gemma 3"},
        {"no architecture", [](GgufBuilder& f) { f.remove("general.architecture"); }, "general.architecture"},
        {"split", [](GgufBuilder& f) { f.set("split.count", uint32_t{3}); }, "one part of a split model"},
        {"too many keys", [](GgufBuilder& f) { f.extraKeys = 1; }, "byte"},
        {"impossible keys", [](GgufBuilder& f) { f.extraKeys = int64_t{1} << 40; }, "impossible number of keys"},
        {"negative tensors", [](GgufBuilder& f) { f.extraTensors = -1000; }, "impossible number of tensors"},
        {"key twice", [](GgufBuilder& f) { f.fields.push_back(f.fields[3]); }, "appears twice"},
        {"tensor twice", [](GgufBuilder& f) { f.tensors.push_back(f.tensors[3]); }, "appears twice"},
        {"alignment 0", [](GgufBuilder& f) { f.set("general.alignment", uint32_t{0}); }, "alignment"},
        {"alignment 24", [](GgufBuilder& f) { f.set("general.alignment", uint32_t{24}); }, "alignment"},
        {"odd offset", [](GgufBuilder& f) { f.tensors[4].offset = 33; }, "multiple of the alignment"},
        {"far offset", [](GgufBuilder& f) { f.tensors[4].offset = int64_t{1} << 50; }, "past the end"},
        {"last offset", [](GgufBuilder& f) { f.tensors[4].offset = INT64_MAX - 31; }, "past the end"},
        {"overlap", [](GgufBuilder& f) { f.tensors[4].offset = 0; }, "overlap"},
        {"no dimensions", [](GgufBuilder& f) { f.tensors[4].shape = {}; }, "0 dimensions"},
        {"five dimensions",
         [](GgufBuilder& f) {
             f.tensors[4].shape = {32, 1, 1, 1, 1};
         },
         "5 dimensions"},
        {"zero extent",
         [](GgufBuilder& f) {
             f.tensors[4].shape = {32, 0};
         },
         "impossible extent"},
        {"negative extent",
         [](GgufBuilder& f) {
             f.tensors[4].shape = {32, -1};
         },
         "impossible extent"},
        {"overflowing shape",
         [](GgufBuilder& f) {
             f.tensors[4].shape = {int64_t{1} << 62, int64_t{1} << 62, 4};
         },
         "past the end"},
        {"half a block",
         [](GgufBuilder& f) {
             f.tensor("blk.0.attn_q.weight").shape = {33, 64};
         },
         "packs 32"},
        {"K-quant of 32 columns", [](GgufBuilder& f) { f.tensor("blk.0.attn_q.weight").type = 12; }, "packs 256"},
        {"Q2_K", [](GgufBuilder& f) { f.tensor("blk.0.attn_q.weight").type = 10; }, "stored as Q2_K"},
        {"unknown type", [](GgufBuilder& f) { f.tensor("blk.0.attn_q.weight").type = 4000000000; },
         "stored as type 4000000000"},
        {"quantised norm",
         [](GgufBuilder& f) {
             f.tensor("output_norm.weight").type = 8;
             f.tensor("output_norm.weight").bytes = std::string(34, '\1');
         },
         "quantised norm"},
        {"NaN in a norm",
         [](GgufBuilder& f) { f.tensor("output_norm.weight").bytes.replace(4, 4, std::string("\0\0\xc0\x7f", 4)); },
         "not finite"},
        {"missing tensor", [](GgufBuilder& f) { f.removeTensor("blk.1.ffn_up.weight"); },
         "test.gguf: The tensor blk.1.ffn_up.weight is missing"},
        {"missing embedding", [](GgufBuilder& f) { f.removeTensor("token_embd.weight"); }, "token_embd.weight"},
        {"wrong shape",
         [](GgufBuilder& f) {
             f.tensor("blk.1.ffn_up.weight").shape = {64, 32};
         },
         "has the shape 32 x 64; the configuration asks for 64 x 32"},
        {"matrix for a norm",
         [](GgufBuilder& f) {
             f.tensor("output_norm.weight").shape = {16, 2};
         },
         "has the shape"},
        {"no hidden size", [](GgufBuilder& f) { f.remove("gemma3.embedding_length"); }, "gemma3.embedding_length"},
        {"hidden size is text", [](GgufBuilder& f) { f.set("gemma3.embedding_length", GgufText{"32"}); },
         "gemma3.embedding_length"},
        {"no layers", [](GgufBuilder& f) { f.set("gemma3.block_count", uint32_t{0}); }, "layer count of 0"},
        {"too many layers", [](GgufBuilder& f) { f.set("gemma3.block_count", uint32_t{4000000000}); }, "layer count"},
        {"heads that do not divide",
         [](GgufBuilder& f) {
             f.set("gemma3.attention.head_count", uint32_t{3});
             f.set("gemma3.attention.head_count_kv", uint32_t{2});
         },
         "cannot share"},
        {"zero KV heads", [](GgufBuilder& f) { f.set("gemma3.attention.head_count_kv", uint32_t{0}); },
         "KV head count"},
        {"epsilon 0", [](GgufBuilder& f) { f.set("gemma3.attention.layer_norm_rms_epsilon", 0.0F); }, "epsilon"},
        {"rope base NaN", [](GgufBuilder& f) { f.set("gemma3.rope.freq_base", std::nanf("")); }, "rope base"},
        {"yarn", [](GgufBuilder& f) { f.set("gemma3.rope.scaling.type", GgufText{"yarn"}); }, "yarn"},
        {"soft cap", [](GgufBuilder& f) { f.set("gemma3.final_logit_softcapping", 30.0F); }, "caps its logits"},
        {"other tokenizer", [](GgufBuilder& f) { f.set("tokenizer.ggml.model", GgufText{"gpt2"}); }, "gpt2"},
        {"no scores", [](GgufBuilder& f) { f.remove("tokenizer.ggml.scores"); }, "scores"},
        {"few scores",
         [](GgufBuilder& f) {
             f.set("tokenizer.ggml.scores", test::GgufFloats{{1, 2}});
         },
         "2 scores"},
        {"vocabulary beyond the embedding",
         [](GgufBuilder& f) {
             f.tensor("token_embd.weight").shape = {32, 256};
         },
         "only 256 rows"},
    };
    ASSERT_EQ(loadError(test::tinyGemma()), "");
    for (const Wrong& wrong : cases) {
        GgufBuilder file = test::tinyGemma();
        wrong.change(file);
        const std::string error = loadError(file);
        EXPECT_NE(error.find(wrong.words), std::string::npos) << wrong.name << ": \"" << error << "\"";
        EXPECT_NE(error.find("test.gguf"), std::string::npos) << wrong.name << ": \"" << error << "\"";
    }
}

// Each length gets memory of exactly that length, so that a sanitizer sees the smallest step too far.
TEST(Gguf, EveryTruncationIsAnError) {
    const std::string whole = test::tinyGemma().build();
    const size_t dataBegin = whole.size() - 24'000;  // from somewhere in the data on, steps will do
    for (size_t length = 0; length < whole.size(); length += length < dataBegin ? 1 : 37) {
        const auto part = std::make_unique<std::byte[]>(length);
        std::memcpy(part.get(), whole.data(), length);
        const auto file = GgufFile::parse({part.get(), length}, "cut.gguf");
        ASSERT_FALSE(file) << "cut to " << length << " of " << whole.size();
        ASSERT_EQ(file.error().kind, ErrorKind::BadFile);
    }
    EXPECT_TRUE(GgufFile::parse(bytesOf(whole), "whole.gguf"));
}

TEST(Gguf, ReadingForACatalogStopsAtTheVocabulary) {
    std::string bytes = test::tinyGemma().build();
    const size_t vocabulary = bytes.find("tokenizer.ggml.tokens") + 21;
    ASSERT_LT(vocabulary, bytes.size());
    std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(vocabulary), bytes.end(), '\xff');
    EXPECT_FALSE(GgufFile::parse(bytesOf(bytes), "spoilt.gguf"));
    const auto file = GgufFile::parse(bytesOf(bytes), "spoilt.gguf", GgufExtent::BeforeVocabulary);
    ASSERT_TRUE(file) << file.error().message;
    EXPECT_EQ(file->string("general.name"), "Test model");
    EXPECT_EQ(file->tensorCount(), 28U);
}

TEST(GgufConfig, SaysWhatTheFileLeavesOut) {
    GgufBuilder file = test::tinyGemma();
    file.set("gemma3.block_count", uint32_t{26});
    const auto config = configOf(file);
    ASSERT_TRUE(config) << config.error().message;
    for (int layer = 0; layer < 26; ++layer)
        EXPECT_EQ(config->isGlobal[static_cast<size_t>(layer)],
                  layer == 5 || layer == 11 || layer == 17 || layer == 23);
    EXPECT_EQ(config->ropeThetaLocal, 1e4);
    EXPECT_EQ(config->ropeScaleGlobal, 1);
    EXPECT_DOUBLE_EQ(config->attentionScale, 1 / std::sqrt(32.0));
    EXPECT_EQ(config->endTokens, std::vector<int32_t>{1});
}

TEST(GgufConfig, The27BHasItsOwnScaleAndLargerModelsScaleTheirPositions) {
    GgufBuilder file = test::tinyGemma();
    for (const uint32_t layers : {34U, 48U, 62U}) {
        file.set("gemma3.block_count", layers);
        const auto config = configOf(file);
        ASSERT_TRUE(config) << config.error().message;
        EXPECT_EQ(config->ropeScaleGlobal, 8);
        // 27B: the root of hidden / heads, here 32 / 2.
        EXPECT_DOUBLE_EQ(config->attentionScale, layers == 62 ? 1 / 4.0 : 1 / std::sqrt(32.0));
    }
}

TEST(GgufConfig, NewerKeysWin) {
    GgufBuilder file = test::tinyGemma();
    file.set("gemma3.block_count", uint32_t{4});
    file.set("gemma3.attention.sliding_window_pattern", uint32_t{2});
    file.set("gemma3.rope.freq_base_swa", 5000.0F);
    file.set("gemma3.rope.scaling.type", GgufText{"linear"});
    file.set("gemma3.rope.scaling.factor", 4.0F);
    file.set("gemma3.attention.scale", 0.25F);
    file.set("tokenizer.ggml.eot_token_id", uint32_t{5});
    file.set("tokenizer.ggml.add_bos_token", false);
    auto config = configOf(file);
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->isGlobal, (std::vector<bool>{false, true, false, true}));
    EXPECT_EQ(config->ropeThetaLocal, 5000);
    EXPECT_EQ(config->ropeScaleGlobal, 4);
    EXPECT_EQ(config->attentionScale, 0.25);
    EXPECT_EQ(config->endTokens, (std::vector<int32_t>{1, 5}));
    EXPECT_FALSE(config->addBos);

    file.set("gemma3.attention.sliding_window_pattern", test::GgufInts{{1, 0, 0, 1}});  // true: it slides
    config = configOf(file);
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->isGlobal, (std::vector<bool>{false, true, true, false}));
    file.set("gemma3.attention.sliding_window_pattern", test::GgufInts{{1, 0}});
    EXPECT_FALSE(configOf(file));
    file.set("gemma3.rope.scaling.type", GgufText{"none"});
    file.remove("gemma3.attention.sliding_window_pattern");
    config = configOf(file);
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->ropeScaleGlobal, 1);
}

TEST(GgufConfig, AChatModelAlsoEndsWithItsTurn) {
    test::GgufTexts pieces;
    for (const test::TinyPiece& piece : test::tinyPieces())
        pieces.texts.push_back(piece.text);
    pieces.texts[106] = "<end_of_turn>";
    GgufBuilder file = test::tinyGemma();
    file.set("tokenizer.ggml.tokens", pieces);
    EXPECT_EQ(configOf(file)->endTokens, std::vector<int32_t>{1});  // a base model has the piece, but no template
    file.set("tokenizer.chat_template", GgufText{"{{ bos_token }}"});
    EXPECT_EQ(configOf(file)->endTokens, (std::vector<int32_t>{1, 106}));
    EXPECT_EQ(configOf(file)->chatTemplate, "{{ bos_token }}");
    pieces.texts[106] = "something else";
    file.set("tokenizer.ggml.tokens", pieces);
    EXPECT_EQ(configOf(file)->endTokens, std::vector<int32_t>{1});
}

TEST(Gguf, TextThatIsNotUtf8IsAsIfAbsent) {
    GgufBuilder file = test::tinyGemma();
    file.set("general.name", GgufText{"\xff\xfe"});
    const auto config = configOf(file);
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->name, "");
}

TEST(Gguf, StackedQueryKeyValueIsTakenApart) {
    GgufBuilder file = test::tinyGemma();
    GgufBuilder stacked = file;
    for (const std::string block : {"blk.0.", "blk.1."}) {
        std::string bytes;
        for (const char* const name : {"attn_q.weight", "attn_k.weight", "attn_v.weight"}) {
            std::string part = file.tensor(block + name).bytes;
            part[2] = name[5];  // marks the first value of each
            bytes += part;
            stacked.removeTensor(block + name);
        }
        stacked.add({block + "attn_qkv.weight", {32, 128}, 8, bytes});
    }
    const std::string bytes = stacked.build();
    const auto parsed = GgufFile::parse(bytesOf(bytes), "test.gguf");
    ASSERT_TRUE(parsed) << parsed.error().message;
    const Model::Progress none;
    const auto model = ModelLoader(none, {}).fromGguf(*parsed);
    ASSERT_TRUE(model) << model.error().message;
    const LayerWeights& layer = (*model)->layers()[1];
    EXPECT_EQ(layer.q.rows, 64);
    EXPECT_EQ(layer.k.rows, 32);
    EXPECT_EQ(static_cast<char>(layer.q.data[2]), 'q');
    EXPECT_EQ(static_cast<char>(layer.k.data[2]), 'k');
    EXPECT_EQ(static_cast<char>(layer.v.data[2]), 'v');
}

TEST(Gguf, AModelWithoutVocabularyRunsIds) {
    GgufBuilder file = test::tinyGemma();
    for (const char* const key : {"tokens", "scores", "token_type"})
        file.remove(std::string("tokenizer.ggml.") + key);
    const std::string bytes = file.build();
    const auto parsed = GgufFile::parse(bytesOf(bytes), "test.gguf");
    ASSERT_TRUE(parsed);
    const Model::Progress none;
    const auto model = ModelLoader(none, {}).fromGguf(*parsed);
    ASSERT_TRUE(model) << model.error().message;
    EXPECT_EQ((*model)->tokenizer(), nullptr);
}

}  // namespace gapscope

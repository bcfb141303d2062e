// Whole models from files: the real GGUF, a Hugging Face folder in its three forms, and what must be refused.
#include "core/runner/model.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <stop_token>

#include "tests/support/test_files.h"

namespace gapscope {

namespace fs = std::filesystem;

namespace {

std::vector<int64_t> globalLayersOf(const ModelConfig& config) {
    std::vector<int64_t> layers;
    for (size_t layer = 0; layer < config.isGlobal.size(); ++layer)
        if (config.isGlobal[layer]) layers.push_back(static_cast<int64_t>(layer));
    return layers;
}

// Of this process, in memory now.
int64_t residentBytes() {
    int64_t total = 0, resident = 0;
    std::ifstream("/proc/self/statm") >> total >> resident;
    return resident * ::sysconf(_SC_PAGESIZE);
}

}  // namespace

// The numbers are those of models.md's dump of the file, made with another program.
TEST(Model, ReadsTheRealGguf) {
    const auto path = test::realModelPath();
    GAPSCOPE_NEEDS_FILE(path, "the real model");
    std::map<std::string, double> phases;
    const auto begin = std::chrono::steady_clock::now();
    const auto loaded = Model::load(path, [&](const std::string& phase, double share) { phases[phase] = share; });
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    ASSERT_TRUE(loaded) << loaded.error().message;
    std::printf("loaded in %.3f s\n", seconds.count());
    const Model& model = **loaded;
    const ModelConfig& config = model.config();
    EXPECT_EQ(config.name, "Gemma 3 270m");
    EXPECT_EQ(config.hidden, 640);
    EXPECT_EQ(config.layers, 18);
    EXPECT_EQ(config.heads, 4);
    EXPECT_EQ(config.kvHeads, 1);
    EXPECT_EQ(config.headDim, 256);
    EXPECT_EQ(config.feedForward, 2048);
    EXPECT_EQ(config.vocabulary, 262144);
    EXPECT_EQ(config.contextLength, 32768);
    EXPECT_EQ(config.slidingWindow, 512);
    EXPECT_EQ(globalLayersOf(config), (std::vector<int64_t>{5, 11, 17}));
    EXPECT_EQ(config.ropeThetaGlobal, 1e6);
    EXPECT_EQ(config.ropeThetaLocal, 1e4);
    EXPECT_EQ(config.ropeScaleGlobal, 1);
    EXPECT_EQ(config.attentionScale, 1.0 / 16);
    EXPECT_DOUBLE_EQ(config.embeddingScale, std::sqrt(640.0));
    EXPECT_NEAR(config.rmsEpsilon, 1e-6, 1e-12);
    EXPECT_EQ(config.endTokens, std::vector<int32_t>{1});  // a base model: no chat template, so no 106
    EXPECT_EQ(config.bosToken, 2);
    EXPECT_TRUE(config.addBos);
    EXPECT_EQ(config.chatTemplate, "");
    EXPECT_EQ(model.quantizationName(), "Q4_K_M");
    EXPECT_FALSE(model.isRandom());
    EXPECT_TRUE(model.tiedHead());

    EXPECT_EQ(model.embedding().type, WeightType::Q8_0);
    std::map<WeightType, int> types;
    for (const LayerWeights& layer : model.layers()) {
        for (const MatrixView* const matrix :
             {&layer.q, &layer.k, &layer.v, &layer.output, &layer.gate, &layer.up, &layer.down})
            ++types[matrix->type];
        EXPECT_EQ(layer.queryNorm.size(), 256U);
        EXPECT_EQ(layer.inputNorm.size(), 640U);
    }
    EXPECT_EQ(types[WeightType::Q5_0], 81);
    EXPECT_EQ(types[WeightType::Q4_K], 27);
    EXPECT_EQ(types[WeightType::Q8_0], 9);
    EXPECT_EQ(types[WeightType::Q6_K], 9);
    // All of the file but its header (6,525,120 bytes); padding is nowhere needed in it.
    EXPECT_EQ(model.weightBytes(), 253113024 - 6525120);
    ASSERT_EQ(model.outputNorm().size(), 640U);
    float largest = 0;
    for (const float value : model.outputNorm())
        largest = std::max(largest, value);
    EXPECT_NEAR(largest, 301, 1);
    EXPECT_EQ(phases["Reading the vocabulary"], 1);
}

TEST(Model, PagesGivenBackLeaveMemory) {
    const auto path = test::realModelPath();
    GAPSCOPE_NEEDS_FILE(path, "the real model");
    const auto loaded = Model::load(path);
    ASSERT_TRUE(loaded) << loaded.error().message;
    const MatrixView& matrix = (*loaded)->embedding();  // 178 MB
    int64_t sum = 0;
    for (int64_t at = 0; at < matrix.bytes(); at += 4096)
        sum += static_cast<int64_t>(matrix.data[at]);
    EXPECT_GT(sum, 0);
    const int64_t before = residentBytes();
    (*loaded)->releasePages(matrix);
    EXPECT_GT(before - residentBytes(), matrix.bytes() * 9 / 10);
}

TEST(Model, PagesGivenBackAreReadAgain) {
    const auto path = test::realModelPath();
    GAPSCOPE_NEEDS_FILE(path, "the real model");
    const auto loaded = Model::load(path);
    ASSERT_TRUE(loaded) << loaded.error().message;
    const MatrixView& matrix = (*loaded)->layers()[3].gate;
    const std::vector<std::byte> before(matrix.data, matrix.data + matrix.bytes());
    (*loaded)->releasePages(matrix);
    EXPECT_TRUE(std::equal(before.begin(), before.end(), matrix.data));
    (*loaded)->releasePages(MatrixView{});  // of no file: nothing happens
}

TEST(Model, LoadingCanBeCancelled) {
    const auto path = test::realModelPath();
    GAPSCOPE_NEEDS_FILE(path, "the real model");
    std::stop_source stop;
    stop.request_stop();
    const auto loaded = Model::load(path, {}, stop.get_token());
    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error().kind, ErrorKind::Cancelled);
}

class TinyFolder : public ::testing::TestWithParam<std::string> {};

// The same model with config.json in the form of transformers 5 and in the older flat one.
TEST_P(TinyFolder, LoadsWhicheverFormItsConfigurationHas) {
    const auto folder = test::sharedFile("goldens/tiny-hf");
    GAPSCOPE_NEEDS_FILE(folder, "goldens/tiny-hf");
    const test::TemporaryFolder copy;
    fs::create_symlink(folder / "model.safetensors", copy.path() / "model.safetensors");
    fs::create_symlink(folder / "generation_config.json", copy.path() / "generation_config.json");
    fs::create_symlink(folder / GetParam(), copy.path() / "config.json");
    const auto loaded = Model::load(copy.path());
    ASSERT_TRUE(loaded) << loaded.error().message;
    const Model& model = **loaded;
    const ModelConfig& config = model.config();
    EXPECT_EQ(config.hidden, 64);
    EXPECT_EQ(config.layers, 8);
    EXPECT_EQ(config.heads, 4);
    EXPECT_EQ(config.kvHeads, 2);
    EXPECT_EQ(config.headDim, 32);
    EXPECT_EQ(config.feedForward, 128);
    EXPECT_EQ(config.vocabulary, 512);
    EXPECT_EQ(config.contextLength, 256);
    EXPECT_EQ(config.slidingWindow, 16);
    EXPECT_EQ(globalLayersOf(config), std::vector<int64_t>{5});
    EXPECT_EQ(config.ropeThetaGlobal, 1e6);
    EXPECT_EQ(config.ropeThetaLocal, 1e4);
    EXPECT_EQ(config.ropeScaleGlobal, GetParam() == "config-legacy-scaled.json" ? 8 : 1);
    EXPECT_DOUBLE_EQ(config.attentionScale, 1 / std::sqrt(24.0));
    EXPECT_EQ(config.endTokens, (std::vector<int32_t>{1, 106}));
    EXPECT_EQ(model.quantizationName(), "bf16");
    EXPECT_EQ(model.embedding().type, WeightType::BF16);
    EXPECT_TRUE(model.tiedHead());
    EXPECT_EQ(model.tokenizer(), nullptr);
    EXPECT_EQ(model.layers()[7].down.rows, 64);
    EXPECT_EQ(model.layers()[7].down.columns, 128);
    // Random norm weights around 0, with 1 added: their mean is near 1.
    double sum = 0;
    for (const float value : model.outputNorm())
        sum += value;
    EXPECT_NEAR(sum / 64, 1, 0.2);
}

INSTANTIATE_TEST_SUITE_P(Forms, TinyFolder,
                         ::testing::Values("config.json", "config-legacy.json", "config-legacy-scaled.json"));

TEST(Model, TheBuiltInFallbackLoadsAndTokenises) {
    const auto loaded = Model::load(test::repositoryFile("resources/tiny-random-gemma3.gguf"));
    ASSERT_TRUE(loaded) << loaded.error().message;
    const Model& model = **loaded;
    EXPECT_TRUE(model.isRandom());
    EXPECT_EQ(model.config().name, "Tiny random Gemma 3");
    EXPECT_EQ(model.quantizationName(), "Q8_0");
    EXPECT_EQ(model.embedding().type, WeightType::F16);
    EXPECT_EQ(globalLayersOf(model.config()), std::vector<int64_t>{5});
    EXPECT_EQ(model.config().endTokens, std::vector<int32_t>{1});
    ASSERT_NE(model.tokenizer(), nullptr);
    EXPECT_EQ(model.tokenizer()->vocabularySize(), model.config().vocabulary);
    const std::string text = "Why is the sky blue?\n\n  The kernel waits: \xC3\xA9\xF0\x9F\x99\x82";
    const auto ids = model.tokenizer()->encode(text);
    ASSERT_TRUE(ids) << ids.error().message;
    EXPECT_LT(ids->size(), text.size());  // some words are pieces
    StreamingDetokenizer stream(*model.tokenizer());
    std::string back;
    for (const int32_t id : *ids)
        back += stream.push(id);
    EXPECT_EQ(back + stream.finish(), text);
}

TEST(Model, SaysWhatIsWrongWithThePath) {
    const auto nowhere = Model::load("/nonexistent/model.gguf");
    ASSERT_FALSE(nowhere);
    EXPECT_EQ(nowhere.error().kind, ErrorKind::NotFound);

    const test::TemporaryFolder folder;
    const auto empty = Model::load(folder.path());
    ASSERT_FALSE(empty);
    EXPECT_NE(empty.error().message.find("config.json"), std::string::npos) << empty.error().message;

    test::writeBytes(folder.path() / "empty.gguf", "");
    EXPECT_FALSE(Model::load(folder.path() / "empty.gguf"));
    test::writeBytes(folder.path() / "text.gguf", "hello, I am not a model");
    const auto text = Model::load(folder.path() / "text.gguf");
    ASSERT_FALSE(text);
    EXPECT_EQ(text.error().kind, ErrorKind::BadFile);
    EXPECT_NE(text.error().message.find("not a GGUF file"), std::string::npos) << text.error().message;
    EXPECT_FALSE(Model::load("/dev/null"));
}

}  // namespace gapscope

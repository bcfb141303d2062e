// Mode persistent against mode graph, to the bit: weights of all formats, layers whose matrices differ in type, rows
// that end within a step of a warp, rows that a block shares, inputs with outliers, few and many parts of attention.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "core/runner/generate.h"
#include "cuda_test_support.h"
#include "kernels/weight_type.h"
#include "test_files.h"
#include "tests/core/runner/gguf_builder.h"

namespace gapscope {

namespace {

struct Shape {
    std::string name;
    uint32_t hidden = 0, feedForward = 0, heads = 0, headDim = 0;
    float norms = 1;
    std::vector<WeightType> types;  // of the matrices one after the other, in turns
    WeightType table = WeightType::Q8_0;
    uint32_t window = 512;  // keys enough that some blocks join the parts of attention for all; 64: each block does
};
constexpr uint32_t kLayers = 3;

// Random bits, with scales (halves) small enough that products stay finite.
std::string randomRows(WeightType type, int64_t rows, int64_t columns, std::mt19937& random) {
    const WeightTypeInfo info = weightTypeInfo(type);
    std::string bytes;
    for (int64_t block = 0; block < rows * columns / info.blockElements; ++block) {
        std::string one;
        for (int64_t i = 0; i < info.blockBytes; ++i)
            one.push_back(static_cast<char>(random()));
        const auto half = [&](size_t at, uint16_t bits) {
            one.replace(at, 2, reinterpret_cast<const char*>(&bits), 2);
        };
        constexpr uint16_t kFew = 0x1000, kFewer = 0x0400;  // 2^-11, 2^-14
        if (type == WeightType::F16)
            one[1] = static_cast<char>(0x20 | (one[1] & 0x83));
        else if (type == WeightType::Q6_K)
            half(208, kFewer / 4);
        else
            half(0, type == WeightType::Q5_0 || type == WeightType::Q4_0 ? kFew * 2 : kFew / 2);
        if (type == WeightType::Q4_K || type == WeightType::Q5_K) half(0, kFewer), half(2, kFewer);
        bytes += one;
    }
    return bytes;
}

std::filesystem::path writeModel(const Shape& shape) {
    test::GgufBuilder file = test::tinyGemma();
    const int64_t vocabulary = file.tensor("token_embd.weight").shape[1];
    file.tensors.clear();
    file.set("gemma3.embedding_length", shape.hidden);
    file.set("gemma3.block_count", kLayers);
    file.set("gemma3.feed_forward_length", shape.feedForward);
    file.set("gemma3.attention.head_count", shape.heads);
    file.set("gemma3.attention.key_length", shape.headDim);
    file.set("gemma3.attention.value_length", shape.headDim);
    file.set("gemma3.attention.sliding_window", shape.window);
    std::mt19937 random(11);
    size_t turn = 0;
    const auto matrix = [&](const std::string& name, int64_t columns, int64_t rows, WeightType type) {
        file.add({name,
                  {columns, rows},
                  static_cast<uint32_t>(weightTypeInfo(type).ggmlType),
                  randomRows(type, rows, columns, random)});
    };
    const auto linear = [&](const std::string& name, int64_t columns, int64_t rows) {
        matrix(name, columns, rows, shape.types[turn++ % shape.types.size()]);
    };
    const auto norm = [&](const std::string& name, int64_t size, float factor) {
        std::string bytes;
        std::uniform_real_distribution<float> values(0.5F, 1.5F);
        for (int64_t i = 0; i < size; ++i) {
            const float value = factor * values(random);
            bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
        }
        file.add({name, {size}, 0, std::move(bytes)});
    };
    const int64_t hidden = shape.hidden, feedForward = shape.feedForward, headDim = shape.headDim;
    const int64_t queries = shape.heads * headDim;
    matrix("token_embd.weight", hidden, vocabulary, shape.table);
    for (uint32_t layer = 0; layer < kLayers; ++layer) {
        const std::string block = "blk." + std::to_string(layer) + ".";
        norm(block + "attn_norm.weight", hidden, shape.norms);
        linear(block + "attn_q.weight", hidden, queries);
        linear(block + "attn_k.weight", hidden, headDim);
        linear(block + "attn_v.weight", hidden, headDim);
        norm(block + "attn_q_norm.weight", headDim, 1);
        norm(block + "attn_k_norm.weight", headDim, 1);
        linear(block + "attn_output.weight", queries, hidden);
        norm(block + "post_attention_norm.weight", hidden, 1);
        norm(block + "ffn_norm.weight", hidden, shape.norms);
        linear(block + "ffn_gate.weight", hidden, feedForward);
        linear(block + "ffn_up.weight", hidden, feedForward);
        linear(block + "ffn_down.weight", feedForward, hidden);
        norm(block + "post_ffw_norm.weight", hidden, 1);
    }
    norm("output_norm.weight", hidden, 1);
    const std::filesystem::path path =
        std::filesystem::path(testing::TempDir()) / ("persistent-" + shape.name + ".gguf");
    std::ofstream(path, std::ios::binary) << file.build();
    return path;
}

std::vector<Shape> shapes() {
    using enum WeightType;
    const std::vector<WeightType> all = {Q4_K, Q5_K, Q6_K, Q8_0, Q5_0, Q4_0, Q6_K, Q8_0, Q4_K};
    return {
        {"mixed", 256, 1536, 4, 64, 1, all, Q6_K},
        {"outliers", 256, 1536, 4, 64, 20, all, Q4_K, 64},
        {"odd", 96, 160, 3, 32, 1, {Q8_0, Q5_0, Q4_0, Q5_0}, Q5_0},
        {"half", 288, 1312, 3, 96, 8, {Q5_0, Q8_0}, F16, 64},
        {"long", 256, 8960, 2, 256, 12, {Q4_K, Q6_K, Q5_K}, Q8_0},
        {"wide", 2304, 2304, 8, 256, 3, {Q5_0, Q4_K, Q8_0, Q6_K}, Q6_K},
    };
}

std::vector<Shape> shapesOfBlockTypes() {
    std::vector<Shape> all = shapes();
    std::erase_if(all, [](const Shape& shape) { return shape.table == WeightType::F16; });
    return all;
}

class CudaPersistent : public testing::TestWithParam<std::tuple<Shape, Precision>> {};

std::string caseName(const testing::TestParamInfo<CudaPersistent::ParamType>& info) {
    return std::get<0>(info.param).name + "_" + std::string(precisionName(std::get<1>(info.param)));
}

}  // namespace

TEST_P(CudaPersistent, GivesTheBitsOfAGraph) {
    GAPSCOPE_NEEDS_GPU();
    if (cuda::listDevices().devices.front().computeMajor < 9) GTEST_SKIP() << "needs compute capability 9.0";
    const auto& [shape, precision] = GetParam();
    const auto loaded = Model::load(writeModel(shape));
    ASSERT_TRUE(loaded) << loaded.error().message;
    GenerateSettings settings;
    settings.device = "cuda";
    settings.precision = precision;
    for (int32_t i = 0; i < 40; ++i)
        settings.promptIds.push_back(i * 7 + 5);
    settings.maxNewTokens = 150;  // most differences of a bit are lost where inputs are rounded
    settings.ignoreEos = true;
    settings.warmup = 0;
    settings.topLogits = (*loaded)->config().vocabulary;
    const auto run = [&](Mode mode) {
        settings.mode = mode;
        ActivityLog log(TraceLevel::Off);
        auto result = generate(**loaded, settings, log);
        if (!result) ADD_FAILURE() << modeName(mode) << ": " << result.error().message;
        return result ? result->repeats.at(0) : RepeatResult{};
    };
    const RepeatResult graph = run(Mode::Graph), persistent = run(Mode::Persistent);
    ASSERT_EQ(graph.steps.size(), 150U);
    ASSERT_EQ(persistent.steps.size(), graph.steps.size());
    for (size_t step = 0; step < graph.steps.size(); ++step)
        for (size_t i = 0; i < graph.steps[step].top.size(); ++i) {
            ASSERT_TRUE(std::isfinite(graph.steps[step].top[i].logit)) << step;
            ASSERT_EQ(persistent.steps[step].top[i].id, graph.steps[step].top[i].id) << step;
            ASSERT_EQ(persistent.steps[step].top[i].logit, graph.steps[step].top[i].logit) << step;
        }
    EXPECT_EQ(persistent.tokens, graph.tokens);
}

INSTANTIATE_TEST_SUITE_P(Formats, CudaPersistent,
                         testing::Combine(testing::ValuesIn(shapes()),
                                          testing::Values(Precision::Bf16, Precision::Int8)),
                         caseName);
INSTANTIATE_TEST_SUITE_P(Packed, CudaPersistent,
                         testing::Combine(testing::ValuesIn(shapesOfBlockTypes()), testing::Values(Precision::File)),
                         caseName);

}  // namespace gapscope

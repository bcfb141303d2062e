// Whole runs on the GPU against the CPU's full-precision run of the same model. Greedy tokens must be equal wherever
// the reference's margin between its two largest logits is more than twice the largest error seen; every step is forced
// along the reference, so that one different choice does not spoil what follows.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/runner/generate.h"
#include "cuda_test_support.h"
#include "kernels/cuda/persistent_decode.h"
#include "test_files.h"

namespace gapscope {

namespace {

struct RunCase {
    std::string model;
    int64_t promptTokens;
    int64_t newTokens;
};

GenerateSettings settingsFor(const Model& model, const RunCase& run, const std::string& device) {
    GenerateSettings settings;
    settings.device = device;
    for (int64_t i = 0; i < run.promptTokens; ++i)
        settings.promptIds.push_back(static_cast<int32_t>((i * 37 + 5) % model.config().vocabulary));
    settings.maxNewTokens = run.newTokens;
    settings.ignoreEos = true;
    settings.warmup = 0;
    return settings;
}

RepeatResult runOnce(const Model& model, const GenerateSettings& settings) {
    ActivityLog log(TraceLevel::Off);
    const auto result = generate(model, settings, log);
    if (!result) {
        ADD_FAILURE() << result.error().message;
        return {};
    }
    return result->repeats.at(0);
}

std::filesystem::path modelPath(const std::string& name) {
    return name == "hf" ? test::sharedFile("goldens/tiny-hf")
                        : test::repositoryFile("resources/tiny-random-gemma3.gguf");
}

struct Errors {
    double relative = 0;  // root of the squares' sum, to that of the logits
    double largest = 0;
};

// Of all logits of all steps.
Errors errorsOf(const RepeatResult& actual, const RepeatResult& expected) {
    Errors errors;
    double sumOfSquares = 0;
    double sumOfErrors = 0;
    EXPECT_EQ(actual.steps.size(), expected.steps.size());
    for (size_t step = 0; step < std::min(actual.steps.size(), expected.steps.size()); ++step) {
        std::unordered_map<int32_t, float> logits;
        for (const TopLogits::Entry& entry : actual.steps[step].top)
            logits[entry.id] = entry.logit;
        for (const TopLogits::Entry& entry : expected.steps[step].top) {
            EXPECT_TRUE(logits.contains(entry.id));
            const double error = static_cast<double>(logits[entry.id]) - static_cast<double>(entry.logit);
            EXPECT_FALSE(std::isnan(error));
            errors.largest = std::max(errors.largest, std::abs(error));
            sumOfErrors += error * error;
            sumOfSquares += static_cast<double>(entry.logit) * static_cast<double>(entry.logit);
        }
    }
    errors.relative = std::sqrt(sumOfErrors / sumOfSquares);
    return errors;
}

class CudaRun : public testing::TestWithParam<std::tuple<const char*, Precision, Mode, int>> {};

std::string caseName(const testing::TestParamInfo<CudaRun::ParamType>& info) {
    return std::string(std::get<0>(info.param)) + "_" + std::string(precisionName(std::get<1>(info.param))) + "_" +
           std::string(modeName(std::get<2>(info.param))) + "_" + std::to_string(std::get<3>(info.param));
}

}  // namespace

TEST_P(CudaRun, FollowsTheCpu) {
    GAPSCOPE_NEEDS_GPU();
    const auto& [name, precision, mode, promptTokens] = GetParam();
    const std::filesystem::path path = modelPath(name);
    if (path.empty() || !std::filesystem::exists(path)) GTEST_SKIP() << name << " model is not here";
    const auto loaded = Model::load(path);
    ASSERT_TRUE(loaded) << loaded.error().message;
    const Model& model = **loaded;

    const RunCase run{name, promptTokens, 40};
    GenerateSettings reference = settingsFor(model, run, "cpu");
    reference.precision = Precision::Fp32;
    reference.topLogits = model.config().vocabulary;
    const RepeatResult expected = runOnce(model, reference);
    ASSERT_EQ(expected.steps.size(), 40U);

    GenerateSettings forced = settingsFor(model, run, "cuda");
    forced.mode = mode;
    forced.precision = precision;
    forced.topLogits = model.config().vocabulary;
    forced.forceIds = expected.tokens;
    const RepeatResult actual = runOnce(model, forced);
    ASSERT_EQ(actual.steps.size(), expected.steps.size());
    const auto [relative, largestError] = errorsOf(actual, expected);
    RecordProperty("relative_error", std::to_string(relative));
    std::printf("%s %s %s %d: relative error %.5f, largest %.4f\n", name, std::string(precisionName(precision)).c_str(),
                std::string(modeName(mode)).c_str(), promptTokens, relative, largestError);
    // Weights are the reference's; activations are rounded to 8 bits a few times a layer. int8 rounds both to 7 bits of
    // the largest in a row.
    EXPECT_LT(relative, precision == Precision::Int8 ? 0.1 : 0.03);
    size_t compared = 0;
    for (size_t step = 0; step < expected.steps.size(); ++step) {
        const auto& top = expected.steps[step].top;
        if (static_cast<double>(top[0].logit - top[1].logit) <= 2 * largestError) continue;
        ++compared;
        EXPECT_EQ(actual.steps[step].top[0].id, top[0].id) << "step " << step;
    }
    std::printf("  %zu of %zu steps have a margin above that\n", compared, expected.steps.size());

    // Free, with the token chosen on the device and never read but for showing it: the same until a margin is small.
    GenerateSettings free = settingsFor(model, run, "cuda");
    free.mode = mode;
    free.precision = precision;
    const RepeatResult chosen = runOnce(model, free);
    ASSERT_EQ(chosen.tokens.size(), expected.tokens.size());
    for (size_t step = 0; step < expected.tokens.size(); ++step) {
        if (chosen.tokens[step] == expected.tokens[step]) continue;
        const auto& top = expected.steps[step].top;
        EXPECT_LE(static_cast<double>(top[0].logit - top[1].logit), 2 * largestError) << "step " << step;
        break;
    }
    // Twice the same.
    EXPECT_EQ(runOnce(model, free).tokens, chosen.tokens);
}

INSTANTIATE_TEST_SUITE_P(All, CudaRun,
                         testing::Combine(testing::Values("hf", "gguf"),
                                          testing::Values(Precision::File, Precision::Bf16, Precision::Int8),
                                          testing::Values(Mode::Eager, Mode::Fused, Mode::Graph),
                                          testing::Values(1, 23, 200)),
                         caseName);

INSTANTIATE_TEST_SUITE_P(Persistent, CudaRun,
                         testing::Combine(testing::Values("hf", "gguf"),
                                          testing::Values(Precision::Bf16, Precision::Int8),
                                          testing::Values(Mode::Persistent), testing::Values(1, 23, 200)),
                         caseName);

// The tiny model with room for several chunks of a prompt, each of which goes on in the cache and around the rings.
class CudaLongPrompt : public testing::Test {
protected:
    void SetUp() override {
        GAPSCOPE_NEEDS_GPU();
        const std::filesystem::path from = modelPath("hf");
        if (from.empty()) GTEST_SKIP() << "the tiny model is not here";
        m_folder = std::filesystem::path(testing::TempDir()) / "gapscope-long-prompt";
        std::filesystem::remove_all(m_folder);
        std::filesystem::create_directories(m_folder);
        std::filesystem::create_symlink(from / "model.safetensors", m_folder / "model.safetensors");
        std::ifstream in(from / "config.json");
        std::string config{std::istreambuf_iterator<char>(in), {}};
        const std::string context = "\"max_position_embeddings\": ";
        const size_t at = config.find(context);
        ASSERT_NE(at, std::string::npos);
        config.replace(at + context.size(), config.find(',', at) - at - context.size(), "2048");
        std::ofstream(m_folder / "config.json") << config;
        auto loaded = Model::load(m_folder);
        ASSERT_TRUE(loaded) << loaded.error().message;
        m_model = *loaded;
    }
    void TearDown() override {
        m_model.reset();
        if (!m_folder.empty()) std::filesystem::remove_all(m_folder);
    }

    std::filesystem::path m_folder;
    std::shared_ptr<const Model> m_model;
};

TEST_F(CudaLongPrompt, FollowsTheCpuOverItsChunks) {
    for (const int64_t promptTokens : {17, 511, 512, 513, 1500}) {
        const RunCase run{"hf", promptTokens, 3};
        GenerateSettings reference = settingsFor(*m_model, run, "cpu");
        reference.precision = Precision::Fp32;
        reference.topLogits = m_model->config().vocabulary;
        const RepeatResult expected = runOnce(*m_model, reference);
        for (const Precision precision : {Precision::Bf16, Precision::Int8})
            for (const Mode mode : {Mode::Eager, Mode::Fused, Mode::Graph}) {
                SCOPED_TRACE(testing::Message()
                             << promptTokens << " tokens, " << precisionName(precision) << ", " << modeName(mode));
                GenerateSettings settings = settingsFor(*m_model, run, "cuda");
                settings.mode = mode;
                settings.precision = precision;
                settings.topLogits = m_model->config().vocabulary;
                settings.forceIds = expected.tokens;
                const RepeatResult actual = runOnce(*m_model, settings);
                EXPECT_LT(errorsOf(actual, expected).relative, precision == Precision::Int8 ? 0.1 : 0.03);
                const RepeatResult again = runOnce(*m_model, settings);
                ASSERT_EQ(again.steps.size(), actual.steps.size());
                for (size_t step = 0; step < actual.steps.size(); ++step)
                    EXPECT_EQ(again.steps[step].logSumExp, actual.steps[step].logSumExp) << "step " << step;
            }
    }
}

TEST(CudaRunModes, APersistentStepGivesTheBitsOfAGraph) {
    GAPSCOPE_NEEDS_GPU();
    if (cuda::listDevices().devices.front().computeMajor < 9) GTEST_SKIP() << "needs compute capability 9.0";
    for (const char* name : {"hf", "gguf"}) {
        SCOPED_TRACE(name);
        const std::filesystem::path path = modelPath(name);
        if (path.empty() || !std::filesystem::exists(path)) continue;
        const auto loaded = Model::load(path);
        ASSERT_TRUE(loaded) << loaded.error().message;
        for (const int64_t promptTokens : {1, 23, 200}) {
            SCOPED_TRACE(testing::Message() << promptTokens << " prompt tokens");
            GenerateSettings settings = settingsFor(**loaded, {name, promptTokens, 40}, "cuda");
            settings.precision = promptTokens == 23 ? Precision::Int8 : Precision::Bf16;
            settings.topLogits = (*loaded)->config().vocabulary;
            settings.mode = Mode::Graph;
            const RepeatResult graph = runOnce(**loaded, settings);
            settings.mode = Mode::Persistent;
            const RepeatResult persistent = runOnce(**loaded, settings);
            ASSERT_EQ(persistent.tokens, graph.tokens);
            ASSERT_EQ(persistent.steps.size(), graph.steps.size());
            for (size_t step = 0; step < graph.steps.size(); ++step)
                for (size_t i = 0; i < graph.steps[step].top.size(); ++i) {
                    ASSERT_EQ(persistent.steps[step].top[i].id, graph.steps[step].top[i].id) << step;
                    ASSERT_EQ(persistent.steps[step].top[i].logit, graph.steps[step].top[i].logit) << step;
                }
        }
    }
}

// Greedy decoding that nobody asks for logits leaves out bits of the head, and chooses what the whole head chooses.
TEST(CudaRunModes, TheHeadByBoundsChoosesTheTokensOfTheWholeHead) {
    GAPSCOPE_NEEDS_GPU();
    for (const char* name : {"hf", "gguf"}) {
        const std::filesystem::path path = modelPath(name);
        if (path.empty() || !std::filesystem::exists(path)) continue;
        const auto loaded = Model::load(path);
        ASSERT_TRUE(loaded) << loaded.error().message;
        for (const Precision precision : {Precision::Bf16, Precision::Int8})
            for (const Mode mode : {Mode::Eager, Mode::Fused, Mode::Graph, Mode::Persistent}) {
                if (mode == Mode::Persistent && cuda::listDevices().devices.front().computeMajor < 9) continue;
                SCOPED_TRACE(testing::Message() << name << " " << precisionName(precision) << " " << modeName(mode));
                GenerateSettings settings = settingsFor(**loaded, {name, 23, 150}, "cuda");
                settings.precision = precision;
                settings.mode = mode;
                ActivityLog log(TraceLevel::Off);
                const auto bounded = generate(**loaded, settings, log);
                settings.boundsHead = false;
                const auto whole = generate(**loaded, settings, log);
                ASSERT_TRUE(bounded && whole);
                EXPECT_EQ(bounded->repeats[0].tokens, whole->repeats[0].tokens);
                settings.boundsHead = true;
                settings.speculation = {Speculation::Ngram, 4};
                EXPECT_EQ(runOnce(**loaded, settings).tokens, whole->repeats[0].tokens);
                EXPECT_EQ(whole->headRowsInFull, 0);
                EXPECT_EQ(whole->unreadBytes, 0);
                EXPECT_EQ(bounded->weightBytes + bounded->unreadBytes, whole->weightBytes);
                if (mode == Mode::Eager) {
                    EXPECT_EQ(bounded->headRowsInFull, 0);
                } else {
                    EXPECT_GE(bounded->headRowsInFull, 149);  // at least a row a step
                }
            }
    }
}

// Each traced step tells what its kernel did inside, in the order of the plan, and computes the same.
TEST(CudaRunModes, APersistentStepTellsItsStages) {
    GAPSCOPE_NEEDS_GPU();
    if (cuda::listDevices().devices.front().computeMajor < 9) GTEST_SKIP() << "needs compute capability 9.0";
    struct Tracer final : DeviceTracer {
        void enterLaunch(const LaunchContext& context, std::span<const LaunchContext>) override {
            if (context.stages != 0) launches.push_back(context);
        }
        void leaveLaunch() override {}
        std::vector<LaunchContext> launches;
    };
    const auto loaded = Model::load(modelPath("gguf"));
    ASSERT_TRUE(loaded) << loaded.error().message;
    GenerateSettings settings = settingsFor(**loaded, {"gguf", 23, 80}, "cuda");
    settings.precision = Precision::Bf16;
    settings.mode = Mode::Persistent;
    const std::vector<int32_t> expected = runOnce(**loaded, settings).tokens;

    Tracer tracer;
    ActivityLog log;
    log.setDeviceTracer(&tracer);
    const auto result = generate(**loaded, settings, log);
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(result->repeats.at(0).tokens, expected);
    const ActivityLog::Batch batch = log.drain();
    EXPECT_EQ(tracer.launches.size(), 79U);  // the first token is the prompt's
    ASSERT_EQ(batch.stages.size(), tracer.launches.size());
    const auto layers = static_cast<int>((*loaded)->config().layers);
    const std::vector<std::string> ofLayer = {"qkv_proj: input", "qkv_proj",         "attention",
                                              "o_proj: input",   "o_proj",           "gate_up_gelu: input",
                                              "gate_up_gelu",    "down_proj: input", "down_proj"};
    for (size_t step = 0; step < batch.stages.size(); ++step) {
        SCOPED_TRACE(step);
        const StagesActivity& told = batch.stages[step];
        EXPECT_EQ(told.launch, tracer.launches[step].stages);
        ASSERT_EQ(told.stages.size(), cuda::persistentStageCount(layers));
        for (size_t i = 0; i < told.stages.size(); ++i) {
            EXPECT_GT(told.stages[i].ticks, 0) << i;
            EXPECT_LT(told.stages[i].ticks, 100'000'000) << i;
        }
        for (int layer = 0; layer < layers; ++layer)
            for (size_t i = 0; i < ofLayer.size(); ++i) {
                const OpActivity& op = batch.ops[told.stages[1 + static_cast<size_t>(layer) * 9 + i].op];
                EXPECT_EQ(op.opName, ofLayer[i]);
                EXPECT_EQ(op.layer, layer);
            }
        EXPECT_EQ(batch.ops[told.stages.back().op].opName, "next_token");
    }
}

// Drafts change how long a run takes, never its logits: the same bits, in every mode and precision, for drafts that are
// accepted and for those that are not, past the window and around the ring.
class CudaSpeculation : public testing::TestWithParam<std::tuple<const char*, Precision, Mode>> {};

TEST_P(CudaSpeculation, HasTheLogitsOfPlainDecodingToTheBit) {
    GAPSCOPE_NEEDS_GPU();
    const auto& [name, precision, mode] = GetParam();
    if (mode == Mode::Persistent && cuda::listDevices().devices.front().computeMajor < 9)
        GTEST_SKIP() << "needs compute capability 9.0";
    const std::filesystem::path path = modelPath(name);
    if (path.empty() || !std::filesystem::exists(path)) GTEST_SKIP() << name << " model is not here";
    const auto loaded = Model::load(path);
    ASSERT_TRUE(loaded) << loaded.error().message;
    GenerateSettings settings = settingsFor(**loaded, {name, 1, 60}, "cuda");
    settings.mode = mode;
    settings.precision = precision;
    settings.topLogits = 5;
    DraftCounts all;
    const auto expectSame = [&](int64_t most) {
        SCOPED_TRACE(testing::Message() << most << " drafts");
        settings.speculation = {Speculation::Off, most};
        const RepeatResult plain = runOnce(**loaded, settings);
        settings.speculation.kind = Speculation::Ngram;
        const RepeatResult drafted = runOnce(**loaded, settings);
        EXPECT_EQ(drafted.tokens, plain.tokens);
        EXPECT_EQ(drafted.text, plain.text);
        ASSERT_EQ(drafted.steps.size(), plain.steps.size());
        for (size_t step = 0; step < plain.steps.size(); ++step) {
            ASSERT_EQ(drafted.steps[step].logSumExp, plain.steps[step].logSumExp) << "step " << step;
            for (size_t i = 0; i < plain.steps[step].top.size(); ++i) {
                ASSERT_EQ(drafted.steps[step].top[i].id, plain.steps[step].top[i].id) << "step " << step;
                ASSERT_EQ(drafted.steps[step].top[i].logit, plain.steps[step].top[i].logit) << "step " << step;
            }
        }
        all.checks += drafted.drafts.checks;
        all.drafted += drafted.drafts.drafted;
        all.accepted += drafted.drafts.accepted;
        // Chosen on the device.
        settings.topLogits = 0;
        EXPECT_EQ(runOnce(**loaded, settings).tokens, plain.tokens);
        settings.topLogits = 5;
    };
    settings.promptIds = {2, 40, 41, 99, 7, 30, 40, 41, 99, 8, 12, 40, 41};
    for (const int64_t most : {int64_t{1}, int64_t{4}, kMostDraftTokens})
        expectSame(most);
    settings.maxNewTokens = 240;  // the smaller model's context is 256
    settings.forceIds.resize(220);
    for (size_t i = 0; i < settings.forceIds.size(); ++i)
        settings.forceIds[i] = static_cast<int32_t>(20 + (i % 7) + (i % 41 == 0 ? 5 : 0));
    for (const int64_t most : {int64_t{3}, int64_t{7}})
        expectSame(most);
    EXPECT_GT(all.accepted, 200);
    EXPECT_GT(all.drafted, all.accepted);
}

std::string speculationCaseName(const testing::TestParamInfo<CudaSpeculation::ParamType>& test) {
    return std::string(std::get<0>(test.param)) + "_" + std::string(precisionName(std::get<1>(test.param))) + "_" +
           std::string(modeName(std::get<2>(test.param)));
}

INSTANTIATE_TEST_SUITE_P(All, CudaSpeculation,
                         testing::Combine(testing::Values("hf", "gguf"),
                                          testing::Values(Precision::File, Precision::Bf16, Precision::Int8),
                                          testing::Values(Mode::Eager, Mode::Fused, Mode::Graph)),
                         speculationCaseName);
INSTANTIATE_TEST_SUITE_P(Persistent, CudaSpeculation,
                         testing::Combine(testing::Values("hf", "gguf"),
                                          testing::Values(Precision::Bf16, Precision::Int8),
                                          testing::Values(Mode::Persistent)),
                         speculationCaseName);

// A second model on the same device: itself as its own drafter foresees most tokens. (Not all: it reads several tokens
// at once by a matmul, which rounds otherwise than steps of one.)
TEST(CudaSpeculationByModel, SaysWhatPlainDecodingSays) {
    GAPSCOPE_NEEDS_GPU();
    for (const char* name : {"hf", "gguf"}) {
        const std::filesystem::path path = modelPath(name);
        if (path.empty() || !std::filesystem::exists(path)) continue;
        const auto loaded = Model::load(path);
        ASSERT_TRUE(loaded) << loaded.error().message;
        for (const Mode mode : {Mode::Eager, Mode::Fused, Mode::Graph}) {
            SCOPED_TRACE(testing::Message() << name << " " << modeName(mode));
            GenerateSettings settings = settingsFor(**loaded, {name, 23, 60}, "cuda");
            settings.mode = mode;
            const RepeatResult plain = runOnce(**loaded, settings);
            settings.speculation = {.kind = Speculation::Model, .draftModel = path};
            const RepeatResult drafted = runOnce(**loaded, settings);
            EXPECT_EQ(drafted.tokens, plain.tokens);
            EXPECT_GT(drafted.drafts.drafted, 0);
            EXPECT_GT(2 * drafted.drafts.accepted, drafted.drafts.drafted);
        }
    }
}

TEST(CudaRunErrors, PersistentDoesNotTakePackedLayersWithAHeadInSixteenBit) {
    GAPSCOPE_NEEDS_GPU();
    const auto loaded = Model::load(modelPath("gguf"));
    ASSERT_TRUE(loaded) << loaded.error().message;
    GenerateSettings settings = settingsFor(**loaded, {"gguf", 3, 2}, "cuda");
    settings.mode = Mode::Persistent;
    ActivityLog log(TraceLevel::Off);
    const auto result = generate(**loaded, settings, log);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, ErrorKind::WrongUse);
}

TEST(CudaRunErrors, CancelledBetweenTokensItEndsAndTheNextRunIsWhole) {
    GAPSCOPE_NEEDS_GPU();
    const auto loaded = Model::load(modelPath("gguf"));
    ASSERT_TRUE(loaded) << loaded.error().message;
    for (const Mode mode : {Mode::Eager, Mode::Graph, Mode::Persistent}) {
        SCOPED_TRACE(modeName(mode));
        GenerateSettings settings = settingsFor(**loaded, {"gguf", 9, 200}, "cuda");
        settings.mode = mode;
        if (mode == Mode::Persistent) settings.precision = Precision::Bf16;
        const RepeatResult whole = runOnce(**loaded, settings);
        ActivityLog log(TraceLevel::Off);
        std::stop_source stop;
        GenerateEvents events;
        events.onToken = [&](const TokenEvent& token) {
            if (token.index == 5) stop.request_stop();
        };
        const auto cancelled = generate(**loaded, settings, log, events, stop.get_token());
        ASSERT_TRUE(cancelled) << cancelled.error().message;
        EXPECT_EQ(cancelled->stopReason, "cancelled");
        ASSERT_FALSE(cancelled->repeats.empty());
        EXPECT_LE(cancelled->repeats[0].tokens.size(), 7U);
        EXPECT_EQ(runOnce(**loaded, settings).tokens, whole.tokens);
    }
}

TEST(CudaRunErrors, ARunThatDoesNotFitIsRefusedBeforeAnythingIsCopied) {
    GAPSCOPE_NEEDS_GPU();
    const auto loaded = Model::load(modelPath("gguf"));
    ASSERT_TRUE(loaded) << loaded.error().message;
    size_t freeBytes = 0, totalBytes = 0;
    GAPSCOPE_CUDA_OK(cudaMemGetInfo(&freeBytes, &totalBytes));
    constexpr size_t kLeft = size_t{100} << 20;
    ASSERT_GT(freeBytes, kLeft);
    void* occupied = nullptr;
    GAPSCOPE_CUDA_OK(cudaMalloc(&occupied, freeBytes - kLeft));
    ActivityLog log(TraceLevel::Off);
    int phases = 0;
    GenerateEvents events;
    events.onProgress = [&](const std::string& phase, double) {
        phases += phase == "Copying weights to the GPU" ? 1 : 0;
    };
    const auto result = generate(**loaded, settingsFor(**loaded, {"gguf", 3, 2}, "cuda"), log, events);
    cudaFree(occupied);
    ASSERT_FALSE(result);
    EXPECT_NE(result.error().message.find("needs"), std::string::npos) << result.error().message;
    EXPECT_NE(result.error().message.find("0.1 GB free"), std::string::npos) << result.error().message;
    EXPECT_EQ(phases, 0);
}

TEST(CudaRunErrors, APrecisionThatTheGpuLacksIsRefused) {
    GAPSCOPE_NEEDS_GPU();
    const std::filesystem::path path = modelPath("hf");
    if (path.empty()) GTEST_SKIP() << "the tiny model is not here";
    const auto loaded = Model::load(path);
    ASSERT_TRUE(loaded) << loaded.error().message;
    GenerateSettings settings = settingsFor(**loaded, {"hf", 3, 2}, "cuda");
    settings.precision = Precision::Fp32;
    ActivityLog log(TraceLevel::Off);
    const auto result = generate(**loaded, settings, log);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, ErrorKind::WrongUse);
}

}  // namespace gapscope

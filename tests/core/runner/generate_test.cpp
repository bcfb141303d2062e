// Runs as callers see them: settings that cannot be, what is recorded, cancelling, sampling, long prompts.
#include "core/runner/generate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/runner/devices.h"
#include "core/runner/prompt.h"
#include "tests/support/test_files.h"

namespace gapscope {
namespace {

class Generate : public testing::Test {
protected:
    void SetUp() override {
        auto model = Model::load(test::repositoryFile("resources/tiny-random-gemma3.gguf"));
        ASSERT_TRUE(model) << model.error().message;
        m_model = *model;
        m_settings.promptIds = {2, 40, 41, 99, 7, 300};
        m_settings.maxNewTokens = 5;
        m_settings.ignoreEos = true;
        m_settings.warmup = 0;
        m_settings.threads = 2;
    }

    GenerateResult run(TraceLevel level = TraceLevel::Off) {
        ActivityLog log(level);
        auto result = generate(*m_model, m_settings, log);
        EXPECT_TRUE(result) << (result ? "" : result.error().message);
        m_batch = log.drain();
        return result ? *result : GenerateResult();
    }

    void expectWrongUse(const std::string& part) {
        ActivityLog log(TraceLevel::Off);
        const auto result = generate(*m_model, m_settings, log);
        ASSERT_FALSE(result) << part;
        EXPECT_EQ(result.error().kind, ErrorKind::WrongUse) << result.error().message;
        EXPECT_NE(result.error().message.find(part), std::string::npos) << result.error().message;
    }

    std::shared_ptr<const Model> m_model;
    GenerateSettings m_settings;
    ActivityLog::Batch m_batch;
};

TEST_F(Generate, RefusesSettingsThatCannotBe) {
    const GenerateSettings good = m_settings;
    const auto with = [&](auto change, const std::string& part) {
        m_settings = good;
        change(m_settings);
        expectWrongUse(part);
    };
    with([](auto& s) { s.promptIds.clear(); }, "prompt is empty");
    with([](auto& s) { s.maxNewTokens = 0; }, "at least 1, not 0");
    with([](auto& s) { s.maxNewTokens = -3; }, "at least 1, not -3");
    with([](auto& s) { s.maxNewTokens = INT64_MAX; }, "do not fit");
    with([](auto& s) { s.contextLength = 8; }, "do not fit into the context of 8");
    with([](auto& s) { s.contextLength = INT64_MAX; }, "more than the model's");
    with([](auto& s) { s.promptIds[2] = -1; }, "Prompt token id -1 at index 2");
    with([](auto& s) { s.promptIds[2] = 1 << 30; }, "not in the model's vocabulary");
    with([](auto& s) { s.forceIds = {1 << 30}; }, "Forced token");
    with([](auto& s) { s.device = "tpu"; }, "is no device");
    with([](auto& s) { s.mode = Mode::Persistent; }, "persistent");
    with([](auto& s) { s.precision = Precision::Int8; }, "int8 does not exist on the CPU");
    with([](auto& s) { s.precision = Precision::Bf16; }, "bf16 does not exist on the CPU");
    with([](auto& s) { s.repeats = 0; }, "repeats");
    with([](auto& s) { s.warmup = -1; }, "warm-up");
    with([](auto& s) { s.threads = 100000; }, "threads");
    with([](auto& s) { s.sampling.topP = 0; }, "Top-p");
    with([](auto& s) { s.sampling.temperature = -1; }, "temperature");
    with([](auto& s) { s.promptIds.assign(static_cast<size_t>(1) << 20, 5); }, "do not fit");
}

TEST_F(Generate, NamesGoThereAndBack) {
    for (const Mode mode : {Mode::Eager, Mode::Fused, Mode::Graph, Mode::Persistent})
        EXPECT_EQ(modeFromName(modeName(mode)), mode);
    for (const Precision precision : {Precision::File, Precision::Fp32, Precision::Bf16, Precision::Int8})
        EXPECT_EQ(precisionFromName(precisionName(precision)), precision);
    EXPECT_FALSE(modeFromName("Eager"));
    EXPECT_FALSE(precisionFromName(""));
    EXPECT_GE(physicalCores(), 1);
    EXPECT_EQ(runDevices().back().id, "cpu");
}

TEST_F(Generate, ModesAndThreadsAgree) {
    m_settings.maxNewTokens = 20;
    const std::vector<int32_t> expected = run().repeats.at(0).tokens;
    EXPECT_EQ(expected.size(), 20U);
    for (const Mode mode : {Mode::Eager, Mode::Fused, Mode::Graph}) {
        for (const int64_t threads : {1, 2, 5}) {
            m_settings.mode = mode;
            m_settings.threads = threads;
            EXPECT_EQ(run().repeats.at(0).tokens, expected) << modeName(mode) << ' ' << threads;
        }
    }
}

// 700 tokens are three chunks, and far more than the window and the ring of a local layer.
TEST_F(Generate, LongPromptsInChunksEqualTokenByToken) {
    std::vector<int32_t> ids = {2};
    while (ids.size() < 700)
        ids.push_back(static_cast<int32_t>(20 + ids.size() * 37 % 200));
    m_settings.precision = Precision::Fp32;
    m_settings.topLogits = 5;
    m_settings.promptIds = ids;
    m_settings.maxNewTokens = 3;
    const RepeatResult chunks = run().repeats.at(0);
    m_settings.promptIds = {2};
    m_settings.forceIds.assign(ids.begin() + 1, ids.end());
    m_settings.maxNewTokens = 702;
    const RepeatResult single = run().repeats.at(0);
    for (size_t i = 0; i < 3; ++i) {
        const TopLogits& a = chunks.steps.at(i);
        const TopLogits& b = single.steps.at(699 + i);
        EXPECT_EQ(chunks.tokens[i], single.tokens[699 + i]);
        EXPECT_NEAR(a.logSumExp, b.logSumExp, 1e-3);
        for (size_t j = 0; j < a.top.size(); ++j)
            EXPECT_NEAR(a.top[j].logit, b.top[j].logit, 1e-3);
    }
}

TEST_F(Generate, ForcedTokensAreTakenAndTheRestIsChosen) {
    m_settings.forceIds = {11, 12};
    m_settings.topLogits = 3;
    const RepeatResult result = run().repeats.at(0);
    ASSERT_EQ(result.tokens.size(), 5U);
    EXPECT_EQ(result.tokens[0], 11);
    EXPECT_EQ(result.tokens[1], 12);
    ASSERT_EQ(result.steps.size(), 5U);
    for (size_t i = 2; i < 5; ++i)
        EXPECT_EQ(result.tokens[i], result.steps[i].top[0].id);
}

TEST_F(Generate, SameSeedSameTokens) {
    m_settings.maxNewTokens = 20;
    m_settings.sampling = {3.0, 50, 0.95, 42};
    const std::vector<int32_t> first = run().repeats.at(0).tokens;
    EXPECT_EQ(run().repeats.at(0).tokens, first);
    m_settings.sampling.seed = 43;
    EXPECT_NE(run().repeats.at(0).tokens, first);
}

TEST_F(Generate, RecordsLaunchesKernelsRangesAndTokens) {
    m_settings.warmup = 1;
    m_settings.repeats = 2;
    for (const Mode mode : {Mode::Eager, Mode::Fused, Mode::Graph}) {
        SCOPED_TRACE(modeName(mode));
        m_settings.mode = mode;
        run(TraceLevel::Full);
        std::map<uint32_t, const ApiActivity*> calls;
        for (const ApiActivity& call : m_batch.api)
            EXPECT_TRUE(calls.emplace(call.correlationId, &call).second);
        std::map<uint32_t, int> kernelsOfCall;
        std::set<int> repeats;
        int64_t before = 0;
        for (const DeviceActivity& activity : m_batch.device) {
            ASSERT_TRUE(calls.contains(activity.correlationId));
            EXPECT_LE(calls[activity.correlationId]->startNs, activity.startNs);
            EXPECT_LE(before, activity.startNs);
            EXPECT_LE(activity.startNs, activity.endNs);
            before = activity.endNs;
            ASSERT_LT(activity.op, m_batch.ops.size());
            ++kernelsOfCall[activity.correlationId];
            repeats.insert(activity.repeat);
            const OpActivity& op = m_batch.ops[activity.op];
            EXPECT_TRUE(op.opName != "lm_head" || activity.token >= 0);
            EXPECT_TRUE(activity.kind != DeviceActivityKind::Kernel || activity.bytes > 0) << op.opName;
        }
        EXPECT_EQ(repeats, (std::set<int>{-1, 0, 1}));
        int most = 0;
        for (const auto& [id, count] : kernelsOfCall)
            most = std::max(most, count);
        EXPECT_EQ(most > 1, mode == Mode::Graph);
        std::map<std::string, int> ranges;
        for (const RangeActivity& range : m_batch.ranges)
            ++ranges[range.name];
        EXPECT_EQ(ranges["warmup"], 1);
        EXPECT_EQ(ranges["model_inference"], 2);
        EXPECT_EQ(ranges["prefill"], 3);
        EXPECT_EQ(ranges["decode 4"], 3);
        EXPECT_EQ(ranges["decode 5"], 0);
        EXPECT_EQ(ranges["layer 0"], mode == Mode::Graph ? 0 : 15);
        EXPECT_EQ(m_batch.tokens.size(), 15U);
    }
}

// Token k is what runs from token k-1's last end to its own: the records of one repeat come in that order.
TEST_F(Generate, RecordsOfATokenAreTogether) {
    run(TraceLevel::Full);
    int32_t token = -1;
    std::set<int32_t> seen;
    for (const DeviceActivity& activity : m_batch.device) {
        EXPECT_GE(activity.token, token);
        token = activity.token;
        seen.insert(token);
    }
    EXPECT_EQ(seen, (std::set<int32_t>{-1, 0, 1, 2, 3, 4}));
}

TEST_F(Generate, TracesNothingButItsTokensWhenOff) {
    run(TraceLevel::Off);
    EXPECT_TRUE(m_batch.device.empty() && m_batch.api.empty() && m_batch.ranges.empty());
    EXPECT_FALSE(m_batch.tokens.empty()) << "the tokens are the result of a run";
}

TEST_F(Generate, LevelGraphHasOneDeviceRecordALaunch) {
    m_settings.mode = Mode::Graph;
    run(TraceLevel::Graph);
    int graphs = 0;
    for (const DeviceActivity& activity : m_batch.device) {
        EXPECT_NE(activity.kind, DeviceActivityKind::Kernel);
        graphs += activity.kind == DeviceActivityKind::GraphLaunch ? 1 : 0;
    }
    EXPECT_EQ(graphs, 5);
}

TEST_F(Generate, CancelKeepsWhatThereIs) {
    m_settings.maxNewTokens = 1000;
    std::stop_source stop;
    ActivityLog log(TraceLevel::Off);
    GenerateEvents events;
    events.onToken = [&](const TokenEvent& token) {
        if (token.index == 3) stop.request_stop();
    };
    const auto result = generate(*m_model, m_settings, log, events, stop.get_token());
    ASSERT_TRUE(result);
    EXPECT_EQ(result->stopReason, "cancelled");
    ASSERT_EQ(result->repeats.size(), 1U);
    EXPECT_EQ(result->repeats[0].tokens.size(), 4U);
}

TEST_F(Generate, CancelBeforeTheStartIsNoError) {
    std::stop_source stop;
    stop.request_stop();
    ActivityLog log(TraceLevel::Off);
    const auto result = generate(*m_model, m_settings, log, {}, stop.get_token());
    ASSERT_TRUE(result);
    EXPECT_EQ(result->stopReason, "cancelled");
    EXPECT_TRUE(result->repeats.empty() || result->repeats[0].tokens.empty());
}

TEST_F(Generate, EventsAndTimesFitTogether) {
    m_settings.warmup = 1;
    std::vector<int16_t> repeats;
    std::string text;
    int prepared = 0;
    GenerateEvents events;
    events.onPrepared = [&](const PreparedInfo& info) {
        ++prepared;
        EXPECT_EQ(info.promptTokens, m_settings.promptIds);
        EXPECT_EQ(info.mode, Mode::Fused);
        EXPECT_EQ(info.threads, 2);
        EXPECT_EQ(info.contextLength, 11);
        EXPECT_GT(info.weightBytes, 0);
        EXPECT_GT(info.kvBytes, 0);
    };
    events.onToken = [&](const TokenEvent& token) {
        repeats.push_back(token.repeat);
        if (token.repeat == 0) text += token.text;
    };
    ActivityLog log(TraceLevel::Off);
    const auto result = generate(*m_model, m_settings, log, events);
    ASSERT_TRUE(result);
    EXPECT_EQ(prepared, 1);
    EXPECT_EQ(std::count(repeats.begin(), repeats.end(), -1), 5);
    EXPECT_EQ(std::count(repeats.begin(), repeats.end(), 0), 5);
    const RepeatResult& repeat = result->repeats.at(0);
    EXPECT_EQ(repeat.text, text);
    EXPECT_EQ(result->stopReason, "length");
    EXPECT_GT(repeat.prefillNs, 0);
    EXPECT_LE(repeat.prefillNs, repeat.timeToFirstTokenNs);
    EXPECT_GT(repeat.decodeNs, 0);
}

TEST_F(Generate, TextPromptsGetBosOnceAndTheTemplate) {
    ASSERT_NE(m_model->tokenizer(), nullptr);
    EXPECT_EQ(gemmaTurn("  hello \n"), "<start_of_turn>user\nhello<end_of_turn>\n<start_of_turn>model\n");
    GenerateSettings settings;
    settings.prompt = "hello";
    const auto plain = makePrompt(*m_model, settings);
    ASSERT_TRUE(plain) << plain.error().message;
    EXPECT_FALSE(plain->chat);  // a base model has no template
    EXPECT_EQ(plain->ids.front(), m_model->config().bosToken);
    EXPECT_EQ(std::count(plain->ids.begin(), plain->ids.end(), m_model->config().bosToken), 1);
    settings.prompt = "<bos>hello";
    EXPECT_EQ(makePrompt(*m_model, settings)->ids, plain->ids);
    settings.prompt = "hello";
    settings.chat = true;
    const auto chat = makePrompt(*m_model, settings);
    ASSERT_TRUE(chat);
    EXPECT_TRUE(chat->chat);
    EXPECT_GT(chat->ids.size(), plain->ids.size());
    settings.prompt = " \n";
    EXPECT_FALSE(makePrompt(*m_model, settings));
}

}  // namespace
}  // namespace gapscope

// A batch changes how long a run takes and never what a prompt gets: each sequence has the logits that its prompt has
// alone, to the bit.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "tests/support/batch_fixture.h"

namespace gapscope {
namespace {

using Batch = test::BatchFixture;

TEST_F(Batch, GivesEachPromptTheLogitsThatItHasAlone) {
    for (const Mode mode : {Mode::Eager, Mode::Fused, Mode::Graph}) {
        for (const Precision precision : {Precision::File, Precision::Fp32}) {
            SCOPED_TRACE(std::string(modeName(mode)) + " " + std::string(precisionName(precision)));
            m_settings.mode = mode;
            m_settings.precision = precision;
            expectSame(3);  // more prompts than a step takes
        }
    }
}

TEST_F(Batch, OfAnySize) {
    for (const int64_t batch : {int64_t{1}, int64_t{2}, kMostBatch}) {
        const RepeatResult repeat = expectSame(batch);
        // A sequence's first token comes from its prompt, the rest from steps.
        const int64_t fromSteps = static_cast<int64_t>(m_prompts.size()) * (m_settings.maxNewTokens - 1);
        EXPECT_EQ(static_cast<int64_t>(repeat.tokens.size()), fromSteps + static_cast<int64_t>(m_prompts.size()));
        EXPECT_GE(repeat.drafts.steps * batch, fromSteps);
        const int64_t fewest = batch == kMostBatch ? m_settings.maxNewTokens - 1 : (fromSteps + batch - 1) / batch;
        EXPECT_GE(repeat.drafts.steps, fewest);
        EXPECT_LE(repeat.drafts.steps, batch == 2 ? fewest + m_settings.maxNewTokens : fewest);
    }
}

// Each draws with the seed as if it were alone; end tokens come at different places, and others take the room.
TEST_F(Batch, SamplesTheSameTokensAndEndsWhereTheyEnd) {
    m_settings.ignoreEos = false;
    m_settings.maxNewTokens = 120;
    m_settings.sampling.temperature = 5;
    std::set<size_t> lengths;
    for (const uint64_t seed : {1, 2, 3}) {
        m_settings.sampling.seed = seed;
        for (const int64_t topLogits : {0, 2}) {
            m_settings.topLogits = topLogits;
            const RepeatResult repeat = expectSame(4);
            for (const SequenceResult& sequence : repeat.sequences)
                if (sequence.stopReason == "end token") lengths.insert(sequence.tokens.size());
        }
    }
    EXPECT_GT(lengths.size(), 2U);
}

// Greedy without logits: tokens are read as the device chose them, and stay there for the next step.
TEST_F(Batch, ReadsGreedyTokensFromTheDevice) {
    m_settings.topLogits = 0;
    expectSame(3);
}

// Past the window, where a single run's ring has come round.
TEST_F(Batch, HoldsPastTheWindow) {
    m_prompts = {text('x', 300), text('y', 5), text('z', 200)};
    m_settings.maxNewTokens = 700;
    expectSame(2);
}

TEST_F(Batch, SharesThePagesOfACommonBeginning) {
    const std::string system = text('s', 90);
    m_prompts = {system + " one", system + " two and some more words", "x " + system, system, system};
    for (const Precision precision : {Precision::File, Precision::Fp32}) {
        m_settings.precision = precision;
        const RepeatResult repeat = expectSame(3);
        ASSERT_EQ(repeat.sequences.size(), 5U);
        EXPECT_EQ(repeat.sequences[0].reusedTokens, 0);
        EXPECT_EQ(repeat.sequences[2].reusedTokens, 0);
        for (const size_t i : {size_t{1}, size_t{3}, size_t{4}}) {
            EXPECT_EQ(repeat.sequences[i].reusedTokens % 32, 0);
            EXPECT_GT(repeat.sequences[i].reusedTokens, 64) << i;
        }
        EXPECT_EQ(repeat.reusedTokens, repeat.sequences[1].reusedTokens + repeat.sequences[3].reusedTokens +
                                           repeat.sequences[4].reusedTokens);
    }
}

// Of every length, so that what is left to compute is one token, a few, many, more than a chunk.
TEST_F(Batch, SharesWithoutAnotherRounding) {
    const std::string system = text('s', 400);
    m_settings.maxNewTokens = 2;
    std::set<int64_t> left;
    for (const Precision precision : {Precision::File, Precision::Fp32}) {
        m_settings.precision = precision;
        for (size_t length = system.size() - 40; length < system.size(); length += 10) {
            m_prompts.clear();
            for (size_t i = 0; i < 10; ++i)
                m_prompts.push_back(system.substr(0, length + i));
            for (const SequenceResult& sequence : expectSame(5).sequences)
                left.insert(static_cast<int64_t>(sequence.promptTokens.size()) - sequence.reusedTokens);
        }
    }
    EXPECT_GT(left.size(), 20U);
}

TEST_F(Batch, FindsPagesOfTheRepeatBeforeOnlyWhenAskedTo) {
    m_prompts = {text('s', 90)};
    m_settings.repeats = 2;
    EXPECT_EQ(runBatch(2).repeats[1].reusedTokens, 0);
    m_settings.reusePrefix = true;
    const GenerateResult again = runBatch(2);
    EXPECT_GT(again.repeats[1].reusedTokens, 64);
    EXPECT_EQ(again.repeats[1].tokens, again.repeats[0].tokens);
}

// Sequences of 100 prompts take no more pages than 4 need at once.
TEST_F(Batch, FreesThePagesOfWhatHasEnded) {
    m_prompts.clear();
    for (size_t i = 0; i < 100; ++i)
        m_prompts.push_back(text(static_cast<char>('a' + i % 26), 1 + i % 5));
    m_settings.maxNewTokens = 30;
    m_settings.topLogits = 0;
    const GenerateResult result = runBatch(4);
    ASSERT_EQ(result.repeats.size(), 1U);
    EXPECT_EQ(result.repeats[0].tokens.size(), 3000U);
    EXPECT_LE(result.repeats[0].kvPages, 4 * 2);
    EXPECT_LT(result.repeats[0].drafts.steps, 3000 / 3);
}

TEST_F(Batch, TellsWhoseATokenIsAndWhichStepGaveIt) {
    m_settings.maxNewTokens = 6;
    m_settings.topLogits = 0;
    m_prompts.resize(3);
    const GenerateResult result = runBatch(2, TraceLevel::Full);
    std::map<int32_t, std::vector<int32_t>> bySequence;
    std::map<int32_t, int32_t> stepOf;  // by index
    int32_t step = -1;
    for (const TokenActivity& token : m_log.tokens) {
        EXPECT_EQ(token.token, static_cast<int32_t>(stepOf.size())) << "counted over all sequences";
        if (token.place == 0) step = token.token;
        EXPECT_EQ(token.token, step + token.place);
        stepOf[token.token] = step;
        bySequence[token.sequence].push_back(token.id);
    }
    ASSERT_EQ(bySequence.size(), 3U);
    for (const auto& [sequence, ids] : bySequence)
        EXPECT_EQ(ids, result.repeats[0].sequences[static_cast<size_t>(sequence)].tokens);
    // Operations carry the first token of their step, a prompt's after the first the token that it gives.
    std::set<int32_t> steps{kPrefillToken}, worked;
    for (const auto& [index, first] : stepOf)
        steps.insert(first);
    for (const DeviceActivity& op : m_log.device)
        worked.insert(op.token);
    EXPECT_EQ(worked, steps);
    std::map<std::string, int> ranges;
    for (const RangeActivity& range : m_log.ranges)
        ++ranges[range.name];
    EXPECT_EQ(ranges["prefill"], 1);
    EXPECT_EQ(ranges["prefill of prompt 2"], 1);
    EXPECT_EQ(ranges["prefill of prompt 3"], 1);
}

// Wider matmuls read the weights as often as thin ones: the bytes of a token fall.
TEST_F(Batch, ReadsTheWeightsOnceAStep) {
    m_settings.topLogits = 0;
    m_settings.maxNewTokens = 10;
    m_prompts.resize(4);
    const auto matmulBytes = [&](int64_t batch) {
        const GenerateResult result = runBatch(batch, TraceLevel::Full);
        int64_t bytes = 0;
        for (const DeviceActivity& op : m_log.device)
            if (op.token > 0 && m_log.ops[op.op].opName == "lm_head") bytes += op.bytes;
        return bytes;
    };
    const int64_t alone = matmulBytes(1);
    const int64_t together = matmulBytes(4);
    EXPECT_GT(alone, 2 * together);
}

TEST_F(Batch, RefusesWhatCannotBe) {
    const auto expectWrong = [&](auto change, const std::string& part) {
        GenerateSettings settings = m_settings;
        settings.prompts = m_prompts;
        change(settings);
        ActivityLog log(TraceLevel::Off);
        const auto result = generate(*m_model, settings, log);
        ASSERT_FALSE(result) << part;
        EXPECT_EQ(result.error().kind, ErrorKind::WrongUse);
        EXPECT_NE(result.error().message.find(part), std::string::npos) << result.error().message;
    };
    expectWrong([](auto& s) { s.batch = 0; }, "from 1 to 16 sequences, not 0");
    expectWrong([](auto& s) { s.batch = 17; }, "not 17");
    expectWrong([](auto& s) { s.prompts[2] = " \n"; }, "Prompt 3 of 7 is empty");
    expectWrong([](auto& s) { s.promptIds = {2, 3}; }, "token ids are for one prompt");
    expectWrong([](auto& s) { s.forceIds = {2, 3}; }, "Forced tokens are for one prompt");
    expectWrong([](auto& s) { s.speculation.kind = Speculation::Ngram; }, "Speculative decoding is for one prompt");
    expectWrong([](auto& s) { s.contextLength = 40; }, "do not fit into the context of 40");
    expectWrong([](auto& s) { s.prompts.assign(5000, "a"); }, "at most 4096 prompts");
}

TEST_F(Batch, CanBeStopped) {
    std::stop_source stop;
    GenerateEvents events;
    events.onToken = [&](const TokenEvent& token) {
        if (token.index == 20) stop.request_stop();
    };
    GenerateSettings settings = m_settings;
    settings.prompts = m_prompts;
    settings.batch = 3;
    ActivityLog log(TraceLevel::Off);
    const auto result = generate(*m_model, settings, log, events, stop.get_token());
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(result->stopReason, "cancelled");
    ASSERT_EQ(result->repeats.size(), 1U);
    EXPECT_LE(result->repeats[0].tokens.size(), 24U);
    EXPECT_EQ(result->repeats[0].sequences[6].stopReason, "");
}

}  // namespace
}  // namespace gapscope

// The replay gives back what was recorded, lower costs never make anything later, and predictions worked out on paper.
#include "core/analysis/what_if.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "core/analysis/compare.h"
#include "core/analysis/replay.h"
#include "core/analysis/what_if_changes.h"
#include "core/analysis/window.h"
#include "core/import/open_trace.h"
#include "tests/core/analysis/hand_made_trace.h"
#include "tests/core/analysis/random_traces.h"
#include "tests/support/test_files.h"

namespace gapscope {

namespace {

struct OpShape {
    Category category = Category::Gemm;
    const char* role = "";
    int64_t bytes = 0;
    int64_t flops = 0;
    const char* shapes = "";
    int32_t token = kNoToken;
    const char* dtype = "bf16";
};

void addOp(Builder& b, int64_t start, int64_t end, uint32_t correlation, const OpShape& shape) {
    OpId op;
    if (*shape.role != '\0')
        op = b.internOp({.name = b.intern(shape.role),
                         .shapes = b.intern(shape.shapes),
                         .dtype = b.intern(shape.dtype),
                         .layer = 0,
                         .bytes = shape.bytes,
                         .flops = shape.flops});
    b.add(DeviceOpRow{.startNs = start,
                      .endNs = end,
                      .name = b.intern("k"),
                      .track = b.track,
                      .category = shape.category,
                      .correlationId = correlation,
                      .op = op,
                      .token = shape.token});
}

// Three launches and a wait. The first two kernels begin 20 after their calls did; the third was launched at 65 and had
// to wait for the second, which ended at 70, and 5 more. The wait returns 5 after the last end.
TracePtr threeLaunches(Category first = Category::Gemm, Category second = Category::Gemm) {
    Builder b;
    b.setDevice({.id = 0, .kind = DeviceKind::Cuda, .name = "GPU"});
    b.call(0, 10, "cudaLaunchKernel", 1);
    b.call(40, 50, "cudaLaunchKernel", 2);
    b.call(55, 65, "cudaLaunchKernel", 3);
    b.call(70, 120, "cudaStreamSynchronize", 4);
    addOp(b, 20, 30, 1, {.category = first});
    addOp(b, 60, 72, 2, {.category = second});
    addOp(b, 77, 115, 3, {});
    return b.snapshot();
}
constexpr TimeRange kThreeLaunches{0, 120};

}  // namespace

class ReplayOfRandomTraces : public RandomTraces {};
INSTANTIATE_TEST_SUITE_P(Seeds, ReplayOfRandomTraces, testing::Range(0, 200));

TEST_P(ReplayOfRandomTraces, GivesBackTheRecordedTimes) {
    const ReplayTape tape = makeReplayTape(*trace, joinLaunches(*trace), window);
    const Replayed times = replay(tape);
    ASSERT_EQ(times.opEndNs.size(), tape.ops.size());
    for (size_t track = 0; track + 1 < tape.tracks.size(); ++track) {
        int64_t endNs = window.startNs;
        for (size_t place = tape.tracks[track]; place < tape.tracks[track + 1]; ++place) {
            endNs = std::max(endNs, trace->deviceOps().endNs[tape.ops[place].row]);
            ASSERT_EQ(times.opEndNs[place], endNs) << "operation " << tape.ops[place].row;
        }
    }
    if (!tape.ops.empty() || !tape.calls.empty()) {
        EXPECT_EQ(times.endNs, tape.recordedEndNs);
    }
}

TEST_P(ReplayOfRandomTraces, IsNeverLaterForLowerCosts) {
    ReplayTape tape = makeReplayTape(*trace, joinLaunches(*trace), window);
    const Replayed before = replay(tape);
    std::mt19937 random(static_cast<uint32_t>(GetParam()));
    const auto lower = [&](int64_t& ns) {
        if (ns > 0 && random() % 2 == 0) ns = static_cast<int64_t>(random() % static_cast<uint32_t>(ns + 1));
    };
    for (ReplayCall& call : tape.calls) {
        lower(call.thinkNs);
        lower(call.ownNs);
        lower(call.wakeNs);
    }
    for (ReplayOp& op : tape.ops) {
        lower(op.durationNs);
        lower(op.afterPreviousNs);
        lower(op.afterCallNs);
    }
    const Replayed after = replay(tape);
    EXPECT_LE(after.endNs, before.endNs);
    for (size_t place = 0; place < tape.ops.size(); ++place)
        ASSERT_LE(after.opEndNs[place], before.opEndNs[place]);
}

TEST_P(ReplayOfRandomTraces, RemediesOnlyShorten) {
    // A graph's longer call may hold up its first operation: only with free nodes it never does.
    const WhatIf result = whatIf(*trace, window);
    for (const Prediction& prediction : result.predictions) {
        EXPECT_GE(prediction.predictedNs, 0) << prediction.name;
        if (prediction.name.ends_with("graph") || prediction.name == "speculative" || prediction.name == "batch")
            continue;
        EXPECT_LE(prediction.predictedNs, result.recordedNs) << prediction.name;
    }
    ReplayTape tape = makeReplayTape(*trace, joinLaunches(*trace), window);
    makeGraphs(tape, *trace, {.nodePauseNs = 3});
    EXPECT_LE(replay(tape).endNs, tape.recordedEndNs);
}

TEST(Replay, KnowsWhoHeldUpWhom) {
    const TracePtr trace = threeLaunches();
    const ReplayTape tape = makeReplayTape(*trace, joinLaunches(*trace), kThreeLaunches);
    ASSERT_EQ(tape.ops.size(), 3u);
    EXPECT_EQ(tape.ops[1].afterCallNs, 20) << "launched too late: the call held it up";
    EXPECT_EQ(tape.ops[1].afterPreviousNs, 0);
    EXPECT_EQ(tape.ops[2].afterCallNs, 10) << "launched in time: the device held it up";
    EXPECT_EQ(tape.ops[2].afterPreviousNs, 5);
    EXPECT_EQ(tape.calls[3].waitsFor, 2u);
    EXPECT_EQ(tape.calls[3].wakeNs, 5);
    EXPECT_EQ(tape.launchCallNs, 10);
    EXPECT_EQ(tape.shortestKernelNs, 10);
    EXPECT_EQ(replay(tape).endNs, 120);
}

TEST(Replay, TakesWhatOverlapsForItsOwnPart) {
    Builder b;  // the second node begins 8 before the first ends and waits for it
    b.call(0, 10, "cudaGraphLaunch", 1);
    b.kernel(20, 50, 1);
    b.kernel(42, 60, 1);
    const TracePtr trace = b.snapshot();
    ReplayTape tape = makeReplayTape(*trace, joinLaunches(*trace), {0, 60});
    EXPECT_EQ(tape.ops[1].durationNs, 10);
    tape.ops[0].durationNs = 5;
    EXPECT_EQ(replay(tape).opEndNs[1], 35);
}

// One call of 10 + 3 nodes * 0.37 * 10 = 21: the first kernel 20 + 11 after its begin, 31-41; the second behind it,
// 41-53; the third after the pause that it had, 58-96; the wait returns 5 later.
TEST(WhatIf, AGraphOnPaper) {
    const WhatIf result = whatIf(*threeLaunches(), kThreeLaunches);
    const Prediction* graph = result.find("graph");
    ASSERT_NE(graph, nullptr);
    EXPECT_EQ(result.recordedNs, 120);
    EXPECT_EQ(graph->predictedNs, 101);
    EXPECT_DOUBLE_EQ(graph->factor, 120.0 / 101);
    EXPECT_EQ(graph->mode, "") << "another program's run cannot be run again";
}

// norm 10 and elementwise 12 become part of the product: what is left of them is the longer one without the 10 that a
// kernel takes, 2. The product's call begins at 5, it starts at 15 and ends at 15 + 38 + 2 = 55. The host comes to the
// wait at 20, whose own 50 then last longer than the device.
TEST(WhatIf, FusionOnPaper) {
    const TracePtr trace = threeLaunches(Category::Norm, Category::Elementwise);
    ReplayTape tape = makeReplayTape(*trace, joinLaunches(*trace), kThreeLaunches);
    fuse(tape, *trace, {});
    EXPECT_TRUE(tape.ops[0].removed);
    EXPECT_TRUE(tape.ops[1].removed);
    EXPECT_EQ(tape.ops[2].durationNs, 40);
    EXPECT_EQ(replay(tape).opEndNs[2], 55);
    EXPECT_EQ(whatIf(*trace, kThreeLaunches).find("fused")->predictedNs, 70);
}

TEST(WhatIf, MatricesOfOneInputBecomeOne) {
    Builder b;
    addOp(b, 0, 100, 0, {.role = "q_proj", .bytes = 1000});
    addOp(b, 100, 180, 0, {.role = "k_proj", .bytes = 400});
    addOp(b, 180, 260, 0, {.role = "v_proj", .bytes = 400});
    addOp(b, 260, 300, 0, {.role = "o_proj", .bytes = 400});
    const TracePtr trace = b.snapshot();
    ReplayTape tape = makeReplayTape(*trace, joinLaunches(*trace), {0, 300});
    fuse(tape, *trace, {});
    EXPECT_EQ(tape.ops[0].durationNs, 180) << "1,800 bytes at the 10 a ns of q_proj";
    EXPECT_TRUE(tape.ops[2].removed);
    EXPECT_EQ(replay(tape).endNs, 220);
}

TEST(WhatIf, WeightsLoseTheirBytesAtPeakAndNoMore) {
    Builder b;
    b.setDevice({.id = 0, .name = "d", .peakBytesPerSecond = 4e9, .peakFlopsPerSecond = 1e12});
    // 1,000 weights in 2,000 bytes, 1,000 ns: 2 GB/s. In 8.5 bits 1,062.5 bytes: 937.5 saved, at 4 GB/s 234.375 ns.
    addOp(b, 0, 1000, 0, {.role = "q_proj", .bytes = 2000, .flops = 2000, .shapes = "[1,10] x [100,10]"});
    addOp(b, 1000, 1100, 0, {.role = "x"});  // unknown: stays
    const TracePtr trace = b.snapshot();
    EXPECT_EQ(whatIf(*trace, {0, 1100}).find("int8")->predictedNs, 1100 - 234);
    EXPECT_EQ(whatIf(*trace, {0, 1100}).find("perfect")->predictedNs, 500 + 100);
    EXPECT_FALSE(whatIf(*threeLaunches(), kThreeLaunches).find("int8")->unavailable.empty());
    // One kernel a token reads ahead of its work: its bytes alone are not what its time is made of.
    b.setRun({.mode = "persistent"});
    EXPECT_TRUE(whatIf(*b.snapshot(), {0, 1100}).find("int8")->unavailable.find("stages") != std::string::npos);
    EXPECT_FALSE(whatIf(*threeLaunches(), kThreeLaunches).find("perfect")->unavailable.empty());
}

TEST(WhatIf, SpeculationByItsFormula) {
    Builder b;
    b.setRun({.modelName = "m", .mode = "fused"});
    b.setDevice({.id = 0, .kind = DeviceKind::Cpu, .name = "d", .peakBytesPerSecond = 1e9, .peakFlopsPerSecond = 1e9});
    for (int token = 0; token < 4; ++token)
        addOp(b, token * 100, token * 100 + 100, 0, {.role = "q_proj", .bytes = 50, .flops = 30, .token = token});
    const TracePtr trace = b.snapshot();
    const WhatIf result = whatIf(*trace, {0, 400}, {.acceptance = 0.5, .draftTokens = 4});
    EXPECT_EQ(result.tokenCount, 3);
    EXPECT_DOUBLE_EQ(result.recordedNsPerToken, 100);
    // 1.9375 tokens a step; the product of five takes 150 ns of arithmetic at its peak, of three 105 by measurement.
    EXPECT_DOUBLE_EQ(result.find("speculative")->predictedNsPerToken, 150 / 1.9375);
    EXPECT_DOUBLE_EQ(
        whatIf(*trace, {0, 400}, {.acceptance = 0.5, .draftTokens = 2}).find("speculative")->predictedNsPerToken,
        105 / 1.75);
    // Checking twelve takes 360 ns of arithmetic at its peak.
    EXPECT_DOUBLE_EQ(
        whatIf(*trace, {0, 400}, {.acceptance = 1, .draftTokens = 11}).find("speculative")->predictedNsPerToken,
        360 / 12.0);
    EXPECT_EQ(result.find("fused"), nullptr) << "it is already";
    EXPECT_EQ(result.best(), nullptr) << "a graph gains nothing here";
}

// The examples are one model on one H200: what the eager one predicts of a graph, the other one shows.
TEST(WhatIf, OneExamplePredictsTheOther) {
    const auto opened = [](const char* name) {
        const Result<TracePtr> trace = openTrace(test::repositoryFile(name));
        EXPECT_TRUE(trace.has_value()) << name;
        return trace.value_or(TraceBuilder().snapshot());
    };
    const TracePtr eager = opened("resources/example-eager.gapscope.gz");
    const TracePtr graph = opened("resources/example-graph.gapscope.gz");
    const PreparedTrace before(eager), after(graph);
    const Comparison comparison = compare({before, defaultWindow(*eager)}, {after, defaultWindow(*graph)});
    ASSERT_TRUE(comparison.prediction);
    EXPECT_EQ(comparison.prediction->name, "fused+graph");
    EXPECT_LT(std::abs(comparison.prediction->error()), 0.15);
}

// A prompt of five tokens is too short to tell what a ninth costs a product, but tells what a norm costs.
TEST(WhatIf, ShortPromptsTellWhatOtherOperationsCost) {
    Builder b;
    b.setRun({.modelName = "m", .mode = "fused"});
    b.setDevice({.id = 0, .kind = DeviceKind::Cpu, .name = "d"});
    addOp(b, 0, 120, 0, {.role = "q_proj", .flops = 150, .token = kPrefillToken});
    addOp(b, 120, 420, 0, {.category = Category::Norm, .role = "norm", .flops = 50, .token = kPrefillToken});
    for (int token = 0; token < 4; ++token) {
        const int64_t at = 420 + token * 200;
        addOp(b, at, at + 100, 0, {.role = "q_proj", .flops = 30, .token = token});
        addOp(b, at + 100, at + 200, 0, {.category = Category::Norm, .role = "norm", .flops = 10, .token = token});
    }
    const WhatIf result = whatIf(*b.snapshot(), {0, 420 + 4 * 200}, {.acceptance = 1, .draftTokens = 2});
    // Three tokens: 1.05 * 100, and 100 + (300 - 100) * 2 / 4.
    EXPECT_DOUBLE_EQ(result.find("speculative")->predictedNsPerToken, (105 + 200) / 3.0);
}

// A pass of so many tokens on a GPU, whose operations take so long with one; in whole ns each.
double gpuStep(const GpuPass& pass, int tokens, std::initializer_list<double> operations = {100, 40, 10}) {
    double step = 0;
    for (const double ns : operations)
        step += std::floor(ns * (pass.two + (tokens - 2) * pass.more));
    return step;
}

// What a token more in a step costs on the CPU, the prompt shows: ten tokens of q_proj in 350 ns. The head makes no row
// of it.
TEST(WhatIf, SpeculationCostsWhatThePromptShows) {
    for (const DeviceKind kind : {DeviceKind::Cpu, DeviceKind::Cuda}) {
        Builder b;
        b.setRun({.modelName = "m", .mode = "fused"});
        b.setDevice({.id = 0, .kind = kind, .name = "d"});
        addOp(b, 0, 350, 0, {.role = "q_proj", .flops = 300, .token = kPrefillToken});
        for (int token = 0; token < 4; ++token) {
            const int64_t at = 350 + token * 170;
            addOp(b, at, at + 100, 0, {.role = "q_proj", .flops = 30, .token = token});
            addOp(b, at + 100, at + 160, 0, {.role = "lm_head", .flops = 60, .token = token});
            addOp(b, at + 160, at + 170, 0, {.category = Category::Sampling, .role = "next_token", .token = token});
        }
        const TracePtr trace = b.snapshot();
        const WhatIf result = whatIf(*trace, {0, 350 + 4 * 170}, {.acceptance = 1, .draftTokens = 4});
        EXPECT_DOUBLE_EQ(result.recordedNsPerToken, 170);
        // Five tokens cost what was measured: on the CPU their products 1.05 times one.
        const double step = kind == DeviceKind::Cpu ? 105 + 63 + 50 : gpuStep(kBf16Pass, 5, {100, 60, 10});
        EXPECT_DOUBLE_EQ(result.find("speculative")->predictedNsPerToken, step / 5);
        // Of nine, on the CPU, one more than eight: 105 + (350 - 105) / 2 and, by flops, 63 + 60 * 245 / 60.
        const double longStep = kind == DeviceKind::Cpu ? 227 + 308 + 90 : gpuStep(kBf16Pass, 9, {100, 60, 10});
        EXPECT_DOUBLE_EQ(whatIf(*trace, {0, 350 + 4 * 170}, {.acceptance = 1, .draftTokens = 8})
                             .find("speculative")
                             ->predictedNsPerToken,
                         longStep / 9);
        // Where it is known what was drafted: of 4 steps 2 check 4 drafts each, 6 of which are right.
        const Drafts drafts{.steps = 4, .checks = 2, .drafted = 8, .accepted = 6};
        EXPECT_DOUBLE_EQ(speculativeNsPerToken(*trace, joinLaunches(*trace), {0, 350 + 4 * 170}, drafts),
                         (2 * step + 2 * 170) / 10);
    }
}

TEST(WhatIf, TokensOfAStepShareItsTime) {
    Builder b;
    b.setRun({.modelName = "m", .mode = "fused", .speculation = "ngram", .draftTokens = 2});
    b.setDevice({.id = 0, .kind = DeviceKind::Cpu, .name = "d"});
    // Steps at tokens 0, 1 (which gives three) and 4 (one), 100 ns each.
    int64_t startNs = 0;
    for (const int token : {0, 1, 4}) {
        addOp(b, startNs, startNs + 100, 0, {.role = "q_proj", .token = token});
        startNs += 100;
    }
    for (int16_t place = 0; place < 3; ++place)
        b.add(TokenRow{.emittedNs = 200, .index = 1 + place, .drafted = 2, .accepted = 2, .place = place});
    const WhatIf result = whatIf(*b.snapshot(), {0, 300});
    EXPECT_EQ(result.tokenCount, 4);
    EXPECT_DOUBLE_EQ(result.recordedNsPerToken, 50);
    EXPECT_EQ(result.find("speculative"), nullptr) << "it is already";
}

// A run of one prompt of ten tokens: products of 100 ns, attention of 40 and the choice of the token in 10.
Builder singlePrompt(DeviceKind kind, RunInfo run = {.precision = "file", .mode = "fused"},
                     const char* weights = "bf16") {
    Builder b;
    run.weightBytes = 800;
    b.setRun(run);
    b.setDevice({.id = 0, .kind = kind, .name = "d"});
    addOp(b, 0, 350, 0, {.role = "q_proj", .flops = 300, .token = kPrefillToken});
    addOp(b, 350, 480, 0, {.category = Category::Attention, .role = "attention", .flops = 100, .token = kPrefillToken});
    for (int token = 0; token < 4; ++token) {
        const int64_t at = 480 + token * 150;
        addOp(b, at, at + 100, 0, {.role = "q_proj", .flops = 30, .token = token, .dtype = weights});
        addOp(b, at + 100, at + 140, 0,
              {.category = Category::Attention, .role = "attention", .flops = 10, .token = token});
        addOp(b, at + 140, at + 150, 0, {.category = Category::Sampling, .role = "next_token", .token = token});
    }
    return b;
}
constexpr TimeRange kSinglePrompt{0, 480 + 4 * 150};

TEST(WhatIf, ABatchIsAPassOfAsManyTokens) {
    for (const DeviceKind kind : {DeviceKind::Cpu, DeviceKind::Cuda}) {
        const TracePtr trace = singlePrompt(kind).snapshot();
        const bool onCpu = kind == DeviceKind::Cpu;
        const WhatIf result = whatIf(*trace, kSinglePrompt);
        const Prediction* batch = result.find("batch");
        ASSERT_TRUE(batch);
        EXPECT_EQ(batch->unavailable, "");
        ASSERT_EQ(batch->batches.size(), 4u);
        // On the CPU each prompt's attention takes 40 ns.
        EXPECT_DOUBLE_EQ(batch->batches[0].nsPerStep, onCpu ? 105 + 80 + 20 : gpuStep(kBf16Pass, 2));
        EXPECT_DOUBLE_EQ(batch->batches[1].nsPerStep, onCpu ? 105 + 160 + 40 : gpuStep(kBf16Pass, 4));
        const double eight = onCpu ? 105 + 320 + 80 : gpuStep(kBf16Pass, 8);
        EXPECT_DOUBLE_EQ(batch->batches[2].nsPerStep, eight);
        EXPECT_DOUBLE_EQ(batch->batches[2].medianNsPerStep, eight);
        // Beyond eight products cost what the prompt's tokens beyond eight did: 122.5 ns each.
        EXPECT_DOUBLE_EQ(batch->batches[3].nsPerStep, onCpu ? 1085 + 640 + 160 : gpuStep(kBf16Pass, 16));
        EXPECT_EQ(batch->batches[3].sequences, 16);
        EXPECT_DOUBLE_EQ(batch->batches[2].tokensPerSecond(), 8e9 / eight);
        EXPECT_DOUBLE_EQ(batch->batches[2].tokensPerSecondEach(), 1e9 / eight);
        EXPECT_DOUBLE_EQ(batch->batches[2].weightBytesPerToken, 100);
        EXPECT_DOUBLE_EQ(batch->predictedNsPerToken, eight / 8);
        EXPECT_DOUBLE_EQ(batch->factor, 150 / (eight / 8));
        EXPECT_DOUBLE_EQ(batchForecast(*trace, joinLaunches(*trace), kSinglePrompt, 3).nsPerStep,
                         onCpu ? 105 + 120 + 30 : gpuStep(kBf16Pass, 3));
        EXPECT_NE(result.best(), batch) << "it needs more prompts than the run had";
    }
}

TEST(WhatIf, APassOnAGpuTakesWhatItsWeightsTake) {
    const auto twoPrompts = [](const RunInfo& run, const char* weights) {
        const TracePtr trace = singlePrompt(DeviceKind::Cuda, run, weights).snapshot();
        return batchForecast(*trace, joinLaunches(*trace), kSinglePrompt, 2).nsPerStep;
    };
    EXPECT_DOUBLE_EQ(twoPrompts({.precision = "file", .mode = "graph"}, "Q5_0"), gpuStep(kPackedPass, 2));
    EXPECT_DOUBLE_EQ(twoPrompts({.precision = "file", .mode = "graph"}, "bf16"), gpuStep(kBf16Pass, 2));
    EXPECT_DOUBLE_EQ(twoPrompts({.precision = "bf16", .mode = "graph"}, "Q5_0"), gpuStep(kBf16Pass, 2));
    EXPECT_DOUBLE_EQ(twoPrompts({.precision = "int8", .mode = "graph"}, "int8"), gpuStep(kInt8Pass, 2));
    const GpuPass asGraph{kPackedPass.two * kGraphByPersistent, kPackedPass.more * kGraphByPersistent};
    EXPECT_DOUBLE_EQ(twoPrompts({.precision = "file", .mode = "persistent"}, "packed"), gpuStep(asGraph, 2));
}

TEST(WhatIf, BatchesThatThisProgramDoesNotRunAreNotTold) {
    const auto unavailable = [](DeviceKind kind, const RunInfo& run) {
        const TracePtr trace = singlePrompt(kind, run).snapshot();
        const WhatIf result = whatIf(*trace, kSinglePrompt);
        const Prediction* batch = result.find("batch");
        EXPECT_EQ(batchForecast(*trace, joinLaunches(*trace), kSinglePrompt, 4).nsPerStep > 0,
                  batch && batch->unavailable.empty());
        return batch ? batch->unavailable : "left out";
    };
    EXPECT_EQ(unavailable(DeviceKind::Cuda, {.mode = "eager"}), "Mode eager takes one prompt at a time on a GPU.");
    EXPECT_EQ(unavailable(DeviceKind::Cpu, {.mode = "eager"}), "");
    EXPECT_EQ(unavailable(DeviceKind::Cuda, {.precision = "int8", .mode = "graph"}), "");
    EXPECT_EQ(unavailable(DeviceKind::Cpu, {.mode = "fused", .speculation = "ngram"}),
              "A batch runs without speculative decoding, and these steps checked drafts.");
    EXPECT_EQ(unavailable(DeviceKind::Cpu, {.mode = "fused", .sequences = 2, .batch = 2}), "left out");
    EXPECT_EQ(unavailable(DeviceKind::Cuda, {.mode = "persistent"}), "");
    EXPECT_EQ(whatIf(*threeLaunches(), kThreeLaunches).find("batch")->unavailable, "The trace does not tell tokens.");
}

TEST(WhatIf, ABatchStandsBesideTheRunThatDidIt) {
    const auto comparisonWith = [](const RunInfo& after) {
        Builder left = singlePrompt(DeviceKind::Cpu), right = singlePrompt(DeviceKind::Cpu, after);
        for (int token = 0; token < 4; ++token)
            for (int16_t place = 0; place < 3; ++place)
                right.add(TokenRow{.emittedNs = 490 + token * 150, .index = 3 * token + place, .place = place});
        const PreparedTrace a(left.snapshot()), b(right.snapshot());
        return compare({a, kSinglePrompt}, {b, kSinglePrompt}).prediction;
    };
    const auto batch = comparisonWith({.precision = "file", .mode = "fused", .sequences = 3, .batch = 8});
    ASSERT_TRUE(batch);
    EXPECT_EQ(batch->title, "Batch of 3 prompts");
    EXPECT_EQ(batch->figure, "tokens.medNs");
    EXPECT_DOUBLE_EQ(batch->predictedNs, (105 + 120 + 30) / 3.0);
    for (const int64_t sequences : {int64_t{0}, int64_t{1} << 40})
        EXPECT_FALSE(
            comparisonWith({.precision = "file", .mode = "fused", .sequences = sequences, .batch = 1LL << 50}));
    // Two changes at once: nothing was predicted of both.
    EXPECT_FALSE(comparisonWith({.precision = "file", .mode = "graph", .sequences = 3, .batch = 8}));
}

TEST(WhatIf, ReadsShapes) {
    EXPECT_EQ(weightElements("[1,640] x [1024,640]"), 655360);
    EXPECT_EQ(weightElements("[1,640]"), 0);
    EXPECT_EQ(weightElements("[1,640] x [1024"), 0);
    EXPECT_EQ(weightElements("[1,640] x [9999999999999,9999999999]"), 0);
    EXPECT_EQ(weightElements("[1,640] x []"), 0);
}

}  // namespace gapscope

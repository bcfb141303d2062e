// What fewer bytes a weight bring mode persistent's one kernel, by its stages: worked out on paper, and against what
// the kernel took with half the bytes on a card.
#include "core/analysis/what_if_stages.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/analysis/what_if.h"
#include "tests/core/testing/persistent_run.h"

namespace gapscope {

namespace {

TimeRange decodeOf(const Trace& trace) {
    return {trace.deviceOps().startNs[1] - 10'000, trace.extent().endNs};  // with the first launch
}

Prediction predicted(const PersistentRun& run, const char* name) {
    const TracePtr trace = persistentTrace(run);
    const WhatIf result = whatIf(*trace, decodeOf(*trace));
    const Prediction* prediction = result.find(name);
    return prediction ? *prediction : Prediction{};
}

double recordedNsPerToken(const PersistentRun& run) {
    const TracePtr trace = persistentTrace(run);
    return whatIf(*trace, decodeOf(*trace)).recordedNsPerToken;
}

// The waits for inputs of a layer are 10.6 µs; of 2 bytes a weight 15/32 go.
constexpr double kWaitsNs = 10'600;
// What the head's 5.5 bits are more than 4.5.
constexpr double kHeadBytesBeyondInt4 = 262144.0 * 1152 / 8;

}  // namespace

TEST(WhatIfByStages, WaitsForInputsGetShorterAndTheHeadStays) {
    const PersistentRun run{.layers = 5, .tokens = 6};
    const double recorded = recordedNsPerToken(run);
    EXPECT_NEAR(recorded, 5 * 23'400 + 77'000 + 12'000, 1'200);  // stages vary by 2 %
    const Prediction int8 = predicted(run, "int8");
    EXPECT_EQ(int8.unavailable, "");
    EXPECT_EQ(int8.confidence, "low");
    const double saved = recorded - int8.predictedNsPerToken;
    EXPECT_NEAR(saved, 5 * kTrafficShare * 15 / 32 * kWaitsNs, 150);
    // In 4.5 bits 23/32 go, and the head's 5.5 bits are more than that: its bytes go at what it reached, 3.0 TB/s.
    const Prediction int4 = predicted(run, "int4");
    EXPECT_NEAR(recorded - int4.predictedNsPerToken,
                5 * kTrafficShare * 23 / 32 * kWaitsNs + kHeadBytesBeyondInt4 / 3e12 * 1e9, 500);
    // What does not fit a token is the bound that all weights make.
    const Prediction perfect = predicted(run, "perfect");
    EXPECT_LT(perfect.predictedNsPerToken, recorded);
}

// 26 layers, each with what bf16 takes there; LLM.int8() of the same model on the same card took 625 of bf16's 686 µs
// (kernels/cuda/README.md), in 8 bits a weight instead of 8.5.
TEST(WhatIfByStages, IsNearWhatInt8Took) {
    const PersistentRun run{.layers = 26, .tokens = 6};
    const double between = 12'000;  // of this trace; between the kernels of the card there is next to nothing
    const double recorded = recordedNsPerToken(run) - between;
    EXPECT_NEAR(recorded, 686'000, 10'000);
    const double share = (predicted(run, "int8").predictedNsPerToken - between) / recorded;
    EXPECT_NEAR(share, 625.0 / 686, 0.03);
}

TEST(WhatIfByStages, SavesNoMoreThanTheBytesTakeAndNothingBelowThem) {
    // Memory that is ten times as fast: the bytes of a layer's products take less than the waits for them.
    const PersistentRun fast{.layers = 5, .tokens = 6, .peakBytesPerSecond = 1e14};
    const double layerBytes = (1536.0 * 1152 + 1152 * 1024 + 13824 * 1152 + 1152 * 6912) * 15 / 16;
    EXPECT_NEAR(recordedNsPerToken(fast) - predicted(fast, "int8").predictedNsPerToken, 5 * layerBytes / 1e14 * 1e9,
                20);
    // Memory so slow that what is left takes all of the time: nothing is gained.
    const PersistentRun slow{.layers = 5, .tokens = 6, .peakBytesPerSecond = 1e11};
    EXPECT_NEAR(recordedNsPerToken(slow), predicted(slow, "int8").predictedNsPerToken, 1);
}

TEST(WhatIfByStages, KernelsWhoseStagesAreLostGoWithTheOthers) {
    const PersistentRun all{.layers = 5, .tokens = 6};
    PersistentRun some = all;
    some.withoutStages = 3;
    EXPECT_NEAR(predicted(some, "int8").predictedNsPerToken, predicted(all, "int8").predictedNsPerToken, 100);
    PersistentRun none = all;
    none.stages = false;
    EXPECT_NE(predicted(none, "int8").unavailable.find("does not tell its stages"), std::string::npos)
        << predicted(none, "int8").unavailable;
}

TEST(WhatIfByStages, WeightsThatAreNarrowAlreadyStay) {
    const PersistentRun run{.layers = 5, .tokens = 6, .bytesPerWeight = 1, .dtype = "int8"};
    EXPECT_EQ(predicted(run, "int8").unavailable, "No weights here are wider than that.");
    const Prediction int4 = predicted(run, "int4");
    EXPECT_EQ(int4.unavailable, "");
    EXPECT_GT(int4.factor, 1);
    // Where only the head is wider, waits for the layers' weights stay as they are.
    const PersistentRun narrow{.layers = 5, .tokens = 6, .bytesPerWeight = 0.5, .dtype = "q4_0"};
    EXPECT_NEAR(recordedNsPerToken(narrow) - predicted(narrow, "int4").predictedNsPerToken,
                kHeadBytesBeyondInt4 / 3e12 * 1e9, 300);
}

TEST(WhatIfByStages, OtherRemediesOfAPersistentRun) {
    const PersistentRun run{.layers = 5, .tokens = 6};
    const TracePtr trace = persistentTrace(run);
    const WhatIf result = whatIf(*trace, decodeOf(*trace));
    EXPECT_EQ(result.find("fused"), nullptr) << "it is already";
    EXPECT_EQ(result.find("graph"), nullptr) << "it is already one launch a token";
    // All bytes at the peak: (5 * 26.7 million weights * 2 + the head) / 3 TB/s, and what lies between kernels stays.
    const double bytes = 5 * 2 * (1536.0 * 1152 + 1152 * 1024 + 13824 * 1152 + 1152 * 6912) + 262144.0 * 1152 * 11 / 16;
    EXPECT_NEAR(result.find("perfect")->predictedNsPerToken, bytes / 3e12 * 1e9 + 12'000, 50);
    EXPECT_EQ(result.find("perfect")->confidence, "bound");
    // Drafts are checked by a graph, as measured.
    const double kernel = result.recordedNsPerToken - 12'000;
    const double check = kernel * (kBf16Pass.two + 3 * kBf16Pass.more) * kGraphByPersistent + 12'000;
    const double tokensPerStep = (1 - std::pow(0.7, 5)) / 0.3;
    EXPECT_NEAR(result.find("speculative")->predictedNsPerToken, check / tokensPerStep, 50);
}

}  // namespace gapscope

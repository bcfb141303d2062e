// Steps and layers found in traces that tell none: hand-made ranges, our own recorded runs with all that tells them
// taken out, and traces of PyTorch whose tokens are known.
#include "core/analysis/steps.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "core/analysis/prepared_window.h"
#include "core/analysis/token_phases.h"
#include "core/analysis/window.h"
#include "core/import/open_trace.h"
#include "tests/core/analysis/hand_made_trace.h"
#include "tests/support/test_files.h"

namespace gapscope {

namespace {

// The rows as another program would have recorded them: no run, tokens, ops or ranges.
TracePtr withoutMeaning(const Trace& trace) {
    TraceBuilder builder;
    for (uint32_t id = 0; id < trace.stringCount(); ++id)
        builder.intern(trace.string(StringId{id}));
    for (const DeviceRow& row : trace.devices())
        builder.setDevice(row);
    for (size_t i = 0; i < trace.tracks().size(); ++i)
        builder.internTrack(trace.tracks()[i]);
    for (size_t i = 0; i < trace.launchConfigs().size(); ++i)
        builder.internLaunchConfig(trace.launchConfigs()[i]);
    for (size_t i = 0; i < trace.deviceOps().startNs.size(); ++i) {
        DeviceOpRow row = rowAt(trace.deviceOps(), i);
        row.op = {};
        row.token = kNoToken;
        row.repeat = 0;
        builder.add(row);
    }
    for (size_t i = 0; i < trace.apiCalls().startNs.size(); ++i)
        builder.add(rowAt(trace.apiCalls(), i));
    return builder.snapshot();
}

// For each decode step of the recorded run its device operations' first start and last end.
std::vector<TimeRange> recordedSteps(const Trace& trace) {
    std::vector<TimeRange> steps;
    const LaunchJoin join = joinLaunches(trace);
    for (const auto& [key, work] : tokenWorks(trace, join, {}))
        if (key.second > 0 && work.device) steps.push_back(*work.device);
    std::ranges::sort(steps, {}, &TimeRange::startNs);
    return steps;
}

int32_t recordedLayers(const Trace& trace) {
    int32_t layers = 0;
    for (size_t i = 0; i < trace.ops().size(); ++i)
        layers = std::max(layers, trace.ops()[i].layer + 1);
    return layers;
}

void expectFoundAsRecorded(const Trace& own) {
    const TracePtr bare = withoutMeaning(own);
    const FoundSteps found = findSteps(*bare, joinLaunches(*bare));
    ASSERT_EQ(found.source, StepSource::Sequence);
    const std::vector<TimeRange> recorded = recordedSteps(own);
    ASSERT_GT(recorded.size(), 3u);
    std::vector<TimeRange> steps;
    for (const FoundStep& step : found.steps)
        if (!step.prompt) steps.push_back(step.device);
    ASSERT_EQ(steps.size(), recorded.size()) << found.sentence();
    for (size_t i = 0; i < steps.size(); ++i)
        EXPECT_EQ(steps[i], recorded[i]) << "step " << i;
    EXPECT_EQ(found.layersPerStep, recordedLayers(own)) << found.sentence();
    EXPECT_GT(found.confidence, 0.8);  // the second prompt lies between the steps
}

}  // namespace

TEST(Steps, OfRangesThatNameThem) {
    Builder b;
    b.range(0, 100, "prefill");
    b.call(10, 20, "cudaLaunchKernel", 1);
    b.kernel(30, 120, 1);
    for (uint32_t step = 0; step < 3; ++step) {
        const int64_t at = 200 + step * 100;
        b.range(at, at + 50, ("decode step " + std::to_string(step)).c_str());
        b.call(at + 5, at + 10, "cudaLaunchKernel", 10 + 2 * step);
        b.call(at + 10, at + 15, "cudaLaunchKernel", 11 + 2 * step);
        b.kernel(at + 20, at + 40, 10 + 2 * step);
        b.kernel(at + 50, at + 70, 11 + 2 * step);  // outside the range, but launched in it
    }
    b.call(600, 610, "cudaLaunchKernel", 30);
    b.kernel(620, 630, 30);  // in no range
    const TracePtr trace = b.snapshot();
    const FoundSteps found = findSteps(*trace, joinLaunches(*trace));
    EXPECT_EQ(found.source, StepSource::NamedRanges);
    EXPECT_EQ(found.rangeName, "decode step N");
    ASSERT_EQ(found.steps.size(), 4u);
    EXPECT_TRUE(found.steps[0].prompt);
    EXPECT_EQ(found.steps[2].device, (TimeRange{320, 370}));
    EXPECT_EQ(found.confidence, 1);

    const PreparedTrace prepared(trace);
    const TokenTable table = tokenTable(PreparedWindow(prepared, trace->extent()));
    ASSERT_EQ(table.rows.size(), 4u);
    EXPECT_EQ(table.rows[0].index, -1);
    EXPECT_EQ(table.rows[1].index, 1);  // the prompt gave token 0
    EXPECT_EQ(table.rows[2].range, (TimeRange{270, 370}));
    EXPECT_EQ(table.rows[2].busyNs, 40);
    EXPECT_EQ(table.rows[2].launchCount, 2);
    EXPECT_EQ(table.rows[2].kernelCount, 2);
    const TokenPhases phases = tokenPhases(table);
    EXPECT_EQ(phases.timeToFirstTokenNs, std::optional<int64_t>(90));
    EXPECT_EQ(phases.interToken.count, 3);
    EXPECT_EQ(phases.percentiles.p50Ns, 100);
    EXPECT_EQ(phases.percentiles.p99Ns, 150);  // the first, from the prompt's end on
    EXPECT_EQ(phases.decode.kernelCount, 6);
    EXPECT_EQ(phases.prefill.tokenCount, 1);
}

TEST(Steps, OwnRunsAreNotGuessedAt) {
    Builder b;
    for (uint32_t i = 0; i < 40; ++i)
        b.kernel(i * 10, i * 10 + 5, 0, kNoToken, i % 4 == 0 ? "a" : "b");
    EXPECT_EQ(findSteps(*b.snapshot(), joinLaunches(*b.snapshot())).source, StepSource::Sequence);
    b.setRun({.modelName = "own"});
    EXPECT_EQ(findSteps(*b.snapshot(), joinLaunches(*b.snapshot())).source, StepSource::None);
}

TEST(Steps, IdleTimeOfTokensIsItsCauses) {
    for (const char* name : {"resources/example-eager.gapscope.gz", "resources/example-graph.gapscope.gz"}) {
        const auto trace = openTrace(test::repositoryFile(name));
        ASSERT_TRUE(trace) << trace.error().message;
        const PreparedTrace prepared(*trace);
        const TimeRange window = defaultWindow(**trace);
        const TimeRange half{window.startNs + window.durationNs() / 3, window.endNs};
        for (const TimeRange part : {window, half}) {
            const TokenTable table = tokenTable(PreparedWindow(prepared, part));
            ASSERT_GT(table.rows.size(), 3u);
            for (const TokenTime& row : table.rows)
                EXPECT_EQ(row.causes.totalNs(), row.idleNs) << name << " token " << row.index;
        }
    }
}

TEST(Steps, OfOurOwnRecordedRunsAreTheTokens) {
    for (const char* name : {"resources/example-eager.gapscope.gz", "resources/example-graph.gapscope.gz"}) {
        SCOPED_TRACE(name);
        const auto trace = openTrace(test::repositoryFile(name));
        ASSERT_TRUE(trace) << trace.error().message;
        expectFoundAsRecorded(**trace);
    }
}

// 64 tokens: the prompt's pass and 63 steps, each one graph launch; Gemma 3 1B has 26 layers.
TEST(Steps, OfACompiledPyTorchRun) {
    const auto path = test::sharedFile("traces/own/gemma3-1b-bf16-compiled-h200.json.gz");
    GAPSCOPE_NEEDS_FILE(path, "traces/own/gemma3-1b-bf16-compiled-h200.json.gz");
    const auto trace = openTrace(path);
    ASSERT_TRUE(trace) << trace.error().message;
    const LaunchJoin join = joinLaunches(**trace);
    const FoundSteps found = findSteps(**trace, join);
    EXPECT_EQ(std::ranges::count(found.steps, false, &FoundStep::prompt), 63) << found.sentence();
    EXPECT_EQ(found.layersPerStep, 26) << found.sentence();
    EXPECT_GT(found.confidence, 0.9);
    // Each step holds the kernels of exactly one graph launch.
    std::set<uint32_t> launches;
    for (const FoundStep& step : found.steps) {
        if (step.prompt) continue;
        std::set<uint32_t> ofStep;
        for (uint32_t place = step.begin; place < step.end; ++place) {
            const uint32_t call = join.callOfOp[found.ops[place]];
            if (call != kNoRow && (*trace)->string((*trace)->apiCalls().name[call]).starts_with("cudaGraphLaunch"))
                ofStep.insert(call);
        }
        EXPECT_EQ(ofStep.size(), 1u);
        launches.insert(ofStep.begin(), ofStep.end());
    }
    EXPECT_EQ(launches.size(), 63u);
}

// The prompt and first tokens of an eager run, cut by time: layers of 26 a step.
TEST(Steps, OfAnEagerPyTorchRun) {
    const auto path = test::sharedFile("traces/own/gemma3-1b-bf16-first-tokens-h200.json.gz");
    GAPSCOPE_NEEDS_FILE(path, "traces/own/gemma3-1b-bf16-first-tokens-h200.json.gz");
    const auto trace = openTrace(path);
    ASSERT_TRUE(trace) << trace.error().message;
    const FoundSteps found = findSteps(**trace, joinLaunches(**trace));
    EXPECT_EQ(found.source, StepSource::Sequence);
    EXPECT_EQ(found.layersPerStep, 26) << found.sentence();
}

}  // namespace gapscope

// Several traces as one: nothing lost, nothing mixed up, clocks aligned.
#include "core/import/join_traces.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "core/export/session_writer.h"
#include "core/trace/annotations.h"
#include "tests/core/testing/random_trace.h"
#include "tests/core/testing/temp_folder.h"

namespace gapscope {

namespace {

TracePtr small(int64_t utcEpochNs, int64_t startNs) {
    TraceBuilder builder;
    const uint64_t thread = makeGlobalTid(5, 6);
    builder.add(ApiCallRow{startNs, startNs + 10, builder.intern("cudaLaunchKernel"), thread, 7});
    builder.add(DeviceOpRow{.startNs = startNs + 20,
                            .endNs = startNs + 30,
                            .name = builder.intern("kernel"),
                            .track = builder.internTrack({globalPidOf(thread), 0, 1, 7}),
                            .correlationId = 7});
    builder.add(RangeRow{startNs + 5, startNs + 40, builder.intern("step 3"), thread});
    builder.add(TokenRow{.emittedNs = startNs + 40, .text = builder.intern("x")});
    builder.add(CounterSampleRow{startNs, builder.internCounter({.name = builder.intern("power")}), 300});
    builder.setDevice({.id = 0, .kind = DeviceKind::Cuda, .name = "H100"});
    builder.setThread(thread, "main");
    builder.setOrigin({.utcEpochNs = utcEpochNs});
    return builder.snapshot();
}

std::vector<int64_t> kernelStarts(const Trace& trace) {
    std::vector<int64_t> starts;
    for (size_t row = 0; row < trace.deviceOps().startNs.size(); ++row)
        starts.push_back(trace.deviceOps().startNs[row]);
    return starts;
}

}  // namespace

TEST(JoinTraces, RanksOfOneProgramStayApart) {
    const TracePart parts[] = {{small(1'000'000, 100), "rank 0"}, {small(1'000'015, 100), "rank 1"}};
    const auto joined = joinTraces(parts);
    ASSERT_TRUE(joined) << joined.error().message;
    const Trace& trace = **joined;
    // The second began 15 ns later on the wall clock.
    EXPECT_EQ(kernelStarts(trace), (std::vector<int64_t>{120, 135}));
    EXPECT_EQ(trace.origin().utcEpochNs, 1'000'000);
    ASSERT_EQ(trace.devices().size(), 2u);
    EXPECT_EQ(trace.devices()[0].name, "rank 0: H100");
    EXPECT_EQ(trace.devices()[1].name, "rank 1: H100");
    EXPECT_NE(trace.devices()[0].id, trace.devices()[1].id);
    // The same pid and correlation id in both, and no kernel goes to the other's call.
    ASSERT_EQ(trace.apiCalls().startNs.size(), 2u);
    std::set<uint64_t> processes;
    for (size_t row = 0; row < 2; ++row) {
        const uint64_t process = globalPidOf(trace.apiCalls().globalTid[row]);
        processes.insert(process);
        EXPECT_EQ(trace.tracks()[trace.deviceOps().track[row].value].globalPid, process);
        EXPECT_EQ(trace.threadName(trace.apiCalls().globalTid[row]), row == 0 ? "rank 0: main" : "rank 1: main");
    }
    EXPECT_EQ(processes.size(), 2u);
    ASSERT_EQ(trace.counters().size(), 2u);
    EXPECT_NE(trace.counters()[0].deviceId, trace.counters()[1].deviceId);
    EXPECT_EQ(trace.counterSamples().timeNs[1], 115);
    EXPECT_EQ(trace.tokens().emittedNs.size(), 0u);
    EXPECT_EQ(trace.diagnostics().countOf("joined_tokens_left_out"), 2);
}

TEST(JoinTraces, AlignsAtAnEventOrAtTheFirstWork) {
    const TracePart parts[] = {{small(0, 1000), "a"}, {small(0, 77), "b"}};
    const auto first = joinTraces(parts);
    ASSERT_TRUE(first);
    EXPECT_EQ(kernelStarts(**first), (std::vector<int64_t>{20, 20}));
    EXPECT_EQ((*first)->extent().startNs, 0);
    EXPECT_EQ((*first)->diagnostics().countOf("joined_without_clock"), 2);

    // Clocks an hour apart are no clocks of one run.
    const TracePart apart[] = {{small(1'000'000'000'000, 1000), "a"}, {small(4'600'000'000'000, 77), "b"}};
    EXPECT_EQ(kernelStarts(**joinTraces(apart)), (std::vector<int64_t>{20, 20}));

    const auto named = joinTraces(parts, {.name = "step 3"});
    ASSERT_TRUE(named);
    EXPECT_EQ(kernelStarts(**named), (std::vector<int64_t>{20, 20}));
    EXPECT_EQ((*named)->diagnostics().countOf("joined_without_clock"), 0);
    const auto missing = joinTraces(parts, {.name = "step 4"});
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().message, "a has nothing named step 4 to align at.");
}

TEST(JoinTraces, SaysHowItAligned) {
    const TracePart near[] = {{small(1'000'000, 100), "a"}, {small(1'000'015, 100), "b"}};
    const TracePart unknown[] = {{small(0, 1000), "a"}, {small(0, 77), "b"}};
    EXPECT_EQ(alignedBy(near, {}), AlignedBy::WallClock);
    EXPECT_EQ(alignedBy(near, {.name = "step 3"}), AlignedBy::Name);
    EXPECT_EQ(alignedBy(near, {.byFirstWork = true}), AlignedBy::FirstWork);
    EXPECT_EQ(alignedBy(unknown, {}), AlignedBy::FirstWork);
    EXPECT_EQ(kernelStarts(**joinTraces(near, {.byFirstWork = true})), (std::vector<int64_t>{20, 20}));
}

TEST(JoinTraces, NamesToAlignAtBeginSomethingInEveryPart) {
    const auto withRanges = [](const std::vector<const char*>& names) {
        TraceBuilder builder;
        const uint64_t thread = makeGlobalTid(5, 6);
        builder.intern("never used");
        for (const char* name : names)
            builder.add(RangeRow{1, 2, builder.intern(name), thread});
        builder.add(ApiCallRow{1, 2, builder.intern("launch"), thread, 7});
        builder.add(DeviceOpRow{.startNs = 3,
                                .endNs = 4,
                                .name = builder.intern("kernel"),
                                .track = builder.internTrack({globalPidOf(thread), 0, 1, 7})});
        return builder.snapshot();
    };
    const TracePart parts[] = {{withRanges({"layer", "layer", "step", "mine"}), "a"},
                               {withRanges({"step", "layer", "other"}), "b"}};
    EXPECT_EQ(commonNames(parts, 10), (std::vector<std::string>{"step", "layer", "launch", "kernel"}));
    EXPECT_EQ(commonNames(parts, 2), (std::vector<std::string>{"step", "layer"}));
    EXPECT_EQ(commonNames(std::span(parts).first(1), 10).size(), 5u);
}

// Of random traces every row comes back once, moved as a whole, on a device and process that no other part has.
TEST(JoinTraces, LosesAndMixesNothing) {
    for (uint32_t seed = 0; seed < 40; ++seed) {
        SCOPED_TRACE(seed);
        std::vector<TracePart> parts;
        size_t ops = 0, calls = 0, ranges = 0, samples = 0;
        for (uint32_t i = 0; i < 3; ++i) {
            parts.push_back({RandomTrace(seed * 3 + i).build().snapshot(), "rank " + std::to_string(i)});
            ops += parts.back().trace->deviceOps().startNs.size();
            calls += parts.back().trace->apiCalls().startNs.size();
            ranges += parts.back().trace->ranges().startNs.size();
            samples += parts.back().trace->counterSamples().timeNs.size();
        }
        const auto joined = joinTraces(parts);
        ASSERT_TRUE(joined);
        const Trace& trace = **joined;
        EXPECT_EQ(trace.deviceOps().startNs.size(), ops);
        EXPECT_EQ(trace.apiCalls().startNs.size(), calls);
        EXPECT_EQ(trace.ranges().startNs.size(), ranges);
        EXPECT_EQ(trace.counterSamples().timeNs.size(), samples);
        EXPECT_TRUE(std::ranges::is_sorted(kernelStarts(trace)));
        // By process: which part's durations and names it has.
        std::map<uint64_t, std::multiset<std::string>> found;
        for (size_t row = 0; row < ops; ++row) {
            const DeviceOpRow op = rowAt(trace.deviceOps(), row);
            found[trace.tracks()[op.track.value].globalPid].insert(std::string(trace.string(op.name)) + " " +
                                                                   std::to_string(op.endNs - op.startNs));
        }
        std::multiset<std::multiset<std::string>> expected, actual;
        for (const TracePart& part : parts) {
            std::map<uint64_t, std::multiset<std::string>> own;
            for (size_t row = 0; row < part.trace->deviceOps().startNs.size(); ++row) {
                const DeviceOpRow op = rowAt(part.trace->deviceOps(), row);
                own[part.trace->tracks()[op.track.value].globalPid].insert(std::string(part.trace->string(op.name)) +
                                                                           " " + std::to_string(op.endNs - op.startNs));
            }
            for (const auto& [process, rows] : own)
                expected.insert(rows);
        }
        for (const auto& [process, rows] : found)
            actual.insert(rows);
        EXPECT_EQ(actual, expected);
    }
}

TEST(JoinTraces, NotesComeAlongWithTheirFile) {
    const auto noted = [](int64_t utcEpochNs, std::vector<Note> notes) {
        return small(utcEpochNs, 100)->withAnnotations({.notes = std::move(notes), .rows = {.hidden = {"tokens"}}});
    };
    const TracePart parts[] = {{noted(1'000'000, {{{110, 120}, "slow here"}, {{7, 7}, ""}}), "rank 0"},
                               {noted(1'000'015, {{{110, 120}, "and here"}}), "rank 1"}};
    const auto joined = joinTraces(parts);
    ASSERT_TRUE(joined) << joined.error().message;
    const Annotations& annotations = (*joined)->annotations();
    EXPECT_EQ(
        annotations.notes,
        (std::vector<Note>{{{110, 120}, "rank 0: slow here"}, {{7, 7}, "rank 0"}, {{125, 135}, "rank 1: and here"}}));
    EXPECT_TRUE(annotations.rows.empty());
    EXPECT_EQ((*joined)->diagnostics().countOf("joined_rows_left_out"), 2);
}

TEST(JoinTraces, OpensFilesAndNamesThemByRank) {
    EXPECT_EQ(partLabel("/runs/step_rank-3.pt.trace.json.gz"), "rank 3");
    EXPECT_EQ(partLabel("Rank12.json"), "rank 12");
    EXPECT_EQ(partLabel("frank.json"), "frank");
    EXPECT_EQ(partLabel("host1_4711.1700000000000.pt.trace.json"), "process 4711");  // as torch.profiler names them
    EXPECT_EQ(partLabel("step_7.json"), "step_7");
    EXPECT_EQ(partLabel("-"), "standard input");
    const TempFolder folder;
    ASSERT_TRUE(saveSession(*small(0, 10), folder / "one.gapscope"));
    ASSERT_TRUE(saveSession(*small(0, 10), folder / "two_rank1.gapscope"));
    const std::filesystem::path paths[] = {folder / "one.gapscope", folder / "two_rank1.gapscope"};
    const auto joined = openTraces(paths);
    ASSERT_TRUE(joined) << joined.error().message;
    EXPECT_EQ((*joined)->devices()[0].name, "one: H100");
    EXPECT_EQ((*joined)->devices()[1].name, "rank 1: H100");
    const std::filesystem::path missing[] = {folder / "one.gapscope", folder / "three.gapscope"};
    const auto failed = openTraces(missing);
    ASSERT_FALSE(failed);
    EXPECT_NE(failed.error().message.find("three.gapscope does not exist"), std::string::npos);
}

}  // namespace gapscope

// What a search finds, against looking at every event.
#include "core/analysis/find_events.h"

#include <gtest/gtest.h>

#include "core/trace/trace_builder.h"
#include "tests/core/analysis/random_traces.h"

namespace gapscope {

namespace {

TracePtr example() {
    TraceBuilder builder;
    const TrackId track = builder.internTrack({});
    builder.add(RangeRow{0, 90, builder.intern("Decode 12"), 1});
    builder.add(
        DeviceOpRow{.startNs = 30,
                    .endNs = 40,
                    .name = builder.intern("gemv"),
                    .track = track,
                    .op = builder.internOp({.name = builder.intern("q_proj")}),
                    .config = builder.internLaunchConfig({.fullName = builder.intern("void gemv<Bf16>(Args)")})});
    builder.add(DeviceOpRow{.startNs = 10, .endNs = 20, .name = builder.intern("rms_norm"), .track = track});
    builder.add(StageRow{.startNs = 32,
                         .endNs = 35,
                         .name = builder.intern("gate: input"),
                         .track = track,
                         .op = builder.internOp({.name = builder.intern("gate_role")})});
    builder.add(ApiCallRow{5, 8, builder.intern("cudaLaunchKernel"), 1});
    builder.add(TokenRow{.emittedNs = 50, .text = builder.intern(" norm")});
    return builder.snapshot();
}

std::vector<std::string> namesOf(const Trace& trace, std::string_view text) {
    const auto found = findEvents(trace, text);
    if (!found) return {found.error().message};
    std::vector<std::string> names;
    for (const FoundEvent& event : *found) {
        const StringId id = event.kind == FoundEvent::Kind::DeviceOp  ? trace.deviceOps().name[event.row]
                            : event.kind == FoundEvent::Kind::Stage   ? trace.stages().name[event.row]
                            : event.kind == FoundEvent::Kind::ApiCall ? trace.apiCalls().name[event.row]
                            : event.kind == FoundEvent::Kind::Range   ? trace.ranges().name[event.row]
                                                                      : trace.tokens().text[event.row];
        names.emplace_back(trace.string(id));
    }
    return names;
}

}  // namespace

TEST(FindEvents, ByPartsOfNamesInAnyCaseInOrderOfTime) {
    const TracePtr trace = example();
    using Names = std::vector<std::string>;
    EXPECT_EQ(namesOf(*trace, "NORM"), (Names{"rms_norm", " norm"}));
    EXPECT_EQ(namesOf(*trace, "decode"), Names{"Decode 12"});
    EXPECT_EQ(namesOf(*trace, "launch"), Names{"cudaLaunchKernel"});
    EXPECT_EQ(namesOf(*trace, "q_proj"), Names{"gemv"});
    EXPECT_EQ(namesOf(*trace, "bf16"), Names{"gemv"});
    EXPECT_EQ(namesOf(*trace, ": INPUT"), Names{"gate: input"});
    EXPECT_EQ(namesOf(*trace, "gate_role"), Names{"gate: input"});
    EXPECT_EQ(namesOf(*trace, "g"), (Names{"gemv", "gate: input"}));
    EXPECT_EQ(namesOf(*trace, "nothing"), Names{});
    EXPECT_EQ(namesOf(*trace, ""), Names{});
}

TEST(FindEvents, ByRegularExpressions) {
    const TracePtr trace = example();
    using Names = std::vector<std::string>;
    EXPECT_EQ(namesOf(*trace, "/^gemv$|decode \\d+/"), (Names{"Decode 12", "gemv"}));
    EXPECT_EQ(namesOf(*trace, "/NORM$/"), (Names{"rms_norm", " norm"}));
    EXPECT_EQ(namesOf(*trace, "/(/"), Names{"/(/ is no regular expression: missing ): (."});
    // A path is a text.
    EXPECT_EQ(namesOf(*trace, "/gemv"), Names{});
}

TEST(FindEvents, NotesByTheirWordsAmongTheRest) {
    const TracePtr trace = example();
    const std::vector<Note> notes{{{60, 70}, "Norm is slow"}, {{7, 7}, ""}, {{15, 15}, "the norm begins"}};
    const auto found = findEvents(*trace, "norm", {}, notes);
    ASSERT_TRUE(found);
    using Kind = FoundEvent::Kind;
    EXPECT_EQ(
        *found,
        (std::vector<FoundEvent>{
            {10, 20, 1, Kind::DeviceOp}, {15, 15, 2, Kind::Note}, {50, 50, 0, Kind::Token}, {60, 70, 0, Kind::Note}}));
    const auto all = findEvents(*trace, "/.*/", {}, notes);
    ASSERT_TRUE(all);
    EXPECT_EQ(std::ranges::count(*all, Kind::Note, &FoundEvent::kind), 2);  // a mark has no words
}

TEST(FindEvents, NoExpressionTakesForever) {
    TraceBuilder builder;
    builder.add(RangeRow{0, 1, builder.intern(std::string(100'000, 'a')), 1});
    const auto found = findEvents(*builder.snapshot(), "/(a*)*b/");
    ASSERT_TRUE(found);
    EXPECT_TRUE(found->empty());
}

using FindInRandomTraces = RandomTraces;

TEST_P(FindInRandomTraces, FindsWhatLookingAtEachFinds) {
    for (const char* text : {"kernel_1", "cuda", "e", "role_2", "stage 1"}) {
        const auto found = findEvents(*trace, text);
        ASSERT_TRUE(found);
        const auto holds = [&](StringId id) {
            return trace->string(id).find(text) != std::string_view::npos;  // the random names have small letters
        };
        size_t expected = 0;
        for (size_t row = 0; row < trace->deviceOps().startNs.size(); ++row) {
            const DeviceOpRow op = rowAt(trace->deviceOps(), row);
            expected += holds(op.name) || (op.op.valid() && holds(trace->ops()[op.op.value].name)) ||
                        (op.config.valid() && holds(trace->launchConfigs()[op.config.value].fullName));
        }
        for (size_t row = 0; row < trace->apiCalls().startNs.size(); ++row)
            expected += holds(trace->apiCalls().name[row]);
        for (size_t row = 0; row < trace->stages().startNs.size(); ++row) {
            const StageRow stage = rowAt(trace->stages(), row);
            expected += holds(stage.name) || (stage.op.valid() && holds(trace->ops()[stage.op.value].name));
        }
        size_t others = 0;
        for (const FoundEvent& event : *found)
            others += event.kind == FoundEvent::Kind::Range || event.kind == FoundEvent::Kind::Token;
        EXPECT_EQ(found->size() - others, expected) << text;
        EXPECT_TRUE(std::ranges::is_sorted(*found, {}, &FoundEvent::startNs));
    }
}

INSTANTIATE_TEST_SUITE_P(Seeds, FindInRandomTraces, testing::Range(0, 10));

}  // namespace gapscope

// The table of gaps, filtered and sorted, against plain sorts of every gap's own figures and texts.
#include "core/analysis/gap_order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <string>

#include "core/analysis/gap_cause_titles.h"
#include "core/analysis/host_activity.h"
#include "core/analysis/prepared_trace.h"
#include "core/base/format.h"
#include "tests/core/testing/random_trace.h"

namespace gapscope {

class GapOrders : public testing::TestWithParam<int> {
protected:
    GapOrders() {
        RandomTrace random(static_cast<uint32_t>(GetParam()), {.deviceOps = 30, .spanNs = 4000});
        trace = random.build().snapshot();
        prepared.emplace(trace);
        gaps = prepared->gapsIn({-10, 4500}, HostActivity::kNoThread);
        for (size_t cause = 0; cause < titles.size(); ++cause)
            titles[cause] = kGapCauseTitles[cause];
    }
    TracePtr trace;
    std::optional<PreparedTrace> prepared;
    WindowGaps gaps;
    std::array<std::string, kGapCauseCount> titles;
};

TEST_P(GapOrders, AreStableSortsBothWays) {
    std::vector<uint32_t> rows = gapsWanted(*trace, gaps.gaps, {.cause = {}, .text = {}, .causeTitles = titles});
    ASSERT_EQ(rows.size(), gaps.gaps.size());
    ASSERT_GT(rows.size(), 10u);
    rows.erase(rows.begin() + 3);  // some are left out
    const auto expect = [&](GapOrder order, auto keyOf) {
        const auto key = [&](uint32_t place) { return keyOf(gaps.gaps[rows[place]]); };
        for (const bool descending : {false, true}) {
            std::vector<uint32_t> expected(rows.size());
            std::iota(expected.begin(), expected.end(), 0u);
            std::ranges::stable_sort(
                expected, [&](uint32_t a, uint32_t b) { return descending ? key(b) < key(a) : key(a) < key(b); });
            EXPECT_EQ(orderOf(*trace, gaps.gaps, rows, order, descending), expected)
                << static_cast<int>(order) << descending;
        }
    };
    expect(GapOrder::Start, [](const Gap& gap) { return gap.range.startNs; });
    expect(GapOrder::Duration, [](const Gap& gap) { return gap.range.durationNs(); });
    expect(GapOrder::MainCause,
           [](const Gap& gap) { return kGapCauseTitles[static_cast<size_t>(mainCause(gap.causes))]; });
    expect(GapOrder::Host, [](const Gap& gap) { return gap.causes.hostNs(); });
    expect(GapOrder::LaunchCall, [](const Gap& gap) { return gap.causes[GapCause::LaunchCall]; });
    expect(GapOrder::Latency, [](const Gap& gap) { return gap.causes[GapCause::DeviceLatency]; });
    expect(GapOrder::HostText, [&](const Gap& gap) { return hostText(*trace, gap); });
    expect(GapOrder::NextName, [&](const Gap& gap) {
        return gap.nextOp == kNoRow ? std::string("\xff")
                                    : std::string(trace->string(trace->deviceOps().name[gap.nextOp]));
    });
    expect(GapOrder::Device, [](const Gap& gap) { return gap.deviceId; });
    std::stop_source stopped;
    stopped.request_stop();
    EXPECT_TRUE(orderOf(*trace, gaps.gaps, rows, GapOrder::Duration, true, stopped.get_token()).empty());
    EXPECT_TRUE(
        gapsWanted(*trace, gaps.gaps, {.cause = {}, .text = {}, .causeTitles = titles}, stopped.get_token()).empty());
}

TEST_P(GapOrders, HoldWhatTheFilterAsksFor) {
    for (const auto& cause : {std::optional<GapCause>(), std::optional(GapCause::HostOutside)}) {
        for (const std::string_view text : {"", "KERNEL_3", "launch", "host", "20", "nothing reads so"}) {
            std::vector<uint32_t> expected;
            for (uint32_t row = 0; row < gaps.gaps.size(); ++row) {
                const Gap& gap = gaps.gaps[row];
                if (cause && gap.causes[*cause] == 0) continue;
                // The row as it reads, its cells apart.
                std::string line = formatMoment(gap.range.startNs) + "\n" + hostText(*trace, gap) + "\n" +
                                   titles[static_cast<size_t>(mainCause(gap.causes))] + "\n" +
                                   std::to_string(gap.deviceId) + "\n";
                for (const int64_t ns : {gap.range.durationNs(), gap.causes.hostNs(), gap.causes[GapCause::LaunchCall],
                                         gap.causes[GapCause::DeviceLatency]})
                    line += formatDuration(ns) + "\n";
                if (gap.nextOp != kNoRow) line += trace->string(trace->deviceOps().name[gap.nextOp]);
                std::string part(text);
                for (std::string* of : {&line, &part})
                    std::ranges::transform(*of, of->begin(), [](char c) {
                        return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
                    });
                if (line.find(part) != std::string::npos) expected.push_back(row);
            }
            EXPECT_EQ(gapsWanted(*trace, gaps.gaps, {.cause = cause, .text = text, .causeTitles = titles}), expected)
                << text;
        }
    }
}

TEST_P(GapOrders, AreFoundByTheirRange) {
    for (uint32_t row = 0; row < gaps.gaps.size(); ++row) {
        const TimeRange range = gaps.gaps[row].range;
        const auto found = gapAt(gaps, range);
        ASSERT_TRUE(found);
        EXPECT_EQ(gaps.gaps[*found].range, range);  // devices may be idle together
        EXPECT_FALSE(gapAt(gaps, {range.startNs, range.endNs + 1'000'000}));
    }
    EXPECT_FALSE(gapAt(gaps, {-500, -400}));
}

INSTANTIATE_TEST_SUITE_P(Seeds, GapOrders, testing::Range(0, 12));

}  // namespace gapscope

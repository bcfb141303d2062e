// The list of events against one made row by row, on random traces.
#include <gtest/gtest.h>

#include <algorithm>
#include <tuple>

#include "core/analysis/event_list.h"
#include "tests/core/testing/random_trace.h"

namespace gapscope {

class EventLists : public testing::TestWithParam<int> {};

TEST_P(EventLists, AreWhatBeginsInTheWindow) {
    RandomTrace random(static_cast<uint32_t>(GetParam()));
    const TracePtr trace = random.build().snapshot();
    const PreparedTrace prepared(trace);
    for (const TimeRange window : {TimeRange{-10, 800}, TimeRange{100, 250}, TimeRange{90, 90}}) {
        for (const std::string_view text : {"", "KERNEL", "range 2", "stage 1", "nothing is called so"}) {
            for (int kinds = 0; kinds < 1 << kEventKindCount; ++kinds) {
                std::vector<std::tuple<int64_t, EventKind, uint32_t>> expected;
                const auto add = [&](EventKind kind, const auto& rows) {
                    if (!(kinds & 1 << static_cast<int>(kind))) return;
                    for (uint32_t row = 0; row < rows.startNs.size(); ++row) {
                        std::string name(trace->string(rows.name[row])), part(text);
                        for (std::string* of : {&name, &part})
                            std::ranges::transform(*of, of->begin(), [](char c) {
                                return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
                            });
                        if (window.contains(rows.startNs[row]) && name.find(part) != std::string::npos)
                            expected.emplace_back(rows.startNs[row], kind, row);
                    }
                };
                add(EventKind::DeviceOp, trace->deviceOps());
                add(EventKind::Stage, trace->stages());
                add(EventKind::ApiCall, trace->apiCalls());
                add(EventKind::Range, trace->ranges());
                std::ranges::sort(expected);
                EventFilter filter{.text = text};
                for (int kind = 0; kind < kEventKindCount; ++kind)
                    filter.kinds[kind] = (kinds & 1 << kind) != 0;
                const std::vector<EventRow> list = eventList(prepared, window, filter);
                ASSERT_EQ(list.size(), expected.size());
                for (size_t i = 0; i < list.size(); ++i)
                    EXPECT_EQ(list[i], (EventRow{std::get<2>(expected[i]), std::get<1>(expected[i])}));
            }
        }
    }
}

// Against a stable sort by texts and times themselves.
TEST_P(EventLists, ComeInAnyOrder) {
    RandomTrace random(static_cast<uint32_t>(GetParam()));
    const TracePtr trace = random.build().snapshot();
    const PreparedTrace prepared(trace);
    const std::vector<EventRow> list = eventList(prepared, {-10, 800});
    ASSERT_GT(list.size(), 50u);
    static_assert(sizeof(EventRow) == 8);
    const auto with = [&](EventRow event, auto use) {
        if (event.kind == EventKind::DeviceOp) return use(rowAt(trace->deviceOps(), event.row));
        if (event.kind == EventKind::Stage) return use(rowAt(trace->stages(), event.row));
        if (event.kind == EventKind::ApiCall) return use(rowAt(trace->apiCalls(), event.row));
        return use(rowAt(trace->ranges(), event.row));
    };
    const auto startOf = [&](EventRow event) { return with(event, [](const auto& row) { return row.startNs; }); };
    const auto durationOf = [&](EventRow event) {
        return with(event, [](const auto& row) { return row.endNs - row.startNs; });
    };
    const auto nameOf = [&](EventRow event) {
        return with(event, [&](const auto& row) { return std::string(trace->string(row.name)); });
    };
    const auto correlationOf = [&](EventRow event) {
        return with(event, [](const auto& row) {
            if constexpr (requires { row.correlationId; })
                return row.correlationId;
            else
                return 0u;
        });
    };
    const auto placeOf = [&](EventRow event) {
        if (event.kind == EventKind::ApiCall) return std::tuple(1, trace->apiCalls().globalTid[event.row], uint64_t{0});
        if (event.kind == EventKind::Range) return std::tuple(1, trace->ranges().globalTid[event.row], uint64_t{0});
        const TrackId of =
            event.kind == EventKind::Stage ? trace->stages().track[event.row] : trace->deviceOps().track[event.row];
        const TrackRow track = trace->tracks()[of.value];
        return std::tuple(0, uint64_t{track.deviceId}, uint64_t{track.streamId});
    };
    const auto kindOf = [&](EventRow event) {
        return std::pair(event.kind,
                         event.kind == EventKind::DeviceOp ? trace->deviceOps().kind[event.row] : DeviceOpKind::Kernel);
    };
    const auto expect = [&](EventOrder order, auto keyOf) {
        for (const bool descending : {false, true}) {
            std::vector<uint32_t> expected(list.size());
            for (uint32_t i = 0; i < expected.size(); ++i)
                expected[i] = i;
            std::ranges::stable_sort(expected, [&](uint32_t a, uint32_t b) {
                return descending ? keyOf(list[b]) < keyOf(list[a]) : keyOf(list[a]) < keyOf(list[b]);
            });
            if (order == EventOrder::Start && descending) {
                expected = orderOf(*trace, list, EventOrder::Start, false);
                std::ranges::reverse(expected);
            }
            ASSERT_EQ(orderOf(*trace, list, order, descending), expected)
                << static_cast<int>(order) << ' ' << descending;
        }
    };
    expect(EventOrder::Start, startOf);
    expect(EventOrder::Duration, durationOf);
    expect(EventOrder::Kind, kindOf);
    expect(EventOrder::Name, nameOf);
    expect(EventOrder::Place, placeOf);
    expect(EventOrder::Correlation, correlationOf);
    std::stop_source stopped;
    stopped.request_stop();
    EXPECT_TRUE(orderOf(*trace, list, EventOrder::Duration, false, stopped.get_token()).empty());
}

// More than one block of what is sorted at once.
TEST(EventList, ManyComeInOrderToo) {
    TraceBuilder builder;
    const TrackId track = builder.internTrack({});
    constexpr int64_t kMany = 300'000;
    for (int64_t i = 0; i < kMany; ++i)
        builder.add(DeviceOpRow{.startNs = i, .endNs = i + i * 7919 % 1000, .track = track});
    const TracePtr trace = builder.snapshot();
    const std::vector<EventRow> list = eventList(PreparedTrace(trace), {0, kMany});
    const std::vector<uint32_t> order = orderOf(*trace, list, EventOrder::Duration, true);
    ASSERT_EQ(order.size(), static_cast<size_t>(kMany));
    const auto key = [&](uint32_t place) {
        const auto row = static_cast<int64_t>(list[place].row);
        return std::pair(-(row * 7919 % 1000), place);
    };
    EXPECT_TRUE(std::ranges::is_sorted(order, {}, key));
}

INSTANTIATE_TEST_SUITE_P(Seeds, EventLists, testing::Range(0, 20));

}  // namespace gapscope

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
        for (const std::string_view text : {"", "KERNEL", "range 2", "nothing is called so"}) {
            for (int kinds = 0; kinds < 8; ++kinds) {
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

INSTANTIATE_TEST_SUITE_P(Seeds, EventLists, testing::Range(0, 20));

}  // namespace gapscope

// Long lists in other orders than they were made in: millions of rows, sorted off the UI thread, and a sort that can be
// given up on the way. Text in names as tables search it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stop_token>
#include <string_view>
#include <vector>

#include "core/trace/trace.h"

namespace gapscope {

struct KeyedPlace {
    int64_t key;
    uint32_t place;  // in the list
};

inline constexpr size_t kRowsBetweenLooks = size_t{1} << 16;  // whether to stop

// Places by key, equal ones as they stand in the list; empty once stopped.
std::vector<uint32_t> sortedPlaces(std::vector<KeyedPlace> keyed, std::stop_token stop);

// The same of a list of `count` with keyOf(place) -> int64_t, which is never INT64_MIN. Four bytes a row; sixteen more
// while it works.
template <class KeyOf>
std::vector<uint32_t> sortedPlaces(size_t count, bool descending, std::stop_token stop, KeyOf keyOf) {
    std::vector<KeyedPlace> keyed(count);
    for (size_t place = 0; place < count; ++place) {
        if (place % kRowsBetweenLooks == 0 && stop.stop_requested()) return {};
        const int64_t key = keyOf(place);
        keyed[place] = {descending ? -key : key, static_cast<uint32_t>(place)};
    }
    return sortedPlaces(std::move(keyed), stop);
}

// Strings of the trace by the order of their bytes: comparing names is then comparing numbers.
std::vector<uint32_t> nameRanks(const Trace& trace);

// ASCII letters of either case.
bool holdsText(std::string_view name, std::string_view text);

}  // namespace gapscope

// Half-open ranges of integer nanoseconds: the only form of time inside the program.
#pragma once

#include <algorithm>
#include <compare>
#include <cstdint>

namespace gapscope {

struct TimeRange {
    int64_t startNs = 0;
    int64_t endNs = 0;

    constexpr int64_t durationNs() const { return endNs - startNs; }
    constexpr bool empty() const { return endNs <= startNs; }
    constexpr bool contains(int64_t timeNs) const { return timeNs >= startNs && timeNs < endNs; }
    constexpr bool overlaps(TimeRange other) const { return startNs < other.endNs && other.startNs < endNs; }
    // Empty ranges come out with endNs == startNs, never negative.
    constexpr TimeRange clippedTo(TimeRange window) const {
        const int64_t start = std::max(startNs, window.startNs);
        return {start, std::max(start, std::min(endNs, window.endNs))};
    }
    auto operator<=>(const TimeRange&) const = default;
};

}  // namespace gapscope

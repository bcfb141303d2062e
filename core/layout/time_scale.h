// Time to pixels and back. In double, from the left edge: exact both ways for ranges up to 2^51 ns (26 days).
#pragma once

#include <cmath>
#include <cstdint>

#include "core/base/time_range.h"

namespace gapscope {

struct TimeScale {
    TimeRange range;   // what the width shows; not empty
    double width = 1;  // px

    double pxPerNs() const { return width / static_cast<double>(range.durationNs()); }
    double nsPerPx() const { return static_cast<double>(range.durationNs()) / width; }

    double xOf(int64_t timeNs) const {
        return static_cast<double>(timeNs - range.startNs) * width / static_cast<double>(range.durationNs());
    }
    int64_t timeAt(double x) const {
        return range.startNs + std::llround(x * static_cast<double>(range.durationNs()) / width);
    }
};

inline constexpr int64_t kMinVisibleNs = 100;  // below this a pixel is less than a tenth of a nanosecond

// Zooms by `factor` (below 1: closer) and keeps the time under x where it is. Never narrower than kMinVisibleNs, never
// wider than three times `whole` (or than it is), and always with some of `whole` in sight.
TimeRange zoomedAt(const TimeScale& scale, double x, double factor, TimeRange whole);

// Moved by `deltaNs`, with some of `whole` kept in sight.
TimeRange panned(TimeRange visible, int64_t deltaNs, TimeRange whole);

// `range` with a margin on both sides, to look at one item in its surroundings.
TimeRange withMargin(TimeRange range, double share);

}  // namespace gapscope

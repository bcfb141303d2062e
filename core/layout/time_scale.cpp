#include "core/layout/time_scale.h"

#include <algorithm>

namespace gapscope {

TimeRange panned(TimeRange visible, int64_t deltaNs, TimeRange whole) {
    // A tenth of what is seen stays on the trace, so that no one gets lost in the void.
    const int64_t duration = visible.durationNs();
    const int64_t keep = std::min(duration, std::max<int64_t>(whole.durationNs(), 1)) / 10;
    const int64_t lowest = whole.startNs - duration + keep;
    const int64_t highest = whole.endNs - keep;
    const int64_t start = std::clamp(visible.startNs + deltaNs, lowest, std::max(lowest, highest));
    return {start, start + duration};
}

TimeRange zoomedAt(const TimeScale& scale, double x, double factor, TimeRange whole) {
    const double before = static_cast<double>(scale.range.durationNs());
    // Where more is shown already (a run that has just begun, followed in seconds), zooming in goes on from there.
    const double widest = std::max(before, 3.0 * static_cast<double>(std::max(whole.durationNs(), kMinVisibleNs)));
    const double after = std::clamp(before * factor, static_cast<double>(kMinVisibleNs), widest);
    const double share = x / scale.width;
    const int64_t duration = std::llround(after);
    const int64_t start = scale.range.startNs + std::llround(share * (before - after));
    return panned({start, start + duration}, 0, whole);
}

TimeRange withMargin(TimeRange range, double share) {
    const int64_t margin =
        std::max<int64_t>(1, std::llround(static_cast<double>(std::max<int64_t>(range.durationNs(), 1)) * share));
    return {range.startNs - margin, range.endNs + margin};
}

}  // namespace gapscope

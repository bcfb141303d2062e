#include "core/analysis/intervals.h"

#include <algorithm>

namespace gapscope {

std::vector<TimeRange> unionOf(std::vector<TimeRange> ranges) {
    std::erase_if(ranges, [](TimeRange range) { return range.empty(); });
    if (!std::ranges::is_sorted(ranges)) std::ranges::sort(ranges);
    size_t last = 0;
    for (size_t i = 1; i < ranges.size(); ++i) {
        if (ranges[i].startNs <= ranges[last].endNs) {
            ranges[last].endNs = std::max(ranges[last].endNs, ranges[i].endNs);
        } else {
            ranges[++last] = ranges[i];
        }
    }
    if (!ranges.empty()) ranges.resize(last + 1);
    return ranges;
}

int64_t totalNs(std::span<const TimeRange> ranges) {
    int64_t total = 0;
    for (const TimeRange range : ranges)
        total += range.durationNs();
    return total;
}

std::vector<TimeRange> complementOf(std::span<const TimeRange> ranges, TimeRange window) {
    std::vector<TimeRange> free;
    int64_t from = window.startNs;
    for (const TimeRange range : ranges) {
        if (range.endNs <= from) continue;
        if (range.startNs >= window.endNs) break;
        if (range.startNs > from) free.push_back({from, range.startNs});
        from = range.endNs;
    }
    if (from < window.endNs) free.push_back({from, window.endNs});
    return free;
}

Coverage::Coverage(std::vector<TimeRange> ranges) : m_ranges(unionOf(std::move(ranges))) {
    m_totals.reserve(m_ranges.size());
    int64_t total = 0;
    for (const TimeRange range : m_ranges) {
        m_totals.push_back(total);
        total += range.durationNs();
    }
}

int64_t Coverage::before(int64_t timeNs) const {
    const auto next = std::ranges::lower_bound(m_ranges, timeNs, {}, &TimeRange::startNs);
    if (next == m_ranges.begin()) return 0;
    const size_t at = static_cast<size_t>(next - m_ranges.begin()) - 1;
    return m_totals[at] + std::min(timeNs, m_ranges[at].endNs) - m_ranges[at].startNs;
}

int64_t Coverage::coveredNs(TimeRange range) const {
    return range.empty() ? 0 : before(range.endNs) - before(range.startNs);
}

}  // namespace gapscope

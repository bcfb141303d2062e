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

int64_t Coverage::before(int64_t timeNs, size_t& hint) const {
    constexpr size_t kSteps = 8;  // a few comparisons of neighbours cost less than a binary search through cold memory
    size_t next = std::min(hint, m_ranges.size());  // the first range that begins at or after timeNs
    const bool isBehind = next > 0 && m_ranges[next - 1].startNs >= timeNs;
    for (size_t step = 0; !isBehind && step < kSteps && next < m_ranges.size() && m_ranges[next].startNs < timeNs;
         ++step)
        ++next;
    if (isBehind || (next < m_ranges.size() && m_ranges[next].startNs < timeNs)) {
        const auto found = std::ranges::lower_bound(m_ranges, timeNs, {}, &TimeRange::startNs);
        next = static_cast<size_t>(found - m_ranges.begin());
    }
    hint = next;
    if (next == 0) return 0;
    return m_totals[next - 1] + std::min(timeNs, m_ranges[next - 1].endNs) - m_ranges[next - 1].startNs;
}

int64_t Coverage::coveredNs(TimeRange range, size_t& hint) const {
    if (range.empty()) return 0;
    const int64_t beforeStart = before(range.startNs, hint);
    return before(range.endNs, hint) - beforeStart;
}

int64_t Coverage::coveredNs(TimeRange range) const {
    size_t hint = m_ranges.size() / 2;
    return coveredNs(range, hint);
}

}  // namespace gapscope

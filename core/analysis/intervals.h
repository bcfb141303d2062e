// Sets of time as sorted, disjoint, non-empty ranges, and the few operations the analysis is made of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/base/time_range.h"

namespace gapscope {

// The union: touching and overlapping ranges become one, empty ones vanish. Sorts unless sorted already.
std::vector<TimeRange> unionOf(std::vector<TimeRange> ranges);

int64_t totalNs(std::span<const TimeRange> ranges);

// What `ranges` (a union) leaves free of the window.
std::vector<TimeRange> complementOf(std::span<const TimeRange> ranges, TimeRange window);

// Time of a union before a point, answered by binary search: how much of any range is covered.
class Coverage {
public:
    Coverage() = default;
    explicit Coverage(std::vector<TimeRange> ranges);  // any ranges; their union is taken
    int64_t coveredNs(TimeRange range) const;
    // The same for questions that mostly go forward in time: `hint`, 0 at first, remembers where the last one ended.
    int64_t coveredNs(TimeRange range, size_t& hint) const;
    const std::vector<TimeRange>& ranges() const { return m_ranges; }

private:
    int64_t before(int64_t timeNs, size_t& hint) const;
    std::vector<TimeRange> m_ranges;
    std::vector<int64_t> m_totals;  // covered time before m_ranges[i]
};

}  // namespace gapscope

// How a person wants the rows of a timeline: order, what is hidden, folded or pinned, how high. Rows and groups are
// known by keys that stay the same when the trace is opened again (core/layout): "thread generate/calls", "device
// 0/stream 1.7". Keys that a trace does not have may be in it.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

namespace gapscope {

struct RowArrangement {
    std::set<std::string> folded;            // groups
    std::set<std::string> hidden;            // rows and groups
    std::vector<std::string> pinned;         // rows, from the top
    std::vector<std::string> order;          // rows and groups: those of one group stand as they do here
    std::map<std::string, int> laneHeights;  // px, by row
    bool operator==(const RowArrangement&) const = default;
    bool empty() const { return *this == RowArrangement{}; }
};

// px of a lane; where rows have room for more than one line of text, see TimelineFrame.
inline constexpr int kLowestLane = 4;
inline constexpr int kHighestLane = 160;

}  // namespace gapscope

// How a person wants the rows: order, what is hidden, folded or pinned, how high. Rows and groups are known by keys
// that stay the same when the trace is opened again: "thread generate/calls", "device 0/stream 1.7". Keys that a trace
// does not have may be in it.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace gapscope {

struct TimelineRow;

// A row, or a group of rows that fold away together.
struct RowNode {
    std::string key;
    std::string title;           // of a row: within its group
    TimelineRow* row = nullptr;  // of a group: the heading that is no row of its own, or null: its first row heads it
    bool isMain = false;         // as a heading it goes by the group's title alone
    std::vector<RowNode> children;
    bool isGroup() const { return !children.empty(); }
};
using RowTree = std::vector<RowNode>;

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

// Sorts each group's children as the arrangement wants. Those that it does not name stay behind what they followed.
void sortTree(RowTree& tree, const RowArrangement& arrangement);

// What is shown, from the top, the pinned ones first; sets title, heading, fold and height of each.
std::vector<const TimelineRow*> arrangeRows(const RowTree& sorted, const RowArrangement& arrangement);

// The node of that key and those that hold it, outermost first; empty: none.
std::vector<const RowNode*> pathTo(const RowTree& tree, std::string_view key);

// Row keys in the order of the tree, groups left out.
std::vector<std::string> rowKeys(const RowTree& tree);

}  // namespace gapscope

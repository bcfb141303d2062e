// The rows of a timeline as a tree of groups, and how they stand as a person arranged them (core/trace/row_choices.h).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/trace/row_choices.h"

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

// Sorts each group's children as the arrangement wants. Those that it does not name stay behind what they followed.
void sortTree(RowTree& tree, const RowArrangement& arrangement);

// What is shown, from the top, the pinned ones first; sets title, heading, fold and height of each.
std::vector<const TimelineRow*> arrangeRows(const RowTree& sorted, const RowArrangement& arrangement);

// The node of that key and those that hold it, outermost first; empty: none.
std::vector<const RowNode*> pathTo(const RowTree& tree, std::string_view key);

// Row keys in the order of the tree, groups left out.
std::vector<std::string> rowKeys(const RowTree& tree);

}  // namespace gapscope

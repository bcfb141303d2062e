// Changes of a RowArrangement, as a person makes them with pointer and keys.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/layout/row_arrangement.h"
#include "core/layout/timeline_frame.h"

namespace gapscope {

// What moves when a row's name is dragged: the row among its group, the group whose heading it is among the groups, a
// pinned row among the pinned ones. Each sibling with the px that its rows take, before scrolling, from the top.
struct RowBlock {
    std::string key;
    int top = 0;
    int bottom = 0;
};
struct RowSiblings {
    std::vector<RowBlock> blocks;  // those in sight, in order
    size_t moving = 0;             // which of them moves
    bool pinned = false;
};
std::optional<RowSiblings> siblingsOf(const TimelineIndex& index, const std::vector<RowPlace>& places, size_t row);

// Where it goes when let go at y: 0: before the first of the blocks, ..., size: behind the last.
size_t slotAt(const RowSiblings& siblings, int y);

// The arrangement with the moving block in that slot. The same as before where nothing moves.
RowArrangement withMoved(const TimelineIndex& index, const RowSiblings& siblings, size_t slot);

// All groups of the tree folded, or none.
RowArrangement withAllFolded(const TimelineIndex& index, bool folded);

RowArrangement withPinned(RowArrangement arrangement, const std::string& key, bool pinned);

}  // namespace gapscope

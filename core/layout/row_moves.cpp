#include "core/layout/row_moves.h"

#include <algorithm>
#include <cstddef>

namespace gapscope {

namespace {

bool holds(const RowNode& node, std::string_view key) {
    return node.key == key ||
           std::ranges::any_of(node.children, [&](const RowNode& child) { return holds(child, key); });
}

void foldAll(const RowTree& tree, std::set<std::string>& folded) {
    for (const RowNode& node : tree) {
        if (node.isGroup()) folded.insert(node.key);
        foldAll(node.children, folded);
    }
}

}  // namespace

std::optional<RowSiblings> siblingsOf(const TimelineIndex& index, const std::vector<RowPlace>& places, size_t row) {
    const auto& rows = index.rows();
    if (row >= rows.size() || row >= places.size()) return std::nullopt;
    RowSiblings result{.pinned = rows[row]->pinned};
    const auto bottomOf = [&](size_t r) { return places[r].y + places[r].height; };
    if (result.pinned) {
        for (size_t r = 0; r < rows.size() && rows[r]->pinned; ++r) {
            if (r == row) result.moving = result.blocks.size();
            result.blocks.push_back({rows[r]->key, places[r].y, bottomOf(r)});
        }
        return result;
    }
    const std::vector<const RowNode*> path = pathTo(index.tree(), rows[row]->key);
    if (path.empty()) return std::nullopt;
    // The outermost group that this row is the heading of moves as a whole.
    size_t depth = path.size() - 1;
    if (rows[row]->startsGroup) depth = 0;
    const RowTree& siblings = depth == 0 ? index.tree() : path[depth - 1]->children;
    for (const RowNode& node : siblings) {
        RowBlock block{.key = node.key, .top = -1};
        for (size_t r = 0; r < rows.size(); ++r) {
            if (rows[r]->pinned || !holds(node, rows[r]->key)) continue;
            if (block.top < 0) block.top = places[r].y;
            block.bottom = bottomOf(r);
        }
        if (block.top < 0) continue;
        if (node.key == path[depth]->key) result.moving = result.blocks.size();
        result.blocks.push_back(std::move(block));
    }
    return result;
}

size_t slotAt(const RowSiblings& siblings, int y) {
    size_t slot = 0;
    while (slot < siblings.blocks.size() && y > (siblings.blocks[slot].top + siblings.blocks[slot].bottom) / 2)
        ++slot;
    return slot;
}

RowArrangement withMoved(const TimelineIndex& index, const RowSiblings& siblings, size_t slot) {
    RowArrangement arrangement = index.arrangement();
    slot = std::min(slot, siblings.blocks.size());
    if (siblings.blocks.empty() || slot == siblings.moving || slot == siblings.moving + 1) return arrangement;
    const std::string& moving = siblings.blocks[siblings.moving].key;
    const std::string before = slot < siblings.blocks.size() ? siblings.blocks[slot].key : std::string();
    const auto move = [&](std::vector<std::string>& keys) {
        std::erase(keys, moving);
        // Behind the last in sight, not behind those that are hidden after it.
        auto at = std::ranges::find(keys, before.empty() ? siblings.blocks.back().key : before);
        if (before.empty() && at != keys.end()) ++at;
        keys.insert(at, moving);
    };
    if (siblings.pinned) {
        move(arrangement.pinned);
        return arrangement;
    }
    const std::vector<const RowNode*> path = pathTo(index.tree(), moving);
    if (path.empty()) return arrangement;
    std::vector<std::string> keys;
    for (const RowNode& node : path.size() > 1 ? path[path.size() - 2]->children : index.tree())
        keys.push_back(node.key);
    std::erase_if(arrangement.order, [&](const std::string& key) { return std::ranges::count(keys, key) > 0; });
    move(keys);
    arrangement.order.insert(arrangement.order.end(), keys.begin(), keys.end());
    return arrangement;
}

RowArrangement withAllFolded(const TimelineIndex& index, bool folded) {
    RowArrangement arrangement = index.arrangement();
    arrangement.folded.clear();
    if (folded) foldAll(index.tree(), arrangement.folded);
    return arrangement;
}

RowArrangement withPinned(RowArrangement arrangement, const std::string& key, bool pinned) {
    std::erase(arrangement.pinned, key);
    if (pinned) arrangement.pinned.push_back(key);
    return arrangement;
}

}  // namespace gapscope

#include "core/layout/row_arrangement.h"

#include <algorithm>
#include <cstddef>
#include <unordered_map>

#include "core/layout/timeline_index.h"

namespace gapscope {

namespace {

std::string joined(const std::string& group, const RowNode& node) {
    if (group.empty()) return node.title;
    return node.isMain ? group : group + " · " + node.title;
}

class Arranger {
public:
    explicit Arranger(const RowArrangement& arrangement) : m_arrangement(arrangement) {
        for (const std::string& key : arrangement.pinned)
            m_pinned.insert(key);
    }

    std::vector<const TimelineRow*> arrange(const RowTree& tree) {
        for (const std::string& key : m_arrangement.pinned)
            addPinned(tree, key);
        for (const RowNode& node : tree)
            addNode(node, {}, {});
        return {m_rows.begin(), m_rows.end()};
    }

private:
    bool isHidden(const RowNode& node) const { return m_arrangement.hidden.contains(node.key); }
    bool isShown(const RowNode& node) const {
        if (isHidden(node)) return false;
        if (!node.isGroup()) return !m_pinned.contains(node.key);
        return std::ranges::any_of(node.children, [this](const RowNode& child) { return isShown(child); });
    }

    TimelineRow& add(const RowNode& node, const std::string& title, const std::string& group) {
        TimelineRow& row = *node.row;
        row.key = node.key;
        row.group = group;
        row.title = title;
        row.startsGroup = false;
        row.pinned = false;
        row.folds.clear();
        row.folded = false;
        const auto height = m_arrangement.laneHeights.find(node.key);
        row.wantedLaneHeight =
            height == m_arrangement.laneHeights.end() ? 0 : std::clamp(height->second, kLowestLane, kHighestLane);
        m_rows.push_back(&row);
        return row;
    }

    void addPinned(const RowTree& tree, const std::string& key) {
        const std::vector<const RowNode*> path = pathTo(tree, key);
        if (path.empty() || path.back()->isGroup()) return;
        if (std::ranges::any_of(path, [this](const RowNode* node) { return isHidden(*node); })) return;
        if (std::ranges::find(m_rows, key, [](const TimelineRow* row) { return row->key; }) != m_rows.end()) return;
        const std::string group = path.size() > 1 ? path[path.size() - 2]->key : std::string();
        add(*path.back(), joined(path.size() > 1 ? path.front()->title : std::string(), *path.back()), group).pinned =
            true;
    }

    // `heading`: the name of the group that its first row must tell; empty: told already.
    void addNode(const RowNode& node, const std::string& heading, const std::string& group) {
        if (!isShown(node)) return;
        if (!node.isGroup()) {
            add(node, joined(heading, node), group).startsGroup = group.empty() || !heading.empty();
            return;
        }
        const bool folded = m_arrangement.folded.contains(node.key);
        if (node.row) {  // a heading of its own
            TimelineRow& row = add(node, joined(heading, node), node.key);
            row.startsGroup = group.empty() || !heading.empty();
            row.folds = node.key;
            row.folded = folded;
            if (folded) return;
            for (const RowNode& child : node.children)
                addNode(child, {}, node.key);
            return;
        }
        const auto shown = static_cast<size_t>(
            std::ranges::count_if(node.children, [this](const RowNode& child) { return isShown(child); }));
        bool first = true;
        for (const RowNode& child : node.children) {
            if (!isShown(child)) continue;
            const size_t at = m_rows.size();
            addNode(child, first ? node.title : std::string(), node.key);
            if (first && shown > 1 && !child.isGroup()) {
                m_rows[at]->folds = node.key;
                m_rows[at]->folded = folded;
                if (folded) return;
            }
            first = false;
        }
    }

    const RowArrangement& m_arrangement;
    std::set<std::string> m_pinned;
    std::vector<TimelineRow*> m_rows;
};

bool findPath(const RowTree& tree, std::string_view key, std::vector<const RowNode*>& path) {
    for (const RowNode& node : tree) {
        path.push_back(&node);
        if (node.key == key || findPath(node.children, key, path)) return true;
        path.pop_back();
    }
    return false;
}

void addKeys(const RowTree& tree, std::vector<std::string>& keys) {
    for (const RowNode& node : tree) {
        if (!node.isGroup()) keys.push_back(node.key);
        addKeys(node.children, keys);
    }
}

}  // namespace

void sortTree(RowTree& tree, const RowArrangement& arrangement) {
    if (arrangement.order.empty()) return;
    std::unordered_map<std::string_view, size_t> wanted;
    for (size_t i = 0; i < arrangement.order.size(); ++i)
        wanted.emplace(arrangement.order[i], i);
    const auto sortSiblings = [&](RowTree& siblings, const auto& self) -> void {
        constexpr size_t kUnnamed = SIZE_MAX;
        const auto rankOf = [&](const RowNode& node) {
            const auto it = wanted.find(node.key);
            return it == wanted.end() ? kUnnamed : it->second;
        };
        // Runs of a named one with the unnamed behind it; those before the first named stay in front.
        struct Run {
            size_t rank, from, to;
        };
        std::vector<Run> runs;
        for (size_t i = 0; i < siblings.size(); ++i) {
            const size_t rank = rankOf(siblings[i]);
            if (rank == kUnnamed && !runs.empty())
                runs.back().to = i + 1;
            else
                runs.push_back({rank == kUnnamed ? 0 : rank + 1, i, i + 1});
        }
        std::ranges::stable_sort(runs, {}, &Run::rank);
        RowTree sorted;
        sorted.reserve(siblings.size());
        for (const Run& run : runs)
            for (size_t i = run.from; i < run.to; ++i)
                sorted.push_back(std::move(siblings[i]));
        siblings = std::move(sorted);
        for (RowNode& node : siblings)
            self(node.children, self);
    };
    sortSiblings(tree, sortSiblings);
}

std::vector<const TimelineRow*> arrangeRows(const RowTree& sorted, const RowArrangement& arrangement) {
    return Arranger(arrangement).arrange(sorted);
}

std::vector<const RowNode*> pathTo(const RowTree& tree, std::string_view key) {
    std::vector<const RowNode*> path;
    findPath(tree, key, path);
    return path;
}

std::vector<std::string> rowKeys(const RowTree& tree) {
    std::vector<std::string> keys;
    addKeys(tree, keys);
    return keys;
}

}  // namespace gapscope

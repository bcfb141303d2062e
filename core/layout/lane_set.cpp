#include "core/layout/lane_set.h"

#include <algorithm>
#include <cstddef>
#include <tuple>

namespace gapscope {

namespace {

// By start; of equal starts the longer first, so that a holder comes before what it holds.
bool comesBefore(const LaneItem& a, const LaneItem& b) {
    return std::tie(a.startNs, b.endNs, a.row) < std::tie(b.startNs, a.endNs, b.row);
}

}  // namespace

void LaneSet::add(std::vector<LaneItem> batch) {
    if (batch.empty()) return;
    m_itemCount += batch.size();
    for (LaneItem& item : batch)
        item.endNs = std::max(item.startNs, item.endNs);
    if (!std::is_sorted(batch.begin(), batch.end(), comesBefore)) std::sort(batch.begin(), batch.end(), comesBefore);

    // Where an item lies depends only on those that come before it: take back what comes after the batch's first.
    const int64_t fromNs = batch.front().startNs;
    const size_t own = batch.size();
    for (Lane& lane : m_lanes) {
        const std::vector<LaneItem> taken = lane.takeFrom(fromNs);
        batch.insert(batch.end(), taken.begin(), taken.end());
    }
    m_moved += batch.size() - own;
    if (batch.size() > own) std::sort(batch.begin(), batch.end(), comesBefore);
    for (const LaneItem& item : batch)
        place(item);
    while (!m_lanes.empty() && m_lanes.back().empty())
        m_lanes.pop_back();
}

void LaneSet::removeFrom(int64_t fromNs) {
    for (Lane& lane : m_lanes)
        m_itemCount -= lane.takeFrom(fromNs).size();
    while (!m_lanes.empty() && m_lanes.back().empty())
        m_lanes.pop_back();
}

void LaneSet::place(LaneItem item) {
    size_t from = 0;  // below the innermost item that holds this one
    for (size_t depth = m_lanes.size(); depth-- > 0;) {
        if (m_lanes[depth].empty()) continue;
        const int64_t lastEndNs = m_lanes[depth].lastEndNs();
        if (lastEndNs > item.startNs && lastEndNs >= item.endNs) {
            from = depth + 1;
            break;
        }
    }
    for (size_t depth = from; depth < m_lanes.size(); ++depth) {
        if (m_lanes[depth].empty() || m_lanes[depth].lastEndNs() <= item.startNs) {
            m_lanes[depth].append(item);
            return;
        }
    }
    if (m_lanes.size() < kMaxLanes) {
        m_lanes.emplace_back().append(item);
        return;
    }
    ++m_cutShort;
    item.startNs = std::max(item.startNs, m_lanes.back().lastEndNs());
    item.endNs = std::max(item.startNs, item.endNs);
    m_lanes.back().append(item);
}

}  // namespace gapscope

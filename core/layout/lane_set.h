// The lanes of one row: as many as its items need so that none covers another. Nested items lie below the one that
// holds them; items that only overlap (programmatic dependent launch) take the highest free lane.
// Grows with a live run: a batch costs its own size and the tail that it reaches back into, not the whole row.
#pragma once

#include <vector>

#include "core/layout/lane.h"

namespace gapscope {

class LaneSet {
public:
    // More lanes than this are not told apart: what remains is cut short in the last one, so that a hostile file costs
    // time in proportion to its size and never a screen of a million lanes.
    static constexpr size_t kMaxLanes = 64;

    // In any order. Items that end before they start count as of no length.
    void add(std::vector<LaneItem> batch);

    // Removes the items that start at or after `fromNs`.
    void removeFrom(int64_t fromNs);

    const std::vector<Lane>& lanes() const { return m_lanes; }
    size_t itemCount() const { return m_itemCount; }
    size_t cutShortCount() const { return m_cutShort; }
    // Items that were placed again because a later batch reached back before them.
    size_t movedCount() const { return m_moved; }

private:
    void place(LaneItem item);

    std::vector<Lane> m_lanes;
    size_t m_itemCount = 0;
    size_t m_cutShort = 0;
    size_t m_moved = 0;
};

}  // namespace gapscope

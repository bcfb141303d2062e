// The begin or end of an item that a point in time is meant to be: what the pointer snaps to.
#pragma once

#include <cstdint>
#include <optional>

#include "core/layout/lane.h"

namespace gapscope {

// The edge of the lane nearest to the time, the earlier of equals; none farther than `withinNs` counts. Costs two
// binary searches, however many items there are.
std::optional<int64_t> nearestEdge(const Lane& lane, int64_t timeNs, int64_t withinNs);

}  // namespace gapscope

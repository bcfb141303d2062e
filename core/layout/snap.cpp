#include "core/layout/snap.h"

#include <cmath>

namespace gapscope {

std::optional<int64_t> nearestEdge(const Lane& lane, int64_t timeNs, int64_t withinNs) {
    std::optional<int64_t> best;
    const auto offer = [&](int64_t edgeNs) {
        const int64_t distance = std::abs(edgeNs - timeNs);
        if (distance > withinNs) return;
        const int64_t bestDistance = best ? std::abs(*best - timeNs) : withinNs + 1;
        if (distance < bestDistance || (distance == bestDistance && edgeNs < *best)) best = edgeNs;
    };
    // Items of a lane do not overlap, so only the neighbours of the time can own the nearest edge.
    const size_t next = lane.firstStartingAt(timeNs);
    if (next < lane.size()) offer(lane.startNs(next));
    if (next > 0) {
        offer(lane.startNs(next - 1));
        offer(lane.endNs(next - 1));
    }
    return best;
}

}  // namespace gapscope

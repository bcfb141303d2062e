// The nearest edge against a look at every edge.
#include "core/layout/snap.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

namespace gapscope {
namespace {

std::optional<int64_t> everyEdge(const Lane& lane, int64_t timeNs, int64_t withinNs) {
    std::optional<int64_t> best;
    for (size_t i = 0; i < lane.size(); ++i)
        for (const int64_t edgeNs : {lane.startNs(i), lane.endNs(i)})
            if (std::abs(edgeNs - timeNs) <= withinNs &&
                (!best || std::abs(edgeNs - timeNs) < std::abs(*best - timeNs)))
                best = edgeNs;
    return best;
}

TEST(Snap, AnEmptyLaneHasNoEdge) {
    EXPECT_EQ(nearestEdge(Lane(), 5, 1000), std::nullopt);
}

TEST(Snap, IsTheNearestOfAllEdges) {
    std::mt19937 random(7);
    for (int round = 0; round < 50; ++round) {
        Lane lane;
        int64_t now = 0;
        for (int i = 0; i < 40; ++i) {
            now += static_cast<int64_t>(random() % 30);
            const int64_t startNs = now;
            now += static_cast<int64_t>(random() % 20);  // some of no length, some touching
            lane.append({.startNs = startNs, .endNs = now});
        }
        for (int64_t timeNs = -20; timeNs < now + 20; ++timeNs)
            for (const int64_t withinNs : {0, 3, 1000})
                ASSERT_EQ(nearestEdge(lane, timeNs, withinNs), everyEdge(lane, timeNs, withinNs)) << timeNs;
    }
}

}  // namespace
}  // namespace gapscope

// How far the host is ahead of each stream: launches that were called and have not begun.
#pragma once

#include <cstdint>
#include <stop_token>
#include <vector>

#include "core/analysis/launches.h"

namespace gapscope {

// HTA's CUDA_MAX_LAUNCH_QUEUE_PER_STREAM: from here on a launch call waits until there is room.
inline constexpr int64_t kFullQueueDepth = 1024;

struct QueueDepthPoint {
    int64_t timeNs = 0;
    int64_t depth = 0;  // from this moment to the next point's
};

struct QueueDepth {
    TrackId track;
    std::vector<QueueDepthPoint> points;  // the first at the window's start; only where the depth changes
    int64_t launchCount = 0;              // launches onto the stream that waited in the window
    int64_t maxDepth = 0;
    double meanDepth = 0;  // weighted by time over the window
    int64_t emptyNs = 0;   // nothing was queued
    int64_t fullNs = 0;    // at kFullQueueDepth or above
};
// By track; only streams with a launch. +1 where the call begins, -1 where its first operation on the stream does: a
// graph launch is one. A launch whose operation began before its call (clocks disagree) is left out.
std::vector<QueueDepth> queueDepths(const Trace& trace, const LaunchJoin& join, TimeRange window,
                                    std::stop_token stop = {});

}  // namespace gapscope

// What to draw of a lane at one zoom: its longer items one by one, and runs of tiny ones merged into stretches that
// tell how busy they are and which tint prevails. The cost follows the pixels, not the items. Runs are cut at a grid of
// time, not of the screen, so that panning does not make them flicker.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "core/layout/lane.h"
#include "core/layout/time_scale.h"

namespace gapscope {

inline constexpr double kSinglePx = 3.0;  // from this width an item is always drawn by itself
inline constexpr double kCellPx = 3.0;    // tiny items that start in one cell of the time grid are merged
inline constexpr double kJoinPx = 2.0;    // a merged stretch takes in the hole behind it up to this width

struct LaneSpan {
    double x0 = 0;     // px, from the first item's start; may lie outside the width
    double x1 = 0;     // to the last one's end, or to what follows a merged stretch closely
    size_t first = 0;  // item of the lane
    size_t count = 1;
    float busy = 1;                            // share of x0..x1 that items fill
    uint8_t tint = 0;                          // the item's; of a merged stretch the one with most time
    std::array<uint8_t, kTintCount> shares{};  // of a merged stretch: each tint's share of its busy time, in 255ths
};

// In order of time, never overlapping; everything that touches [0, width).
void laneSpans(const Lane& lane, const TimeScale& scale, std::vector<LaneSpan>& out);

// The span at x, or the nearest within `slackPx`; count 0: none.
LaneSpan spanAt(const Lane& lane, const TimeScale& scale, double x, double slackPx = 2.0);

// The item of a span that a click at x means: the one under x, else the nearest.
size_t itemAt(const Lane& lane, const LaneSpan& span, const TimeScale& scale, double x);

}  // namespace gapscope

// Where the ruler has its ticks and what stands at them.
#pragma once

#include <string>
#include <vector>

#include "core/layout/time_scale.h"

namespace gapscope {

struct RulerTick {
    int64_t timeNs = 0;
    double x = 0;
    bool major = false;
    std::string label;  // of major ticks
};

// The smallest step of 1, 2 or 5 times a power of ten that is at least `minNs` (and 1).
int64_t roundStep(double minNs);

// A time with the decimals that tell neighbours of `stepNs` apart, in the unit that fits `largestNs`: "1.2345 s".
std::string formatTick(int64_t timeNs, int64_t stepNs, int64_t largestNs);

std::vector<RulerTick> rulerTicks(const TimeScale& scale, double minLabelPx = 110);

}  // namespace gapscope

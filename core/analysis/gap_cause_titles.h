// What causes of gaps are called, for people.
#pragma once

#include "core/analysis/gaps.h"

namespace gapscope {

inline constexpr std::array<std::string_view, kGapCauseCount> kGapCauseTitles = {
    "host waiting", "host in other API calls", "host outside the API", "profiler",
    "launch call",  "device latency",          "unknown cause"};

}  // namespace gapscope

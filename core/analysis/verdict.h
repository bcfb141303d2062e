// The one sentence: what limits this run, with its evidence.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/analysis/gaps.h"
#include "core/analysis/stages.h"
#include "core/analysis/throughput.h"

namespace gapscope {

// The thresholds of the verdict, all of them, shown with it.
inline constexpr double kOverheadIdleShare = 0.5;  // idle at or above this share of the window: overhead-bound
inline constexpr double kNearPeakShare = 0.4;      // at or above this share of a measured peak: bound by it
inline constexpr double kInputShare = 0.2;         // of the time inside kernels: their products wait for inputs

enum class Bound : uint8_t { Overhead, Memory, Compute, Unknown };
std::string_view boundName(Bound bound);  // "overhead-bound", "memory-bound", "compute-bound", "unknown"

// What an evidence sentence is about, so that a view can lead to the rows behind it.
enum class Evidence : uint8_t {
    None,
    Idle,
    Cause,
    Bandwidth,
    Arithmetic,
    StageRows,
    TokenRows,
    LaunchRows,
    KernelRows
};

struct Verdict {
    Bound bound = Bound::Unknown;
    std::string sentence;               // "Overhead-bound: the device is idle 92 % of the window."
    std::vector<std::string> evidence;  // sentences with numbers and the thresholds they are held against
    std::vector<Evidence> about;        // of each of them
};
Verdict verdict(TimeRange window, int64_t busyNs, int64_t idleNs, const GapCauses& causes, const ThroughputTable& rates,
                const StageShares& stages = {});

}  // namespace gapscope

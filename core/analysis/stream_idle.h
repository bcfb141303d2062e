// Idle time of each stream in the classes of Holistic Trace Analysis (HTA 0.5.0, breakdown_analysis.py): a second view
// beside the gaps, which are of devices. Sums over streams are no idle time of a device.
#pragma once

#include <array>
#include <cstdint>
#include <stop_token>
#include <string_view>
#include <vector>

#include "core/analysis/launches.h"

namespace gapscope {

enum class StreamIdleClass : uint8_t { HostWait, KernelWait, Other };
inline constexpr int kStreamIdleClassCount = 3;
inline constexpr std::array<std::string_view, kStreamIdleClassCount> kStreamIdleClassNames = {"hostWait", "kernelWait",
                                                                                              "other"};
// HTA's consecutive_kernel_delay is 30 and is documented as nanoseconds, but the times it is compared with are
// microseconds.
inline constexpr int64_t kHtaKernelWaitNs = 30'000;

struct StreamIdle {
    TrackId track;
    int64_t operationCount = 0;
    // Of each class: the intervals from one operation's end to the begin of the next that began on the stream. Where
    // operations of a stream overlap (nodes of a graph) they are below 0 and count as such, as HTA counts them.
    std::array<Distribution, kStreamIdleClassCount> classes;
    const Distribution& operator[](StreamIdleClass of) const { return classes[static_cast<size_t>(of)]; }
};
// Of operations that begin inside the window; one row a stream that has any, by track. An interval is
//   hostWait    if the call that launched the later operation began after the earlier one had ended;
//   kernelWait  else, if it is below `kernelWaitNs`;
//   other       else.
// Without its call in the file an interval is never hostWait.
std::vector<StreamIdle> streamIdle(const Trace& trace, const LaunchJoin& join, TimeRange window,
                                   int64_t kernelWaitNs = kHtaKernelWaitNs, std::stop_token stop = {});

}  // namespace gapscope

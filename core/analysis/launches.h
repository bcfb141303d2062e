// Which API call launched which device operation, and how long operations waited for their start.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

#include "core/trace/trace.h"

namespace gapscope {

inline constexpr uint32_t kNoRow = std::numeric_limits<uint32_t>::max();

// The join by (process, correlation id), both ways. One call may own many operations (a graph launch).
struct LaunchJoin {
    std::vector<uint32_t> callOfOp;   // row of apiCalls() for each row of deviceOps(); kNoRow: no call in the file
    std::vector<uint32_t> firstOpOf;  // for call c, its operations are opsOfCall[firstOpOf[c] .. firstOpOf[c + 1])
    std::vector<uint32_t> opsOfCall;  // rows of deviceOps(), by start within a call

    std::span<const uint32_t> opsOf(uint32_t call) const {
        if (call == kNoRow || call + size_t{1} >= firstOpOf.size()) return {};
        return std::span(opsOfCall).subspan(firstOpOf[call], firstOpOf[call + 1] - firstOpOf[call]);
    }
};
LaunchJoin joinLaunches(const Trace& trace, std::stop_token stop = {});

struct Distribution {  // of integer ns
    int64_t count = 0;
    int64_t totalNs = 0;
    double avgNs = 0;
    double medNs = 0;  // of an even count, the mean of the middle two
    int64_t minNs = 0;
    int64_t maxNs = 0;
    double stdNs = 0;  // of the sample (n - 1), as Nsight Systems prints it; 0 below two values
};
Distribution distributionOf(std::vector<int64_t> values);

struct Launch {
    uint32_t call = kNoRow;     // row of apiCalls()
    uint32_t firstOp = kNoRow;  // row of deviceOps(): the one that began first
    uint32_t opCount = 0;
    int64_t latencyNs = 0;                // call begin -> first operation begin; below 0: clocks disagree, a diagnostic
    std::optional<int64_t> queueDelayNs;  // call end -> first operation begin; absent when it began earlier
};

struct LaunchTable {
    std::vector<Launch> launches;  // calls that begin in the window and own operations, by begin
    Distribution latency;          // without the negative ones
    Distribution queueDelay;       // of those that have one
    int64_t negativeLatencyCount = 0;
    int64_t unlaunchedOpCount = 0;  // operations in the window whose call is not in the file
};
LaunchTable launchTable(const Trace& trace, TimeRange window, std::stop_token stop = {});
LaunchTable launchTable(const Trace& trace, const LaunchJoin& join, TimeRange window, std::stop_token stop = {});

}  // namespace gapscope

// Every idle stretch of every device, cut into who caused it.
#pragma once

#include <array>
#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/analysis/busy.h"
#include "core/analysis/host_times.h"
#include "core/analysis/launches.h"

namespace gapscope {

enum class GapCause : uint8_t { HostWaiting, HostApi, HostOutside, Profiler, LaunchCall, DeviceLatency, Unknown };
inline constexpr int kGapCauseCount = 7;
inline constexpr std::array<std::string_view, kGapCauseCount> kGapCauseNames = {
    "hostWaiting", "hostApi", "hostOutside", "profiler", "launchCall", "deviceLatency", "unknown"};

struct GapCauses {
    std::array<int64_t, kGapCauseCount> ns{};
    int64_t& operator[](GapCause cause) { return ns[static_cast<size_t>(cause)]; }
    int64_t operator[](GapCause cause) const { return ns[static_cast<size_t>(cause)]; }
    int64_t totalNs() const;
    int64_t hostNs() const;  // the four that lie before the launch call
    GapCauses& operator+=(const GapCauses& other);
    bool operator==(const GapCauses&) const = default;
};

// A gap reads left to right: host [start, hostEnd), launch call [hostEnd, launchEnd), device latency [launchEnd, end).
// With `unknown` set the whole of it is of unknown cause. The host part's finer split is in `causes`.
struct Gap {
    uint32_t deviceId = 0;
    TimeRange range;
    int64_t hostEndNs = 0;
    int64_t launchEndNs = 0;
    bool unknown = false;
    GapCauses causes;          // add up to the range exactly
    uint32_t nextOp = kNoRow;  // row of deviceOps() that ended it; none: the window's end
    uint32_t call = kNoRow;    // row of apiCalls(): the outermost call that launched nextOp
    // Who covers more than half of the host part (of the whole gap, if its cause is unknown) on the launching thread:
    // the innermost of our ranges, operators, Python functions and NVTX ranges, else the API call. Not valid: nothing
    // that the file knows does. The thread is the one of `call`; without a call, the launching thread of the process
    // that the operation (at the window's end: the device's last one) belongs to.
    StringId hostName;
    StringId hostCall;  // the API call that does, if one does: "cudaStreamSynchronize" in the range `hostName`
};
// "cudaStreamSynchronize in decode 3", one of the two, or nothing.
std::string hostText(const Trace& trace, const Gap& gap);

struct GapTable {
    std::vector<Gap> gaps;  // by device, then time
    std::vector<DeviceBusy> devices;
    GapCauses causes;  // of all gaps: add up to the summed idle time
    HostTimes host;    // asked for the launching thread, which the host part of most gaps is told by
};
GapTable findGaps(const Trace& trace, TimeRange window, std::stop_token stop = {});
GapTable findGaps(const Trace& trace, const LaunchJoin& join, TimeRange window, std::stop_token stop = {});

}  // namespace gapscope

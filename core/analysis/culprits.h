// Who left the devices idle: the gaps of a window summed by the name of who filled them.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/analysis/gap_list.h"
#include "core/analysis/gaps.h"

namespace gapscope {

enum class CulpritKind : uint8_t {
    Range,          // host part: one of our ranges, an operator, a Python function or an NVTX range covers most of it
    ApiCall,        // host part: no range does, an API call does
    Host,           // host part: nothing that the file knows covers most of it
    LaunchCall,     // the launch call ran
    DeviceLatency,  // the launch call had returned, or it was between nodes of one graph launch
    Unknown         // no launch in the file, and nothing tells what the host did
};
inline constexpr std::array<std::string_view, 6> kCulpritKindNames = {"range",      "apiCall",       "host",
                                                                      "launchCall", "deviceLatency", "unknown"};

struct Culprit {
    CulpritKind kind = CulpritKind::Unknown;
    std::string name;  // of a Range its groupName(); of LaunchCall and DeviceLatency the launch call; else may be empty
    std::string call;  // of a Range: the API call inside that covers most, if one does
    int64_t idleNs = 0;
    int64_t gapCount = 0;
    int64_t longestNs = 0;  // its largest part of one gap
    size_t longestGap = 0;  // index into the gaps
    TimeRange longest;      // that gap
    GapCauses causes;       // add up to idleNs
};
// Largest idle time first; the idle times add up to the gaps' exactly, and so does every cause.
std::vector<Culprit> culprits(const Trace& trace, std::span<const Gap> gaps, std::stop_token stop = {});
std::vector<Culprit> culprits(const Trace& trace, const GapList& gaps, std::stop_token stop = {});

// "cudaStreamSynchronize in decode N", "launch call: cudaLaunchKernel", "host, unnamed".
std::string culpritTitle(const Culprit& culprit);

// A range's name without what only tells one pass from the next, so that the passes of a loop are one row: what
// PyTorch's emit_nvtx adds ("aten::mm, seq = 12, op_id = 34" -> "aten::mm"), and numbers that stand as words of their
// own ("layer 5" -> "layer N", "ProfilerStep#12" -> "ProfilerStep#N"; "conv2d" stays).
std::string groupName(std::string_view name);

}  // namespace gapscope

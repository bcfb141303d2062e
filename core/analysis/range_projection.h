// Ranges of the CPU as they show on the device: of each stream, the time from the first to the last device operation
// that was launched inside the range. As Nsight Systems projects NVTX ranges (docs, nvtx_gpu_proj_trace): an operation
// belongs to a range when the API call that launched it lies inside the range on the same thread; what nested ranges
// launched is not subtracted.
#pragma once

#include <cstdint>
#include <stop_token>
#include <vector>

#include "core/analysis/launches.h"

namespace gapscope {

struct ProjectedRange {
    uint32_t range = kNoRow;  // row of ranges()
    TrackId track;
    int64_t startNs = 0;  // of the first operation
    int64_t endNs = 0;    // of the last to end
    bool operator==(const ProjectedRange&) const = default;
};

// Of user ranges (NVTX, PyTorch's user annotations, our own phases and layers), one for each stream that they launched
// work onto. Calls of one thread follow each other; where a broken file has them overlap, those of a range count from
// its first to its last that ends in it.
std::vector<ProjectedRange> projectRanges(const Trace& trace, const LaunchJoin& join, std::stop_token stop = {});

}  // namespace gapscope

// How rows of a trace become items of a lane.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "core/layout/lane.h"

namespace gapscope {

// Far beyond any trace, near enough to zero that sums and differences of times cannot overflow.
inline LaneItem item(int64_t startNs, int64_t endNs, size_t row, uint8_t tint) {
    constexpr int64_t kFar = int64_t{1} << 59;
    return {std::clamp(startNs, -kFar, kFar), std::clamp(endNs, -kFar, kFar), static_cast<uint32_t>(row), tint};
}

}  // namespace gapscope

// The gaps of a trace as a timeline keeps them for its tooltips and selections: a fifth of the table's memory. They
// come back as they were.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/analysis/gaps.h"
#include "core/layout/packed_list.h"

namespace gapscope {

class PackedGaps {
public:
    PackedGaps() = default;
    explicit PackedGaps(std::span<const Gap> gaps);  // by device, then time, as findGaps() gives them

    size_t size() const { return m_starts.size(); }
    Gap operator[](size_t index) const;
    TimeRange range(size_t index) const;
    // The first with exactly this range.
    std::optional<size_t> find(TimeRange range) const;
    size_t memoryBytes() const;

private:
    struct Device {
        uint32_t id;
        size_t first;
    };
    std::vector<Device> m_devices;  // stretches of gaps of one device
    PackedNumbers m_starts;
    PackedNumbers m_durations;
    PackedNumbers m_hostEnds;    // from the start
    PackedNumbers m_launchEnds;  // likewise
    PackedNumbers m_unknown;
    // What the gap's edges do not say already: mostly nothing but the split of the host part.
    std::array<PackedNumbers, kGapCauseCount> m_causes;
    PackedNumbers m_nextOps, m_calls, m_hostNames, m_hostCalls;
};

}  // namespace gapscope

// The gaps of a window as a table shows them: some of them, in an order of its own. Made off the UI thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/analysis/gap_list.h"

namespace gapscope {

// The cause with most of the gap's time.
GapCause mainCause(const GapCauses& causes);

struct GapFilter {
    std::optional<GapCause> cause;  // gaps with any time of it
    std::string_view text;          // in one of the columns as they read, ASCII letters of either case
    std::array<std::string, kGapCauseCount> causeTitles;  // as they read
};

// Indices of `gaps`, as they stand there. Empty once stopped.
std::vector<uint32_t> gapsWanted(const Trace& trace, const GapList& gaps, const GapFilter& filter,
                                 std::stop_token stop = {});

enum class GapOrder : uint8_t { Start, Duration, MainCause, Host, LaunchCall, Latency, HostText, NextName, Device };

// Places in `rows` (indices of `gaps`) in that order; equal ones stay. Empty once stopped.
std::vector<uint32_t> orderOf(const Trace& trace, const GapList& gaps, std::span<const uint32_t> rows, GapOrder order,
                              bool descending, std::stop_token stop = {});

// The gap of that range on whichever device, by a search in each device's gaps; none: no gap has it.
std::optional<uint32_t> gapAt(const WindowGaps& gaps, TimeRange range);

}  // namespace gapscope

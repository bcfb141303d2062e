// Prefill, decode and tokens as windows of device time: what a phase of one run is compared with a phase of another by.
#pragma once

#include <string_view>
#include <vector>

#include "core/analysis/token_table.h"

namespace gapscope {

struct PhaseWindow {
    std::string_view name;  // "prefill", "decode"
    TimeRange range;
};
// Of one repeat. Prefill ends with the first token's last device end, decode goes from there to the last token's; a
// phase that takes no time or of which nothing lies in the table's window is left out.
std::vector<PhaseWindow> phaseWindows(const TokenTable& table, int16_t repeat);

// From the beginning of token `first` to the end of token `last` (first <= last); empty: the table lacks one of them.
TimeRange tokenWindow(const TokenTable& table, int16_t repeat, int32_t first, int32_t last);

}  // namespace gapscope

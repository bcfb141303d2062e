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
// Of one repeat. Found steps (steps.h) without a prompt are all decode. Prefill ends with the first token's last device
// end, decode goes from there to the last token's; a phase that takes no time or of which nothing lies in the table's
// window is left out.
std::vector<PhaseWindow> phaseWindows(const TokenTable& table, int16_t repeat);

// The repeat (of another program's trace the request) with most time in the table; 0 of an empty one.
int16_t longestRepeat(const TokenTable& table);

// The repeat that phases and tokens of a trace are of by default: the one that `whole` shows most of, of another
// program's trace the request with most time.
int16_t shownRepeat(const Trace& trace, const TokenTable& table, TimeRange whole);

// From the beginning of token `first` to the end of token `last` (first <= last); empty: the table lacks one of them.
TimeRange tokenWindow(const TokenTable& table, int16_t repeat, int32_t first, int32_t last);

}  // namespace gapscope

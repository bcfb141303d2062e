// Prompt processing and decoding of the tokens in a table, as sums, and how long one token follows another.
#pragma once

#include "core/analysis/launch_statistics.h"
#include "core/analysis/token_table.h"

namespace gapscope {

struct TokenPhase {
    int64_t tokenCount = 0;  // rows: prompts, or tokens that took a pass of their own
    int64_t durationNs = 0;
    int64_t busyNs = 0;
    int64_t idleNs = 0;  // devices summed
    GapCauses causes;    // of idleNs; zeros where the table has none
    int64_t launchCount = 0;
    int64_t kernelCount = 0;
};

struct TokenPhases {
    TokenPhase prefill, decode;  // rows that the window cuts count with what lies in it
    Distribution interToken;     // of tokens after the first that lie in the window as a whole: their shares
    Percentiles percentiles;     // of the same; a step that gave k tokens counts as k of a k-th
    // By the device: from the prompt's first operation to the last of what gave the first token; the median of all
    // repeats whose prompt lies in the window as a whole. Absent without any.
    std::optional<int64_t> timeToFirstTokenNs;
};
TokenPhases tokenPhases(const TokenTable& table);

}  // namespace gapscope

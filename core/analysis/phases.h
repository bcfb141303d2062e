// Prompt processing against decoding: how long each took, and tokens per second.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <stop_token>

#include "core/trace/trace.h"

namespace gapscope {

struct Phases {
    int16_t repeat = 0;  // which repeat these are of: the one with most device time in the window
    int64_t newTokenCount = 0;
    int64_t prefillNs = 0;
    int64_t timeToFirstTokenNs = 0;  // without loading
    int64_t decodeNs = 0;            // first token -> last token
    double tokensPerSecond = 0;      // (new tokens - 1) / decode time; 0: fewer than two tokens
};
// Host clock, from the run's record of the repeat; while it still runs, from its ranges and emitted tokens.
// None for foreign traces and before the first token.
std::optional<Phases> phases(const Trace& trace, TimeRange window, std::stop_token stop = {});
// For who has summed the device time of each repeat in the window already; without zeros.
std::optional<Phases> phases(const Trace& trace, TimeRange window, const std::map<int16_t, int64_t>& nsOfRepeat);

}  // namespace gapscope

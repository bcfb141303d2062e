// Prompt processing against decoding: how long each took, and tokens per second.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <stop_token>
#include <vector>

#include "core/trace/trace.h"

namespace gapscope {

// How the decode steps (passes of the model after a prompt's) went: with speculative decoding they may check drafted
// tokens, in a batch each gives a token of every sequence.
struct Drafts {
    int64_t steps = 0;
    int64_t checks = 0;    // steps that had drafts
    int64_t drafted = 0;   // tokens
    int64_t accepted = 0;  // of those
    int64_t tokens = 0;    // that the steps gave
    double acceptance() const { return drafted > 0 ? static_cast<double>(accepted) / static_cast<double>(drafted) : 0; }
    double tokensPerStep() const { return steps > 0 ? static_cast<double>(tokens) / static_cast<double>(steps) : 0; }
};

// One prompt of a batch.
struct SequenceTimes {
    int32_t sequence = 0;
    int64_t tokenCount = 0;
    int64_t timeToFirstTokenNs = 0;  // from the repeat's begin, waiting for room included
    int64_t decodeNs = 0;            // its first token -> its last one
};

struct Phases {
    int16_t repeat = 0;  // which repeat these are of: the one with most device time in the window
    int64_t newTokenCount = 0;
    int64_t prefillNs = 0;
    int64_t timeToFirstTokenNs = 0;        // without loading
    int64_t decodeNs = 0;                  // first token -> last token
    double tokensPerSecond = 0;            // (new tokens - 1) / decode time; 0: fewer than two tokens
    Drafts drafts;                         // of the repeat's tokens after the first (of each sequence)
    std::vector<SequenceTimes> sequences;  // of a batch; else empty

    // Of the weights, for a token that a decode step gave: a step reads them once. 0: not known.
    double weightBytesPerToken(int64_t weightBytes) const {
        return drafts.steps > 0 ? static_cast<double>(weightBytes) / drafts.tokensPerStep() : 0;
    }
};
// Host clock, from the run's record of the repeat; while it still runs, from its ranges and emitted tokens.
// None for foreign traces and before the first token.
std::optional<Phases> phases(const Trace& trace, TimeRange window, std::stop_token stop = {});
// For who has summed the device time of each repeat in the window already; without zeros.
std::optional<Phases> phases(const Trace& trace, TimeRange window, const std::map<int16_t, int64_t>& nsOfRepeat);

}  // namespace gapscope

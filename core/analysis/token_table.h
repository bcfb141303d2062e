// One row a generated token: its stretch of time and what happened in it. Traces of other programs tell no tokens;
// there a row is a step that was found (steps.h).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "core/analysis/gaps.h"
#include "core/analysis/intervals.h"
#include "core/analysis/steps.h"

namespace gapscope {

// What of its step is the token's own: a step that gave several tokens is shared out to them evenly. The times of a
// step's tokens add up to the step's.
struct TokenShare {
    int64_t ns = 0;
    int64_t busyNs = 0;
    int64_t idleNs = 0;
    double launches = 0;
    double kernels = 0;
};

struct TokenTime {
    int16_t repeat = 0;  // -1: warm-up
    int32_t index = 0;   // -1: prompt processing
    int32_t id = -1;     // vocabulary id; -1: prompt processing, or not emitted yet
    std::string text;
    TimeRange range;     // from the token before's last device end to its own
    int64_t busyNs = 0;  // devices summed
    int64_t idleNs = 0;
    GapCauses causes;         // add up to idleNs; zeros where no prepared trace was asked
    int64_t launchCount = 0;  // calls whose first operation is its own; a graph launch is one
    int64_t kernelCount = 0;
    bool cut = false;  // it began before the window: range and times are of the rest
    // Of the decode step that gave it: tokens drafted for the step, how many of them it gave, and this token's place
    // among the step's. The first of a step has its time and work, the others take none.
    int16_t drafted = 0;
    int16_t accepted = 0;
    int16_t place = 0;
    int32_t sequence = 0;    // of a batch, which prompt's it is
    bool fromDevice = true;  // false: no device operations are known, the range is between emitted tokens
    TokenShare share;        // what a token took, where range and counts above are of steps: for medians and comparing
};

struct TokenTable {
    std::vector<TokenTime> rows;           // by repeat, then index; prompt processing first
    StepSource source = StepSource::None;  // of the trace, whatever the window
    double confidence = 0;                 // of found steps; 1: recorded, or named by ranges
    std::string sentence;                  // where found steps come from; empty: recorded, or none were found
    int64_t opsPerStep = 0;                // of found steps
    int32_t layersPerStep = 0;             // 0: not found
    double layerConfidence = 0;

    // Of the tokens after the first that lie in the window as a whole: their number by their time; 0 without any. Of
    // the whole run Phases has the host's figure.
    double tokensPerSecond() const;
};
// Tokens whose range ends inside the window (its end included).
TokenTable tokenTable(const Trace& trace, TimeRange window, std::stop_token stop = {});
TokenTable tokenTable(const Trace& trace, const LaunchJoin& join, TimeRange window, std::stop_token stop = {});
// For who has found the trace's steps already.
TokenTable tokenTable(const Trace& trace, const LaunchJoin& join, const FoundSteps& steps, TimeRange window,
                      std::stop_token stop = {});

// How found steps are told apart, one a step: each is a token of its request, which a prompt (index -1) begins; the
// first token comes out of the prompt. Requests count as repeats.
std::vector<std::pair<int16_t, int32_t>> stepNumbers(const FoundSteps& steps);

// What the table needs of the trace whatever the window is: for who asks for several.
struct TokenWork {
    std::optional<TimeRange> device;  // first start to last end of its operations
    int64_t kernelCount = 0;
    int64_t launchCount = 0;
    std::optional<uint32_t> emitted;  // row of tokens()
};
using TokenWorks = std::map<std::pair<int16_t, int32_t>, TokenWork>;  // by repeat and token
// `steps` are of the same trace: of another program's, each is a token. Requests count as repeats there.
TokenWorks tokenWorks(const Trace& trace, const LaunchJoin& join, const FoundSteps& steps, std::stop_token stop = {});
// `busy` is each device's over the whole trace.
TokenTable tokenTable(const Trace& trace, const TokenWorks& works, const FoundSteps& steps,
                      std::span<const Coverage> busy, TimeRange window);

}  // namespace gapscope

// What the recording of a rung says of the next, before that one runs.
#pragma once

#include <functional>
#include <stop_token>
#include <vector>

#include "core/analysis/token_table.h"
#include "core/ladder/ladder.h"

namespace gapscope {

// A draft model on the text that the model itself wrote: what it would have said at each place, and what a token of its
// own takes. Greedy decoding with drafts gives the same text, so all that it will draft up to its first error of a step
// is in here.
struct Rehearsal {
    std::vector<int32_t> guesses;  // for each new token
    double nsPerToken = 0;         // of the draft model alone, recorded as the rungs are
};
// Two runs of the draft model, off the record; blocks. `run`: as the rung will be, with speculation by a model that is
// loaded. A stop request ends it with an error.
Result<Rehearsal> rehearse(const RecordingSettings& run, const GenerateResult& result,
                           const std::function<void(const RecordingProgress&)>& onProgress, std::stop_token stop);

// `result`: of the run that was recorded; of it the last repeat's text. `rehearsal`: of the draft model, where `next`
// drafts with one; null: there is none, `missing` tells.
LadderPrediction predictRung(const LadderRung& next, const LadderRung& from, const Trace& recorded,
                             const GenerateResult& result, int64_t draftTokens, const Rehearsal* rehearsal);

inline double tokensPerSecondOf(double nsPerToken) {
    return nsPerToken > 0 ? 1e9 / nsPerToken : 0;  // 0: not told
}
// Decode of the last repeat that has any.
TimeRange ladderDecodeWindow(const TokenTable& table);

}  // namespace gapscope

#include "core/ladder/predict_rung.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "core/analysis/phase_windows.h"
#include "core/analysis/what_if.h"
#include "core/analysis/window.h"
#include "core/base/format.h"
#include "core/ladder/ladder_run.h"
#include "core/runner/drafter.h"

namespace gapscope {

namespace {

constexpr int64_t kTimedTokens = 17;  // of the draft model alone; the first one is the prompt's

// The tokens will be the same, so what will be drafted and accepted is known already; only the time of a step that
// checks drafts is not, nor that of drafting them.
LadderPrediction predictSpeculation(const DraftCounts& counts, double draftNs, const LadderRung& from,
                                    const Trace& recorded, TimeRange window) {
    if (counts.steps == 0) return {.missing = "No token after the first was recorded."};
    const double nsPerToken = speculativeNsPerToken(
        recorded, joinLaunches(recorded), window,
        {.steps = counts.steps, .checks = counts.checks, .drafted = counts.drafted, .accepted = counts.accepted});
    if (nsPerToken <= 0) return {.missing = "The recording does not tell tokens."};
    const auto tokens = static_cast<double>(counts.steps + counts.accepted);
    return {.from = from.name,
            .tokensPerSecond = tokensPerSecondOf(nsPerToken + static_cast<double>(counts.drafted) * draftNs / tokens)};
}

std::string ofDrafted(const DraftCounts& counts) {
    return formatCount(counts.accepted) + " of " + formatCount(counts.drafted) + " drafted tokens";
}

}  // namespace

TimeRange ladderDecodeWindow(const TokenTable& table) {
    if (table.rows.empty()) return {};
    for (const PhaseWindow& phase : phaseWindows(table, table.rows.back().repeat))
        if (phase.name == "decode") return phase.range;
    return {};
}

Result<Rehearsal> rehearse(const RecordingSettings& run, const GenerateResult& result,
                           const std::function<void(const RecordingProgress&)>& onProgress, std::stop_token stop) {
    RecordingSettings alone = run;
    alone.modelPath = run.generate.speculation.draftModel;
    alone.model = run.generate.speculation.loaded;
    alone.sessionPath.clear();
    alone.traceLevel = TraceLevel::Off;
    GenerateSettings& generate = alone.generate;
    generate.speculation = {};
    if (generate.mode == Mode::Persistent) generate.mode = Mode::Graph;  // as it drafts
    generate.prompt.clear();
    generate.promptIds = result.promptTokens;
    generate.repeats = 1;
    generate.warmup = 0;
    generate.forceIds = result.repeats.back().tokens;
    generate.maxNewTokens = static_cast<int64_t>(generate.forceIds.size());
    generate.topLogits = 1;
    std::unique_ptr<Recording> recording;
    Rehearsal rehearsal;
    const auto cancelled = [&] { return stop.stop_requested() || recording->result()->stopReason == "cancelled"; };
    const auto tell = [&](std::string what) {
        return [&onProgress, what = std::move(what)](RecordingProgress progress) {
            progress.phase = progress.phase.empty() ? what : what + ", " + progress.phase;
            onProgress(progress);
        };
    };
    RETURN_IF_ERROR(record(alone, tell("Trial on the text"), stop, recording));
    if (cancelled()) return fail("Cancelled.", ErrorKind::Cancelled);
    for (const TopLogits& step : recording->result()->repeats.back().steps)
        rehearsal.guesses.push_back(step.top.empty() ? -1 : step.top.front().id);
    if (rehearsal.guesses.size() != generate.forceIds.size())
        return fail("The draft model did not say a token for each place of the text.");
    // Its time without what naming its choice at each place costs.
    alone.traceLevel = TraceLevel::Full;
    generate.warmup = 1;
    generate.forceIds.clear();
    generate.topLogits = 0;
    generate.maxNewTokens = std::min(generate.maxNewTokens, kTimedTokens);
    RETURN_IF_ERROR(record(alone, tell("Trial of its speed"), stop, recording));
    if (cancelled()) return fail("Cancelled.", ErrorKind::Cancelled);
    rehearsal.nsPerToken = ladderFigures(*recording->trace()).nsPerToken;
    return rehearsal;
}

LadderPrediction predictRung(const LadderRung& next, const LadderRung& from, const Trace& recorded,
                             const GenerateResult& result, int64_t draftTokens, const Rehearsal* rehearsal) {
    const TimeRange window = ladderDecodeWindow(tokenTable(recorded, deviceExtent(recorded)));
    if (window.empty() || result.repeats.empty()) return {.missing = "No token after the first was recorded."};
    const std::vector<int32_t>& tokens = result.repeats.back().tokens;
    if (next.speculation == Speculation::Ngram) {
        const DraftCounts counts = countNgramDrafts(result.promptTokens, tokens, draftTokens);
        LadderPrediction prediction = predictSpeculation(counts, 0, from, recorded, window);
        prediction.assumes = "The text stays the same, in which lookup gets " + ofDrafted(counts) + " right.";
        return prediction;
    }
    if (next.speculation == Speculation::Model) {
        if (!rehearsal) return {.missing = "The draft model was not tried on the text."};
        const DraftCounts counts = countModelDrafts(tokens, rehearsal->guesses, draftTokens);
        LadderPrediction prediction = predictSpeculation(counts, rehearsal->nsPerToken, from, recorded, window);
        prediction.assumes = "Tried on the text beforehand, the draft model gets " + ofDrafted(counts) +
                             " right and takes " + formatDuration(std::llround(rehearsal->nsPerToken)) +
                             " for each, as it does alone.";
        return prediction;
    }
    const WhatIf predictions = whatIf(recorded, window);
    const bool fromEager = from.mode == Mode::Eager;
    const char* name = next.mode == Mode::Fused ? "fused" : fromEager ? "fused+graph" : "graph";
    if (next.mode == Mode::Persistent)
        return {.missing = "What one kernel a token takes is not predicted; the kernels would have to overlap."};
    const Prediction* prediction = predictions.find(name);
    if (!prediction || !prediction->unavailable.empty())
        return {.missing = prediction ? prediction->unavailable : "The recording cannot be replayed so."};
    LadderPrediction told{.from = from.name, .tokensPerSecond = prediction->predictedTokensPerSecond()};
    for (const std::string& assumption : prediction->assumptions)
        told.assumes += (told.assumes.empty() ? "" : " ") + assumption;
    return told;
}

}  // namespace gapscope

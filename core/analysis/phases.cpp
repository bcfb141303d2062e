#include "core/analysis/phases.h"

#include <algorithm>
#include <set>

namespace gapscope {

namespace {

// The repeat with most device time in the window; without device records the one with most tokens in it.
std::optional<int16_t> repeatInWindow(const Trace& trace, TimeRange window, std::map<int16_t, int64_t> weights) {
    if (weights.empty()) {
        const Tokens& tokens = trace.tokens();
        for (size_t row = 0; row < tokens.emittedNs.size(); ++row)
            if (window.contains(tokens.emittedNs[row])) ++weights[tokens.repeat[row]];
    }
    if (weights.empty()) return std::nullopt;
    return std::ranges::max_element(weights, {}, [](const auto& entry) { return entry.second; })->first;
}

double rate(int64_t tokens, int64_t decodeNs) {
    return tokens > 1 && decodeNs > 0 ? static_cast<double>(tokens - 1) * 1e9 / static_cast<double>(decodeNs) : 0;
}

Drafts draftsOf(const Trace& trace, int16_t repeat) {
    const Tokens& tokens = trace.tokens();
    Drafts drafts;
    std::set<int32_t> begun{0};  // a sequence's first token comes out of its prompt
    for (size_t row = 0; row < tokens.emittedNs.size(); ++row) {
        if (tokens.repeat[row] != repeat || tokens.index[row] < 1 || begun.insert(tokens.sequence[row]).second)
            continue;
        ++drafts.tokens;
        if (tokens.place[row] > 0) continue;
        ++drafts.steps;
        drafts.checks += tokens.drafted[row] > 0 ? 1 : 0;
        drafts.drafted += tokens.drafted[row];
        drafts.accepted += tokens.accepted[row];
    }
    return drafts;
}

// Empty where all tokens are of one sequence.
std::vector<SequenceTimes> sequencesOf(const Trace& trace, const Phases& phases) {
    const Tokens& tokens = trace.tokens();
    std::map<int32_t, SequenceTimes> times;
    std::optional<int64_t> beginNs;
    for (size_t row = 0; row < tokens.emittedNs.size(); ++row) {
        if (tokens.repeat[row] != phases.repeat) continue;
        const int64_t ns = tokens.emittedNs[row];
        if (!beginNs) beginNs = ns - phases.timeToFirstTokenNs;
        SequenceTimes& of = times[tokens.sequence[row]];
        if (of.tokenCount++ == 0) of.timeToFirstTokenNs = ns - *beginNs;
        of.decodeNs = ns - *beginNs - of.timeToFirstTokenNs;
    }
    std::vector<SequenceTimes> sequences;
    for (const auto& [sequence, of] : times) {
        sequences.push_back(of);
        sequences.back().sequence = sequence;
    }
    if (sequences.size() == 1 && sequences.front().sequence == 0) sequences.clear();
    return sequences;
}

}  // namespace

std::optional<Phases> phases(const Trace& trace, TimeRange window, std::stop_token stop) {
    if (!trace.run()) return std::nullopt;
    const DeviceOps& ops = trace.deviceOps();
    std::map<int16_t, int64_t> nsOfRepeat;
    for (size_t row = 0; row < ops.startNs.size(); ++row) {
        if ((row & 0xFFFF) == 0 && stop.stop_requested()) break;
        const int64_t ns = TimeRange{ops.startNs[row], ops.endNs[row]}.clippedTo(window).durationNs();
        if (ns > 0) nsOfRepeat[ops.repeat[row]] += ns;
    }
    return phases(trace, window, nsOfRepeat);
}

std::optional<Phases> phases(const Trace& trace, TimeRange window, const std::map<int16_t, int64_t>& nsOfRepeat) {
    const RunInfo* run = trace.run();
    if (!run) return std::nullopt;
    // With tracing off the trace has no rows to choose by; the first repeat stands for the run.
    Phases result{.repeat = repeatInWindow(trace, window, nsOfRepeat).value_or(0)};
    result.drafts = draftsOf(trace, result.repeat);
    if (result.repeat >= 0 && static_cast<size_t>(result.repeat) < run->repeatTimes.size()) {
        const RunInfo::Repeat& times = run->repeatTimes[static_cast<size_t>(result.repeat)];
        result.newTokenCount = times.newTokens;
        result.prefillNs = times.prefillNs;
        result.timeToFirstTokenNs = times.timeToFirstTokenNs;
        result.decodeNs = times.decodeNs;
        result.tokensPerSecond = rate(times.newTokens, times.decodeNs);
        result.sequences = sequencesOf(trace, result);
        return result;
    }

    const Tokens& tokens = trace.tokens();
    std::optional<TimeRange> emitted;
    for (size_t row = 0; row < tokens.emittedNs.size(); ++row) {
        if (tokens.repeat[row] != result.repeat) continue;
        const int64_t ns = tokens.emittedNs[row];
        if (!emitted) emitted = TimeRange{ns, ns};
        emitted->startNs = std::min(emitted->startNs, ns);
        emitted->endNs = std::max(emitted->endNs, ns);
        ++result.newTokenCount;
    }
    if (!emitted) return std::nullopt;
    result.decodeNs = emitted->durationNs();
    result.tokensPerSecond = rate(result.newTokenCount, result.decodeNs);
    // Prompt processing is the last range of that name that began before the first token.
    const Ranges& ranges = trace.ranges();
    std::optional<TimeRange> prefill;
    for (size_t row = 0; row < ranges.startNs.size(); ++row) {
        if (ranges.startNs[row] >= emitted->startNs || (prefill && ranges.startNs[row] <= prefill->startNs)) continue;
        if (trace.string(ranges.name[row]) == "prefill") prefill = TimeRange{ranges.startNs[row], ranges.endNs[row]};
    }
    if (prefill) {
        result.prefillNs = prefill->durationNs();
        result.timeToFirstTokenNs = emitted->startNs - prefill->startNs;
    }
    result.sequences = sequencesOf(trace, result);
    return result;
}

}  // namespace gapscope

#include "core/analysis/phase_windows.h"

#include <algorithm>
#include <map>
#include <optional>

#include "core/analysis/phases.h"

namespace gapscope {

std::vector<PhaseWindow> phaseWindows(const TokenTable& table, int16_t repeat) {
    std::optional<TimeRange> prefill, decode;
    // The first token of an own run comes out of the prompt's work; a found step 0 is one that no prompt came before.
    const bool found = table.source == StepSource::NamedRanges || table.source == StepSource::Sequence;
    const int32_t lastOfPrompt = found ? -1 : 0;
    for (const TokenTime& row : table.rows) {
        if (row.repeat != repeat) continue;
        std::optional<TimeRange>& phase = row.index <= lastOfPrompt ? prefill : decode;
        if (!phase) phase = row.range;
        phase->endNs = std::max(phase->endNs, row.range.endNs);
    }
    std::vector<PhaseWindow> phases;
    if (prefill && !prefill->empty()) phases.push_back({"prefill", *prefill});
    if (decode && !decode->empty()) phases.push_back({"decode", *decode});
    return phases;
}

int16_t longestRepeat(const TokenTable& table) {
    std::map<int16_t, int64_t> nsOfRepeat;
    for (const TokenTime& row : table.rows)
        nsOfRepeat[row.repeat] += row.range.durationNs();
    if (nsOfRepeat.empty()) return 0;
    return std::ranges::max_element(nsOfRepeat, {}, [](const auto& of) { return of.second; })->first;
}

int16_t shownRepeat(const Trace& trace, const TokenTable& table, TimeRange whole) {
    const auto own = phases(trace, whole);
    return own ? own->repeat : longestRepeat(table);
}

TimeRange tokenWindow(const TokenTable& table, int16_t repeat, int32_t first, int32_t last) {
    std::optional<TimeRange> begin, end;
    for (const TokenTime& row : table.rows) {
        if (row.repeat != repeat) continue;
        if (row.index == first) begin = row.range;
        if (row.index == last) end = row.range;
    }
    return begin && end ? TimeRange{begin->startNs, end->endNs} : TimeRange{};
}

}  // namespace gapscope

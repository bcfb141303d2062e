#include "core/analysis/token_phases.h"

#include <algorithm>

namespace gapscope {

TokenPhases tokenPhases(const TokenTable& table) {
    TokenPhases phases;
    std::vector<int64_t> times, firsts;
    for (size_t i = 0; i < table.rows.size(); ++i) {
        const TokenTime& row = table.rows[i];
        const bool isPrompt = row.index < 0;
        if (isPrompt || row.range.durationNs() > 0) {
            TokenPhase& phase = isPrompt ? phases.prefill : phases.decode;
            ++phase.tokenCount;
            phase.durationNs += row.range.durationNs();
            phase.busyNs += row.busyNs;
            phase.idleNs += row.idleNs;
            phase.causes += row.causes;
            phase.launchCount += row.launchCount;
            phase.kernelCount += row.kernelCount;
        }
        if (row.index > 0 && !row.cut) times.push_back(row.share.ns);
        if (!isPrompt || row.cut) continue;
        // The first token comes out of the prompt, or of a pass of its own after it.
        int64_t endNs = row.range.endNs;
        if (i + 1 < table.rows.size() && table.rows[i + 1].repeat == row.repeat && table.rows[i + 1].index == 0)
            endNs = table.rows[i + 1].range.endNs;
        firsts.push_back(endNs - row.range.startNs);
    }
    phases.percentiles = percentilesOf(times);
    phases.interToken = distributionOf(std::move(times));
    if (!firsts.empty()) {
        std::ranges::nth_element(firsts, firsts.begin() + static_cast<ptrdiff_t>(firsts.size() / 2));
        phases.timeToFirstTokenNs = firsts[firsts.size() / 2];
    }
    return phases;
}

}  // namespace gapscope

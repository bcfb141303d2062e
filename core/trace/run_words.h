// What tells a run from another one of the same model.
#pragma once

#include <algorithm>
#include <string>

#include "core/trace/run_info.h"

namespace gapscope {

inline bool speculates(const RunInfo& run) {
    return !run.speculation.empty() && run.speculation != "off";
}

// Prompts of a batch that a step can have; 0: one prompt alone.
inline int64_t promptsAStep(const RunInfo& run) {
    return std::min(run.batch, run.sequences);
}

// "eager", "graph, drafts by lookup", "fused, drafts by gemma-3-270m", "fused, 4 prompts at once"
inline std::string wayOf(const RunInfo& run) {
    std::string way = run.mode;
    if (speculates(run)) way += ", drafts by " + (run.speculation == "ngram" ? "lookup" : run.speculation);
    if (promptsAStep(run) > 0) way += ", " + std::to_string(promptsAStep(run)) + " prompts at once";
    return way;
}

}  // namespace gapscope

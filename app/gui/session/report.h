// What the panels show: one analysis of one window of one snapshot.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>

#include "app/gui/session/session.h"
#include "core/analysis/prepared_window.h"
#include "core/analysis/range_statistics.h"
#include "core/analysis/stages.h"

namespace gapscope {

struct Report {
    TracePtr trace;
    Selection selection;  // that `window` came from
    TimeRange window;
    PreparedTracePtr prepared;  // of the trace; what the gaps and launches below lie in
    WindowAnalysis analysis;
    KernelSummary kernels;
    LayerTable layers;
    TokenTable tokens;
    RangeStatistics statistics;
    std::span<const Launch> launches;      // that begin in the window, by begin
    std::optional<Gap> gap;                // of a selected gap: with what ended it, which begins where the window ends
    std::optional<StageTimes> sameStages;  // of a selected stage: those of its name in the run's window
    int64_t profilerNs = 0;                // the profiler's own cost inside the window
    int64_t lostRecordCount = 0;           // of all diagnostics that mean lost data
};
using ReportPtr = std::shared_ptr<const Report>;

// The token that a selection of kind Token stands for, among the report's; null where it is not.
const TokenTime* tokenOf(const Report& report, const Selection& token);

// What the report is for: as describe() of its selection, and "tokens 12-20, 3.20 ms" where a range is just those
// tokens.
QString describe(const Report& report);

// For the selection's range, else for `whole`.
ReportPtr makeReport(PreparedTracePtr prepared, const Selection& selection, TimeRange whole, std::stop_token stop = {});

}  // namespace gapscope

#include "app/gui/session/report.h"

#include <algorithm>

namespace gapscope {

const TokenTime* tokenOf(const Report& report, const Selection& token) {
    const Tokens& tokens = report.trace->tokens();
    const bool isPrompt = token.row >= tokens.index.size();  // known by its range
    const auto found = std::ranges::find_if(report.tokens.rows, [&](const TokenTime& row) {
        if (isPrompt) return row.index < 0 && row.range == token.range;
        return row.repeat == tokens.repeat[token.row] && row.index == tokens.index[token.row];
    });
    return found == report.tokens.rows.end() ? nullptr : &*found;
}

namespace {

// In a window of its own a gap would look like one that lasts to the window's end.
std::optional<Gap> selectedGap(const Trace& trace, const LaunchJoin& join, TimeRange range, std::stop_token stop) {
    for (const Gap& gap : findGaps(trace, join, {range.startNs, range.endNs + 1}, stop).gaps)
        if (gap.range == range) return gap;
    return std::nullopt;  // the window's end did end it
}

}  // namespace

ReportPtr makeReport(TracePtr trace, const Selection& selection, TimeRange window, std::stop_token stop) {
    auto report = std::make_shared<Report>();
    report->trace = std::move(trace);
    report->selection = selection;
    report->window = window;
    const Trace& rows = *report->trace;
    report->analysis = analyze(rows, window, stop);
    if (stop.stop_requested()) return report;
    if (selection.kind == Selection::Kind::Gap)
        report->gap = selectedGap(rows, report->analysis.join, selection.range, stop);
    report->kernels = kernelSummary(rows, window, stop);
    if (stop.stop_requested()) return report;
    report->tokens = tokenTable(rows, report->analysis.join, window, stop);
    for (size_t row = 0; row < rows.overheads().startNs.size(); ++row) {
        const TimeRange overhead{rows.overheads().startNs[row], rows.overheads().endNs[row]};
        report->profilerNs += overhead.clippedTo(window).durationNs();
    }
    for (const Diagnostic& diagnostic : report->analysis.summary.diagnostics)
        if (diagnostic.severity == Severity::DataLoss) report->lostRecordCount += diagnostic.count;
    return report;
}

}  // namespace gapscope

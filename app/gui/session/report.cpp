#include "app/gui/session/report.h"

#include <QCoreApplication>
#include <algorithm>

#include "app/gui/session/selection_text.h"
#include "core/base/format.h"

namespace gapscope {

const TokenTime* tokenOf(const Report& report, const Selection& token) {
    const Tokens& tokens = report.trace->tokens();
    const bool isPrompt = token.row >= tokens.index.size();  // known by its range
    const auto found = std::ranges::find_if(report.tokens.rows, [&](const TokenTime& row) {
        // Found steps have no row either; the whole trace's first step and prompt never share a range.
        if (isPrompt) return row.range == token.range && (row.index < 0 || tokens.index.empty());
        return row.repeat == tokens.repeat[token.row] && row.index == tokens.index[token.row];
    });
    return found == report.tokens.rows.end() ? nullptr : &*found;
}

namespace {

// In a window of its own a gap would look like one that lasts to the window's end.
std::optional<Gap> selectedGap(const PreparedTrace& prepared, TimeRange range) {
    for (const Gap& gap : prepared.gapsIn({range.startNs, range.endNs + 1}, HostActivity::kNoThread).gaps)
        if (gap.range == range) return gap;
    return std::nullopt;  // the window's end did end it
}

// A stage alone says little: what the others of its name take.
std::optional<StageTimes> sameStages(const Trace& trace, size_t row, TimeRange whole) {
    if (row >= trace.stages().name.size()) return std::nullopt;
    for (const StageTimes& times : stageTimes(trace, whole))
        if (times.name == trace.stages().name[row] && times.category == trace.stages().category[row]) return times;
    return std::nullopt;
}

}  // namespace

ReportPtr makeReport(PreparedTracePtr prepared, const Selection& selection, TimeRange whole, std::stop_token stop) {
    auto report = std::make_shared<Report>();
    report->prepared = std::move(prepared);
    report->trace = report->prepared->tracePtr();
    report->selection = selection;
    report->window = selection.range.empty() ? whole : selection.range;
    const Trace& rows = *report->trace;
    const TimeRange window = report->window;
    const PreparedWindow of(*report->prepared, window);
    report->analysis = analyze(of);
    if (stop.stop_requested()) return report;
    if (selection.kind == Selection::Kind::Gap) report->gap = selectedGap(*report->prepared, selection.range);
    if (selection.kind == Selection::Kind::Stage) report->sameStages = sameStages(rows, selection.row, whole);
    report->kernels = kernelSummary(of);
    report->layers = layerTable(of);
    report->statistics = rangeStatistics(of);
    report->launches = launchesIn(of);
    report->tokens = tokenTable(of);
    if (stop.stop_requested()) return report;
    for (size_t row = 0; row < rows.overheads().startNs.size(); ++row) {
        const TimeRange overhead{rows.overheads().startNs[row], rows.overheads().endNs[row]};
        report->profilerNs += overhead.clippedTo(window).durationNs();
    }
    for (const Diagnostic& diagnostic : report->analysis.summary.diagnostics)
        if (diagnostic.severity == Severity::DataLoss) report->lostRecordCount += diagnostic.count;
    return report;
}

QString describe(const Report& report) {
    const auto& rows = report.tokens.rows;
    const bool areTokens = report.selection.kind == Selection::Kind::Range && rows.size() > 1 &&
                           rows.front().index >= 0 && rows.front().repeat == rows.back().repeat && !rows.front().cut &&
                           rows.front().range.startNs == report.window.startNs &&
                           rows.back().range.endNs == report.window.endNs;
    if (!areTokens) return describe(*report.trace, report.selection);
    return QCoreApplication::translate("SelectionText", "tokens %1–%2, %3")
        .arg(rows.front().index)
        .arg(rows.back().index)
        .arg(text(formatDuration(report.window.durationNs())));
}

}  // namespace gapscope

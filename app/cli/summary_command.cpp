#include "app/cli/csv_columns.h"
#include "app/cli/summary_output.h"
#include "app/cli/trace_command.h"
#include "app/cli/what_if_output.h"
#include "core/analysis/figures.h"

namespace gapscope::cli {

namespace {

// One row, so that those of many runs make one table.
void printCsvRow(const TracePtr& trace, TimeRange window) {
    const PreparedTrace prepared(trace);
    const WindowFacts facts = windowFacts({prepared, window});
    const std::vector<Figure> figures = figuresOf(facts);
    CsvText csv;
    for (const Figure& figure : figures)
        csv.cell(figure.name);
    csv.cell("verdict").endRow();
    for (const Figure& figure : figures)
        csv.cell(figure.value);
    csv.cell(boundName(facts.summary.verdict.bound)).endRow();
    printCsv(csv);
}

}  // namespace

void addSummaryCommand(CLI::App& app, Outcome& outcome) {
    addTraceCommand(app, outcome, "summary", "Where the time went, and why", [](const OpenedTrace& opened) -> Status {
        if (opened.csv) {
            printCsvRow(opened.trace, opened.window);
            return {};
        }
        const Analysis analysis = analyze(*opened.trace, opened.window);
        const Summary& summary = analysis.summary;
        const WhatIf remedies = whatIf(*opened.trace, analysis.join, opened.window);
        if (opened.json) {
            JsonWriter json;
            json.beginObject();
            writeSummaryFields(json, *opened.trace, summary);
            writeWhatIf(json, remedies);
            json.endObject();
            printJson(json);
        } else {
            print(summaryText(*opened.trace, summary) + whatIfText(remedies));
        }
        return {};
    });
}

}  // namespace gapscope::cli

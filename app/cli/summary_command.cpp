#include "app/cli/summary_output.h"
#include "app/cli/trace_command.h"
#include "app/cli/what_if_output.h"

namespace gapscope::cli {

void addSummaryCommand(CLI::App& app, Outcome& outcome) {
    addTraceCommand(app, outcome, "summary", "Where the time went, and why", [](const OpenedTrace& opened) -> Status {
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

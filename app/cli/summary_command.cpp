#include "app/cli/summary_output.h"
#include "app/cli/trace_command.h"

namespace gapscope::cli {

void addSummaryCommand(CLI::App& app, Outcome& outcome) {
    addTraceCommand(app, outcome, "summary", "Where the time went, and why", [](const OpenedTrace& opened) -> Status {
        const Summary summary = summarize(*opened.trace, opened.window);
        if (opened.json) {
            JsonWriter json;
            json.beginObject();
            writeSummaryFields(json, *opened.trace, summary);
            json.endObject();
            printJson(json);
        } else {
            print(summaryText(*opened.trace, summary));
        }
        return {};
    });
}

}  // namespace gapscope::cli

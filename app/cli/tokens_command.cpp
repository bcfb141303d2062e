#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "app/cli/csv_columns.h"
#include "app/cli/text_table.h"
#include "app/cli/trace_command.h"
#include "core/analysis/token_table.h"
#include "core/base/format.h"

namespace gapscope::cli {

namespace {

void writeTimes(JsonWriter& json, const TokenTime& row) {
    json.field("startNs", row.range.startNs).field("durationNs", row.range.durationNs());
    json.field("busyNs", row.busyNs).field("idleNs", row.idleNs);
    json.field("launchCount", row.launchCount).field("kernelCount", row.kernelCount);
    json.field("repeat", row.repeat).field("fromDevice", row.fromDevice);
}

// "3 of 4" drafts in the step that begins with this token; a token that came with it says "draft" or, the last,
// nothing.
std::string acceptedText(const TokenTime& row) {
    if (row.drafted == 0) return "";
    if (row.place == 0) return std::to_string(row.accepted) + " of " + std::to_string(row.drafted);
    return row.place < row.accepted ? "draft" : "";
}

void printJsonTable(const TokenTable& table) {
    JsonWriter json;
    json.beginObject().key("tokens").beginArray();
    for (const TokenTime& row : table.rows) {
        if (row.index < 0) continue;
        json.beginObject().field("index", row.index).field("id", row.id).field("text", row.text);
        json.field("drafted", row.drafted).field("accepted", row.accepted).field("place", row.place);
        writeTimes(json, row);
        json.endObject();
    }
    json.endArray().key("prefill").beginArray();  // one a repeat
    for (const TokenTime& row : table.rows) {
        if (row.index >= 0) continue;
        json.beginObject();
        writeTimes(json, row);
        json.endObject();
    }
    json.endArray().endObject();
    printJson(json);
}

// The prompt's rows stand among them, as the work that they are; their index is empty.
void printCsvTable(const TokenTable& table) {
    CsvText csv{"repeat", "phase",       "index",       "id",         "text",    "startNs",  "durationNs", "busyNs",
                "idleNs", "launchCount", "kernelCount", "fromDevice", "drafted", "accepted", "place"};
    for (const TokenTime& row : table.rows) {
        const auto known = [](int32_t value) { return value < 0 ? std::nullopt : std::optional(value); };
        csv.cell(row.repeat).cell(row.index < 0 ? "prefill" : "decode").cell(known(row.index)).cell(known(row.id));
        csv.cell(row.text).cell(row.range.startNs).cell(row.range.durationNs()).cell(row.busyNs).cell(row.idleNs);
        csv.cell(row.launchCount).cell(row.kernelCount).cell(row.fromDevice ? "true" : "false");
        csv.cell(row.drafted).cell(row.accepted).cell(row.place).endRow();
    }
    printCsv(csv);
}

}  // namespace

void addTokensCommand(CLI::App& app, Outcome& outcome) {
    addTraceCommand(app, outcome, "tokens", "Time by generated token", [](const OpenedTrace& opened) -> Status {
        const TokenTable table = tokenTable(*opened.trace, opened.window);
        if (opened.csv) {
            printCsvTable(table);
            return {};
        }
        if (opened.json) {
            printJsonTable(table);
            return {};
        }
        if (table.rows.empty()) {
            print("No tokens in the window: only runs of this program know them.\n");
            return {};
        }
        using Align = TextTable::Align;
        std::vector<TextTable::Column> columns = {{"repeat"}, {"token", Align::Left}, {"id"},     {"time"}, {"busy"},
                                                  {"idle"},   {"launches"},           {"kernels"}};
        const bool hasDrafts = std::ranges::any_of(table.rows, [](const TokenTime& row) { return row.drafted > 0; });
        if (hasDrafts) columns.push_back({"accepted"});
        columns.push_back({"text", Align::Left});
        TextTable text(std::move(columns));
        for (const TokenTime& row : table.rows) {
            std::vector<std::string> cells = {
                row.repeat < 0 ? "warm-up" : std::to_string(row.repeat),
                row.index < 0 ? "prefill" : std::to_string(row.index),
                row.id < 0 ? "" : std::to_string(row.id),
                formatDuration(row.range.durationNs()),
                formatDuration(row.busyNs),
                formatDuration(row.idleNs),
                formatCount(row.launchCount),
                formatCount(row.kernelCount),
            };
            if (hasDrafts) cells.push_back(acceptedText(row));
            cells.push_back(row.text);
            text.add(std::move(cells));
        }
        print(text.text());
        return {};
    });
}

}  // namespace gapscope::cli

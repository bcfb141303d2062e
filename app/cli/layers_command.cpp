#include "app/cli/csv_columns.h"
#include "app/cli/text_table.h"
#include "app/cli/trace_command.h"
#include "core/analysis/prepared_window.h"
#include "core/base/format.h"

namespace gapscope::cli {

namespace {

enum class Detail { Layer, Role };

void writeRows(JsonWriter& json, std::string_view key, const Trace& trace, const std::vector<LayerOpTime>& rows,
               Detail detail) {
    json.key(key).beginArray();
    for (const LayerOpTime& row : rows) {
        json.beginObject().field("layer", row.layer);
        if (detail == Detail::Role)
            json.field("name", trace.string(row.name)).field("category", categoryName(row.category));
        json.field("count", row.count).field("stageCount", row.stageCount).field("totalNs", row.totalNs);
        json.field("bytes", row.bytes).field("flops", row.flops).field("share", row.share).endObject();
    }
    json.endArray();
}

// A row a layer and role; a layer's own figures are the sums of its rows.
void printCsvTable(const Trace& trace, const LayerTable& table) {
    CsvText csv{"layer", "name",  "category",       "count",          "totalNs",   "share",
                "bytes", "flops", "bytesPerSecond", "flopsPerSecond", "stageCount"};
    for (const LayerOpTime& row : table.ops) {
        csv.cell(row.layer).cell(trace.string(row.name)).cell(categoryName(row.category)).cell(row.count);
        csv.cell(row.totalNs).cell(row.share).cell(row.bytes).cell(row.flops);
        csv.cell(row.bytesPerSecond()).cell(row.flopsPerSecond()).cell(row.stageCount).endRow();
    }
    printCsv(csv);
}

}  // namespace

void addLayersCommand(CLI::App& app, Outcome& outcome) {
    addTraceCommand(
        app, outcome, "layers", "Device time by layer and by role", [](const OpenedTrace& opened) -> Status {
            const Trace& trace = *opened.trace;
            const PreparedTrace prepared(opened.trace);
            const LayerTable table = layerTable(PreparedWindow(prepared, opened.window));
            if (opened.csv) {
                printCsvTable(trace, table);
                return {};
            }
            if (opened.json) {
                JsonWriter json;
                json.beginObject();
                writeRows(json, "layers", trace, table.layers, Detail::Layer);
                writeRows(json, "ops", trace, table.ops, Detail::Role);
                json.field("unknownNs", table.unknownNs).field("sentence", table.sentence).endObject();
                printJson(json);
                return {};
            }
            if (table.ops.empty()) {
                print("No layers in the window: the trace tells none, and none were found in its kernels.\n");
                return {};
            }
            if (!table.sentence.empty()) print(printable(table.sentence) + "\n\n");
            using Align = TextTable::Align;
            // Stages count apart from operations, where a kernel has any, and have no rates of their own.
            const bool hasStages =
                std::ranges::any_of(table.layers, [](const auto& row) { return row.stageCount > 0; });
            std::vector<TextTable::Column> columns = {
                {"layer", Align::Left}, {"role", Align::Left}, {"share"}, {"total"}, {"count"}};
            if (hasStages) columns.push_back({"stages"});
            columns.push_back({"bandwidth"});
            columns.push_back({"arithmetic"});
            TextTable text(std::move(columns));
            const auto add = [&](const LayerOpTime& row, const std::string& role) {
                const bool inside = row.count == 0 && row.stageCount > 0;
                std::vector<std::string> cells = {row.layer < 0 ? "outside" : std::to_string(row.layer), role,
                                                  formatPercent(row.share), formatDuration(row.totalNs),
                                                  inside ? std::string() : formatCount(row.count)};
                if (hasStages) cells.push_back(row.stageCount > 0 ? formatCount(row.stageCount) : std::string());
                cells.push_back(inside ? std::string() : formatRate(row.bytesPerSecond(), "B/s"));
                cells.push_back(inside ? std::string() : formatRate(row.flopsPerSecond(), "FLOP/s"));
                text.add(std::move(cells));
            };
            for (const LayerOpTime& layer : table.layers) {
                add(layer, "(all)");
                for (const LayerOpTime& role : table.ops)
                    if (role.layer == layer.layer) add(role, shortened(trace.string(role.name), 60));
            }
            print(text.text());
            return {};
        });
}

}  // namespace gapscope::cli

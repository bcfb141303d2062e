#include <cmath>
#include <cstdio>

#include "app/cli/csv_columns.h"
#include "app/cli/text_table.h"
#include "app/cli/trace_command.h"
#include "core/analysis/roofline.h"
#include "core/base/format.h"

namespace gapscope::cli {

namespace {

enum class By { Role, Category, Layer, Token };

void writePoints(JsonWriter& json, std::string_view key, const Trace& trace, const Roofline& roof,
                 const std::vector<RooflinePoint>& points, By by) {
    json.key(key).beginArray();
    for (const RooflinePoint& point : points) {
        json.beginObject();
        if (by == By::Role) json.field("name", trace.string(point.name)).field("kernel", trace.string(point.kernel));
        if (by == By::Role || by == By::Category) json.field("category", categoryName(point.category));
        if (by == By::Layer) json.field("layer", point.layer);
        if (by == By::Token) json.field("token", point.token).field("repeat", point.repeat);
        if (by != By::Layer) json.field("phase", point.prompt ? "prefill" : "decode");
        json.field("count", point.count).field("totalNs", point.ns);
        json.field("bytes", point.bytes).field("flops", point.flops).field("intensity", point.intensity());
        json.field("bytesPerSecond", point.bytesPerSecond()).field("flopsPerSecond", point.flopsPerSecond());
        json.field("roof", roof.isUnderMemoryRoof(point) ? "memory" : "compute");
        json.field("shareOfRoof", roof.shareOfRoof(point)).endObject();
    }
    json.endArray();
}

void writeJson(const Trace& trace, const Roofline& roof) {
    JsonWriter json;
    json.beginObject().field("device", roof.deviceId);
    json.field("peakBytesPerSecond", roof.peakBytesPerSecond).field("peakFlopsPerSecond", roof.peakFlopsPerSecond);
    json.field("ridge", roof.ridge()).field("weightBytes", roof.weightBytes);
    json.field("floorNsPerToken", roof.floorNsPerToken).field("recordedNsPerToken", roof.recordedNsPerToken);
    json.field("unknownNs", roof.unknownNs).field("lacks", roof.lacks);
    writePoints(json, "roles", trace, roof, roof.roles, By::Role);
    writePoints(json, "categories", trace, roof, roof.categories, By::Category);
    writePoints(json, "layers", trace, roof, roof.layers, By::Layer);
    writePoints(json, "tokens", trace, roof, roof.tokens, By::Token);
    json.endObject();
    printJson(json);
}

void printCsvTable(const Trace& trace, const Roofline& roof) {
    CsvText csv{"by",
                "phase",
                "name",
                "kernel",
                "category",
                "layer",
                "repeat",
                "token",
                "count",
                "totalNs",
                "bytes",
                "flops",
                "intensityFlopsPerByte",
                "bytesPerSecond",
                "flopsPerSecond",
                "roof",
                "shareOfRoof"};
    const auto add = [&](std::string_view by, const std::vector<RooflinePoint>& points, By what) {
        for (const RooflinePoint& point : points) {
            csv.cell(by).cell(what == By::Layer ? "decode" : point.prompt ? "prefill" : "decode");
            csv.cell(trace.string(point.name)).cell(trace.string(point.kernel));
            csv.cell(what == By::Role || what == By::Category ? categoryName(point.category) : std::string_view());
            const bool ofToken = what == By::Token;
            csv.cell(what == By::Layer ? std::optional(point.layer) : std::nullopt);
            csv.cell(ofToken ? std::optional(point.repeat) : std::nullopt);
            csv.cell(ofToken ? std::optional(point.token) : std::nullopt);
            csv.cell(point.count).cell(point.ns).cell(point.bytes).cell(point.flops).cell(point.intensity());
            csv.cell(point.bytesPerSecond()).cell(point.flopsPerSecond());
            csv.cell(roof.isUnderMemoryRoof(point) ? "memory" : "compute").cell(roof.shareOfRoof(point)).endRow();
        }
    };
    add("role", roof.roles, By::Role);
    add("category", roof.categories, By::Category);
    add("layer", roof.layers, By::Layer);
    add("token", roof.tokens, By::Token);
    printCsv(csv);
}

std::string intensityText(double flopsPerByte) {
    char text[32];
    std::snprintf(text, sizeof text, "%.3g", flopsPerByte);
    return text;
}

void printText(const Trace& trace, const Roofline& roof) {
    std::string head;
    if (roof.peakBytesPerSecond > 0) head += "memory roof " + formatRate(roof.peakBytesPerSecond, "B/s");
    if (roof.peakFlopsPerSecond > 0)
        head += ", arithmetic roof " + formatRate(roof.peakFlopsPerSecond, "FLOP/s") + ", they meet at " +
                intensityText(roof.ridge()) + " flops a byte";
    if (!head.empty()) print(head + "\n");
    if (roof.floorNsPerToken > 0 && roof.recordedNsPerToken > 0)
        print("memory floor of a token " + formatDuration(std::llround(roof.floorNsPerToken)) + " (" +
              formatBytes(static_cast<double>(roof.weightBytes)) + " of weights), recorded " +
              formatDuration(std::llround(roof.recordedNsPerToken)) + ": " +
              formatPercent(roof.floorNsPerToken / roof.recordedNsPerToken) + " of the floor's speed\n");
    if (!roof.lacks.empty()) print(roof.lacks + "\n");
    if (roof.roles.empty()) return;
    using Align = TextTable::Align;
    TextTable table({{"operation", Align::Left},
                     {"phase", Align::Left},
                     {"category", Align::Left},
                     {"count"},
                     {"total"},
                     {"flops/byte"},
                     {"bandwidth"},
                     {"arithmetic"},
                     {"of the roof"},
                     {"", Align::Left}});
    const auto add = [&](const std::string& name, const RooflinePoint& point) {
        table.add({name, point.prompt ? "prefill" : "decode", std::string(categoryName(point.category)),
                   formatCount(point.count), formatDuration(point.ns), intensityText(point.intensity()),
                   formatRate(point.bytesPerSecond(), "B/s"), formatRate(point.flopsPerSecond(), "FLOP/s"),
                   roof.peakBytesPerSecond > 0 ? formatPercent(roof.shareOfRoof(point)) : "",
                   roof.isUnderMemoryRoof(point) ? "memory" : "compute"});
    };
    for (const RooflinePoint& point : roof.categories)
        add("(all)", point);
    for (const RooflinePoint& point : roof.roles)
        add(shortened(trace.string(point.name), 40), point);
    print("\n" + table.text());
}

}  // namespace

void addRooflineCommand(CLI::App& app, Outcome& outcome) {
    addTraceCommand(app, outcome, "roofline", "Bytes and flops a second against the device's measured peaks",
                    [](const OpenedTrace& opened) -> Status {
                        const Roofline roof = roofline(*opened.trace, opened.window);
                        if (opened.csv)
                            printCsvTable(*opened.trace, roof);
                        else if (opened.json)
                            writeJson(*opened.trace, roof);
                        else
                            printText(*opened.trace, roof);
                        return {};
                    });
}

}  // namespace gapscope::cli

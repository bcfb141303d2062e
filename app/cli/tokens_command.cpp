#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "app/cli/csv_columns.h"
#include "app/cli/summary_output.h"
#include "app/cli/text_table.h"
#include "app/cli/trace_command.h"
#include "core/analysis/prepared_window.h"
#include "core/analysis/token_phases.h"
#include "core/base/format.h"

namespace gapscope::cli {

namespace {

void writeCauses(JsonWriter& json, const GapCauses& causes) {
    json.key("causeNs").beginObject();
    for (int cause = 0; cause < kGapCauseCount; ++cause)
        json.field(kGapCauseNames[static_cast<size_t>(cause)], causes.ns[static_cast<size_t>(cause)]);
    json.endObject();
}

std::string_view sourceName(StepSource source) {
    switch (source) {
        case StepSource::Recorded:
            return "recorded";
        case StepSource::NamedRanges:
            return "ranges";
        case StepSource::Sequence:
            return "sequence";
        case StepSource::None:
            break;
    }
    return "none";
}

void writePhase(JsonWriter& json, std::string_view name, const TokenPhase& phase) {
    json.beginObject().field("name", name).field("tokenCount", phase.tokenCount);
    json.field("durationNs", phase.durationNs).field("busyNs", phase.busyNs).field("idleNs", phase.idleNs);
    writeCauses(json, phase.causes);
    json.field("launchCount", phase.launchCount).field("kernelCount", phase.kernelCount).endObject();
}

void writePhases(JsonWriter& json, const TokenTable& table) {
    const TokenPhases phases = tokenPhases(table);
    json.field("source", sourceName(table.source)).field("confidence", table.confidence);
    json.field("sentence", table.sentence).field("opsPerStep", table.opsPerStep);
    json.field("layersPerStep", table.layersPerStep).field("layerConfidence", table.layerConfidence);
    json.key("timeToFirstTokenNs");
    phases.timeToFirstTokenNs ? json.value(*phases.timeToFirstTokenNs) : json.null();
    json.key("interTokenLatency").beginObject();
    writeDistribution(json, phases.interToken);
    json.field("p50Ns", phases.percentiles.p50Ns).field("p90Ns", phases.percentiles.p90Ns);
    json.field("p99Ns", phases.percentiles.p99Ns).endObject();
    json.key("phases").beginArray();
    writePhase(json, "prefill", phases.prefill);
    writePhase(json, "decode", phases.decode);
    json.endArray();
}

std::string phaseText(const std::string& name, const TokenPhase& phase) {
    std::string text = name + ": " + formatDuration(phase.durationNs) + ", busy " + formatDuration(phase.busyNs) +
                       ", idle " + formatDuration(phase.idleNs);
    std::string parts;
    const auto add = [&](const char* what, int64_t ns) {
        if (ns > 0) parts += (parts.empty() ? " (" : ", ") + std::string(what) + ' ' + formatDuration(ns);
    };
    add("host", phase.causes.hostNs());
    add("launch calls", phase.causes[GapCause::LaunchCall]);
    add("device latency", phase.causes[GapCause::DeviceLatency]);
    add("unknown", phase.causes[GapCause::Unknown]);
    return text + parts + (parts.empty() ? ", " : "), ") + formatCount(phase.launchCount) + " launches, " +
           formatCount(phase.kernelCount) + " kernels\n";
}

void printPhases(const TokenTable& table) {
    const TokenPhases phases = tokenPhases(table);
    if (!table.sentence.empty()) print(printable(table.sentence) + "\n");
    if (phases.timeToFirstTokenNs)
        print("time to first token, by the device: " + formatDuration(*phases.timeToFirstTokenNs) + "\n");
    if (phases.interToken.count > 0)
        print("between tokens: p50 " + formatDuration(phases.percentiles.p50Ns) + ", p90 " +
              formatDuration(phases.percentiles.p90Ns) + ", p99 " + formatDuration(phases.percentiles.p99Ns) +
              ", longest " + formatDuration(phases.interToken.maxNs) + " of " + formatCount(phases.interToken.count) +
              "\n");
    if (phases.prefill.tokenCount > 0) print(phaseText("prefill", phases.prefill));
    if (phases.decode.tokenCount > 0) print(phaseText("decode", phases.decode));
    print("\n");
}

void writeTimes(JsonWriter& json, const TokenTime& row) {
    json.field("startNs", row.range.startNs).field("durationNs", row.range.durationNs());
    json.field("shareNs", row.share.ns).field("busyNs", row.busyNs).field("idleNs", row.idleNs);
    writeCauses(json, row.causes);
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
        json.field("sequence", row.sequence);
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
    json.endArray();
    writePhases(json, table);
    json.endObject();
    printJson(json);
}

// The prompt's rows stand among them, as the work that they are; their index is empty.
void printCsvTable(const TokenTable& table) {
    CsvText csv{"repeat",          "phase",     "index",       "id",          "text",       "startNs", "durationNs",
                "busyNs",          "idleNs",    "launchCount", "kernelCount", "fromDevice", "hostNs",  "launchCallNs",
                "deviceLatencyNs", "unknownNs", "drafted",     "accepted",    "place",      "shareNs", "sequence"};
    for (const TokenTime& row : table.rows) {
        const auto known = [](int32_t value) { return value < 0 ? std::nullopt : std::optional(value); };
        csv.cell(row.repeat).cell(row.index < 0 ? "prefill" : "decode").cell(known(row.index)).cell(known(row.id));
        csv.cell(row.text).cell(row.range.startNs).cell(row.range.durationNs()).cell(row.busyNs).cell(row.idleNs);
        csv.cell(row.launchCount).cell(row.kernelCount).cell(row.fromDevice ? "true" : "false");
        csv.cell(row.causes.hostNs()).cell(row.causes[GapCause::LaunchCall]);
        csv.cell(row.causes[GapCause::DeviceLatency]).cell(row.causes[GapCause::Unknown]);
        csv.cell(row.drafted).cell(row.accepted).cell(row.place).cell(row.share.ns).cell(row.sequence).endRow();
    }
    printCsv(csv);
}

}  // namespace

void addTokensCommand(CLI::App& app, Outcome& outcome) {
    addTraceCommand(app, outcome, "tokens", "Time by generated token", [](const OpenedTrace& opened) -> Status {
        const PreparedTrace prepared(opened.trace);
        const TokenTable table = tokenTable(PreparedWindow(prepared, opened.window));
        if (opened.csv) {
            printCsvTable(table);
            return {};
        }
        if (opened.json) {
            printJsonTable(table);
            return {};
        }
        if (table.rows.empty()) {
            print("No tokens in the window: the trace tells none, and nothing repeats in it that could be a step.\n");
            return {};
        }
        printPhases(table);
        using Align = TextTable::Align;
        std::vector<TextTable::Column> columns = {
            {"repeat"}, {"token", Align::Left}, {"id"},      {"time"},    {"busy"},     {"idle"},
            {"host"},   {"launch calls"},       {"latency"}, {"unknown"}, {"launches"}, {"kernels"}};
        const bool hasDrafts = std::ranges::any_of(table.rows, [](const TokenTime& row) { return row.drafted > 0; });
        const bool isBatch = std::ranges::any_of(table.rows, [](const TokenTime& row) { return row.sequence > 0; });
        if (hasDrafts) columns.insert(columns.end(), {{"a token"}, {"accepted"}});
        if (isBatch) columns.insert(columns.end(), {{"a token"}, {"sequence"}});
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
                formatDuration(row.causes.hostNs()),
                formatDuration(row.causes[GapCause::LaunchCall]),
                formatDuration(row.causes[GapCause::DeviceLatency]),
                formatDuration(row.causes[GapCause::Unknown]),
                formatCount(row.launchCount),
                formatCount(row.kernelCount),
            };
            if (hasDrafts) cells.insert(cells.end(), {formatDuration(row.share.ns), acceptedText(row)});
            if (isBatch) cells.insert(cells.end(), {formatDuration(row.share.ns), std::to_string(row.sequence + 1)});
            cells.push_back(row.text);
            text.add(std::move(cells));
        }
        print(text.text());
        return {};
    });
}

}  // namespace gapscope::cli

#include <memory>

#include "app/cli/csv_columns.h"
#include "app/cli/summary_output.h"
#include "app/cli/text_table.h"
#include "app/cli/trace_command.h"
#include "core/analysis/kernel_rules.h"
#include "core/analysis/kernel_summary.h"
#include "core/analysis/stages.h"
#include "core/base/format.h"

namespace gapscope::cli {

namespace {

constexpr size_t kLongestName = 90;

void writeRows(JsonWriter& json, std::string_view key, const Trace& trace, const std::vector<KernelRow>& rows) {
    json.key(key).beginArray();
    for (const KernelRow& row : rows) {
        json.beginObject().field("name", trace.string(row.name)).field("category", categoryName(row.category));
        writeDistribution(json, row.times);
        json.endObject();
    }
    json.endArray();
}

void writeStages(JsonWriter& json, const Trace& trace, const std::vector<StageTimes>& stages) {
    json.key("stages").beginArray();
    for (const StageTimes& row : stages) {
        json.beginObject().field("name", trace.string(row.name)).field("category", categoryName(row.category));
        writeDistribution(json, row.times);
        json.endObject();
    }
    json.endArray();
}

void printCsvTable(const Trace& trace, const KernelSummary& summary, const std::vector<StageTimes>& stages) {
    static constexpr std::array<std::string_view, 4> kKinds = {"kernel", "copy", "set", "graph"};
    CsvText csv;
    std::vector<std::string> columns = {"kind", "name", "category", "share"};
    for (const std::string& column : distributionColumns())
        columns.push_back(column);
    addHeader(csv, columns);
    for (const auto* rows : {&summary.kernels, &summary.others})
        for (const KernelRow& row : *rows) {
            csv.cell(kKinds[static_cast<size_t>(row.kind)]).cell(trace.string(row.name));
            csv.cell(categoryName(row.category)).cell(row.share);
            addCells(csv, row.times);
            csv.endRow();
        }
    for (const StageTimes& row : stages) {
        csv.cell("stage").cell(trace.string(row.name)).cell(categoryName(row.category)).cell(row.share);
        addCells(csv, row.times);
        csv.endRow();
    }
    printCsv(csv);
}

TextTable timesTable() {
    using Align = TextTable::Align;
    return TextTable({{"share"},
                      {"total"},
                      {"count"},
                      {"avg"},
                      {"med"},
                      {"min"},
                      {"max"},
                      {"std"},
                      {"category", Align::Left},
                      {"name", Align::Left}});
}

template <class Row>
void addRows(TextTable& table, const Trace& trace, const std::vector<Row>& rows) {
    for (const Row& row : rows) {
        table.add({formatPercent(row.share), formatDuration(row.times.totalNs), formatCount(row.times.count),
                   formatDuration(static_cast<int64_t>(row.times.avgNs)),
                   formatDuration(static_cast<int64_t>(row.times.medNs)), formatDuration(row.times.minNs),
                   formatDuration(row.times.maxNs), formatDuration(static_cast<int64_t>(row.times.stdNs)),
                   std::string(categoryName(row.category)), shortened(trace.string(row.name), kLongestName)});
    }
}

// Names that no rule knows: what a rule could be written for.
void printUnknown(const OpenedTrace& opened) {
    std::vector<KernelName> names = kernelNames(*opened.trace, opened.window, opened.rules);
    int64_t allNs = 0;
    for (const KernelName& name : names)
        allNs += name.ns;
    std::erase_if(names, [](const KernelName& name) { return name.rule.has_value(); });
    const auto shareOf = [&](const KernelName& name) {
        return allNs > 0 ? static_cast<double>(name.ns) / static_cast<double>(allNs) : 0;
    };
    if (opened.json) {
        JsonWriter json;
        json.beginObject().key("unknown").beginArray();
        for (const KernelName& name : names) {
            json.beginObject().field("name", name.name).field("count", name.count).field("totalNs", name.ns);
            json.field("share", shareOf(name)).endObject();
        }
        json.endArray().endObject();
        printJson(json);
        return;
    }
    if (opened.csv) {
        CsvText csv;
        addHeader(csv, std::vector<std::string>{"name", "count", "totalNs", "share"});
        for (const KernelName& name : names)
            csv.cell(name.name).cell(name.count).cell(name.ns).cell(shareOf(name)).endRow();
        printCsv(csv);
        return;
    }
    if (names.empty()) {
        print(opened.trace->run() ? "Kernels of this program's own runs have their categories by what they do.\n"
                                  : "The rules know all kernel names in the window.\n");
        return;
    }
    TextTable table({{"share"}, {"total"}, {"count"}, {"name", TextTable::Align::Left}});
    for (const KernelName& name : names)
        table.add({formatPercent(shareOf(name)), formatDuration(name.ns), formatCount(name.count),
                   shortened(name.name, kLongestName)});
    print(table.text());
}

}  // namespace

void addKernelsCommand(CLI::App& app, Outcome& outcome) {
    auto unknown = std::make_shared<bool>(false);
    const auto act = [unknown](const OpenedTrace& opened) -> Status {
        const Trace& trace = *opened.trace;
        if (*unknown) {
            printUnknown(opened);
            return {};
        }
        const KernelSummary summary = kernelSummary(trace, opened.window);
        const std::vector<StageTimes> stages = stageTimes(trace, opened.window);
        if (opened.csv) {
            printCsvTable(trace, summary, stages);
            return {};
        }
        if (opened.json) {
            JsonWriter json;
            json.beginObject();
            writeRows(json, "kernels", trace, summary.kernels);
            writeRows(json, "others", trace, summary.others);
            writeStages(json, trace, stages);
            json.endObject();
            printJson(json);
            return {};
        }
        TextTable table = timesTable();
        addRows(table, trace, summary.kernels);
        addRows(table, trace, summary.others);
        print(table.text());
        if (stages.empty()) return {};
        TextTable inside = timesTable();
        addRows(inside, trace, stages);
        print("\nStages inside kernels, shares of all stages' time:\n" + inside.text());
        return {};
    };
    CLI::App* command = addTraceCommand(app, outcome, "kernels", "Time by kernel name", act);
    command->add_flag("--unknown", *unknown, "only kernel names that no category rule knows");
}

}  // namespace gapscope::cli

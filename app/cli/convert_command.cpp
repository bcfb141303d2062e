// Any trace this program reads, as a file that other programs read.
#include <algorithm>
#include <filesystem>
#include <memory>

#include "app/cli/gaps_csv.h"
#include "app/cli/kernel_rules.h"
#include "app/cli/text_table.h"
#include "app/cli/trace_command.h"
#include "core/analysis/gaps.h"
#include "core/analysis/kernel_rules.h"
#include "core/analysis/window.h"
#include "core/base/format.h"
#include "core/export/chrome_json.h"
#include "core/export/csv.h"
#include "core/export/perfetto_trace.h"
#include "core/export/session_writer.h"

namespace gapscope::cli {

namespace {

namespace fs = std::filesystem;

struct ConvertOptions {
    std::string in;
    std::string out;
    std::string format;
    std::string table = "kernels";
    std::string rules;
    bool force = false;
    bool withIdentity = false;
    bool json = false;
    Identity identity() const { return withIdentity ? Identity::Kept : Identity::LeftOut; }
};

struct Format {
    std::string_view name;
    std::vector<std::string_view> endings;
    Result<ExportReport> (*write)(const Trace& trace, const ConvertOptions& options);
};

constexpr std::string_view kGapsTable = "gaps";

// core/export knows no gaps: they are found, not recorded.
Status writeGaps(const Trace& trace, const fs::path& path, const ConvertOptions& options, ExportReport& report) {
    const ExportTexts texts(trace, options.identity());
    ASSIGN_OR_RETURN(CsvFile csv, CsvFile::create(path, gapColumns()));
    ASSIGN_OR_RETURN(const TimeRange window, resolveWindow(trace, "all"));
    for (const Gap& gap : findGaps(trace, window).gaps) {
        addGapCells(csv.cells(), trace, gap, [&](StringId id) { return texts[id]; });
        RETURN_IF_ERROR(csv.endRow());
    }
    report.wrote(kGapsTable, csv.rowCount());
    ASSIGN_OR_RETURN(const int64_t bytes, csv.finish());
    report.bytes += bytes;
    return {};
}

std::vector<std::string_view> tableNames() {
    std::vector<std::string_view> names = csvTables();
    names.push_back(kGapsTable);
    return names;
}

Status writeTable(const Trace& trace, std::string_view table, const fs::path& path, const ConvertOptions& options,
                  ExportReport& report) {
    if (table == kGapsTable) return writeGaps(trace, path, options, report);
    return exportCsvTable(trace, table, path, options.identity(), report);
}

// One table into a file that is named so, all of them into a folder.
bool isOneTable(const ConvertOptions& options) {
    return fs::path(options.out).extension() == ".csv";
}

std::vector<fs::path> csvPaths(const ConvertOptions& options) {
    if (isOneTable(options)) return {options.out};
    std::vector<fs::path> paths;
    for (const std::string_view table : tableNames())
        paths.push_back(fs::path(options.out) / (std::string(table) + ".csv"));
    return paths;
}

Result<ExportReport> writeCsv(const Trace& trace, const ConvertOptions& options) {
    ExportReport report;
    if (isOneTable(options)) {
        RETURN_IF_ERROR(writeTable(trace, options.table, options.out, options, report));
        report.lacks("otherTables", static_cast<int64_t>(tableNames().size()) - 1,
                     "One .csv file holds one table: --table names it, a folder as OUT gets all of them.");
        return report;
    }
    std::error_code error;
    fs::create_directories(options.out, error);
    if (error) return fail(options.out + " cannot be made a folder: " + error.message() + ".");
    const std::vector<fs::path> paths = csvPaths(options);
    const std::vector<std::string_view> names = tableNames();
    for (size_t i = 0; i < names.size(); ++i)
        RETURN_IF_ERROR(writeTable(trace, names[i], paths[i], options, report));
    report.lacksArrangement(trace);
    if (trace.run()) report.lacks("runSettings", 1, "Settings of the run are no table; a session or JSON holds them.");
    report.lacks("diagnostics", static_cast<int64_t>(trace.diagnostics().entries().size()),
                 "Notes on what was lost or odd are no table; a session or JSON holds them.");
    return report;
}

Result<ExportReport> writeChrome(const Trace& trace, const ConvertOptions& options) {
    return exportChromeJson(trace, options.out, options.identity());
}

Result<ExportReport> writePerfetto(const Trace& trace, const ConvertOptions& options) {
    return exportPerfettoTrace(trace, options.out, options.identity());
}

Result<ExportReport> writeSession(const Trace& trace, const ConvertOptions& options) {
    RETURN_IF_ERROR(saveSession(trace, options.out, {}, options.identity()));
    ExportReport report;
    report.wroteRows(trace);
    std::error_code error;
    report.bytes = static_cast<int64_t>(fs::file_size(options.out, error));
    return report;
}

const std::vector<Format>& formats() {
    static const std::vector<Format> kFormats = {
        {"chrome", {".json", ".json.gz"}, writeChrome},
        {"perfetto", {".pftrace", ".perfetto-trace"}, writePerfetto},
        {"session", {".gapscope", ".sqlite"}, writeSession},
        {"csv", {".csv", "/"}, writeCsv},
    };
    return kFormats;
}

Result<const Format*> formatOf(const ConvertOptions& options) {
    for (const Format& format : formats()) {
        if (!options.format.empty()) {
            if (format.name == options.format) return &format;
            continue;
        }
        for (const std::string_view ending : format.endings)
            if (options.out.ends_with(ending)) return &format;
        std::error_code ignored;
        if (format.name == "csv" && fs::is_directory(options.out, ignored)) return &format;
    }
    return fail("The name " + printable(options.out) +
                    " does not tell a format: end it in .json, .json.gz, .pftrace, .gapscope, .sqlite or .csv, name a "
                    "folder, or say --format.",
                ErrorKind::WrongUse);
}

Status checkOut(const Format& format, const ConvertOptions& options) {
    if (options.force) return {};
    const std::vector<fs::path> paths = format.name == "csv" ? csvPaths(options) : std::vector<fs::path>{options.out};
    for (const fs::path& path : paths) {
        std::error_code ignored;
        if (fs::exists(path, ignored)) return fail(path.string() + " exists already; --force replaces it.");
    }
    return {};
}

void printReport(const Format& format, const ConvertOptions& options, const ExportReport& report) {
    if (options.json) {
        JsonWriter json;
        json.beginObject().field("format", format.name).field("path", options.out).field("bytes", report.bytes);
        json.key("written").beginObject();
        for (const ExportReport::Count& count : report.written)
            json.field(count.name, count.count);
        json.endObject().key("notRepresented").beginArray();
        for (const ExportReport::Count& count : report.notRepresented)
            json.beginObject()
                .field("name", count.name)
                .field("count", count.count)
                .field("text", count.text)
                .endObject();
        json.endArray().endObject();
        printJson(json);
        return;
    }
    print(printable(options.out) + ": " + formatBytes(static_cast<double>(report.bytes)) + "\n");
    TextTable table({{"written"}, {"", TextTable::Align::Left}});
    for (const ExportReport::Count& count : report.written)
        if (count.count > 0) table.add({formatCount(count.count), count.name});
    print(table.text());
    for (const ExportReport::Count& count : report.notRepresented)
        print("not represented: " + formatCount(count.count) + " " + count.name + ". " + count.text + "\n");
}

Status convert(const ConvertOptions& options) {
    ASSIGN_OR_RETURN(const Format* format, formatOf(options));
    if (std::ranges::count(tableNames(), options.table) == 0) {
        return fail("There is no table '" + printable(options.table) + "'.", ErrorKind::WrongUse);
    }
    // Before the long part; a file that appears meanwhile is replaced.
    RETURN_IF_ERROR(checkOut(*format, options));
    ASSIGN_OR_RETURN(const CategoryRules rules, readRules(options.rules));
    ASSIGN_OR_RETURN(TracePtr trace, openInputs({options.in}));
    trace = categorized(trace, rules);
    ASSIGN_OR_RETURN(const ExportReport report, format->write(*trace, options));
    printReport(*format, options, report);
    return {};
}

}  // namespace

void addConvertCommand(CLI::App& app, Outcome& outcome) {
    CLI::App* command = app.add_subcommand("convert", "A trace as a file that other programs read");
    auto options = std::make_shared<ConvertOptions>();
    command->add_option("IN", options->in, "any trace this program reads; - is the standard input")->required();
    command->add_option("OUT", options->out, "the file to write, or a folder for CSV; its name tells the format")
        ->required();
    std::vector<std::string> names;
    for (const Format& format : formats())
        names.emplace_back(format.name);
    command->add_option("--format", options->format, "whatever OUT is called")->check(CLI::IsMember(names));
    command->add_option("--table", options->table, "the table of a single .csv file (default: kernels)");
    command->add_flag("--force", options->force, "replace OUT if it exists");
    command->add_flag("--with-identity", options->withIdentity, "keep home folders in paths, which name people");
    command->add_option("--rules", options->rules, "category rules, as the other commands take them");
    command->add_flag("--json", options->json, "one JSON object on stdout");
    command->callback([options, &outcome] { outcome.status = convert(*options); });
}

}  // namespace gapscope::cli

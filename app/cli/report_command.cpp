// A trace, or two compared, as one HTML file for people who have no Gapscope.
#include <filesystem>
#include <memory>

#include "app/cli/text_table.h"
#include "app/cli/trace_pair.h"
#include "core/base/format.h"
#include "core/report/html_report.h"

namespace gapscope::cli {

namespace {

namespace fs = std::filesystem;

struct ReportOptions : PairOptions {
    std::string out;
    bool force = false;
    bool json = false;
};

ReportOf sideOf(const std::string& path, const OpenedTrace& opened) {
    const std::string name = path == "-" ? "standard input" : fs::path(path).filename().string();
    return {.name = name, .trace = opened.trace, .window = opened.window};
}

// Beside nothing of the person's: in the folder that the command runs in.
fs::path outPath(const ReportOptions& options) {
    if (!options.out.empty()) return options.out;
    const std::string name = options.before == "-" ? "report" : fs::path(options.before).filename().string();
    return name.substr(0, name.find('.')) + (options.after.empty() ? "" : "-compared") + ".html";
}

Status report(const ReportOptions& options) {
    const fs::path out = outPath(options);
    std::error_code ignored;
    if (!options.force && fs::exists(out, ignored))
        return fail(printable(out.string()) + " exists already; --force replaces it.");
    if (options.isPair()) {
        ASSIGN_OR_RETURN(const auto pair, openPair(options));
        RETURN_IF_ERROR(
            writeCompareReport(out, sideOf(options.before, pair.first), sideOf(options.second(), pair.second)));
    } else {
        ASSIGN_OR_RETURN(const OpenedTrace opened, openFirst(options));
        RETURN_IF_ERROR(writeReport(out, sideOf(options.before, opened)));
    }
    const auto bytes = static_cast<int64_t>(fs::file_size(out, ignored));
    if (options.json) {
        JsonWriter json;
        json.beginObject().field("path", out.string()).field("bytes", bytes).endObject();
        printJson(json);
    } else {
        print(printable(out.string()) + ": " + formatBytes(static_cast<double>(bytes)) + "\n");
    }
    return {};
}

}  // namespace

void addReportCommand(CLI::App& app, Outcome& outcome) {
    CLI::App* command = app.add_subcommand("report", "A trace, or what changed between two, as one HTML file");
    auto options = std::make_shared<ReportOptions>();
    command->add_option("FILE", options->before, "any trace this program reads")->required();
    command->add_option("AFTER", options->after, "a second one: the report then tells what changed");
    command->add_option("-o,--out", options->out, "the file to write (default: FILE's name with .html, here)");
    command->add_option("--window", options->window,
                        "all, a range's name, NAME#k, START:END in ns, token:K, phase:decode (default: "
                        "model_inference, else all)");
    command->add_option("--window-before", options->windowBefore, "of FILE, when comparing");
    command->add_option("--window-after", options->windowAfter, "of AFTER, or a second window of FILE");
    command->add_option("--device", options->device, "only this device");
    command->add_flag("--force", options->force, "replace the file if it exists");
    command->add_flag("--json", options->json, "one JSON object on stdout");
    command->callback([options, &outcome] { outcome.status = report(*options); });
}

}  // namespace gapscope::cli

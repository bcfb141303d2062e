// A trace, or two compared, as one HTML file for people who have no Gapscope.
#include <filesystem>
#include <memory>

#include "app/cli/text_table.h"
#include "app/cli/trace_command.h"
#include "core/base/format.h"
#include "core/report/html_report.h"

namespace gapscope::cli {

namespace {

namespace fs = std::filesystem;

struct ReportOptions {
    std::string before, after;
    std::string out;
    std::string window, windowBefore, windowAfter;
    std::optional<uint32_t> device;
    bool force = false;
    bool json = false;
};

Result<ReportOf> openSide(const ReportOptions& options, const std::string& path, const std::string& window) {
    ASSIGN_OR_RETURN(OpenedTrace opened, openFor({.files = {path},
                                                  .alignAt = {},
                                                  .window = window.empty() ? options.window : window,
                                                  .device = options.device}));
    return ReportOf{
        .name = fs::path(path).filename().string(), .trace = std::move(opened.trace), .window = opened.window};
}

// Beside nothing of the person's: in the folder that the command runs in.
fs::path outPath(const ReportOptions& options) {
    if (!options.out.empty()) return options.out;
    const std::string name = fs::path(options.before).filename().string();
    return name.substr(0, name.find('.')) + (options.after.empty() ? "" : "-compared") + ".html";
}

Status report(const ReportOptions& options) {
    const fs::path out = outPath(options);
    std::error_code ignored;
    if (!options.force && fs::exists(out, ignored))
        return fail(printable(out.string()) + " exists already; --force replaces it.");
    const bool windows = options.windowBefore != options.windowAfter;
    ASSIGN_OR_RETURN(const ReportOf before, openSide(options, options.before, options.windowBefore));
    if (options.after.empty() && !windows) {
        RETURN_IF_ERROR(writeReport(out, before));
    } else {
        const std::string& second = options.after.empty() ? options.before : options.after;
        ASSIGN_OR_RETURN(const ReportOf after, openSide(options, second, options.windowAfter));
        RETURN_IF_ERROR(writeCompareReport(out, before, after));
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

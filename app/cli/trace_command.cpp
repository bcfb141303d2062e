#include "app/cli/trace_command.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <memory>

#include "app/cli/kernel_rules.h"
#include "core/analysis/kernel_rules.h"
#include "core/analysis/window.h"
#include "core/import/join_traces.h"
#include "core/trace/trace_builder.h"

namespace gapscope::cli {

namespace {

// The same trace with the operations of one device only.
Result<TracePtr> onlyDevice(const Trace& trace, uint32_t device) {
    TraceBuilder builder;
    for (uint32_t id = 0; id < trace.stringCount(); ++id)
        builder.intern(trace.string(StringId{id}));
    std::string known;
    bool found = false;
    for (const DeviceRow& row : trace.devices()) {
        known += (known.empty() ? "" : ", ") + std::to_string(row.id);
        found |= row.id == device;
        if (row.id == device) builder.setDevice(row);
    }
    for (size_t i = 0; i < trace.tracks().size(); ++i) {
        builder.internTrack(trace.tracks()[i]);
        found |= trace.tracks()[i].deviceId == device;
    }
    if (!found) {
        return fail("The trace has no device " + std::to_string(device) +
                        (known.empty() ? "; it names none." : "; it has " + known + "."),
                    ErrorKind::WrongUse);
    }
    for (size_t i = 0; i < trace.ops().size(); ++i)
        builder.internOp(trace.ops()[i]);
    for (size_t i = 0; i < trace.launchConfigs().size(); ++i)
        builder.internLaunchConfig(trace.launchConfigs()[i]);
    for (size_t i = 0; i < trace.deviceOps().startNs.size(); ++i) {
        const DeviceOpRow row = rowAt(trace.deviceOps(), i);
        if (row.track.valid() && trace.tracks()[row.track.value].deviceId == device) builder.add(row);
    }
    for (size_t i = 0; i < trace.apiCalls().startNs.size(); ++i)
        builder.add(rowAt(trace.apiCalls(), i));
    for (size_t i = 0; i < trace.ranges().startNs.size(); ++i)
        builder.add(rowAt(trace.ranges(), i));
    for (size_t i = 0; i < trace.overheads().startNs.size(); ++i)
        builder.add(rowAt(trace.overheads(), i));
    for (size_t i = 0; i < trace.tokens().emittedNs.size(); ++i)
        builder.add(rowAt(trace.tokens(), i));
    for (const ThreadRow& thread : trace.threads())
        builder.setThread(thread.globalTid, trace.string(thread.name));
    for (const Diagnostic& entry : trace.diagnostics().entries())
        builder.diagnostics().add(entry.name, entry.severity, entry.count, entry.text);
    if (trace.run()) builder.setRun(*trace.run());
    builder.setOrigin(trace.origin());
    return builder.snapshot();
}

}  // namespace

Result<TracePtr> openInputs(const std::vector<std::string>& files, const std::string& alignAt) {
    static const std::string kStandardInput = "-";
    if (std::ranges::count(files, kStandardInput) > 1)
        return fail("The standard input (-) can be read only once.", ErrorKind::WrongUse);
    const TraceOpener open = [](const std::filesystem::path& path, const ImportProgress& progress,
                                std::stop_token stop) -> Result<TracePtr> {
        if (path != kStandardInput) return openTrace(path, progress, stop);
        if (::isatty(STDIN_FILENO))
            return fail(
                "The standard input (-) is the terminal: send a trace into it, as in `cat FILE | gapscope-cli "
                "summary -`.",
                ErrorKind::WrongUse);
        return openTraceStream(std::cin, "The standard input", progress, stop);
    };
    const std::vector<std::filesystem::path> paths(files.begin(), files.end());
    return openTraces(paths, {.name = alignAt}, {}, {}, open);
}

Result<OpenedTrace> openFor(const TraceOptions& options) {
    OpenedTrace opened{.json = options.json, .csv = options.csv};
    ASSIGN_OR_RETURN(opened.rules, readRules(options.rules));
    ASSIGN_OR_RETURN(opened.whole, openInputs(options.files, options.alignAt));
    opened.trace = opened.whole = categorized(opened.whole, opened.rules);
    if (options.device) {
        ASSIGN_OR_RETURN(opened.trace, onlyDevice(*opened.whole, *options.device));
    }
    return withWindow(std::move(opened), options.window);
}

// By the whole trace: "all" and the default window are the same for each of its devices.
Result<OpenedTrace> withWindow(OpenedTrace opened, const std::string& window) {
    ASSIGN_OR_RETURN(opened.window, resolveWindow(*opened.whole, window));
    return opened;
}

void addOutputOptions(CLI::App& command, bool& json, bool& csv) {
    CLI::Option* asJson = command.add_flag("--json", json, "one JSON object on stdout");
    command.add_flag("--csv", csv, "the table as CSV on stdout")->excludes(asJson);
}

CLI::App* addTraceCommand(CLI::App& app, Outcome& outcome, const std::string& name, const std::string& description,
                          std::function<Status(const OpenedTrace&)> act) {
    CLI::App* command = app.add_subcommand(name, description);
    auto options = std::make_shared<TraceOptions>();
    command
        ->add_option("FILE", options->files,
                     "Gapscope session, PyTorch, Chrome or Perfetto trace, Nsight Systems SQLite export; several (the "
                     "ranks of one run) are read as one; - is the standard input")
        ->required();
    command->add_option("--align", options->alignAt,
                        "with several files: a range or kernel whose first occurrence is put at one moment (default: "
                        "wall clock)");
    command->add_option("--window", options->window,
                        "all, a range's name, NAME#k or START:END in ns (default: model_inference, else all)");
    command->add_option("--device", options->device, "only this device");
    command->add_option("--rules", options->rules,
                        "category rules for kernels of other programs, tried before the built-in ones (default: "
                        "kernel-rules.txt in the settings folder)");
    addOutputOptions(*command, options->json, options->csv);
    command->callback([options, act = std::move(act), &outcome] {
        const auto opened = openFor(*options);
        outcome.status = opened ? act(*opened) : Status(tl::unexpected<Error>(opened.error()));
    });
    return command;
}

void print(const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
}

void printJson(const JsonWriter& json) {
    print(json.text() + "\n");
}

}  // namespace gapscope::cli

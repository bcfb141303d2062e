// What the commands that read a trace share: FILE..., --align, --window, --device, --rules, --json, --csv, and opening
// the files by them.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "app/cli/commands.h"
#include "core/base/category_rules.h"
#include "core/base/json_writer.h"
#include "core/trace/trace.h"

namespace gapscope::cli {

struct TraceOptions {
    std::vector<std::string> files;  // several are joined
    std::string alignAt;
    std::string window;
    std::optional<uint32_t> device;
    std::string rules;  // a file; empty: the person's own
    bool json = false;
    bool csv = false;
};

struct OpenedTrace {
    TracePtr trace;
    TracePtr whole;  // with all devices, where `trace` has one
    TimeRange window;
    CategoryRules rules;  // that foreign kernels have their categories by
    bool json = false;
    bool csv = false;
};
// Reads them as one; "-" is the standard input. Without a name to align at, wall clocks align.
Result<TracePtr> openInputs(const std::vector<std::string>& files, const std::string& alignAt = {});

Result<OpenedTrace> openFor(const TraceOptions& options);
// The same trace with another window.
Result<OpenedTrace> withWindow(OpenedTrace opened, const std::string& window);

// Adds --json and --csv, which exclude each other.
void addOutputOptions(CLI::App& command, bool& json, bool& csv);

// Adds a subcommand whose callback opens the trace and then calls `act`; returns it for more options.
CLI::App* addTraceCommand(CLI::App& app, Outcome& outcome, const std::string& name, const std::string& description,
                          std::function<Status(const OpenedTrace&)> act);

void print(const std::string& text);     // to stdout
void printJson(const JsonWriter& json);  // one line

}  // namespace gapscope::cli

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
    TimeRange window;
    CategoryRules rules;  // that foreign kernels have their categories by
    bool json = false;
    bool csv = false;
};
Result<OpenedTrace> openFor(const TraceOptions& options);

// Adds --json and --csv, which exclude each other.
void addOutputOptions(CLI::App& command, bool& json, bool& csv);

// Adds a subcommand whose callback opens the trace and then calls `act`; returns it for more options.
CLI::App* addTraceCommand(CLI::App& app, Outcome& outcome, const std::string& name, const std::string& description,
                          std::function<Status(const OpenedTrace&)> act);

void print(const std::string& text);     // to stdout
void printJson(const JsonWriter& json);  // one line

}  // namespace gapscope::cli

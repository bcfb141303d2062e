// What the commands that set two traces side by side share: two files, or two windows of one.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "app/cli/trace_command.h"

namespace gapscope::cli {

struct PairOptions {
    std::string before, after;  // "-" is the standard input; no second one: two windows of the first
    std::string window, windowBefore, windowAfter;
    std::optional<uint32_t> device;

    bool isPair() const { return !after.empty() || windowBefore != windowAfter; }
    const std::string& second() const { return after.empty() ? before : after; }
};

Result<OpenedTrace> openFirst(const PairOptions& options);
Result<std::pair<OpenedTrace, OpenedTrace>> openPair(const PairOptions& options);

}  // namespace gapscope::cli

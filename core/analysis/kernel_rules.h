// Kernels that other programs launched have their categories by rules on names. This is about the names of one trace:
// the same trace by other rules, and what each name stands for. Kernels of our own runs have theirs by what they do, so
// rules leave them alone.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/category_rules.h"
#include "core/trace/trace.h"

namespace gapscope {

// Shares all rows with `trace`; `trace` itself where the rules change nothing. Stopped early: `trace`.
TracePtr categorized(TracePtr trace, const CategoryRules& rules, std::stop_token stop = {});

struct KernelName {
    std::string_view name;       // what rules are tried on: the full name where the file has one; lives with the trace
    int64_t count = 0;           // kernels that begin in the window
    int64_t ns = 0;              // of those, clipped to the window
    std::optional<size_t> rule;  // of the rules; none: no rule knows the name
};
// Names that rules decide about, largest time first.
std::vector<KernelName> kernelNames(const Trace& trace, TimeRange window, const CategoryRules& rules,
                                    std::stop_token stop = {});

// Parts for a rule about kernels like this one: what the function is called, without return type, namespaces and
// arguments, which differ from one instance to the next; with the first argument where it is only called "Kernel".
std::string suggestedParts(std::string_view kernelName);

}  // namespace gapscope

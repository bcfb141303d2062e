// Which stretch of time the numbers are about.
#pragma once

#include <string_view>

#include "core/base/result.h"
#include "core/trace/trace.h"

namespace gapscope {

// First device-operation start to last device-operation end over all devices; the trace's extent without any.
TimeRange deviceExtent(const Trace& trace);

// The longest CPU range named `model_inference`; else deviceExtent().
TimeRange defaultWindow(const Trace& trace);

// "" (the default window), "all" (deviceExtent), "A:B" (ns from trace start, A < B), "NAME" (the longest range of this
// name) or "NAME#k" (the k-th of this name by start, from 0). A range called "A:B" or "all" is reached as "all#0".
Result<TimeRange> resolveWindow(const Trace& trace, std::string_view text);

}  // namespace gapscope

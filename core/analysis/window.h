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
// Where no range is called so, for own runs and traces in which steps are found: "token:K" and "token:A-B" (from the
// begin of token A to the end of token B) and "phase:prefill", "phase:decode", in device time (phase_windows.h), of the
// repeat that the default window shows, of another program's trace of the request that takes longest.
Result<TimeRange> resolveWindow(const Trace& trace, std::string_view text);

}  // namespace gapscope

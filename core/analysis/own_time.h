// Whose time an instant is where operations of one device overlap: the one's that began first. A kernel launched with
// programmatic dependent launch begins while the one before it runs and waits for its end (CUDA C++ Programming Guide,
// "Programmatic Dependent Launch and Synchronization"), so its own time is what follows that end. Own times add up to
// the time while at least one of the operations ran; durations would count an overlap twice, and a rate made from them
// would come out too low.
#pragma once

#include <cstdint>
#include <stop_token>

#include "core/trace/trace.h"

namespace gapscope {

// By device operation: where its own time begins, which ends with it; its end if it has none. Only operations with a
// plan (bytes or flops) are looked at; the others keep their start. Empty where none overlap: own time is the duration.
ColumnView<int64_t> ownStartNs(const Trace& trace, std::stop_token stop = {});

// Of the operation at `row`, which takes `range`, within the window.
inline int64_t ownNsWithin(TimeRange window, const ColumnView<int64_t>& ownStartNs, size_t row, TimeRange range) {
    const int64_t startNs = ownStartNs.empty() ? range.startNs : ownStartNs[row];
    return TimeRange{startNs, range.endNs}.clippedTo(window).durationNs();
}

// The operation's plan, if its bytes or flops are known.
const OpRow* knownPlanOf(const Trace& trace, OpId op);

}  // namespace gapscope

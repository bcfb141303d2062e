// The window as a machine that can be run again with other costs: calls follow each other on their threads, device
// operations follow each other on their streams and begin when their call has been made, waiting calls end when the
// device has. Without a change it gives the recorded times to the nanosecond; what-if changes costs and runs it again.
#pragma once

#include <cstdint>
#include <stop_token>
#include <vector>

#include "core/analysis/launches.h"

namespace gapscope {

// An outermost API call of a thread.
struct ReplayCall {
    uint32_t row = kNoRow;       // of apiCalls()
    uint32_t thread = 0;         // which of the tape's sequences
    int64_t thinkNs = 0;         // from the end of the thread's previous call (the first: from the window's start)
    int64_t ownNs = 0;           // begin to end, without what it waits for
    uint32_t waitsFor = kNoRow;  // place in ops: it ends no earlier than this operation ...
    int64_t wakeNs = 0;          // ... and as much later
    bool launches = false;       // owns operations and does not wait
};

// A device operation, from where its stream is free. It begins at the latest of: its stream's previous end +
// afterPreviousNs; its call's begin + afterCallNs; and, if it has no call in the window, the moment it was recorded at.
struct ReplayOp {
    uint32_t row = kNoRow;   // of deviceOps()
    uint32_t track = 0;      // which of the tape's sequences
    uint32_t call = kNoRow;  // place in calls
    int64_t durationNs = 0;
    int64_t afterPreviousNs = 0;  // below 0: it begins before the previous one ends (programmatic dependent launch)
    int64_t afterCallNs = 0;
    int64_t notBeforeNs = INT64_MIN;  // moment of the trace; of operations whose call is not in the window
    bool removed = false;             // the change did away with it: it takes no time and holds nobody up
};

struct ReplayTape {
    TimeRange window;
    std::vector<ReplayCall> calls;  // by thread, then begin
    std::vector<ReplayOp> ops;      // by track, then start
    std::vector<size_t> threads;    // calls of thread t: [threads[t], threads[t + 1])
    std::vector<size_t> tracks;     // likewise ops
    int64_t recordedEndNs = 0;      // last end of any call or operation
    // What this device and host cost at least, from the window itself; 0 where it does not show.
    int64_t shortestKernelNs = 0;  // 1st percentile of kernel durations: what starting and ending one takes
    int64_t backToBackNs = 0;      // median pause between operations that were launched in time
    int64_t launchCallNs = 0;      // median duration of a launching call
    size_t backToBackCount = 0;    // pauses it was taken from
};
// Operations that begin in the window, with the calls that begin in it.
ReplayTape makeReplayTape(const Trace& trace, const LaunchJoin& join, TimeRange window, std::stop_token stop = {});

struct Replayed {
    std::vector<int64_t> opEndNs;  // by place in tape.ops, moments of the trace
    int64_t endNs = 0;             // last end of any call or operation
};
// Linear in calls and operations. Costs only fall, times only fall: lowering any number of the tape never makes
// anything end later.
Replayed replay(const ReplayTape& tape);

}  // namespace gapscope

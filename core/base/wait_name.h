// What the timeline calls a wait, by CUPTI's kind of synchronization (CUpti_ActivitySynchronizationType).
#pragma once

#include <cstdint>
#include <string>

namespace gapscope {

enum class WaitKind : uint32_t { Unknown = 0, Event = 1, StreamWaitEvent = 2, Stream = 3, Context = 4 };

// "wait for stream 7"; other kinds than those above are a "wait".
std::string waitName(WaitKind kind, uint32_t streamId);

}  // namespace gapscope

// Whether the process that started a file still runs: a pid alone is not enough, pids come back.
#pragma once

#include <cstdint>

namespace gapscope {

// When the process began, in clock ticks since boot; 0: there is no such process.
int64_t processStartTicks(int64_t processId);

}  // namespace gapscope

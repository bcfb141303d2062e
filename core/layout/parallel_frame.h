// A frame of a large trace, with help: its lanes and plots are worked out by this thread and by whoever else comes.
#pragma once

#include <functional>

#include "core/layout/timeline_frame.h"

namespace gapscope {

// Runs what it is given on another thread, at once or later or never: the frame does not wait for one that has not
// begun.
using RunElsewhere = std::function<void(std::function<void()>)>;

// As makeFrame() without help.
TimelineFrame makeFrame(const TimelineIndex& index, const TimeScale& scale, int height, int scrollY,
                        const RunElsewhere& elsewhere);

}  // namespace gapscope

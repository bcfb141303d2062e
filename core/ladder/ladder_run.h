// One recorded run of the ladder, watched until it ends.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>

#include "core/recording/recording.h"

namespace gapscope {

// Blocks. `recording` is set as soon as the run began, whatever came of it. A stop request cancels the run, which is no
// error. `onProgress` is called on this thread.
Status record(RecordingSettings settings, const std::function<void(const RecordingProgress&)>& onProgress,
              std::stop_token stop, std::unique_ptr<Recording>& recording);

}  // namespace gapscope

#include "core/ladder/ladder_run.h"

#include <chrono>
#include <thread>
#include <utility>

namespace gapscope {

namespace {
constexpr auto kPollPeriod = std::chrono::milliseconds(20);
}  // namespace

Status record(RecordingSettings settings, const std::function<void(const RecordingProgress&)>& onProgress,
              std::stop_token stop, std::unique_ptr<Recording>& recording) {
    ASSIGN_OR_RETURN(recording, Recording::start(std::move(settings)));
    while (!recording->done()) {
        std::this_thread::sleep_for(kPollPeriod);
        if (onProgress) onProgress(recording->progress());
        if (stop.stop_requested()) recording->cancel();
    }
    if (!recording->result()) return tl::unexpected(recording->result().error());
    return recording->sessionStatus();
}

}  // namespace gapscope

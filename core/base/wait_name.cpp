#include "core/base/wait_name.h"

namespace gapscope {

std::string waitName(WaitKind kind, uint32_t streamId) {
    switch (kind) {
        case WaitKind::Unknown:
            break;
        case WaitKind::Event:
            return "wait for event";
        case WaitKind::StreamWaitEvent:
            return "stream " + std::to_string(streamId) + " waits for event";
        case WaitKind::Stream:
            return "wait for stream " + std::to_string(streamId);
        case WaitKind::Context:
            return "wait for device";
    }
    return "wait";
}

}  // namespace gapscope

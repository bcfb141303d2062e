// A trace of one thread, process and stream, written down row by row.
#pragma once

#include "core/trace/trace_builder.h"

namespace gapscope {

inline constexpr uint64_t kThread = makeGlobalTid(1, 1);

struct Builder : TraceBuilder {
    TrackId track = internTrack({.globalPid = makeGlobalTid(1, 0), .deviceId = 0, .contextId = 1, .streamId = 7});
    void call(int64_t start, int64_t end, const char* name, uint32_t correlation, uint64_t tid = kThread) {
        add(ApiCallRow{
            .startNs = start, .endNs = end, .name = intern(name), .globalTid = tid, .correlationId = correlation});
    }
    void kernel(int64_t start, int64_t end, uint32_t correlation, int32_t token = -1, const char* name = "k") {
        add(DeviceOpRow{.startNs = start,
                        .endNs = end,
                        .name = intern(name),
                        .track = track,
                        .category = Category::Gemm,
                        .correlationId = correlation,
                        .token = token});
    }
    void range(int64_t start, int64_t end, const char* name) {
        add(RangeRow{.startNs = start, .endNs = end, .name = intern(name), .globalTid = kThread});
    }
};

}  // namespace gapscope

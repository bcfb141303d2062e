// CUPTI switched on as a recording does it, and nothing else: the records are thrown away unread. What it costs is what
// tracing costs at least.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <thread>

#include "core/base/activity.h"
#include "core/base/result.h"

namespace gapscope::bench {

struct BareCuptiSettings {
    TraceLevel level = TraceLevel::Full;
    std::chrono::milliseconds flushPeriod{50};
    bool externalIds = true;   // a push and a pop around each launch
    bool kernelsOnly = false;  // no other kind of record
};

class BareCupti final : public DeviceTracer {
public:
    // One in the life of a process, before its first CUDA context.
    static Result<std::unique_ptr<BareCupti>> start(const BareCuptiSettings& settings);
    ~BareCupti();

    void enterLaunch(const LaunchContext&, std::span<const LaunchContext>) override;
    void leaveLaunch() override;

    struct Counts {
        int64_t recordBytes = 0;
        int64_t dropped = 0;
    };
    Counts stop();

private:
    BareCupti() = default;
    void flush(uint32_t flags);

    bool m_pushesIds = false;
    uint64_t m_lastId = 0;
    Counts m_counts;
    std::jthread m_flusher;
};

}  // namespace gapscope::bench

// The third source of a recording: how the GPU itself is doing, twenty times a second. Memory used, clock, power,
// temperature and what holds the clock down, as counters of the trace. Only reads; nothing on the card is changed.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/capture/nvml_library.h"
#include "core/trace/trace_builder.h"

namespace gapscope {

struct NvmlSettings {
    std::string pciBusId;   // "0000:3b:00.0": the numbers of devices differ between CUDA and NVML
    uint32_t deviceId = 0;  // the trace's
    std::chrono::milliseconds period{50};
};

class NvmlSampler {
public:
    // Samples from now on in a thread of its own, which also starts NVML: that may take a while and holds nobody up.
    NvmlSampler(NvmlLibrary library, NvmlSettings settings);
    ~NvmlSampler();
    void stop();

    // Moves what was sampled since the last call into the trace, times as ns from the origin. What cannot be had is
    // counted there once; a run goes on without. Used by the thread of the builder, also after stop().
    void take(TraceBuilder& builder, TraceOrigin origin);

private:
    struct Sample {
        int64_t steadyNs = 0;
        size_t quantity = 0;  // which of the table in nvml_sampler.cpp
        double value = 0;
    };
    struct Problem {
        const char* name;  // of the diagnostic
        std::string text;
    };

    void run();
    void sampleAll(void* device, const char* refusal);
    void report(const char* name, std::string text);

    const NvmlLibrary m_library;
    const NvmlSettings m_settings;
    std::vector<bool> m_asked;  // by quantity; the sampling thread's

    std::mutex m_mutex;  // guards the block below
    std::vector<Sample> m_samples;
    std::vector<Problem> m_problems;
    bool m_stopping = false;
    std::condition_variable m_wake;
    std::thread m_thread;  // last: it uses everything above
};

}  // namespace gapscope

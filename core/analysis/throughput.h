// Achieved bandwidth and arithmetic throughput beside the device's measured peaks.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <stop_token>

#include "core/trace/trace.h"

namespace gapscope {

struct Throughput {
    double bytes = 0;  // of operations whose plan is known; in proportion for clipped ones
    double flops = 0;
    int64_t ns = 0;  // while the same operations ran, an overlap counted once (own_time.h)
    double bytesPerSecond() const { return ns > 0 ? bytes * 1e9 / static_cast<double>(ns) : 0; }
    double flopsPerSecond() const { return ns > 0 ? flops * 1e9 / static_cast<double>(ns) : 0; }
};

struct ThroughputTable {
    Throughput all;
    std::array<Throughput, kCategoryCount> categories;
    double peakBytesPerSecond = 0;  // of the device with most time; 0: unknown
    double peakFlopsPerSecond = 0;
};
ThroughputTable throughput(const Trace& trace, TimeRange window, std::stop_token stop = {});

// Peaks of the device with most time, by the time of each track.
void findPeaks(const Trace& trace, std::span<const int64_t> nsOfTrack, ThroughputTable& table);

}  // namespace gapscope

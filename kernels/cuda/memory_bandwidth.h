// The device-memory read rate of a GPU: the floor under every decode step, which must read all weights once.
// Plain C++: no CUDA header is needed to call this.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace gapscope::cuda {

struct DeviceDescription {
    int id = 0;
    std::string name;
    int64_t totalMemoryBytes = 0;
    int64_t l2CacheBytes = 0;
    int computeMajor = 0;
    int computeMinor = 0;
    int multiprocessors = 0;
    std::string pciBusId;  // "0000:3b:00.0": the same for NVML and the system, whatever order CUDA counts in
};

struct DeviceList {
    std::vector<DeviceDescription> devices;
    std::string error;  // why there are none, in the driver's words; empty when there are some
};

// Never fails for want of a driver: the list is then empty and says why.
DeviceList listDevices();

struct BandwidthMeasurement {
    double bytesPerSecond = 0;  // median of `runs`
    int64_t bytes = 0;          // read per run
    int runs = 0;
    std::string error;  // empty on success
};

// Reads a buffer of at least 16 times the L2 cache (at most a quarter of free memory) `runs` times with 16-byte loads,
// timed by events on the device. Takes some milliseconds; frees what it allocates.
BandwidthMeasurement measureReadBandwidth(int deviceId, int runs = 15);

}  // namespace gapscope::cuda

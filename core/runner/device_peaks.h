// What a device moves and computes a second at most: the best that was ever measured of it, kept in the cache folder, a
// line a device in device-peaks.tsv, of key, bytes a second and flops a second. One measurement beside other programs
// says too little, and would make operations reach more than the peak; remove the file to forget it.
#pragma once

#include <filesystem>
#include <string>

#include "core/base/result.h"

namespace gapscope {

struct DevicePeakRates {
    double bytesPerSecond = 0;  // 0: could not be measured
    double flopsPerSecond = 0;
    bool operator==(const DevicePeakRates&) const = default;
};

std::filesystem::path devicePeaksFile();  // empty: there is no cache folder

// The better of each rate now measured and of what the file has under `key` (tabs and line ends in it count as blanks),
// which the file then has. One that cannot be read or written costs that memory, no more.
DevicePeakRates devicePeaks(const std::filesystem::path& file, std::string key, const DevicePeakRates& measured);

// The CPU with so many threads, by its strongest instruction set. Takes under two tenths of a second.
DevicePeakRates cpuPeaks(int threads);

// The GPU of this machine that runs call `deviceName` ("NVIDIA H100 80GB HBM3, 85.0 GB, sm_90"). Takes about a second.
// An error, in a sentence, where there is no such GPU.
Result<DevicePeakRates> gpuPeaks(const std::string& deviceName);

// Of what a run was recorded on, now and here: `device` is its id ("cpu", "cuda:0"), `deviceName` its name. An error
// where this machine has no such device.
Result<DevicePeakRates> peaksOf(const std::string& device, const std::string& deviceName, int threads);

}  // namespace gapscope

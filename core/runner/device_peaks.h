// What a device moves and computes a second at most: the best that was ever measured of it, kept in the cache folder, a
// line a device in device-peaks.tsv, of key, bytes a second and flops a second. One measurement beside other programs
// says too little, and would make operations reach more than the peak; remove the file to forget it.
#pragma once

#include <filesystem>
#include <string>

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

}  // namespace gapscope

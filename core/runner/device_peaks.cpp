#include "core/runner/device_peaks.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <map>
#include <optional>
#include <system_error>

#include "core/runner/devices.h"
#include "core/runner/model_catalog.h"
#include "kernels/cpu/arithmetic_rate.h"
#include "kernels/cpu/read_bandwidth.h"

namespace gapscope {

namespace {

constexpr size_t kMostLines = 256;  // a cache, not a history

std::optional<double> rateOf(std::string_view text) {
    double rate = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), rate);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return std::isfinite(rate) && rate > 0 && rate < 1e20 ? std::optional(rate) : std::nullopt;
}

using PeaksByKey = std::map<std::string, DevicePeakRates>;

PeaksByKey readPeaks(const std::filesystem::path& file) {
    PeaksByKey peaks;
    std::ifstream stream(file);
    std::string line;
    while (peaks.size() < kMostLines && std::getline(stream, line)) {
        const size_t first = line.find('\t');
        const size_t second = first == std::string::npos ? first : line.find('\t', first + 1);
        if (second == std::string::npos) continue;
        const auto bytes = rateOf(std::string_view(line).substr(first + 1, second - first - 1));
        const auto flops = rateOf(std::string_view(line).substr(second + 1));
        if (bytes && flops) peaks[line.substr(0, first)] = {*bytes, *flops};
    }
    return peaks;
}

// Written beside and renamed, so that two programs at once leave one whole file.
void writePeaks(const std::filesystem::path& file, const PeaksByKey& peaks) {
    std::error_code error;
    std::filesystem::create_directories(file.parent_path(), error);
    const std::filesystem::path part = file.string() + "." + std::to_string(getpid());
    std::ofstream stream(part);
    stream.precision(17);
    for (const auto& [key, rates] : peaks)
        stream << key << '\t' << rates.bytesPerSecond << '\t' << rates.flopsPerSecond << '\n';
    stream.close();
    if (stream) std::filesystem::rename(part, file, error);
    if (!stream || error) std::filesystem::remove(part, error);
}

}  // namespace

std::filesystem::path devicePeaksFile() {
    const std::filesystem::path models = cacheModelFolder();
    return models.empty() ? models : models.parent_path() / "device-peaks.tsv";
}

DevicePeakRates devicePeaks(const std::filesystem::path& file, std::string key, const DevicePeakRates& measured) {
    if (file.empty()) return measured;
    std::ranges::replace_if(
        key, [](char c) { return c == '\t' || c == '\n' || c == '\r'; }, ' ');
    PeaksByKey known = readPeaks(file);
    DevicePeakRates& best = known[key];
    const DevicePeakRates before = best;
    best = {std::max(best.bytesPerSecond, measured.bytesPerSecond),
            std::max(best.flopsPerSecond, measured.flopsPerSecond)};
    if (best != before && best.bytesPerSecond > 0 && best.flopsPerSecond > 0) writePeaks(file, known);
    return best;
}

Result<DevicePeakRates> peaksOf(const std::string& device, const std::string& deviceName, int threads) {
    if (device.starts_with("cuda")) return gpuPeaks(deviceName);
    if (!deviceName.starts_with(cpuName() + ","))
        return fail("This was recorded on " + deviceName + "; this machine has " + cpuName() +
                    ", whose peaks say nothing of it.");
    return cpuPeaks(threads);
}

DevicePeakRates cpuPeaks(int threads) {
    const Isa isa = bestIsa();
    const std::string key =
        "cpu, " + cpuName() + ", " + std::string(isaName(isa)) + ", " + std::to_string(threads) + " threads";
    return devicePeaks(devicePeaksFile(), key,
                       {cpu::measureReadBandwidth(threads), cpu::measureArithmeticRate(isa, threads)});
}

}  // namespace gapscope

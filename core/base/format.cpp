#include "core/base/format.h"

#include <array>
#include <cmath>
#include <cstdio>

namespace gapscope {

namespace {

// Three significant digits; `value` is below 1000 after scaling.
std::string threeDigits(double value) {
    const double size = std::fabs(value);
    const int decimals = size < 9.995 ? 2 : size < 99.95 ? 1 : 0;
    std::array<char, 32> text;
    std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
    return text.data();
}

std::string scaled(double value, const char* unit) {
    static constexpr std::array kPrefixes = {"", "k", "M", "G", "T", "P"};
    size_t prefix = 0;
    while (std::fabs(value) >= 999.5 && prefix + 1 < kPrefixes.size()) {
        value /= 1000;
        ++prefix;
    }
    if (prefix == 0 && value == std::floor(value)) return std::to_string(static_cast<int64_t>(value)) + " " + unit;
    return threeDigits(value) + " " + kPrefixes[prefix] + unit;
}

}  // namespace

std::string formatDuration(int64_t ns) {
    const double size = std::fabs(static_cast<double>(ns));
    if (size < 999.5) return std::to_string(ns) + " ns";
    if (size < 999.5e3) return threeDigits(static_cast<double>(ns) / 1e3) + " µs";
    if (size < 999.5e6) return threeDigits(static_cast<double>(ns) / 1e6) + " ms";
    if (size < 999.5e9) return threeDigits(static_cast<double>(ns) / 1e9) + " s";
    return formatCount(ns / 1'000'000'000) + " s";
}

// Three digits would give neighbours in a table the same moment.
std::string formatMoment(int64_t ns) {
    const uint64_t size = ns < 0 ? 0 - static_cast<uint64_t>(ns) : static_cast<uint64_t>(ns);
    const uint64_t micros = size / 1000 + (size % 1000 >= 500 ? 1 : 0);
    std::array<char, 48> text;
    std::snprintf(text.data(), text.size(), "%s%llu.%06llu s", ns < 0 ? "-" : "",
                  static_cast<unsigned long long>(micros / 1'000'000),
                  static_cast<unsigned long long>(micros % 1'000'000));
    return text.data();
}

std::string formatBytes(double bytes) {
    return scaled(bytes, "B");
}

std::string formatRate(double perSecond, const char* unit) {
    return scaled(perSecond, unit);
}

std::string formatCount(int64_t count) {
    const uint64_t size = count < 0 ? 0 - static_cast<uint64_t>(count) : static_cast<uint64_t>(count);
    const std::string digits = std::to_string(size);
    std::string grouped(count < 0 ? "-" : "");
    for (size_t i = 0; i < digits.size(); ++i) {
        if (i > 0 && (digits.size() - i) % 3 == 0) grouped.push_back(',');
        grouped.push_back(digits[i]);
    }
    return grouped;
}

std::string formatPercent(double share) {
    return threeDigits(share * 100) + " %";
}

}  // namespace gapscope

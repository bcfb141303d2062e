#include "core/base/clock_event_reasons.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace gapscope {

namespace {

struct Reason {
    uint64_t bit;
    ClockLimit limit;
    const char* words;
};

// nvmlClocksEventReason*, by the documented values.
constexpr std::array<Reason, 9> kReasons = {{
    {0x001, ClockLimit::Idle, "idle"},
    {0x002, ClockLimit::Setting, "application clocks setting"},
    {0x004, ClockLimit::Power, "power cap"},
    {0x008, ClockLimit::Hardware, "hardware slowdown"},
    {0x010, ClockLimit::Setting, "sync boost"},
    {0x020, ClockLimit::Thermal, "thermal (software)"},
    {0x040, ClockLimit::Thermal, "thermal (hardware)"},
    {0x080, ClockLimit::Power, "power brake"},
    {0x100, ClockLimit::Setting, "display clock setting"},
}};

constexpr uint64_t knownReasons() {
    uint64_t all = 0;
    for (const Reason& reason : kReasons)
        all |= reason.bit;
    return all;
}

}  // namespace

uint64_t clockEventReasonsOf(double counterValue) {
    return counterValue > 0 && counterValue < 0x1p53 ? static_cast<uint64_t>(counterValue) : 0;
}

ClockLimit gravestClockLimit(uint64_t reasons) {
    ClockLimit gravest = (reasons & ~knownReasons()) != 0 ? ClockLimit::Other : ClockLimit::None;
    for (const Reason& reason : kReasons)
        if ((reasons & reason.bit) != 0) gravest = std::max(gravest, reason.limit);
    return gravest;
}

std::string clockEventReasonWords(uint64_t reasons) {
    std::string words;
    const auto add = [&](const std::string& more) { words += (words.empty() ? "" : ", ") + more; };
    for (const Reason& reason : kReasons)
        if ((reasons & reason.bit) != 0) add(reason.words);
    if (const uint64_t unknown = reasons & ~knownReasons(); unknown != 0) {
        std::array<char, 32> text;
        std::snprintf(text.data(), text.size(), "reason 0x%llx", static_cast<unsigned long long>(unknown));
        add(text.data());
    }
    return words;
}

}  // namespace gapscope

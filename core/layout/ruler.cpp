#include "core/layout/ruler.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <sstream>

namespace gapscope {

int64_t roundStep(double minNs) {
    int64_t power = 1;
    while (static_cast<double>(power) * 10 <= minNs && power < 1'000'000'000'000'000'000)
        power *= 10;
    for (const int64_t factor : {1, 2, 5})
        if (static_cast<double>(power * factor) >= minNs) return power * factor;
    return power > 900'000'000'000'000'000 ? power : power * 10;
}

std::string formatTick(int64_t timeNs, int64_t stepNs, int64_t largestNs) {
    struct Unit {
        int64_t ns;
        const char* name;
    };
    static constexpr Unit kUnits[] = {{1'000'000'000, "s"}, {1'000'000, "ms"}, {1000, "µs"}, {1, "ns"}};
    const Unit* unit = kUnits;
    while (unit->ns > 1 && unit->ns > std::llabs(largestNs))
        ++unit;
    int decimals = 0;
    for (int64_t resolved = unit->ns; resolved > stepNs && resolved > 1; resolved /= 10)
        ++decimals;

    const int64_t size = std::llabs(timeNs);
    std::ostringstream text;
    if (timeNs < 0) text << '-';
    text << size / unit->ns;
    if (decimals > 0) {
        const std::string fraction = std::to_string(unit->ns + size % unit->ns);  // a 1, then the leading zeros
        text << '.' << fraction.substr(1, static_cast<size_t>(decimals));
    }
    text << ' ' << unit->name;
    return text.str();
}

std::vector<RulerTick> rulerTicks(const TimeScale& scale, double minLabelPx) {
    std::vector<RulerTick> ticks;
    if (scale.range.empty() || scale.width < 1) return ticks;
    const int64_t step = roundStep(scale.nsPerPx() * minLabelPx);
    // Five or four parts a step, as its first digit allows; none below a nanosecond.
    int64_t first = step;
    while (first >= 10)
        first /= 10;
    const int64_t parts = first == 2 ? 4 : 5;
    const int64_t minor = step % parts == 0 ? step / parts : step;
    const int64_t largest = std::max(std::llabs(scale.range.startNs), std::llabs(scale.range.endNs));

    int64_t at = scale.range.startNs / minor * minor;
    if (at < scale.range.startNs) at += minor;
    for (; at <= scale.range.endNs; at += minor) {
        RulerTick tick{.timeNs = at, .x = scale.xOf(at), .major = at % step == 0, .label = {}};
        if (tick.major) tick.label = formatTick(at, step, largest);
        ticks.push_back(std::move(tick));
    }
    return ticks;
}

}  // namespace gapscope

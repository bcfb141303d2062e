#include "core/import/perfetto_clocks.h"

#include <algorithm>

#include "core/base/perfetto_format.h"
#include "core/import/proto_reader.h"
#include "core/import/row_checks.h"

namespace gapscope {

namespace {

namespace pf = perfetto;

int64_t scaled(uint64_t time, int64_t multiplier) {
    const auto product = static_cast<__int128>(time) * multiplier;
    return product < kFarthestNs ? static_cast<int64_t>(product) : kFarthestNs;
}

}  // namespace

ClockKey clockKey(uint32_t clock, uint32_t sequence) {
    const bool ofSequence = clock >= pf::clocks::kFirstOfSequence && clock < pf::clocks::kFirstGlobal;
    return ofSequence ? uint64_t{sequence} << 32 | clock : clock;
}

std::vector<PerfettoClocks::Clock> PerfettoClocks::addSnapshot(std::string_view message, uint32_t sequence) {
    std::vector<Clock> clocks;
    std::vector<std::pair<ClockKey, int64_t>> snapshot;
    ProtoReader reader(message);
    while (reader.next()) {
        if (reader.field() == pf::clocks::kPrimary && m_traceClock == 0) m_traceClock = reader.number();
        if (reader.field() != pf::clocks::kClocks || reader.isNumber()) continue;
        if (++m_clockCount > m_mostOfSnapshots) {
            ++m_leftOut;
            continue;
        }
        Clock clock;
        uint64_t time = 0;
        ProtoReader part(reader.bytes());
        while (part.next()) {
            if (part.field() == pf::clocks::kId) clock.id = static_cast<uint32_t>(part.number());
            if (part.field() == pf::clocks::kTime) time = part.number();
            if (part.field() == pf::clocks::kIncremental) clock.isIncremental = part.number() != 0;
            if (part.field() == pf::clocks::kMultiplier)
                clock.multiplierNs = static_cast<int64_t>(std::clamp<uint64_t>(part.number(), 1, 1'000'000'000));
        }
        clock.timeNs = scaled(time, clock.multiplierNs);
        if (clock.timeNs >= kFarthestNs) {
            ++m_leftOut;
            continue;
        }
        snapshot.emplace_back(clockKey(clock.id, sequence), clock.timeNs);
        clocks.push_back(clock);
    }
    if (snapshot.size() > 1) m_snapshots.push_back(std::move(snapshot));
    return clocks;
}

void PerfettoClocks::finish() {
    if (m_traceClock == 0) m_traceClock = pf::clocks::kBoottime;
    // First the clocks that stand beside the trace's own in a snapshot, then those beside one of these, and so on.
    constexpr int kMostSteps = 4;
    for (int step = 0; step < kMostSteps; ++step) {
        std::map<ClockKey, Points> found;
        for (const auto& snapshot : m_snapshots) {
            std::optional<int64_t> traceNs;
            for (const auto& [clock, timeNs] : snapshot)
                if (!traceNs) traceNs = traceTime(clock, timeNs);
            if (!traceNs) continue;
            for (const auto& [clock, timeNs] : snapshot)
                if (clock != m_traceClock && !m_points.contains(clock)) found[clock].emplace_back(timeNs, *traceNs);
        }
        if (found.empty()) break;
        for (auto& [clock, points] : found) {
            std::ranges::sort(points);
            m_points[clock] = std::move(points);
        }
    }
}

std::optional<int64_t> PerfettoClocks::traceTime(ClockKey clock, int64_t timeNs) const {
    if (clock == m_traceClock) return timeNs;
    const auto it = m_points.find(clock);
    if (it == m_points.end()) return std::nullopt;
    const Points& points = it->second;
    auto point = std::ranges::upper_bound(points, timeNs, {}, &Points::value_type::first);
    if (point != points.begin()) --point;
    return point->second + (timeNs - point->first);
}

std::optional<int64_t> PerfettoClocks::machineTime(uint32_t clock, int64_t traceNs) const {
    if (clock == m_traceClock) return traceNs;
    const auto it = m_points.find(clock);
    if (it == m_points.end()) return std::nullopt;
    const auto& [clockNs, atNs] = it->second.front();
    return clockNs + (traceNs - atNs);
}

}  // namespace gapscope

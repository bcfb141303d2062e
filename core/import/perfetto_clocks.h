// Clocks of a Perfetto trace: every packet names the clock of its time, snapshots tell how clocks stood to each other.
// Internal to the import room.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace gapscope {

// A clock of the whole trace by its id, or one of a sequence of packets by both.
using ClockKey = uint64_t;
ClockKey clockKey(uint32_t clock, uint32_t sequence);

class PerfettoClocks {
public:
    explicit PerfettoClocks(size_t mostOfSnapshots) : m_mostOfSnapshots(mostOfSnapshots) {}

    struct Clock {
        uint32_t id = 0;
        int64_t timeNs = 0;
        bool isIncremental = false;  // later times are differences
        int64_t multiplierNs = 1;
    };
    // Reads a ClockSnapshot; gives its clocks, whose times are in ns already.
    std::vector<Clock> addSnapshot(std::string_view message, uint32_t sequence);

    void finish();  // no more snapshots
    // A time of a clock as one of the trace's own clock; none if no snapshot joins the two.
    std::optional<int64_t> traceTime(ClockKey clock, int64_t timeNs) const;
    // What a clock of the machine shows at a time of the trace's.
    std::optional<int64_t> machineTime(uint32_t clock, int64_t traceNs) const;
    ClockKey traceClock() const { return m_traceClock; }
    int64_t leftOutCount() const { return m_leftOut; }

private:
    using Points = std::vector<std::pair<int64_t, int64_t>>;  // time of a clock, of the trace; by the first

    std::vector<std::vector<std::pair<ClockKey, int64_t>>> m_snapshots;
    size_t m_mostOfSnapshots;
    size_t m_clockCount = 0;
    std::map<ClockKey, Points> m_points;
    ClockKey m_traceClock = 0;
    int64_t m_leftOut = 0;
};

}  // namespace gapscope

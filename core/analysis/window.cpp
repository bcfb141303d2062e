#include "core/analysis/window.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "core/analysis/phase_windows.h"

namespace gapscope {

namespace {

constexpr std::string_view kPhasePrefix = "phase:", kTokenPrefix = "token:";
constexpr uint64_t kLongestWindowNs = uint64_t{1} << 52;  // 52 days; a sum of idle time over 1024 devices still fits

std::optional<int64_t> wholeNumber(std::string_view text) {
    int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
    return number;
}

// Rows of ranges() with this name, by start.
std::vector<size_t> rangesNamed(const Trace& trace, std::string_view name) {
    const Ranges& ranges = trace.ranges();
    // Names are interned: one comparison of text a string, one of ids a row.
    std::vector<uint32_t> ids;
    for (uint32_t id = 0; id < trace.stringCount(); ++id)
        if (trace.string(StringId{id}) == name) ids.push_back(id);
    std::vector<size_t> rows;
    if (ids.empty()) return rows;
    for (size_t row = 0; row < ranges.startNs.size(); ++row)
        if (std::ranges::find(ids, ranges.name[row].value) != ids.end()) rows.push_back(row);
    std::ranges::stable_sort(rows, {}, [&](size_t row) { return ranges.startNs[row]; });
    return rows;
}

std::optional<TimeRange> longestNamed(const Trace& trace, std::string_view name) {
    std::optional<TimeRange> longest;
    for (const size_t row : rangesNamed(trace, name)) {
        const TimeRange range{trace.ranges().startNs[row], trace.ranges().endNs[row]};
        if (!longest || range.durationNs() > longest->durationNs()) longest = range;
    }
    return longest;
}

// "phase:decode", "token:3", "token:3-10": device time of the repeat that the default window shows most of, of another
// program's trace of the request that takes longest.
Result<TimeRange> tokensOrPhase(const Trace& trace, std::string_view text) {
    const TimeRange whole = defaultWindow(trace);
    // Work of the prompt may begin a little before the window's range does.
    const TokenTable table = tokenTable(trace, {trace.extent().startNs, trace.extent().endNs + 1});
    if (table.rows.empty())
        return fail("The trace tells no tokens and phases, and no steps were found in its kernels.",
                    ErrorKind::WrongUse);
    const int16_t repeat = shownRepeat(trace, table, whole);
    const std::string_view name = text.substr(text.find(':') + 1);
    if (text.starts_with(kPhasePrefix)) {
        for (const PhaseWindow& phase : phaseWindows(table, repeat))
            if (phase.name == name) return phase.range;
        return fail("The trace has no phase '" + std::string(name) + "'; phases are prefill and decode.",
                    ErrorKind::WrongUse);
    }
    const size_t dash = name.find('-', 1);
    const auto first = wholeNumber(name.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : wholeNumber(name.substr(dash + 1));
    if (!first || !last || *first < 0 || *last > std::numeric_limits<int32_t>::max() || *first > *last) {
        return fail("The window " + std::string(text) + " is none: say token:K or token:FIRST-LAST, counted from 0.",
                    ErrorKind::WrongUse);
    }
    const TimeRange range = tokenWindow(table, repeat, static_cast<int32_t>(*first), static_cast<int32_t>(*last));
    if (range.empty()) {
        return fail("The run has no time of its own for " + std::string(text) +
                        " (token 0 may come straight out of the prompt's work); `tokens` lists them.",
                    ErrorKind::WrongUse);
    }
    return range;
}

}  // namespace

TimeRange deviceExtent(const Trace& trace) {
    const DeviceOps& ops = trace.deviceOps();
    if (ops.startNs.empty()) return trace.extent();
    TimeRange extent{std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::min()};
    for (size_t row = 0; row < ops.startNs.size(); ++row) {
        extent.startNs = std::min(extent.startNs, ops.startNs[row]);
        extent.endNs = std::max(extent.endNs, ops.endNs[row]);
    }
    return extent;
}

TimeRange defaultWindow(const Trace& trace) {
    return longestNamed(trace, "model_inference").value_or(deviceExtent(trace));
}

Result<TimeRange> resolveWindow(const Trace& trace, std::string_view text) {
    if (text.empty()) return defaultWindow(trace);
    if (text == "all") return deviceExtent(trace);
    if (const size_t colon = text.find(':'); colon != std::string_view::npos) {
        const auto start = wholeNumber(text.substr(0, colon));
        const auto end = wholeNumber(text.substr(colon + 1));
        if (start && end) {
            if (*start >= *end) {
                return fail("The window " + std::string(text) + " is empty: its end must lie after its start.",
                            ErrorKind::WrongUse);
            }
            // By unsigned arithmetic, which does not overflow.
            if (static_cast<uint64_t>(*end) - static_cast<uint64_t>(*start) > kLongestWindowNs) {
                return fail("The window " + std::string(text) + " is longer than any trace.", ErrorKind::WrongUse);
            }
            return TimeRange{*start, *end};
        }
    }
    if (const size_t hash = text.rfind('#'); hash != std::string_view::npos) {
        if (const auto index = wholeNumber(text.substr(hash + 1)); index && *index >= 0) {
            const std::string_view name = text.substr(0, hash);
            const std::vector<size_t> rows = rangesNamed(trace, name);
            if (static_cast<size_t>(*index) < rows.size()) {
                const size_t row = rows[static_cast<size_t>(*index)];
                return TimeRange{trace.ranges().startNs[row], trace.ranges().endNs[row]};
            }
            if (!rows.empty()) {
                return fail("There are " + std::to_string(rows.size()) + " ranges named '" + std::string(name) +
                                "', counted from 0; there is no #" + std::to_string(*index) + ".",
                            ErrorKind::WrongUse);
            }
        }
    }
    if (const auto range = longestNamed(trace, text)) return *range;
    if (text.starts_with(kPhasePrefix) || text.starts_with(kTokenPrefix)) return tokensOrPhase(trace, text);
    return fail("The trace has no range named '" + std::string(text) +
                    "'; a window is 'all', a range's name, NAME#k, START:END in ns, token:K, "
                    "token:FIRST-LAST or phase:decode.",
                ErrorKind::WrongUse);
}

}  // namespace gapscope

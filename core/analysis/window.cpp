#include "core/analysis/window.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace gapscope {

namespace {

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
    return fail("The trace has no range named '" + std::string(text) +
                    "'; a window is 'all', a range's name, NAME#k or START:END in ns.",
                ErrorKind::WrongUse);
}

}  // namespace gapscope

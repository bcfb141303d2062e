#include "core/analysis/gap_order.h"

#include <algorithm>
#include <map>
#include <ranges>
#include <set>
#include <string>
#include <utility>

#include "core/analysis/gap_cause_titles.h"
#include "core/analysis/list_order.h"
#include "core/base/format.h"

namespace gapscope {

namespace {

using HostKey = std::pair<uint32_t, uint32_t>;

HostKey hostKey(const Gap& gap) {
    return {gap.hostName.value, gap.hostCall.value};
}

// What covers the host part, by the order of its bytes: texts are made once and not once a gap.
std::map<HostKey, int64_t> hostRanks(const Trace& trace, const GapList& gaps, std::span<const uint32_t> rows) {
    std::map<HostKey, std::string> texts;
    for (const uint32_t row : rows) {
        const Gap& gap = gaps[row];
        const auto [text, isNew] = texts.try_emplace(hostKey(gap));
        if (isNew) text->second = hostText(trace, gap);
    }
    std::set<std::string_view> sorted;
    for (const auto& [key, text] : texts)
        sorted.insert(text);
    std::map<HostKey, int64_t> ranks;
    for (const auto& [key, text] : texts)
        ranks[key] = std::distance(sorted.begin(), sorted.find(text));
    return ranks;
}

bool holds(const Trace& trace, const Gap& gap, const GapFilter& filter) {
    const std::string_view text = filter.text;
    if (holdsText(hostText(trace, gap), text)) return true;
    if (holdsText(filter.causeTitles[static_cast<size_t>(mainCause(gap.causes))], text)) return true;
    if (gap.nextOp != kNoRow && holdsText(trace.string(trace.deviceOps().name[gap.nextOp]), text)) return true;
    for (const int64_t ns : {gap.range.durationNs(), gap.causes.hostNs(), gap.causes[GapCause::LaunchCall],
                             gap.causes[GapCause::DeviceLatency]})
        if (holdsText(formatDuration(ns), text)) return true;
    return holdsText(formatMoment(gap.range.startNs), text) || holdsText(std::to_string(gap.deviceId), text);
}

}  // namespace

GapCause mainCause(const GapCauses& causes) {
    return static_cast<GapCause>(std::ranges::max_element(causes.ns) - causes.ns.begin());
}

std::vector<uint32_t> gapsWanted(const Trace& trace, const GapList& gaps, const GapFilter& filter,
                                 std::stop_token stop) {
    std::vector<uint32_t> rows;
    if (!filter.cause && filter.text.empty()) rows.reserve(gaps.size());
    for (uint32_t row = 0; row < gaps.size(); ++row) {
        if (row % kRowsBetweenLooks == 0 && stop.stop_requested()) return {};
        const Gap& gap = gaps[row];
        if (filter.cause && gap.causes[*filter.cause] <= 0) continue;
        if (filter.text.empty() || holds(trace, gap, filter)) rows.push_back(row);
    }
    return rows;
}

std::vector<uint32_t> orderOf(const Trace& trace, const GapList& gaps, std::span<const uint32_t> rows, GapOrder order,
                              bool descending, std::stop_token stop) {
    const auto sorted = [&](auto keyOf) {
        return sortedPlaces(rows.size(), descending, stop, [&](size_t place) { return keyOf(gaps[rows[place]]); });
    };
    switch (order) {
        case GapOrder::Start:
            return sorted([](const Gap& gap) { return gap.range.startNs; });
        case GapOrder::Duration:
            return sorted([](const Gap& gap) { return gap.range.durationNs(); });
        case GapOrder::MainCause: {
            std::array<int64_t, kGapCauseCount> ranks{};
            for (size_t cause = 0; cause < ranks.size(); ++cause)
                ranks[cause] = std::ranges::count_if(
                    kGapCauseTitles, [&](std::string_view title) { return title < kGapCauseTitles[cause]; });
            return sorted([&](const Gap& gap) { return ranks[static_cast<size_t>(mainCause(gap.causes))]; });
        }
        case GapOrder::Host:
            return sorted([](const Gap& gap) { return gap.causes.hostNs(); });
        case GapOrder::LaunchCall:
            return sorted([](const Gap& gap) { return gap.causes[GapCause::LaunchCall]; });
        case GapOrder::Latency:
            return sorted([](const Gap& gap) { return gap.causes[GapCause::DeviceLatency]; });
        case GapOrder::HostText: {
            const std::map<HostKey, int64_t> ranks = hostRanks(trace, gaps, rows);
            return sorted([&](const Gap& gap) { return ranks.at(hostKey(gap)); });
        }
        case GapOrder::NextName:
            // What the window's end cut comes after all names.
            return sorted([&, ranks = nameRanks(trace)](const Gap& gap) {
                if (gap.nextOp == kNoRow) return static_cast<int64_t>(ranks.size());
                const StringId name = trace.deviceOps().name[gap.nextOp];
                return name.valid() && name.value < ranks.size() ? int64_t{ranks[name.value]} : int64_t{-1};
            });
        case GapOrder::Device:
            break;
    }
    return sorted([](const Gap& gap) { return int64_t{gap.deviceId}; });
}

std::optional<uint32_t> gapAt(const WindowGaps& gaps, TimeRange range) {
    const auto indices = std::views::iota(uint32_t{0}, static_cast<uint32_t>(gaps.gaps.size()));
    for (const DeviceBusy& device : gaps.devices) {
        const auto at = std::ranges::lower_bound(
            indices, std::pair(device.deviceId, range.startNs), {},
            [&](uint32_t row) { return std::pair(gaps.gaps[row].deviceId, gaps.gaps[row].range.startNs); });
        if (at != indices.end() && gaps.gaps[*at].range == range) return *at;
    }
    return std::nullopt;
}

}  // namespace gapscope

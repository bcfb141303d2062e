#include "core/analysis/phase_windows.h"

#include <optional>

namespace gapscope {

std::vector<PhaseWindow> phaseWindows(const TokenTable& table, int16_t repeat) {
    std::optional<TimeRange> prefill, decode;
    for (const TokenTime& row : table.rows) {
        if (row.repeat != repeat) continue;
        std::optional<TimeRange>& phase = row.index <= 0 ? prefill : decode;
        if (!phase) phase = row.range;
        phase->endNs = std::max(phase->endNs, row.range.endNs);
    }
    std::vector<PhaseWindow> phases;
    if (prefill && !prefill->empty()) phases.push_back({"prefill", *prefill});
    if (decode && !decode->empty()) phases.push_back({"decode", *decode});
    return phases;
}

TimeRange tokenWindow(const TokenTable& table, int16_t repeat, int32_t first, int32_t last) {
    std::optional<TimeRange> begin, end;
    for (const TokenTime& row : table.rows) {
        if (row.repeat != repeat) continue;
        if (row.index == first) begin = row.range;
        if (row.index == last) end = row.range;
    }
    return begin && end ? TimeRange{begin->startNs, end->endNs} : TimeRange{};
}

}  // namespace gapscope

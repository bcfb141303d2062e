#include "core/analysis/stages.h"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <utility>

#include "core/base/activity.h"

namespace gapscope {

namespace {

uint64_t keyOf(TrackId track, uint32_t correlationId) {
    return uint64_t{track.value} << 32 | correlationId;
}

const OpRow* opOf(const Trace& trace, OpId op) {
    return op.valid() && op.value < trace.ops().size() ? &trace.ops()[op.value] : nullptr;
}

}  // namespace

StageIndex::StageIndex(const Trace& trace) : m_trace(trace) {
    const Stages& stages = trace.stages();
    if (stages.startNs.size() == 0) return;
    std::unordered_map<uint64_t, uint32_t> parents;
    for (size_t row = 0; row < stages.startNs.size(); ++row)
        parents.try_emplace(keyOf(stages.track[row], stages.correlationId[row]), kNoRow);
    const DeviceOps& ops = trace.deviceOps();
    for (size_t row = 0; row < ops.startNs.size(); ++row) {
        if (ops.kind[row] != DeviceOpKind::Kernel) continue;
        const auto it = parents.find(keyOf(ops.track[row], ops.correlationId[row]));
        if (it != parents.end() && it->second == kNoRow) it->second = static_cast<uint32_t>(row);
    }
    for (size_t row = 0; row < stages.startNs.size(); ++row) {
        const uint32_t parent = parents.at(keyOf(stages.track[row], stages.correlationId[row]));
        m_kernels.push_back(parent);
        if (parent == kNoRow) continue;
        const TimeRange range =
            TimeRange{stages.startNs[row], stages.endNs[row]}.clippedTo({ops.startNs[parent], ops.endNs[parent]});
        m_entries.push_back({range, static_cast<uint32_t>(row), parent});
        m_longestNs = std::max(m_longestNs, range.durationNs());
    }
    std::ranges::stable_sort(m_entries, {}, [](const Entry& entry) { return entry.range.startNs; });
}

template <class Use>
void StageIndex::forEachIn(TimeRange window, Use use) const {
    const auto startOf = [](const Entry& entry) { return entry.range.startNs; };
    auto it = std::ranges::lower_bound(m_entries, window.startNs - m_longestNs, {}, startOf);
    for (; it != m_entries.end() && it->range.startNs < window.endNs; ++it)
        if (const int64_t ns = it->range.clippedTo(window).durationNs(); ns > 0) use(*it, ns);
}

StageShares StageIndex::shares(TimeRange window) const {
    const Stages& stages = m_trace.stages();
    StageShares shares;
    forEachIn(window, [&](const Entry& entry, int64_t ns) {
        const Category category = stages.category[entry.stage];
        const bool isInput = m_trace.string(stages.name[entry.stage]).ends_with(kStageInputSuffix);
        (isInput                           ? shares.inputNs
         : category == Category::Gemm      ? shares.productNs
         : category == Category::Attention ? shares.attentionNs
                                           : shares.otherNs) += ns;
        shares.totalNs += ns;
    });
    return shares;
}

void StageIndex::split(CategoryTimes& times, TimeRange window) const {
    forEachIn(window, [&](const Entry& entry, int64_t ns) {
        int64_t& from = times.categories[static_cast<size_t>(m_trace.deviceOps().category[entry.deviceOp])].ns;
        ns = std::min(ns, from);  // stages of a strange file may overlap
        from -= ns;
        times.categories[static_cast<size_t>(m_trace.stages().category[entry.stage])].ns += ns;
    });
}

void StageIndex::split(LayerTable& table, TimeRange window) const {
    std::map<std::pair<int32_t, StringId>, size_t> places;
    for (size_t place = 0; place < table.ops.size(); ++place)
        places.emplace(std::pair(table.ops[place].layer, table.ops[place].name), place);
    forEachIn(window, [&](const Entry& entry, int64_t ns) {
        const OpRow* parent = opOf(m_trace, m_trace.deviceOps().op[entry.deviceOp]);
        const OpRow* stage = opOf(m_trace, m_trace.stages().op[entry.stage]);
        if (!parent || !stage) return;
        const auto from = places.find({parent->layer, parent->name});
        if (from == places.end()) return;
        const auto [to, isNew] = places.try_emplace({stage->layer, stage->name}, table.ops.size());
        if (isNew)
            table.ops.push_back(
                {.layer = stage->layer, .name = stage->name, .category = m_trace.stages().category[entry.stage]});
        ns = std::min(ns, table.ops[from->second].totalNs);
        table.ops[from->second].totalNs -= ns;
        table.ops[to->second].totalNs += ns;
        if (window.contains(entry.range.startNs)) ++table.ops[to->second].stageCount;
    });
}

std::vector<StageTimes> stageTimes(const Trace& trace, TimeRange window, std::stop_token stop) {
    const Stages& stages = trace.stages();
    std::map<std::pair<StringId, Category>, std::vector<int64_t>> durations;
    for (size_t row = 0; row < stages.startNs.size(); ++row) {
        if ((row & 0xFFFF) == 0 && stop.stop_requested()) return {};
        if (!window.contains(stages.startNs[row])) continue;
        durations[{stages.name[row], stages.category[row]}].push_back(
            TimeRange{stages.startNs[row], stages.endNs[row]}.clippedTo(window).durationNs());
    }
    std::vector<StageTimes> rows;
    int64_t totalNs = 0;
    for (auto& [of, all] : durations) {
        rows.push_back({.name = of.first, .category = of.second, .times = distributionOf(std::move(all))});
        totalNs += rows.back().times.totalNs;
    }
    for (StageTimes& row : rows)
        if (totalNs > 0) row.share = static_cast<double>(row.times.totalNs) / static_cast<double>(totalNs);
    std::ranges::stable_sort(rows, std::ranges::greater{}, [](const StageTimes& row) { return row.times.totalNs; });
    return rows;
}

}  // namespace gapscope

#include "core/analysis/layer_table.h"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <utility>

#include "core/analysis/own_time.h"
#include "core/analysis/stages.h"

namespace gapscope {

namespace {
constexpr int32_t kOutsideSteps = -2;
}

void addLayers(LayerTable& table, int64_t totalNs) {
    std::ranges::stable_sort(table.ops, {}, &LayerOpTime::layer);
    for (LayerOpTime& role : table.ops) {
        if (totalNs > 0) role.share = static_cast<double>(role.totalNs) / static_cast<double>(totalNs);
        if (table.layers.empty() || table.layers.back().layer != role.layer)
            table.layers.push_back({.layer = role.layer, .category = role.category});
        LayerOpTime& layer = table.layers.back();
        layer.count += role.count;
        layer.stageCount += role.stageCount;
        layer.totalNs += role.totalNs;
        layer.ownNs += role.ownNs;
        layer.bytes += role.bytes;
        layer.flops += role.flops;
        layer.share += role.share;
    }
}

LayerTable layerTable(const Trace& trace, const FoundSteps& steps, TimeRange window, std::stop_token stop) {
    const DeviceOps& ops = trace.deviceOps();
    LayerTable table{.sentence = steps.sentence()};
    std::vector<int32_t> layerOf(steps.ops.size(), kOutsideSteps);
    for (const FoundStep& step : steps.steps)
        if (!step.prompt) std::fill(layerOf.begin() + step.begin, layerOf.begin() + step.end, -1);
    for (const FoundLayer& layer : steps.layers)
        for (uint32_t place = layer.begin; place < layer.end; ++place)
            if (layerOf[place] != kOutsideSteps) layerOf[place] = layer.layer;
    std::unordered_map<uint64_t, size_t> rowOfRole;  // by layer and name, place in table.ops
    std::vector<bool> inSteps(ops.startNs.size());
    int64_t totalNs = 0;
    for (size_t place = 0; place < steps.ops.size(); ++place) {
        if ((place & 0xFFFF) == 0 && stop.stop_requested()) return table;
        const uint32_t row = steps.ops[place];
        const TimeRange range{ops.startNs[row], ops.endNs[row]};
        const int64_t ns = range.clippedTo(window).durationNs();
        const bool begins = window.contains(range.startNs);
        if (layerOf[place] == kOutsideSteps) continue;
        inSteps[row] = true;
        if (ns == 0 && !begins) continue;
        totalNs += ns;
        const uint64_t key = uint64_t{static_cast<uint32_t>(layerOf[place])} << 32 | ops.name[row].value;
        const auto [it, isNew] = rowOfRole.try_emplace(key, table.ops.size());
        if (isNew) table.ops.push_back({.layer = layerOf[place], .name = ops.name[row], .category = ops.category[row]});
        table.ops[it->second].count += begins ? 1 : 0;
        table.ops[it->second].totalNs += ns;
    }
    for (size_t row = 0; row < ops.startNs.size(); ++row)
        if (!inSteps[row])
            table.unknownNs += TimeRange{ops.startNs[row], ops.endNs[row]}.clippedTo(window).durationNs();
    addLayers(table, totalNs + table.unknownNs);
    return table;
}

LayerTable layerTable(const Trace& trace, TimeRange window, std::stop_token stop) {
    const DeviceOps& ops = trace.deviceOps();
    LayerTable table;
    std::map<std::pair<int32_t, StringId>, size_t> rowOfRole;  // place in table.ops
    std::vector<size_t> rowOfOp(trace.ops().size(), SIZE_MAX);
    const ColumnView<int64_t> ownStarts = ownStartNs(trace, stop);
    int64_t totalNs = 0;
    for (size_t row = 0; row < ops.startNs.size(); ++row) {
        if ((row & 0xFFFF) == 0 && stop.stop_requested()) return table;
        const TimeRange range{ops.startNs[row], ops.endNs[row]};
        const int64_t ns = range.clippedTo(window).durationNs();
        const bool begins = window.contains(range.startNs);
        if (ns == 0 && !begins) continue;
        totalNs += ns;
        if (!ops.op[row].valid() || ops.op[row].value >= trace.ops().size()) {
            table.unknownNs += ns;
            continue;
        }
        const OpRow& op = trace.ops()[ops.op[row].value];
        size_t& place = rowOfOp[ops.op[row].value];
        if (place == SIZE_MAX) {
            const auto [it, isNew] = rowOfRole.try_emplace({op.layer, op.name}, table.ops.size());
            if (isNew) table.ops.push_back({.layer = op.layer, .name = op.name, .category = ops.category[row]});
            place = it->second;
        }
        LayerOpTime& role = table.ops[place];
        if (begins) ++role.count;
        role.totalNs += ns;
        role.ownNs += ownNsWithin(window, ownStarts, row, range);
        const double share = range.empty() ? 1 : static_cast<double>(ns) / static_cast<double>(range.durationNs());
        role.bytes += static_cast<double>(op.bytes) * share;
        role.flops += static_cast<double>(op.flops) * share;
    }
    StageIndex(trace).split(table, window);
    addLayers(table, totalNs);
    return table;
}

}  // namespace gapscope

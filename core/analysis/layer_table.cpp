#include "core/analysis/layer_table.h"

#include <algorithm>
#include <map>
#include <utility>

namespace gapscope {

void addLayers(LayerTable& table, int64_t totalNs) {
    std::ranges::stable_sort(table.ops, {}, &LayerOpTime::layer);
    for (LayerOpTime& role : table.ops) {
        if (totalNs > 0) role.share = static_cast<double>(role.totalNs) / static_cast<double>(totalNs);
        if (table.layers.empty() || table.layers.back().layer != role.layer)
            table.layers.push_back({.layer = role.layer, .category = role.category});
        LayerOpTime& layer = table.layers.back();
        layer.count += role.count;
        layer.totalNs += role.totalNs;
        layer.bytes += role.bytes;
        layer.flops += role.flops;
        layer.share += role.share;
    }
}

LayerTable layerTable(const Trace& trace, TimeRange window, std::stop_token stop) {
    const DeviceOps& ops = trace.deviceOps();
    LayerTable table;
    std::map<std::pair<int32_t, StringId>, size_t> rowOfRole;  // place in table.ops
    std::vector<size_t> rowOfOp(trace.ops().size(), SIZE_MAX);
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
        const double share = range.empty() ? 1 : static_cast<double>(ns) / static_cast<double>(range.durationNs());
        role.bytes += static_cast<double>(op.bytes) * share;
        role.flops += static_cast<double>(op.flops) * share;
    }
    addLayers(table, totalNs);
    return table;
}

}  // namespace gapscope

// The kernel and layer tables of a prepared window.
#include <algorithm>
#include <map>
#include <utility>

#include "core/analysis/prepared_window.h"

namespace gapscope {

KernelSummary kernelSummary(const PreparedWindow& of) {
    const IntervalIndex& index = of.prepared.ops();
    struct Group {
        std::vector<int64_t> durations;
        uint32_t firstRow = kNoRow;
        KernelRow row;
    };
    std::map<std::pair<StringId, DeviceOpKind>, Group> groups;
    for (const IntervalIndex::Part& part : of.ops.parts) {
        if (part.count() == 0) continue;
        const PreparedTrace::OpClass& ops = of.prepared.opClasses()[part.classIndex];
        Group& group = groups[{ops.name, ops.kind}];
        index.appendDurations(part, of.window, group.durations);
        const uint32_t first = index.lowestRow(part);
        if (first >= group.firstRow) continue;
        group.firstRow = first;
        group.row = {.name = ops.name, .category = ops.category, .kind = ops.kind};
    }
    std::vector<Group*> order;
    KernelSummary summary;
    for (auto& [key, group] : groups) {
        group.row.times = distributionOf(std::move(group.durations));
        summary.totalNs += group.row.times.totalNs;
        order.push_back(&group);
    }
    // Largest total first, then as they appear.
    std::ranges::sort(order, [](const Group* a, const Group* b) {
        if (a->row.times.totalNs != b->row.times.totalNs) return a->row.times.totalNs > b->row.times.totalNs;
        return a->firstRow < b->firstRow;
    });
    for (Group* group : order) {
        if (summary.totalNs > 0)
            group->row.share = static_cast<double>(group->row.times.totalNs) / static_cast<double>(summary.totalNs);
        (group->row.kind == DeviceOpKind::Kernel ? summary.kernels : summary.others).push_back(group->row);
    }
    return summary;
}

LayerTable layerTable(const PreparedWindow& of) {
    if (of.prepared.steps().layersPerStep > 0) return layerTable(of.prepared.trace(), of.prepared.steps(), of.window);
    const Trace& trace = of.prepared.trace();
    struct Role {
        uint32_t firstRow = kNoRow;
        LayerOpTime time;
    };
    std::map<std::pair<int32_t, StringId>, Role> roles;
    LayerTable table;
    int64_t totalNs = 0;
    // `times` operations of a class, of which the first is `row`.
    const auto add = [&](uint32_t classIndex, uint32_t row, double times, int64_t count, int64_t ns) {
        const PreparedTrace::OpClass& ops = of.prepared.opClasses()[classIndex];
        totalNs += ns;
        if (!ops.op.valid() || ops.op.value >= trace.ops().size()) {
            table.unknownNs += ns;
            return;
        }
        const OpRow& op = trace.ops()[ops.op.value];
        Role& role = roles[{op.layer, op.name}];
        role.time.count += count;
        role.time.totalNs += ns;
        role.time.bytes += static_cast<double>(op.bytes) * times;
        role.time.flops += static_cast<double>(op.flops) * times;
        if (row >= role.firstRow) return;
        role.firstRow = row;
        role.time.layer = op.layer;
        role.time.name = op.name;
        role.time.category = ops.category;
    };
    for (const IntervalIndex::Part& part : of.ops.parts)
        add(part.classIndex, of.prepared.ops().lowestRow(part), static_cast<double>(part.count()), part.count(),
            part.ns);
    for (const IntervalIndex::Cut& cut : of.ops.cut) {
        const double share = cut.share(trace.deviceOps().startNs, trace.deviceOps().endNs);
        add(cut.classIndex, cut.row, cut.begins ? share - 1 : share, 0, 0);
    }
    for (const IntervalIndex::Part& part : of.ownParts()) {
        if (part.ns == 0) continue;  // what ended before the window may have an empty own time at its edge
        const OpId id = of.prepared.opClasses()[part.classIndex].op;
        if (!id.valid() || id.value >= trace.ops().size()) continue;
        const OpRow& op = trace.ops()[id.value];
        roles[{op.layer, op.name}].time.ownNs += part.ns;
    }
    std::vector<const Role*> order;
    for (const auto& [key, role] : roles)
        order.push_back(&role);
    std::ranges::sort(order, {}, [](const Role* role) { return std::pair(role->time.layer, role->firstRow); });
    for (const Role* role : order)
        table.ops.push_back(role->time);
    of.prepared.stages().split(table, of.window);
    addLayers(table, totalNs);
    return table;
}

}  // namespace gapscope

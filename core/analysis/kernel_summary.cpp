#include "core/analysis/kernel_summary.h"

#include <algorithm>
#include <array>

namespace gapscope {

namespace {
constexpr size_t kKinds = 4;  // of DeviceOpKind
constexpr uint32_t kNoSlot = UINT32_MAX;
}  // namespace

KernelSummary kernelSummary(const Trace& trace, TimeRange window, std::stop_token stop) {
    const DeviceOps& ops = trace.deviceOps();
    std::vector<std::array<uint32_t, kKinds>> slots(trace.stringCount() + 1, {kNoSlot, kNoSlot, kNoSlot, kNoSlot});
    std::vector<KernelRow> rows;
    std::vector<std::vector<int64_t>> durations;
    KernelSummary summary;
    for (size_t op = 0; op < ops.startNs.size(); ++op) {
        if ((op & 0xFFFF) == 0 && stop.stop_requested()) return summary;
        if (!window.contains(ops.startNs[op])) continue;
        const size_t name = std::min<size_t>(ops.name[op].value, trace.stringCount());
        uint32_t& slot = slots[name][static_cast<size_t>(ops.kind[op])];
        if (slot == kNoSlot) {
            slot = static_cast<uint32_t>(rows.size());
            rows.push_back({.name = ops.name[op], .category = ops.category[op], .kind = ops.kind[op]});
            durations.emplace_back();
        }
        durations[slot].push_back(TimeRange{ops.startNs[op], ops.endNs[op]}.clippedTo(window).durationNs());
    }
    for (size_t slot = 0; slot < rows.size(); ++slot) {
        rows[slot].times = distributionOf(std::move(durations[slot]));
        summary.totalNs += rows[slot].times.totalNs;
    }
    for (KernelRow& row : rows) {
        if (summary.totalNs > 0)
            row.share = static_cast<double>(row.times.totalNs) / static_cast<double>(summary.totalNs);
        (row.kind == DeviceOpKind::Kernel ? summary.kernels : summary.others).push_back(row);
    }
    const auto total = [](const KernelRow& row) { return row.times.totalNs; };
    std::ranges::stable_sort(summary.kernels, std::ranges::greater{}, total);
    std::ranges::stable_sort(summary.others, std::ranges::greater{}, total);
    return summary;
}

}  // namespace gapscope

#include "core/analysis/kernel_executions.h"

#include <algorithm>
#include <compare>
#include <map>

namespace gapscope {

namespace {

struct Key {
    StringId apiName, kernelName;
    uint64_t globalTid;
    uint32_t deviceId;
    auto operator<=>(const Key&) const = default;
};

struct Times {
    std::vector<int64_t> total, api, queue, kernel;
};

}  // namespace

KernelExecutionTable kernelExecutions(const Trace& trace, const LaunchJoin& join, TimeRange window,
                                      std::stop_token stop) {
    const DeviceOps& ops = trace.deviceOps();
    const ApiCalls& calls = trace.apiCalls();
    KernelExecutionTable table;
    if (join.callOfOp.size() != ops.startNs.size()) return table;
    std::map<Key, Times> groups;
    Times* times = nullptr;
    Key timesOf;
    for (uint32_t op = 0; op < ops.startNs.size(); ++op) {
        if ((op & 0xFFFF) == 0 && stop.stop_requested()) return table;
        const uint32_t call = join.callOfOp[op];
        if (ops.kind[op] != DeviceOpKind::Kernel || call == kNoRow || !window.contains(calls.startNs[call])) continue;
        KernelExecution row{.op = op, .call = call};
        row.apiNs = calls.endNs[call] - calls.startNs[call];
        row.kernelNs = ops.endNs[op] - ops.startNs[op];
        row.totalNs = std::max(calls.endNs[call], ops.endNs[op]) - calls.startNs[call];
        if (ops.startNs[op] > calls.endNs[call]) row.queueNs = ops.startNs[op] - calls.endNs[call];
        table.executions.push_back(row);

        const Key key{calls.name[call], ops.name[op], calls.globalTid[call],
                      trace.tracks()[ops.track[op].value].deviceId};  // joined: the track is known
        if (!times || key != timesOf) times = &groups[timesOf = key];
        times->total.push_back(row.totalNs);
        times->api.push_back(row.apiNs);
        times->kernel.push_back(row.kernelNs);
        if (row.queueNs) times->queue.push_back(*row.queueNs);
    }
    const auto beginOf = [&](const KernelExecution& row) { return calls.startNs[row.call]; };
    if (!std::ranges::is_sorted(table.executions, {}, beginOf)) std::ranges::stable_sort(table.executions, {}, beginOf);
    for (auto& [key, of] : groups) {
        table.rows.push_back({.apiName = key.apiName,
                              .kernelName = key.kernelName,
                              .globalTid = key.globalTid,
                              .deviceId = key.deviceId,
                              .total = distributionOf(std::move(of.total)),
                              .api = distributionOf(std::move(of.api)),
                              .queue = distributionOf(std::move(of.queue)),
                              .kernel = distributionOf(std::move(of.kernel))});
    }
    std::ranges::stable_sort(table.rows, std::ranges::greater{},
                             [](const KernelExecutionRow& row) { return row.total.totalNs; });
    return table;
}

}  // namespace gapscope

#include "core/analysis/token_table.h"

#include <algorithm>

#include "core/analysis/busy.h"

namespace gapscope {

TokenWorks tokenWorks(const Trace& trace, const LaunchJoin& join, std::stop_token stop) {
    const DeviceOps& ops = trace.deviceOps();
    TokenWorks work;
    if (!trace.run() || join.callOfOp.size() != ops.startNs.size()) return work;
    TokenWork* token = nullptr;
    TokenWorks::key_type last;
    const auto tokenOf = [&](size_t row) -> TokenWork& {
        const TokenWorks::key_type key{ops.repeat[row], ops.token[row]};
        if (!token || key != last) token = &work[last = key];
        return *token;
    };
    for (size_t row = 0; row < ops.startNs.size(); ++row) {
        if ((row & 0xFFFF) == 0 && stop.stop_requested()) return work;
        if (ops.token[row] == kNoToken) continue;
        TokenWork& of = tokenOf(row);
        const TimeRange range{ops.startNs[row], ops.endNs[row]};
        if (!of.device) of.device = range;
        of.device->startNs = std::min(of.device->startNs, range.startNs);
        of.device->endNs = std::max(of.device->endNs, range.endNs);
        if (ops.kind[row] == DeviceOpKind::Kernel) ++of.kernelCount;
    }
    // A call counts once, though a graph of the prompt also works for the first token: where its work began.
    for (uint32_t call = 0; call < trace.apiCalls().startNs.size(); ++call) {
        if ((call & 0xFFFF) == 0 && stop.stop_requested()) return work;
        const auto owned = join.opsOf(call);
        const auto first = std::ranges::find_if(owned, [&](uint32_t row) { return ops.token[row] != kNoToken; });
        if (first != owned.end()) ++tokenOf(*first).launchCount;
    }
    for (uint32_t row = 0; row < trace.tokens().emittedNs.size(); ++row)
        work[{trace.tokens().repeat[row], trace.tokens().index[row]}].emitted = row;
    return work;
}

TokenTable tokenTable(const Trace& trace, const TokenWorks& works, std::span<const Coverage> busy, TimeRange window) {
    TokenTable table;
    std::optional<int16_t> repeat;
    std::optional<int64_t> previousEndNs;
    bool previousFromDevice = false;
    for (const auto& [key, of] : works) {
        if (repeat != key.first) {
            repeat = key.first;
            previousEndNs.reset();
        }
        TokenTime row{.repeat = key.first, .index = key.second};
        row.launchCount = of.launchCount;
        row.kernelCount = of.kernelCount;
        if (of.emitted) {
            row.id = trace.tokens().id[*of.emitted];
            row.text = trace.string(trace.tokens().text[*of.emitted]);
            row.drafted = trace.tokens().drafted[*of.emitted];
            row.accepted = trace.tokens().accepted[*of.emitted];
            row.place = trace.tokens().place[*of.emitted];
        }
        if (of.device) {
            const int64_t startNs = previousEndNs.value_or(of.device->startNs);
            row.range = {startNs, std::max(startNs, of.device->endNs)};
        } else {
            // The first token often comes straight out of prompt processing and has no work of its own, nor have those
            // that came with another in one step; others without work are known only by when they were told.
            const int64_t emittedNs = trace.tokens().emittedNs[*of.emitted];
            const int64_t startNs = previousEndNs.value_or(emittedNs);
            row.fromDevice = key.second == 0 ? previousEndNs.has_value() : row.place > 0 && previousFromDevice;
            row.range = {startNs, row.fromDevice ? startNs : std::max(startNs, emittedNs)};
        }
        previousEndNs = row.range.endNs;
        previousFromDevice = row.fromDevice;
        if (row.range.endNs <= window.startNs || row.range.endNs > window.endNs) continue;
        row.cut = row.range.startNs < window.startNs;
        row.range = row.range.clippedTo(window);
        for (const Coverage& device : busy)
            row.busyNs += device.coveredNs(row.range);
        row.idleNs = row.range.durationNs() * static_cast<int64_t>(busy.size()) - row.busyNs;
        table.rows.push_back(std::move(row));
    }
    return table;
}

double TokenTable::tokensPerSecond() const {
    int64_t count = 0, ns = 0;
    for (const TokenTime& row : rows) {
        if (row.index <= 0 || row.cut) continue;
        ++count;
        ns += row.range.durationNs();
    }
    return ns > 0 ? static_cast<double>(count) * 1e9 / static_cast<double>(ns) : 0;
}

TokenTable tokenTable(const Trace& trace, const LaunchJoin& join, TimeRange window, std::stop_token stop) {
    const TokenWorks works = tokenWorks(trace, join, stop);
    if (works.empty()) return {};
    std::vector<Coverage> busy;
    for (DeviceBusy& device : deviceBusy(trace, trace.extent(), stop))
        busy.emplace_back(std::move(device.busy));
    if (stop.stop_requested()) return {};
    return tokenTable(trace, works, busy, window);
}

TokenTable tokenTable(const Trace& trace, TimeRange window, std::stop_token stop) {
    return tokenTable(trace, joinLaunches(trace, stop), window, stop);
}

}  // namespace gapscope

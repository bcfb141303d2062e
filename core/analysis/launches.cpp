#include "core/analysis/launches.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace gapscope {

namespace {

constexpr size_t kCheckRows = size_t{1} << 16;  // rows between two looks at the stop token

// Processes of a trace are few: their place in this list stands for them in 64-bit keys.
class Processes {
public:
    uint64_t indexOf(uint64_t globalPid) {
        if (m_last < m_pids.size() && m_pids[m_last] == globalPid) return m_last;
        const auto it = std::ranges::find(m_pids, globalPid);
        m_last = static_cast<size_t>(it - m_pids.begin());
        if (it == m_pids.end()) m_pids.push_back(globalPid);
        return m_last;
    }

private:
    std::vector<uint64_t> m_pids;
    size_t m_last = 0;
};

}  // namespace

LaunchJoin joinLaunches(const Trace& trace, std::stop_token stop) {
    const ApiCalls& calls = trace.apiCalls();
    const DeviceOps& ops = trace.deviceOps();
    const size_t callCount = calls.startNs.size(), opCount = ops.startNs.size();
    LaunchJoin join;
    join.callOfOp.assign(opCount, kNoRow);
    join.firstOpOf.assign(callCount + 1, 0);

    Processes processes;
    using KeyAndCall = std::pair<uint64_t, uint32_t>;
    std::vector<KeyAndCall> keys;
    keys.reserve(callCount);
    for (uint32_t row = 0; row < callCount; ++row) {
        if (calls.correlationId[row] == 0) continue;
        keys.emplace_back(processes.indexOf(globalPidOf(calls.globalTid[row])) << 32 | calls.correlationId[row], row);
    }
    if (stop.stop_requested()) return join;
    // Two calls with one id (a driver call inside a runtime call): the earlier one comes first and is taken.
    const auto before = [&](const KeyAndCall& a, const KeyAndCall& b) {
        if (a.first != b.first) return a.first < b.first;
        if (calls.startNs[a.second] != calls.startNs[b.second])
            return calls.startNs[a.second] < calls.startNs[b.second];
        return a.second < b.second;
    };
    if (!std::is_sorted(keys.begin(), keys.end(), before)) std::sort(keys.begin(), keys.end(), before);
    if (stop.stop_requested()) return join;

    std::vector<uint64_t> processOfTrack;
    for (size_t track = 0; track < trace.tracks().size(); ++track)
        processOfTrack.push_back(processes.indexOf(trace.tracks()[track].globalPid));
    const auto keyLess = [](const KeyAndCall& a, uint64_t key) { return a.first < key; };
    auto at = keys.begin();  // operations come nearly in the order of their calls: look here and next before searching
    for (size_t row = 0; row < opCount; ++row) {
        if (row % kCheckRows == 0 && stop.stop_requested()) return join;
        if (ops.correlationId[row] == 0 || !ops.track[row].valid() || ops.track[row].value >= processOfTrack.size())
            continue;
        const uint64_t key = processOfTrack[ops.track[row].value] << 32 | ops.correlationId[row];
        if (at != keys.end() && at->first < key && at + 1 != keys.end() && (at + 1)->first == key) ++at;
        if (at == keys.end() || at->first != key || (at != keys.begin() && (at - 1)->first == key))
            at = std::lower_bound(keys.begin(), keys.end(), key, keyLess);
        if (at == keys.end() || at->first != key) continue;
        join.callOfOp[row] = at->second;
        ++join.firstOpOf[at->second + 1];
    }

    for (size_t call = 0; call < callCount; ++call)
        join.firstOpOf[call + 1] += join.firstOpOf[call];
    join.opsOfCall.resize(join.firstOpOf[callCount]);
    std::vector<uint32_t> next(join.firstOpOf.begin(), join.firstOpOf.end() - 1);
    for (uint32_t row = 0; row < opCount; ++row)
        if (join.callOfOp[row] != kNoRow) join.opsOfCall[next[join.callOfOp[row]]++] = row;
    const auto startsBefore = [&](uint32_t a, uint32_t b) {
        return ops.startNs[a] != ops.startNs[b] ? ops.startNs[a] < ops.startNs[b] : a < b;
    };
    for (size_t call = 0; call < callCount; ++call) {
        const auto first = join.opsOfCall.begin() + join.firstOpOf[call];
        const auto last = join.opsOfCall.begin() + join.firstOpOf[call + 1];
        if (last - first > 1 && !std::is_sorted(first, last, startsBefore)) std::sort(first, last, startsBefore);
    }
    return join;
}

Distribution distributionOf(std::vector<int64_t> values) {
    Distribution result;
    result.count = static_cast<int64_t>(values.size());
    if (values.empty()) return result;
    const auto [min, max] = std::ranges::minmax(values);
    result.minNs = min;
    result.maxNs = max;
    for (const int64_t value : values)
        result.totalNs += value;
    const double count = static_cast<double>(values.size());
    result.avgNs = static_cast<double>(result.totalNs) / count;
    const auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    result.medNs = static_cast<double>(*middle);
    if (values.size() % 2 == 0) {
        const int64_t lower = *std::max_element(values.begin(), middle);
        result.medNs = (result.medNs + static_cast<double>(lower)) / 2;
    }
    if (values.size() > 1) {
        double squares = 0;
        for (const int64_t value : values) {
            const double off = static_cast<double>(value) - result.avgNs;
            squares += off * off;
        }
        result.stdNs = std::sqrt(squares / (count - 1));
    }
    return result;
}

LaunchTable launchTable(const Trace& trace, const LaunchJoin& join, TimeRange window, std::stop_token stop) {
    const ApiCalls& calls = trace.apiCalls();
    const DeviceOps& ops = trace.deviceOps();
    LaunchTable table;
    if (join.firstOpOf.size() != calls.startNs.size() + 1 || join.callOfOp.size() != ops.startNs.size()) return table;
    std::vector<int64_t> latencies, delays;
    for (uint32_t call = 0; call < calls.startNs.size(); ++call) {
        if (call % kCheckRows == 0 && stop.stop_requested()) return table;
        const auto owned = join.opsOf(call);
        if (owned.empty() || !window.contains(calls.startNs[call])) continue;
        Launch launch{.call = call, .firstOp = owned[0], .opCount = static_cast<uint32_t>(owned.size())};
        const int64_t beginNs = ops.startNs[launch.firstOp];
        launch.latencyNs = beginNs - calls.startNs[call];
        if (beginNs >= calls.endNs[call]) launch.queueDelayNs = beginNs - calls.endNs[call];
        if (launch.latencyNs < 0) {
            ++table.negativeLatencyCount;
        } else {
            latencies.push_back(launch.latencyNs);
        }
        if (launch.queueDelayNs) delays.push_back(*launch.queueDelayNs);
        table.launches.push_back(launch);
    }
    const auto beginOf = [&](const Launch& launch) { return calls.startNs[launch.call]; };
    if (!std::ranges::is_sorted(table.launches, {}, beginOf)) std::ranges::stable_sort(table.launches, {}, beginOf);
    table.latency = distributionOf(std::move(latencies));
    table.queueDelay = distributionOf(std::move(delays));
    for (size_t row = 0; row < ops.startNs.size(); ++row)
        if (join.callOfOp[row] == kNoRow && window.contains(ops.startNs[row])) ++table.unlaunchedOpCount;
    return table;
}

LaunchTable launchTable(const Trace& trace, TimeRange window, std::stop_token stop) {
    return launchTable(trace, joinLaunches(trace, stop), window, stop);
}

}  // namespace gapscope

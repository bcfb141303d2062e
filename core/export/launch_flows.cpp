#include "core/export/launch_flows.h"

#include <algorithm>
#include <utility>

namespace gapscope {

LaunchFlows::LaunchFlows(const Trace& trace) : m_trace(trace), m_launches(trace.apiCalls().startNs.size()) {
    const ApiCalls& calls = trace.apiCalls();
    for (size_t row = 0; row < calls.startNs.size(); ++row) {
        if (calls.correlationId[row] == 0) continue;
        m_calls.push_back({globalPidOf(calls.globalTid[row]), calls.correlationId[row], static_cast<uint32_t>(row)});
    }
    const auto key = [](const Call& call) { return std::pair(call.globalPid, call.correlationId); };
    std::ranges::sort(m_calls, [&](const Call& a, const Call& b) {
        if (key(a) != key(b)) return key(a) < key(b);
        return std::pair(calls.startNs[a.row], a.row) < std::pair(calls.startNs[b.row], b.row);
    });
    const auto isSame = [&](const Call& a, const Call& b) { return key(a) == key(b); };
    m_calls.erase(std::unique(m_calls.begin(), m_calls.end(), isSame), m_calls.end());
    m_oneProcess = m_calls.empty() || m_calls.front().globalPid == m_calls.back().globalPid;
    const DeviceOps& ops = trace.deviceOps();
    for (size_t row = 0; row < ops.startNs.size(); ++row) {
        if (ops.correlationId[row] == 0 || !ops.track[row].valid()) continue;
        if (const Call* call = find(trace.tracks()[ops.track[row].value].globalPid, ops.correlationId[row])) {
            m_launches[call->row] = true;
        } else {
            ++m_opsWithoutCall;
        }
    }
}

const LaunchFlows::Call* LaunchFlows::find(uint64_t globalPid, uint32_t correlationId) const {
    const auto it = std::ranges::lower_bound(m_calls, std::pair(globalPid, correlationId), {}, [](const Call& call) {
        return std::pair(call.globalPid, call.correlationId);
    });
    const bool found = it != m_calls.end() && it->globalPid == globalPid && it->correlationId == correlationId;
    return found ? &*it : nullptr;
}

uint64_t LaunchFlows::ofCall(size_t row) const {
    if (!m_launches[row]) return 0;
    return m_oneProcess ? m_trace.apiCalls().correlationId[row] : uint64_t{row} + 1;
}

uint64_t LaunchFlows::ofOp(size_t row) const {
    const DeviceOps& ops = m_trace.deviceOps();
    if (ops.correlationId[row] == 0 || !ops.track[row].valid()) return 0;
    const Call* call = find(m_trace.tracks()[ops.track[row].value].globalPid, ops.correlationId[row]);
    return call ? numberOf(*call) : 0;
}

}  // namespace gapscope

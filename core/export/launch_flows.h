// Which launch call each device operation came of, as one number that both ends share: the arrows of trace viewers.
#pragma once

#include <cstdint>
#include <vector>

#include "core/trace/trace.h"

namespace gapscope {

// Joined by (process, correlation id), the earliest call of that id. With one process the number is the correlation
// id, as PyTorch writes it. Costs 24 bytes a call and a bit a row. Borrows the trace.
class LaunchFlows {
public:
    explicit LaunchFlows(const Trace& trace);
    uint64_t ofCall(size_t row) const;                           // 0: owns no operation
    uint64_t ofOp(size_t row) const;                             // 0: no call of it is known
    int64_t opsWithoutCall() const { return m_opsWithoutCall; }  // that name a call

private:
    struct Call {
        uint64_t globalPid = 0;
        uint32_t correlationId = 0;
        uint32_t row = 0;
        auto operator<=>(const Call&) const = default;
    };
    const Call* find(uint64_t globalPid, uint32_t correlationId) const;
    uint64_t numberOf(const Call& call) const { return m_oneProcess ? call.correlationId : uint64_t{call.row} + 1; }

    const Trace& m_trace;
    std::vector<Call> m_calls;  // sorted; of one id only the earliest
    std::vector<bool> m_launches;
    bool m_oneProcess = true;
    int64_t m_opsWithoutCall = 0;
};

}  // namespace gapscope

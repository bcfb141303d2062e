// From a device operation to the call that launched it and back, while the trace still grows: rows sorted by
// (correlation id, process), four bytes an event. Batches cost their own size and the tail that they reach back into.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/trace/trace.h"

namespace gapscope {

class CorrelationIndex {
public:
    // A later snapshot of the same trace; of each table at most `mostRows` new rows are taken up.
    void update(const Trace& trace, size_t mostRows = SIZE_MAX);
    void clear() { *this = {}; }

    // The outermost call of its correlation id: where a driver call lies in a runtime call, both may carry it.
    std::optional<uint32_t> callOf(const Trace& trace, uint32_t deviceOp) const;
    // Operations of a call, by start; at most `limit`.
    std::vector<uint32_t> operationsOf(const Trace& trace, uint32_t call, size_t limit = SIZE_MAX) const;

private:
    std::vector<uint32_t> m_calls;
    std::vector<uint32_t> m_operations;
    size_t m_callsSeen = 0;
    size_t m_operationsSeen = 0;
};

}  // namespace gapscope

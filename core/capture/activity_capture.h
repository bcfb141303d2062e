// Turns activity records of a run into rows of a Trace while the run goes on. One thread uses it, the same that uses
// the builder. Times become ns from the origin.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "core/base/activity.h"
#include "core/trace/trace_builder.h"

namespace gapscope {

class ActivityCapture {
public:
    // `origin.steadyNs` is time 0 of the trace.
    ActivityCapture(TraceBuilder& builder, TraceOrigin origin);

    void take(const ActivityLog::Batch& batch);

private:
    struct DescribedOp {
        StringId kernelName;
        OpRow row;  // bytes and flops are each record's own
        Category category;
    };

    void take(const DeviceActivity& record);
    // False, and counted, for a record whose clock failed: no start, or an end before its start.
    bool timesAreSane(int64_t startNs, int64_t endNs);
    uint64_t globalTid(uint32_t threadId) const { return makeGlobalTid(m_processId, threadId); }

    TraceBuilder& m_builder;
    const int64_t m_originNs;
    const uint32_t m_processId;
    std::vector<DescribedOp> m_ops;
    std::unordered_map<const char*, StringId> m_apiNames;  // by address: the runner passes literals
};

}  // namespace gapscope

// What the one kernel of mode persistent did inside, for the timeline: one of its blocks writes a clock into memory of
// the host at the border of each stage; once the kernel is over the differences go to the log (stage_stamps.h).
#pragma once

#include <cstdint>
#include <utility>

#include "core/base/activity.h"
#include "core/runner/cuda_weights.h"
#include "core/runner/plan.h"
#include "core/runner/stage_stamps.h"

namespace gapscope {

class PersistentStages {
public:
    // Of a decode plan in mode fused. Fails where no pinned memory is left, or the plan has other steps than the
    // kernel.
    static Result<PersistentStages> create(const Plan& plan, int layers, ActivityLog& log);

    // As those of StageStamps; tell() after the stream has come to its end.
    StageStamps::Launch next(ActivityLog& log) { return m_stamps.next(static_cast<uint32_t*>(m_memory.get()), log); }
    void tell(ActivityLog& log) { m_stamps.tell(static_cast<const uint32_t*>(m_memory.get()), log); }

private:
    PersistentStages(StageStamps stamps, CudaHostMemory memory)
        : m_stamps(std::move(stamps)), m_memory(std::move(memory)) {}

    StageStamps m_stamps;
    CudaHostMemory m_memory;
};

}  // namespace gapscope

// What the one kernel of mode persistent did inside, for the timeline: one of its blocks writes a clock into memory of
// the host at the border of each stage; once the kernel is over the differences go to the log.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/activity.h"
#include "core/runner/cuda_weights.h"
#include "core/runner/plan.h"

namespace gapscope {

class PersistentStages {
public:
    // Of a decode plan in mode fused, whose steps the kernel does in their order: describes a stage for each, and for
    // what brings a product's input. Fails where no pinned memory is left, or the plan has other steps than the kernel.
    static Result<PersistentStages> create(const Plan& plan, int layers, ActivityLog& log);

    struct Launch {
        uint32_t number = 0;         // for LaunchContext::stages; 0: not this time
        uint32_t* stamps = nullptr;  // for PersistentDecode::launch()
    };
    // For the next launch; none when too many were launched since tell().
    Launch next(ActivityLog& log);
    // After the stream has come to its end: tells the stages of all launches since.
    void tell(ActivityLog& log);

private:
    PersistentStages(std::vector<uint32_t> ops, CudaHostMemory memory)
        : m_ops(std::move(ops)), m_memory(std::move(memory)) {}
    size_t stampCount() const { return m_ops.size() + 1; }
    uint32_t* slot(size_t at) const { return static_cast<uint32_t*>(m_memory.get()) + at * stampCount(); }

    static constexpr size_t kSlots = 64;
    std::vector<uint32_t> m_ops;  // by stage
    CudaHostMemory m_memory;      // uint32_t[kSlots, stages + 1]
    std::vector<uint32_t> m_launched;
};

}  // namespace gapscope

// What the one kernel of mode persistent is told to do inside, and the clocks that it writes while it does: the host's
// side, which needs no GPU. One thread.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/activity.h"
#include "core/runner/plan.h"

namespace gapscope {

struct PlannedStage {
    OpActivity op;
    int64_t bytes = 0;  // of a product: what it moves by the plan; 0: not told
};
// Of a decode plan in mode fused, whose steps the kernel does in their order: a stage for each, and one before each
// product for what brings its input.
std::vector<PlannedStage> plannedStages(const Plan& plan);

// Notes launches and turns the stamps that their kernels left into records.
class StageStamps {
public:
    static constexpr size_t kSlots = 64;  // launches between two calls of tell()

    StageStamps(const std::vector<PlannedStage>& stages, ActivityLog& log);

    // uint32_t[kSlots, stages + 1]: what next() hands out, a clock at the begin and one at the end of each stage, which
    // may wrap around once.
    size_t stampCount() const { return kSlots * stampsOfLaunch(); }

    struct Launch {
        uint32_t number = 0;         // for LaunchContext::stages; 0: not this time
        uint32_t* stamps = nullptr;  // for PersistentDecode::launch()
    };
    // For the next launch, in `memory` of stampCount(). None when kSlots were launched since tell(), which counts it.
    Launch next(uint32_t* memory, ActivityLog& log);
    // After the kernels have come to their end: tells the stages of all launches since, and how many had none.
    void tell(const uint32_t* memory, ActivityLog& log);

private:
    size_t stampsOfLaunch() const { return m_stages.size() + 1; }

    std::vector<StagesActivity::Stage> m_stages;  // without ticks
    std::vector<uint32_t> m_launched;
    int64_t m_untold = 0;
};

}  // namespace gapscope

#include "core/runner/persistent_stages.h"

#include <cuda_runtime_api.h>

#include <utility>
#include <vector>

#include "kernels/cuda/persistent_decode.h"

namespace gapscope {

Result<PersistentStages> PersistentStages::create(const Plan& plan, int layers, ActivityLog& log) {
    const std::vector<PlannedStage> stages = plannedStages(plan);
    if (stages.size() != cuda::persistentStageCount(layers))
        return fail("Mode persistent does other steps than its plan tells; its stages cannot be named.");
    StageStamps stamps(stages, log);
    void* raw = nullptr;
    const cudaError_t error = cudaHostAlloc(&raw, stamps.stampCount() * sizeof(uint32_t), cudaHostAllocMapped);
    if (error != cudaSuccess)
        return cudaFailure("No pinned memory could be had for the stages of mode persistent", error);
    return PersistentStages(std::move(stamps), CudaHostMemory(raw));
}

}  // namespace gapscope

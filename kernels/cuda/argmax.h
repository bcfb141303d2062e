// The next token on the device: the largest logit, the state of the next step, and a note of it where the host reads.
#pragma once

#include "kernels/cuda/launch.h"

namespace gapscope::cuda {

// Per block the largest logit. Ties go to the lowest index; NaN is never the largest (index -1: nothing comparable).
struct ArgmaxPartialArgs {
    const float* logits = nullptr;
    int count = 0;
    float* partialValues = nullptr;  // [blocks]
    int32_t* partialIndices = nullptr;
    int blocks = 0;
};
[[nodiscard]] cudaError_t argmaxPartial(const ArgmaxPartialArgs& args, const Launch& launch);

// The winner of the partials becomes ids[0] and state->token, and state->position grows by `tokens`: the next step may
// follow without the host. If `ring` is given (pinned host memory), entry position % ringSize gets the token, position
// being that which it will have.
struct ArgmaxFinishArgs {
    const float* partialValues = nullptr;
    const int32_t* partialIndices = nullptr;
    int blocks = 0;
    int tokens = 1;
    int32_t* ids = nullptr;
    StepState* state = nullptr;
    int32_t* ring = nullptr;
    int ringSize = 0;
};
[[nodiscard]] cudaError_t argmaxFinish(const ArgmaxFinishArgs& args, const Launch& launch);

}  // namespace gapscope::cuda

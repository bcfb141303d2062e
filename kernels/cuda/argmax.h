// The next token on the device: the largest logit, the state of the next step, and a note of it where the host reads.
#pragma once

#include "kernels/cuda/launch.h"

namespace gapscope::cuda {

// Per block the largest logit, of each row of [rows, count]. Ties go to the lowest index; NaN is never the largest
// (index -1: nothing comparable).
struct ArgmaxPartialArgs {
    const float* logits = nullptr;
    int count = 0;
    float* partialValues = nullptr;  // [rows, blocks]
    int32_t* partialIndices = nullptr;
    int blocks = 0;
    int rows = 1;
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
// The winners of `tokens` rows of partials, one a token of a step that checks drafts: ids[t] is what follows token t,
// and entry position + 1 + t of the ring gets it, position being that of the step. state->token is the last of them.
// Without a state the tokens are of a batch, each of a sequence of its own: entry t of the ring gets it.
[[nodiscard]] cudaError_t argmaxFinishRows(const ArgmaxFinishArgs& args, const Launch& launch);

}  // namespace gapscope::cuda

// Rows of the embedding table, and the state of a step.
#pragma once

#include "kernels/cuda/launch.h"

namespace gapscope::cuda {

// out[t, :] = scale * row(ids[t]), fp32 or bf16 (one of the two). Ids are in [0, table.rows).
template <class Matrix>
struct EmbeddingArgsOf {
    Matrix table;
    const int32_t* ids = nullptr;  // [tokens]
    int tokens = 0;
    float scale = 1;
    float* out = nullptr;  // [tokens, columns]
    Bf16* outBf16 = nullptr;
};
using EmbeddingArgs = EmbeddingArgsOf<WeightMatrix>;
[[nodiscard]] cudaError_t embedding(const EmbeddingArgs& args, const Launch& launch);

// state->position = position.
[[nodiscard]] cudaError_t setPosition(StepState* state, int32_t position, const Launch& launch);

}  // namespace gapscope::cuda

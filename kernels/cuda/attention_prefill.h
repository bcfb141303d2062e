// Attention of a prompt's tokens by tensor cores, for attention() of several tokens (attention.h): same arguments, same
// result but for rounding.
#pragma once

#include "kernels/cuda/attention.h"

namespace gapscope::cuda {

// args.splits is 1; args.q as there, aligned to 4 bytes, args.out to 16. Weights of keys are rounded to bf16 before
// they meet the values; sums and the softmax are fp32. Below compute capability 8.0, which lacks the instructions,
// attention() is launched instead.
[[nodiscard]] cudaError_t attentionPrefill(const AttentionArgs& args, const Launch& launch);

}  // namespace gapscope::cuda

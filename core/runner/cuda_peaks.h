// What a GPU computes a second at most, as far as cuBLASLt gets: the compute roof.
#pragma once

#include <cuda_runtime_api.h>

namespace gapscope {

class CublasLt;

// Flops a second (2 m n k a product) of bf16 products of 4,096 a side with fp32 sums: the best of several runs timed by
// events on the stream. Takes 128 MiB, which it gives back. 0: no memory free for it, or cuBLASLt refuses.
double measureArithmeticRate(CublasLt& cublas, cudaStream_t stream);

}  // namespace gapscope

// Keys and values between the ring, which a prompt's pass writes and reads, and the pages of its sequence.
#pragma once

#include "kernels/cuda/attention.h"

namespace gapscope::cuda {

// Of one layer: the same kvHeads and headDim.
struct PagedLayer {
    KvCache ring;
    KvCache pages;  // slots are a multiple of kPagePositions
};

// Positions [first, first + count) of all layers.
struct PageCopyArgs {
    const PagedLayer* layers = nullptr;  // on the device
    int layerCount = 0;
    int rowElements = 0;             // kvHeads * headDim, a multiple of 8
    const int32_t* table = nullptr;  // on the device, of the sequence: as in PagedRows
    int first = 0;
    int count = 0;
};
// The rings must hold the positions.
[[nodiscard]] cudaError_t copyToPages(const PageCopyArgs& args, const Launch& launch);
// Of a ring that has fewer slots than there are positions, the last ones.
[[nodiscard]] cudaError_t copyFromPages(const PageCopyArgs& args, const Launch& launch);

}  // namespace gapscope::cuda

#include "kernels/cuda/page_copy.h"

#include "kernels/cuda/attention_block.cuh"

namespace gapscope::cuda {

namespace {

constexpr int kThreads = 128;

// A block a position and layer.
__global__ void __launch_bounds__(kThreads) kv_to_pages(PageCopyArgs args) {
    waitForPrevious();
    allowNext();
    const PagedLayer& layer = args.layers[blockIdx.y];
    const int position = args.first + static_cast<int>(blockIdx.x);
    const int vectors = args.rowElements / 8;
    const int64_t inRing = static_cast<int64_t>(RingSlots{}(layer.ring, position)) * vectors;
    const int64_t inPages = static_cast<int64_t>(PageSlots{args.table}(layer.pages, position)) * vectors;
    const auto copy = [&](const Bf16* ringHalf, Bf16* pagesHalf) {
        const auto* const ring = reinterpret_cast<const uint4*>(ringHalf) + inRing;
        auto* const page = reinterpret_cast<uint4*>(pagesHalf) + inPages;
        for (int i = static_cast<int>(threadIdx.x); i < vectors; i += kThreads)
            page[i] = ring[i];
    };
    copy(layer.ring.keys, layer.pages.keys);
    copy(layer.ring.values, layer.pages.values);
}

}  // namespace

cudaError_t copyToPages(const PageCopyArgs& args, const Launch& launch) {
    if (args.count < 1 || args.layerCount < 1 || args.rowElements % 8 != 0) return cudaErrorInvalidValue;
    const dim3 grid(static_cast<unsigned>(args.count), static_cast<unsigned>(args.layerCount));
    return launchKernel(kv_to_pages, grid, kThreads, 0, launch, args);
}

}  // namespace gapscope::cuda

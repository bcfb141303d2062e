#include "kernels/cuda/page_copy.h"

#include "kernels/cuda/attention_block.cuh"

namespace gapscope::cuda {

namespace {

constexpr int kThreads = 128;

enum class Way { ToPages, FromPages };

// A block a position and layer.
template <Way kWay>
__device__ __forceinline__ void copyPosition(const PageCopyArgs& args) {
    waitForPrevious();
    allowNext();
    const PagedLayer& layer = args.layers[blockIdx.y];
    const int position = args.first + static_cast<int>(blockIdx.x);
    if (kWay == Way::FromPages && position < args.first + args.count - layer.ring.slots) return;
    const int vectors = args.rowElements / 8;
    const int64_t inRing = static_cast<int64_t>(RingSlots{}(layer.ring, position)) * vectors;
    const int64_t inPages = static_cast<int64_t>(PageSlots{args.table}(layer.pages, position)) * vectors;
    const auto copy = [&](Bf16* ringHalf, Bf16* pagesHalf) {
        auto* const ring = reinterpret_cast<uint4*>(ringHalf) + inRing;
        auto* const page = reinterpret_cast<uint4*>(pagesHalf) + inPages;
        for (int i = static_cast<int>(threadIdx.x); i < vectors; i += kThreads) {
            if (kWay == Way::ToPages)
                page[i] = ring[i];
            else
                ring[i] = page[i];
        }
    };
    copy(layer.ring.keys, layer.pages.keys);
    copy(layer.ring.values, layer.pages.values);
}

__global__ void __launch_bounds__(kThreads) copy_kv_to_pages(PageCopyArgs args) {
    copyPosition<Way::ToPages>(args);
}

__global__ void __launch_bounds__(kThreads) copy_kv_from_pages(PageCopyArgs args) {
    copyPosition<Way::FromPages>(args);
}

cudaError_t launchCopy(void (*kernel)(PageCopyArgs), const PageCopyArgs& args, const Launch& launch) {
    if (args.count < 1 || args.layerCount < 1 || args.rowElements % 8 != 0) return cudaErrorInvalidValue;
    const dim3 grid(static_cast<unsigned>(args.count), static_cast<unsigned>(args.layerCount));
    return launchKernel(kernel, grid, kThreads, 0, launch, args);
}

}  // namespace

cudaError_t copyToPages(const PageCopyArgs& args, const Launch& launch) {
    return launchCopy(copy_kv_to_pages, args, launch);
}

cudaError_t copyFromPages(const PageCopyArgs& args, const Launch& launch) {
    return launchCopy(copy_kv_from_pages, args, launch);
}

}  // namespace gapscope::cuda

#include "kernels/cuda/persistent_decode.h"

#include <algorithm>
#include <utility>

#include "kernels/cuda/persistent_consumer.cuh"

namespace gapscope::cuda {

namespace {

__global__ void __launch_bounds__(kBlockThreads, 1) persistent_decode_bf16(const __grid_constant__ Kernel kernel) {
#if __CUDA_ARCH__ >= 900
    __shared__ uint64_t full[kMostSlots], empty[kMostSlots];
    __shared__ __align__(16) Tile tiles[kMostSlots];
    const Ring ring{tiles,
                    sharedAddress(full),
                    sharedAddress(empty),
                    kernel.layout.ringAt,
                    kernel.layout.slotBytes,
                    kernel.layout.slots};
    if (threadIdx.x == 0) {
        for (unsigned slot = 0; slot < static_cast<unsigned>(kernel.layout.slots); ++slot) {
            initBarrier(ring.fullAt + slot * sizeof(uint64_t), 1);
            initBarrier(ring.emptyAt + slot * sizeof(uint64_t), kConsumerWarps);
        }
        asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
    }
    __syncthreads();
    if (threadIdx.x >= kConsumers) {
        if (threadIdx.x == kConsumers) produce(kernel.args, ring);
        return;
    }
    Consumer(kernel, ring).run();
#endif
}

int rounded(size_t bytes) {
    constexpr size_t kStep = 128;
    return static_cast<int>((bytes + kStep - 1) / kStep * kStep);
}

// The ring takes what the rest leaves. No slots: it does not fit.
Layout layoutFor(std::span<const PersistentLayer> layers, const PersistentDecodeArgs& args, int blocks,
                 size_t sharedBytes) {
    size_t longestRow = static_cast<size_t>(args.head.stride), results = 0;
    const auto share = [&](int rows) { return static_cast<size_t>(ceilDiv(rows, blocks)); };
    for (const PersistentLayer& layer : layers) {
        for (const WeightMatrix* matrix : {&layer.query, &layer.output, &layer.gate, &layer.down})
            longestRow = std::max(longestRow, static_cast<size_t>(matrix->stride));
        results =
            std::max({results, share(layer.query.rows + layer.key.rows + layer.value.rows), share(layer.output.rows),
                      2 * share(layer.gate.rows), kConsumerWarps * share(layer.down.rows)});
    }
    Layout layout;
    layout.slotBytes = rounded(std::max(kSmallestSlot, longestRow * sizeof(Bf16)));
    int at = 0;
    const auto take = [&](size_t bytes) { return std::exchange(at, at + rounded(bytes)); };
    layout.residualAt = take(static_cast<size_t>(args.table.columns) * sizeof(float));
    layout.inputAt = take(std::max<size_t>(longestRow * sizeof(Bf16), kHeldVectors * kWarp * sizeof(uint4)));
    layout.resultsAt = take(kMostResults * sizeof(float));
    layout.ropeAt = take(2 * static_cast<size_t>(args.headDim) * sizeof(float));
    layout.layersAt = take(2 * sizeof(PersistentLayer));
    layout.stateAt = take(sizeof(StepState));
    layout.attentionAt = take(sizeof(DecodeShared<1>));
    layout.ringAt = at;
    const int64_t slots = std::min<int64_t>(kMostSlots, (static_cast<int64_t>(sharedBytes) - at) / layout.slotBytes);
    if (slots < 3 || results > kMostResults) return {};
    layout.slots = static_cast<int>(slots);
    layout.bytes = at + layout.slots * layout.slotBytes;
    return layout;
}

}  // namespace

struct PersistentDecode::Prepared {
    Kernel kernel;
    int blocks = 0;
    unsigned arrivals = 0;  // of one launch
};

PersistentDecode::PersistentDecode() = default;
PersistentDecode::~PersistentDecode() = default;

cudaError_t PersistentDecode::prepare(std::span<const PersistentLayer> layers, const PersistentDecodeArgs& args,
                                      int multiprocessors) {
    if (layers.empty() || args.table.columns % 4 != 0) return cudaErrorInvalidValue;
    int device = 0, most = 0, major = 0;
    cudaError_t error = cudaGetDevice(&device);
    if (error == cudaSuccess) error = cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device);
    if (error == cudaSuccess) error = cudaDeviceGetAttribute(&most, cudaDevAttrMaxSharedMemoryPerBlockOptin, device);
    if (error != cudaSuccess) return error;
    if (major < 9) return cudaErrorNotSupported;
    constexpr int kStaticBytes = kMostSlots * static_cast<int>(2 * sizeof(uint64_t) + 16);
    const Layout layout = layoutFor(layers, args, multiprocessors, static_cast<size_t>(most - kStaticBytes));
    if (layout.slots == 0) return cudaErrorInvalidConfiguration;
    const auto blocks = static_cast<unsigned>(multiprocessors);
    unsigned arrivals = blocks;  // at the choice
    for (const PersistentLayer& layer : layers)
        arrivals += 4 * blocks + std::min(blocks, static_cast<unsigned>(args.heads * layer.splits));
    m_prepared = std::make_unique<Prepared>(Prepared{{args, layout}, multiprocessors, arrivals});
    m_prepared->kernel.args.layerCount = static_cast<int>(layers.size());
    return cudaFuncSetAttribute(persistent_decode_bf16, cudaFuncAttributeMaxDynamicSharedMemorySize, layout.bytes);
}

cudaError_t PersistentDecode::launch(cudaStream_t stream) {
    cudaLaunchAttribute attribute{};
    attribute.id = cudaLaunchAttributeCooperative;
    attribute.val.cooperative = 1;
    cudaLaunchConfig_t config{};
    config.gridDim = dim3(static_cast<unsigned>(m_prepared->blocks));
    config.blockDim = dim3(kBlockThreads);
    config.dynamicSmemBytes = static_cast<size_t>(m_prepared->kernel.layout.bytes);
    config.stream = stream;
    config.attrs = &attribute;
    config.numAttrs = 1;
    const cudaError_t error = cudaLaunchKernelEx(&config, persistent_decode_bf16, m_prepared->kernel);
    if (error == cudaSuccess) m_prepared->kernel.args.arrived += m_prepared->arrivals;
    return error;
}

}  // namespace gapscope::cuda

#include "kernels/cuda/persistent_decode.h"

#include <algorithm>
#include <utility>

#include "kernels/cuda/persistent_consumer.cuh"

namespace gapscope::cuda {

namespace {

__global__ void __launch_bounds__(kBlockThreads, 1) persistent_decode_bf16(const __grid_constant__ Kernel kernel) {
#if __CUDA_ARCH__ >= 900
    __shared__ uint64_t full[kMostSlots], empty[kMostSlots];
    const Ring ring{keptAddress(full), keptAddress(empty), kernel.layout.ringAt, kernel.layout.slotBytes,
                    kernel.layout.slots};
    if (threadIdx.x == 0) {
        for (unsigned slot = 0; slot < kernel.layout.slots.value; ++slot) {
            initBarrier(ring.fullAt + slot * sizeof(uint64_t), 1);
            initBarrier(ring.emptyAt + slot * sizeof(uint64_t), kMostUnits);
        }
        asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
    }
    __syncthreads();
    if (threadIdx.x >= kMultiplying) {
        if (threadIdx.x == kMultiplying) Producer(kernel, ring).run();
        return;
    }
    Consumer(kernel, ring).run();
#endif
}

int rounded(size_t bytes) {
    constexpr size_t kStep = 128;
    return static_cast<int>((bytes + kStep - 1) / kStep * kStep);
}

void shapesFor(const PersistentLayer& layer, const PersistentDecodeArgs& args, StepShape (&shapes)[kSteps]) {
    const auto shape = [](int rows, const WeightMatrix& matrix) { return StepShape{rows, matrix.stride / 8}; };
    shapes[kQkv] = shape(layer.query.rows + layer.key.rows + layer.value.rows, layer.query);
    shapes[kOutput] = shape(layer.output.rows, layer.output);
    shapes[kGateUp] = shape(layer.gate.rows, layer.gate);
    shapes[kGateUp].rowsOfUnit = 1;
    shapes[kDown] = shape(layer.down.rows, layer.down);
    if (layer.down.columns > kLongestRowOfAWarp) shapes[kDown].rowsOfUnit = shapes[kDown].isLong = 1;
    shapes[kHead] = shape(args.head.rows, args.head);
}

int unitBytes(const StepShape& shape) {
    return (shape.isLong ? 1 : 2) * shape.vectors * 16;
}

int unitsOfTile(const StepShape& shape, int slotBytes) {
    return std::min(kMostUnits, slotBytes / unitBytes(shape));
}

// How many bytes of a layer a ring of such slots holds: whole units leave some of each slot empty.
int64_t bytesHeld(const StepShape (&shapes)[kSteps], int blocks, int slotBytes, int slots) {
    int64_t bytes = 0, tiles = 0;
    for (int step = 0; step < kStepsOfLayer; ++step) {
        const int64_t units = ceilDiv(ceilDiv(shapes[step].rows, blocks), shapes[step].rowsOfUnit);
        bytes += units * unitBytes(shapes[step]);
        tiles += ceilDiv(units, unitsOfTile(shapes[step], slotBytes));
    }
    return bytes * slots / tiles;
}

// The ring takes what the rest leaves. No slots: it does not fit.
Layout layoutFor(StepShape (&shapes)[kSteps], const PersistentDecodeArgs& args, int blocks, size_t sharedBytes) {
    int leastSlot = kSmallestSlot;
    for (const StepShape& shape : shapes)
        leastSlot = std::max(leastSlot, unitBytes(shape));
    const int results = shapes[kDown].isLong * ceilDiv(shapes[kDown].rows, blocks);
    const size_t hiddenBytes = static_cast<size_t>(args.table.columns) * sizeof(float);
    Layout layout;
    int at = 0;
    const auto take = [&](size_t bytes) { return std::exchange(at, at + rounded(bytes)); };
    layout.residualAt = take(hiddenBytes);
    const auto inputBytes = [&](Step step) { return 16 * static_cast<size_t>(shapes[step].vectors); };
    layout.inputBytes = rounded(std::max({inputBytes(kQkv), inputBytes(kGateUp), inputBytes(kHead)}));
    layout.inputAt = take(static_cast<size_t>(layout.inputBytes) + inputBytes(kOutput));
    const size_t splitBytes =
        inputBytes(kOutput) * sizeof(float) / sizeof(Bf16) + 2 * static_cast<size_t>(args.heads) * sizeof(float);
    const size_t gatheredBytes = std::max({hiddenBytes, inputBytes(kDown), splitBytes});
    layout.gatheredAt = take(gatheredBytes);
    layout.splitsGathered = static_cast<int>(gatheredBytes / splitBytes);
    layout.resultsAt = take(static_cast<size_t>(results) * kConsumerWarps * sizeof(float));
    layout.sumsAt = take(kConsumerWarps * sizeof(float4));
    layout.ropeAt = take(2 * static_cast<size_t>(args.headDim) * sizeof(float));
    layout.layersAt = take(2 * sizeof(PersistentLayer));
    layout.stateAt = take(sizeof(StepState));
    layout.sharesAt = take(kSteps * 2 * sizeof(int));
    layout.normsAt = layout.attentionAt = take(std::max(2 * hiddenBytes, sizeof(DecodeShared<1>)));
    layout.ringAt = at;
    const int room = static_cast<int>(sharedBytes) - at;
    int64_t best = -1;
    for (int bytes = rounded(static_cast<size_t>(leastSlot)); bytes <= std::max(leastSlot, kLargestSlot);
         bytes += 128) {
        const int slots = std::min(kMostSlots, room / bytes);
        const int64_t held = bytesHeld(shapes, blocks, bytes, slots);
        if (slots < 3 || held <= best) continue;
        best = held;
        layout.slotBytes = bytes;
        layout.slots = Divisor::of(static_cast<unsigned>(slots));
    }
    if (layout.slotBytes == 0) return {};
    const int slots = static_cast<int>(layout.slots.value);
    for (StepShape& shape : shapes) {
        const int units = unitsOfTile(shape, layout.slotBytes);
        const int bytesInFlight = &shape == &shapes[kHead] ? kHeadBytesInFlight : kBytesInFlight;
        shape.unitsOfTile = Divisor::of(static_cast<unsigned>(units));
        shape.inFlight = std::clamp(bytesInFlight / layout.slotBytes, 1, slots - 2);
        // A barrier tells this round of the ring from the last, not from the one before that.
        shape.warps = std::min(kMultiplyingWarps, (slots - shape.inFlight) * units);
    }
    layout.bytes = at + static_cast<int>(layout.slots.value) * layout.slotBytes;
    return layout;
}

ExchangeLayout exchangeLayoutFor(std::span<const PersistentLayer> layers, int heads, int headDim) {
    size_t hidden = 0, stacked = 0, activated = 0, parts = 0;
    for (const PersistentLayer& layer : layers) {
        hidden = std::max(hidden, static_cast<size_t>(layer.down.rows));
        stacked = std::max(stacked, static_cast<size_t>(layer.query.rows + layer.key.rows + layer.value.rows));
        activated = std::max(activated, static_cast<size_t>(layer.down.stride));
        parts = std::max(parts, static_cast<size_t>(heads * layer.splits));
    }
    ExchangeLayout layout;
    int at = 0;
    const auto take = [&](size_t bytes) { return std::exchange(at, at + rounded(bytes)); };
    layout.projectedAt = take(hidden * sizeof(Message));
    layout.stackedAt = take(stacked * sizeof(Message));
    layout.partsAt = take(parts * static_cast<size_t>(headDim) * sizeof(Message));
    layout.statisticsAt = take(2 * parts * sizeof(Message));
    layout.activatedAt = take(activated * sizeof(uint32_t));
    layout.bytes = at;
    return layout;
}

}  // namespace

struct PersistentDecode::Prepared {
    Kernel kernel;
    int blocks = 0;
};

size_t persistentExchangeBytes(std::span<const PersistentLayer> layers, int heads, int headDim) {
    return static_cast<size_t>(exchangeLayoutFor(layers, heads, headDim).bytes);
}

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
    constexpr int kStaticBytes = kMostSlots * static_cast<int>(2 * sizeof(uint64_t));
    const auto sameShape = [&](const PersistentLayer& layer) {
        const auto same = [&](WeightMatrix PersistentLayer::*matrix) {
            const WeightMatrix &a = layer.*matrix, &b = layers.front().*matrix;
            return a.rows == b.rows && a.columns == b.columns && a.stride == b.stride;
        };
        return same(&PersistentLayer::query) && same(&PersistentLayer::key) && same(&PersistentLayer::value) &&
               same(&PersistentLayer::output) && same(&PersistentLayer::gate) && same(&PersistentLayer::up) &&
               same(&PersistentLayer::down);
    };
    if (!std::all_of(layers.begin(), layers.end(), sameShape)) return cudaErrorInvalidConfiguration;
    Kernel kernel{.args = args};
    shapesFor(layers.front(), args, kernel.shapes);
    kernel.layout = layoutFor(kernel.shapes, args, multiprocessors, static_cast<size_t>(most - kStaticBytes));
    if (kernel.layout.slotBytes == 0) return cudaErrorInvalidConfiguration;
    kernel.exchange = exchangeLayoutFor(layers, args.heads, args.headDim);
    m_prepared = std::make_unique<Prepared>(Prepared{kernel, multiprocessors});
    m_prepared->kernel.args.layerCount = static_cast<int>(layers.size());
    return cudaFuncSetAttribute(persistent_decode_bf16, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                kernel.layout.bytes);
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
    if (error != cudaSuccess) return error;
    Kernel& next = m_prepared->kernel;
    next.number += kExchangesOfLayer * static_cast<unsigned>(next.args.layerCount);
    next.arrived += static_cast<unsigned>(m_prepared->blocks);
    return error;
}

}  // namespace gapscope::cuda

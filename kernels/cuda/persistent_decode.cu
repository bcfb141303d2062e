#include "kernels/cuda/persistent_decode.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "kernels/cuda/persistent_consumer.cuh"

namespace gapscope::cuda {

namespace {

template <class Matrix, bool kStamps>
__device__ __forceinline__ void decodeStep(const KernelOf<Matrix>& kernel) {
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
        if (threadIdx.x == kMultiplying) Producer<Matrix>(kernel, ring).run();
        return;
    }
    Consumer<Matrix, kStamps>(kernel, ring).run();
#endif
}

// A kernel for each format, with and without stamps: what runs in a layer must fit the instruction cache.
template <bool kStamps>
__global__ void __launch_bounds__(kBlockThreads, 1)
    persistent_decode_bf16(const __grid_constant__ KernelOf<WeightMatrix> kernel) {
    decodeStep<WeightMatrix, kStamps>(kernel);
}
template <bool kStamps>
__global__ void __launch_bounds__(kBlockThreads, 1)
    persistent_decode_int8(const __grid_constant__ KernelOf<Int8Matrix> kernel) {
    decodeStep<Int8Matrix, kStamps>(kernel);
}

template <bool kStamps>
__global__ void __launch_bounds__(kBlockThreads, 1)
    persistent_decode_packed(const __grid_constant__ KernelOf<PackedMatrix> kernel) {
    decodeStep<PackedMatrix, kStamps>(kernel);
}

template <bool kStamps>
auto* functionFor(const KernelOf<WeightMatrix>&) {
    return persistent_decode_bf16<kStamps>;
}
template <bool kStamps>
auto* functionFor(const KernelOf<Int8Matrix>&) {
    return persistent_decode_int8<kStamps>;
}
template <bool kStamps>
auto* functionFor(const KernelOf<PackedMatrix>&) {
    return persistent_decode_packed<kStamps>;
}

// Elements of an input and 16-byte vectors of a row, with their padding.
StepShape shapeOf(int rows, const WeightMatrix& matrix) {
    return {.rows = rows, .vectors = matrix.stride / 8, .inputs = matrix.stride};
}
StepShape shapeOf(int rows, const Int8Matrix& matrix) {
    return {.rows = rows, .vectors = matrix.stride / kInt8Vector, .inputs = matrix.stride};
}
StepShape shapeOf(int rows, const PackedMatrix& matrix) {
    return {.rows = rows, .vectors = static_cast<int>(matrix.rowBytes / 16), .inputs = matrix.columns};
}

// Of what an input is quantised to.
template <class Matrix>
size_t integersBytes(int inputs) {
    if (std::is_same_v<Matrix, Int8Matrix>) return quantizedBytes(inputs);
    return std::is_same_v<Matrix, PackedMatrix> ? packedInputBytes(inputs) : 0;
}

int rounded(size_t bytes) {
    constexpr size_t kStep = 128;
    return static_cast<int>((bytes + kStep - 1) / kStep * kStep);
}

template <class Matrix>
void shapesFor(std::span<const PersistentLayerOf<Matrix>> layers, const PersistentDecodeArgsOf<Matrix>& args,
               StepShape (&shapes)[kSteps]) {
    const PersistentLayerOf<Matrix>& layer = layers.front();
    shapes[kQkv] = shapeOf(layer.query.rows + layer.key.rows + layer.value.rows, layer.query);
    shapes[kOutput] = shapeOf(layer.output.rows, layer.output);
    shapes[kGateUp] = shapeOf(layer.gate.rows, layer.gate);
    shapes[kGateUp].rowsOfUnit = 1;
    shapes[kDown] = shapeOf(layer.down.rows, layer.down);
    for (const PersistentLayerOf<Matrix>& of : layers) {
        const auto hold = [&](Step step, const Matrix& matrix) {
            shapes[step].vectors = std::max(shapes[step].vectors, shapeOf(0, matrix).vectors);
        };
        for (const Matrix* matrix : {&of.query, &of.key, &of.value})
            hold(kQkv, *matrix);
        hold(kOutput, of.output);
        hold(kGateUp, of.gate);
        hold(kGateUp, of.up);
        hold(kDown, of.down);
    }
    // LLM.int8()'s sums of integers have no order: a warp takes rows of any length.
    if (!std::is_same_v<Matrix, Int8Matrix> && layer.down.columns > kLongestRowOfAWarp)
        shapes[kDown].rowsOfUnit = shapes[kDown].rowsHeld = shapes[kDown].isLong = 1;
    shapes[kHead] = shapeOf(args.head.rows, args.head);
    if (args.upper.data == nullptr) return;
    shapes[kHead].rows = ceilDiv(args.head.rows, kPanelRows);
    shapes[kHead].vectors = panelSteps(args.head.columns) * kPanelStepBytes / 16;
    shapes[kHead].rowsOfUnit = shapes[kHead].rowsHeld = 1;
}

int unitBytes(const StepShape& shape) {
    return shape.rowsHeld * shape.vectors * 16;
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
template <class Matrix>
Layout layoutFor(StepShape (&shapes)[kSteps], const PersistentDecodeArgsOf<Matrix>& args, int mostSplits, int blocks,
                 size_t sharedBytes) {
    constexpr bool kQuantizes = std::is_same_v<Matrix, Int8Matrix>;
    int leastSlot = kSmallestSlot;
    for (const StepShape& shape : shapes)
        leastSlot = std::max(leastSlot, unitBytes(shape));
    const int results = shapes[kDown].isLong * ceilDiv(shapes[kDown].rows, blocks);
    const size_t hiddenBytes = static_cast<size_t>(args.table.columns) * sizeof(float);
    Layout layout;
    int at = 0;
    const auto take = [&](size_t bytes) { return std::exchange(at, at + rounded(bytes)); };
    layout.residualAt = take(hiddenBytes);
    const auto inputBytes = [&](Step step) {
        const int inputs = shapes[step].inputs;
        return sizeof(Bf16) * static_cast<size_t>(inputs) + integersBytes<Matrix>(inputs);
    };
    layout.inputBytes = rounded(std::max({inputBytes(kQkv), inputBytes(kGateUp), inputBytes(kHead)}));
    layout.inputAt = take(static_cast<size_t>(layout.inputBytes) + inputBytes(kOutput));
    const size_t partBytes = static_cast<size_t>(messagesOfPart(args.headDim)) * sizeof(float);
    const auto partsGathered = static_cast<size_t>(args.heads * std::min(mostSplits, kSplitsGathered));
    layout.gatheredAt = take(std::max({hiddenBytes, inputBytes(kDown), partsGathered * partBytes}));
    layout.resultsAt = take(static_cast<size_t>(results) * kConsumerWarps * sizeof(float));
    layout.sumsAt = take(kConsumerWarps * sizeof(float4));
    layout.ropeAt = take(2 * static_cast<size_t>(args.headDim) * sizeof(float));
    layout.layersAt = take(2 * sizeof(PersistentLayerOf<Matrix>));
    layout.stateAt = take(sizeof(StepState));
    layout.stampsAt = take((persistentStageCount(args.layerCount) + 1) * sizeof(uint32_t));
    layout.sharesAt = take(kSteps * 2 * sizeof(int));
    for (int step = 0; kQuantizes && step < kStepsOfLayer; ++step)
        layout.mostScales = std::max(layout.mostScales, (step == kGateUp ? 2 : 1) * ceilDiv(shapes[step].rows, blocks));
    // One more: the second row of a last unit may not be there.
    layout.scalesAt = take(kQuantizes ? (2 * static_cast<size_t>(layout.mostScales) + 1) * sizeof(float) : 0);
    layout.normsAt = layout.attentionAt =
        take(std::max({2 * hiddenBytes, boundedInputBytes(args.head.columns), sizeof(DecodeShared<1>)}));
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
        const int ofHead = std::is_same_v<Matrix, PackedMatrix> ? kPackedHeadBytesInFlight : kHeadBytesInFlight;
        const int bytesInFlight = &shape == &shapes[kHead] ? ofHead : kBytesInFlight;
        shape.unitsOfTile = Divisor::of(static_cast<unsigned>(units));
        shape.inFlight = std::clamp(bytesInFlight / layout.slotBytes, 1, slots - 2);
        // A barrier tells this round of the ring from the last, not from the one before that.
        shape.warps = std::min(kMultiplyingWarps, (slots - shape.inFlight) * units);
    }
    layout.bytes = at + static_cast<int>(layout.slots.value) * layout.slotBytes;
    return layout;
}

template <class Matrix>
ExchangeLayout exchangeLayoutFor(std::span<const PersistentLayerOf<Matrix>> layers, int heads, int headDim) {
    size_t hidden = 0, stacked = 0, activated = 0, parts = 0, joined = 0;
    for (const PersistentLayerOf<Matrix>& layer : layers) {
        hidden = std::max(hidden, static_cast<size_t>(layer.down.rows));
        stacked = std::max(stacked, static_cast<size_t>(layer.query.rows + layer.key.rows + layer.value.rows));
        activated = std::max(activated, static_cast<size_t>(shapeOf(layer.down.rows, layer.down).inputs));
        parts = std::max(parts, static_cast<size_t>(heads * layer.splits));
        joined = std::max(joined, static_cast<size_t>(shapeOf(layer.output.rows, layer.output).inputs));
    }
    ExchangeLayout layout;
    int at = 0;
    const auto take = [&](size_t bytes) { return std::exchange(at, at + rounded(bytes)); };
    layout.projectedAt = take(hidden * sizeof(Message));
    layout.stackedAt = take(stacked * sizeof(Message));
    layout.partsAt = take(parts * static_cast<size_t>(messagesOfPart(headDim)) * sizeof(Message));
    layout.joinedAt = take(joined * sizeof(uint32_t));
    layout.activatedAt = take(activated * sizeof(uint32_t));
    layout.probesAt = take(kMostProbes * sizeof(Message));
    layout.bytes = at;
    return layout;
}

}  // namespace

struct PersistentDecode::Prepared {
    std::variant<KernelOf<WeightMatrix>, KernelOf<Int8Matrix>, KernelOf<PackedMatrix>> kernel;
    int blocks = 0;
    size_t sharedBytes = 0;
};

template <class Matrix>
size_t persistentExchangeBytes(std::span<const PersistentLayerOf<Matrix>> layers, int heads, int headDim) {
    return static_cast<size_t>(exchangeLayoutFor(layers, heads, headDim).bytes);
}

PersistentDecode::PersistentDecode() = default;
PersistentDecode::~PersistentDecode() = default;

template <class Matrix>
cudaError_t PersistentDecode::prepare(std::span<const PersistentLayerOf<Matrix>> layers,
                                      const PersistentDecodeArgsOf<Matrix>& args, int multiprocessors) {
    using Layer = PersistentLayerOf<Matrix>;
    if (layers.empty() || args.table.columns % 4 != 0) return cudaErrorInvalidValue;
    int device = 0, most = 0, major = 0;
    cudaError_t error = cudaGetDevice(&device);
    if (error == cudaSuccess) error = cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device);
    if (error == cudaSuccess) error = cudaDeviceGetAttribute(&most, cudaDevAttrMaxSharedMemoryPerBlockOptin, device);
    if (error != cudaSuccess) return error;
    if (major < 9) return cudaErrorNotSupported;
    constexpr int kStaticBytes = kMostSlots * static_cast<int>(2 * sizeof(uint64_t));
    const auto sameShape = [&](const Layer& layer) {
        const auto same = [&](Matrix Layer::*matrix) {
            const Matrix &a = layer.*matrix, &b = layers.front().*matrix;
            return a.rows == b.rows && a.columns == b.columns && shapeOf(0, a).inputs == shapeOf(0, b).inputs;
        };
        return same(&Layer::query) && same(&Layer::key) && same(&Layer::value) && same(&Layer::output) &&
               same(&Layer::gate) && same(&Layer::up) && same(&Layer::down);
    };
    if (!std::all_of(layers.begin(), layers.end(), sameShape)) return cudaErrorInvalidConfiguration;
    if (args.upper.data != nullptr &&
        (args.upper.columns > kMostPersistentBoundedColumns || multiprocessors >= kMostProbes))
        return cudaErrorInvalidConfiguration;
    KernelOf<Matrix> kernel{.args = args};
    kernel.args.layerCount = static_cast<int>(layers.size());
    shapesFor(layers, args, kernel.shapes);
    const int mostSplits = std::ranges::max(layers, {}, &Layer::splits).splits;
    kernel.layout =
        layoutFor(kernel.shapes, kernel.args, mostSplits, multiprocessors, static_cast<size_t>(most - kStaticBytes));
    if (kernel.layout.slotBytes == 0) return cudaErrorInvalidConfiguration;
    kernel.exchange = exchangeLayoutFor(layers, args.heads, args.headDim);
    m_prepared =
        std::make_unique<Prepared>(Prepared{kernel, multiprocessors, static_cast<size_t>(kernel.layout.bytes)});
    error = cudaFuncSetAttribute(functionFor<false>(kernel), cudaFuncAttributeMaxDynamicSharedMemorySize,
                                 kernel.layout.bytes);
    if (error != cudaSuccess) return error;
    return cudaFuncSetAttribute(functionFor<true>(kernel), cudaFuncAttributeMaxDynamicSharedMemorySize,
                                kernel.layout.bytes);
}

cudaError_t PersistentDecode::launch(cudaStream_t stream, uint32_t* stamps) {
    cudaLaunchAttribute attribute{};
    attribute.id = cudaLaunchAttributeCooperative;
    attribute.val.cooperative = 1;
    cudaLaunchConfig_t config{};
    config.gridDim = dim3(static_cast<unsigned>(m_prepared->blocks));
    config.blockDim = dim3(kBlockThreads);
    config.dynamicSmemBytes = m_prepared->sharedBytes;
    config.stream = stream;
    config.attrs = &attribute;
    config.numAttrs = 1;
    return std::visit(
        [&](auto& kernel) {
            kernel.stamps = stamps;
            auto* const function = stamps != nullptr ? functionFor<true>(kernel) : functionFor<false>(kernel);
            const cudaError_t error = cudaLaunchKernelEx(&config, function, kernel);
            if (error != cudaSuccess) return error;
            kernel.number += kExchangesOfLayer * static_cast<unsigned>(kernel.args.layerCount) + kExchangesOfHead;
            kernel.arrived += static_cast<unsigned>(m_prepared->blocks);
            return error;
        },
        m_prepared->kernel);
}

template size_t persistentExchangeBytes(std::span<const PersistentLayerOf<WeightMatrix>>, int, int);
template size_t persistentExchangeBytes(std::span<const PersistentLayerOf<Int8Matrix>>, int, int);
template size_t persistentExchangeBytes(std::span<const PersistentLayerOf<PackedMatrix>>, int, int);
template cudaError_t PersistentDecode::prepare(std::span<const PersistentLayerOf<WeightMatrix>>,
                                               const PersistentDecodeArgsOf<WeightMatrix>&, int);
template cudaError_t PersistentDecode::prepare(std::span<const PersistentLayerOf<Int8Matrix>>,
                                               const PersistentDecodeArgsOf<Int8Matrix>&, int);
template cudaError_t PersistentDecode::prepare(std::span<const PersistentLayerOf<PackedMatrix>>,
                                               const PersistentDecodeArgsOf<PackedMatrix>&, int);

}  // namespace gapscope::cuda

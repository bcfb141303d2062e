#include "kernels/cuda/bounded_head.cuh"

#include <cassert>

#include "kernels/cuda/gemv_rows.cuh"

namespace gapscope::cuda {

namespace {

constexpr int kPackThreads = 256;
// Of a warp on their way, 4 KB. H100, 1B, two blocks a multiprocessor: one 82 us, two 75, three 74, four 74; three
// blocks 76 to 80, four 75.
constexpr int kStepsAhead = 3;
constexpr int kRowsOfChoice = 1024;  // whose bounds a block of the second pass looks at together
constexpr float kLeastStep = 0x1p-100F;

// A sixteenth of the largest |w|, rounded up to bf16.
__device__ __forceinline__ Bf16 stepOf(float most) {
    const float step = fmaxf(most / 16, kLeastStep);
    const unsigned bits = __float_as_uint(step);
    return static_cast<Bf16>((bits >> 16) + ((bits & 0xffffU) != 0 ? 1U : 0U));
}

// A thread a block of 32 weights.
__global__ void __launch_bounds__(kPackThreads) pack_upper_bits(WeightMatrix matrix, std::byte* upper, float* largest) {
    const int steps = panelSteps(matrix.columns);
    const int64_t count = static_cast<int64_t>((matrix.rows + kPanelRows - 1) / kPanelRows) * steps * 2 * kWarp;
    const int64_t number = static_cast<int64_t>(blockIdx.x) * kPackThreads + static_cast<int>(threadIdx.x);
    float most = 0;
    if (number < count) {
        const int lane = static_cast<int>(number % kWarp), j = static_cast<int>(number / kWarp % 2);
        const int64_t panelStep = number / (2 * kWarp);
        const int step = static_cast<int>(panelStep % steps);
        const int64_t row = panelStep / steps * kPanelRows + lane % kPanelRows;
        const int column = step * kPanelColumns + (2 * j + lane / kPanelRows) * kBoundedBlock;
        float weights[kBoundedBlock];
        bool isFinite = true;
#pragma unroll
        for (int i = 0; i < kBoundedBlock; ++i) {
            const bool inside = row < matrix.rows && column + i < matrix.columns;
            weights[i] = inside ? toFloat(matrix.data[row * matrix.stride + column + i]) : 0.0F;
            isFinite = isFinite && isfinite(weights[i]);
            most = fmaxf(most, fabsf(weights[i]));
        }
        const Bf16 scale = stepOf(most);
        const float inverse = 1 / toFloat(scale);
        unsigned nibbles[4] = {}, fifths = 0;
#pragma unroll
        for (int i = 0; i < kBoundedBlock; ++i) {
            const int group = i / 4, byte = i % 4;
            const auto level = static_cast<unsigned>(max(0, min(31, __float2int_rd(weights[i] * inverse) + 16)));
            nibbles[group / 2] |= (level & 15U) << (8 * byte + 4 * (group % 2));
            fifths |= (level >> 4) << (8 * byte + group);
        }
        std::byte* const to = upper + panelStep * kPanelStepBytes;
        reinterpret_cast<uint4*>(to)[j * kWarp + lane] = {nibbles[0], nibbles[1], nibbles[2], nibbles[3]};
        reinterpret_cast<unsigned*>(to + kFifthsAt)[2 * lane + j] = fifths;
        reinterpret_cast<Bf16*>(to + kScalesAt)[2 * lane + j] = scale;
        if (!isFinite) most = INFINITY;
    }
    most = warpMax(most);
    // Numbers that are not negative are ordered as their bits are.
    if (threadIdx.x % kWarp == 0) atomicMax(reinterpret_cast<unsigned*>(largest), __float_as_uint(most));
}

// What a block bounds: x is [count, head.stride], bounds [count, head.rows], probes [count, gridDim.x].
struct BlockBounds {
    const Bf16* x;
    int count;
    float* bounds;
    float* probes;
};

// Each warp takes panels. `stage(inputs)` waits for the kernel before, puts the tokens' inputs there,
// boundedInputBytes() each, and says what is bounded; room for kTokens that are not there is computed with and not
// stored.
template <int kTokens, class Stage>
__device__ __forceinline__ void boundPanels(const WeightMatrix& head, const UpperBits& upper, std::byte* inputs,
                                            Stage stage) {
    constexpr int kAhead = kTokens > 3 ? 2 : kStepsAhead;
    constexpr int kWarps = kStayThreads / kWarp;
    static_assert(kTokens <= kWarps);
    __shared__ BestRow bests[kTokens][kWarps];
    const int lane = static_cast<int>(threadIdx.x) % kWarp, warp = static_cast<int>(threadIdx.x) / kWarp;
    const int rows = upper.rows, steps = panelSteps(upper.columns);
    const int panels = (rows + kPanelRows - 1) / kPanelRows;
    const int chunks = (steps + kAhead - 1) / kAhead;
    const int panelStride = static_cast<int>(gridDim.x) * kWarps;
    int panel = static_cast<int>(blockIdx.x) * kWarps + warp;

    PanelStep ahead[kAhead];
    const auto load = [&](int wantedPanel, int chunk) {
        const std::byte* const from = upper.data + static_cast<int64_t>(wantedPanel) * steps * kPanelStepBytes;
#pragma unroll
        for (int a = 0; a < kAhead; ++a) {
            const int step = chunk * kAhead + a;
            if (wantedPanel >= panels || step >= steps) continue;
            const std::byte* const at = from + step * kPanelStepBytes;
            ahead[a].nibbles[0] = loadWeights(reinterpret_cast<const uint4*>(at) + lane);
            ahead[a].nibbles[1] = loadWeights(reinterpret_cast<const uint4*>(at) + kWarp + lane);
            ahead[a].fifths = __ldcs(reinterpret_cast<const uint2*>(at + kFifthsAt) + lane);
            ahead[a].scales = __ldcs(reinterpret_cast<const unsigned*>(at + kScalesAt) + lane);
        }
    };
    load(panel, 0);
    allowNext();
    const BlockBounds to = stage(inputs);
    const size_t inputBytes = boundedInputBytes(upper.columns);
    const auto inputOf = [&](int t) {
        return boundedInputAt(inputs + static_cast<size_t>(t) * inputBytes, upper.columns);
    };

    BestRow best[kTokens];
#pragma unroll
    for (int t = 0; t < kTokens; ++t)
        best[t] = {-INFINITY, -1};
    for (; panel < panels; panel += panelStride) {
        float bound[kTokens];
#pragma unroll
        for (int t = 0; t < kTokens; ++t)
            bound[t] = lane < kPanelRows ? kLeastBound : 0.0F;
        for (int chunk = 0; chunk < chunks; ++chunk) {
            PanelStep now[kAhead];
#pragma unroll
            for (int a = 0; a < kAhead; ++a)
                now[a] = ahead[a];
            const bool lastChunk = chunk + 1 == chunks;
            load(lastChunk ? panel + panelStride : panel, lastChunk ? 0 : chunk + 1);
#pragma unroll
            for (int a = 0; a < kAhead; ++a) {
                const int step = chunk * kAhead + a;
                if (step >= steps) continue;
#pragma unroll
                for (int t = 0; t < kTokens; ++t)
                    bound[t] = boundOf(now[a], step, inputOf(t), bound[t]);
            }
        }
        const int row = panel * kPanelRows + lane;
#pragma unroll
        for (int t = 0; t < kTokens; ++t) {
            bound[t] += __shfl_xor_sync(0xffffffffU, bound[t], kPanelRows);
            if (lane >= kPanelRows || row >= rows || t >= to.count) continue;
            to.bounds[static_cast<int64_t>(t) * rows + row] = bound[t];
            best[t] = better(best[t], BestRow{bound[t], row});
        }
    }
#pragma unroll
    for (int t = 0; t < kTokens; ++t) {
        best[t] = warpBest(best[t]);
        if (lane == 0) bests[t][warp] = best[t];
    }
    __syncthreads();
    if (warp >= to.count) return;
    const BestRow most = warpBest(lane < kWarps ? bests[warp][lane] : BestRow{0, -1});
    float product = -INFINITY;
    if (!canBeBounded(inputOf(warp), upper.columns, upper.largest))
        product = NAN;
    else if (most.row >= 0)
        product = productInFull<kFullAhead>(
            head, most.row, reinterpret_cast<const uint4*>(to.x + static_cast<int64_t>(warp) * head.stride));
    if (lane == 0) to.probes[static_cast<int64_t>(warp) * gridDim.x + blockIdx.x] = product;
}

__global__ void __launch_bounds__(kStayThreads, kStayBlocks) gemv_norm_head_bounds_bf16(HeadBoundsArgs args) {
    extern __shared__ __align__(16) float shared[];
    std::byte* const inputs = reinterpret_cast<std::byte*>(shared) + normSharedBytes(args.head.stride);
    boundPanels<1>(args.head, args.upper, inputs, [&](std::byte* to) {
        const uint4* const normed = stageNorm<2>(args.input, args.head.columns, args.head.stride, shared);
        const auto* const x = reinterpret_cast<const Bf16*>(normed);
        quantizeBounded(x, args.head.columns, boundedInputAt(to, args.head.columns),
                        static_cast<int>(threadIdx.x) / kWarp, kStayThreads / kWarp);
        if (blockIdx.x == 0)
            for (int i = static_cast<int>(threadIdx.x); i < args.head.stride / 8; i += kStayThreads)
                reinterpret_cast<uint4*>(args.normed)[i] = normed[i];
        __syncthreads();
        return BlockBounds{x, 1, args.bounds, args.probes};
    });
}

template <int kTokens>
__global__ void __launch_bounds__(kStayThreads, kStayBlocks) gemv_head_bounds_rows_bf16(HeadBoundsRowsArgs args) {
    extern __shared__ __align__(16) float shared[];
    boundPanels<kTokens>(args.head, args.upper, reinterpret_cast<std::byte*>(shared), [&](std::byte* to) {
        const BlockTokens tokens = blockTokens<kTokens>(args.tokens);
        const Bf16* const x = args.x + static_cast<int64_t>(tokens.first) * args.head.stride;
        waitForPrevious();
        for (int t = 0; t < tokens.count; ++t)
            quantizeBounded(
                x + static_cast<int64_t>(t) * args.head.stride, args.head.columns,
                boundedInputAt(to + static_cast<size_t>(t) * boundedInputBytes(args.head.columns), args.head.columns),
                static_cast<int>(threadIdx.x) / kWarp, kStayThreads / kWarp);
        __syncthreads();
        return BlockBounds{x, tokens.count, args.bounds + static_cast<int64_t>(tokens.first) * args.head.rows,
                           args.probes + static_cast<int64_t>(tokens.first) * gridDim.x};
    });
}

__global__ void __launch_bounds__(kStayThreads, kStayBlocks) head_choice_by_bounds_bf16(HeadChoiceArgs args) {
    extern __shared__ __align__(16) float shared[];
    __shared__ int candidates[kRowsOfChoice];
    __shared__ int count;
    constexpr int kEach = kRowsOfChoice / kStayThreads;
    const int thread = static_cast<int>(threadIdx.x), lane = thread % kWarp, warp = thread / kWarp;
    const int rows = args.head.rows;
    const auto token = static_cast<int64_t>(blockIdx.y);
    const float* const bounds = args.bounds + token * rows;
    allowNext();
    if (thread == 0) count = 0;
    uint4* const x =
        stageVector(args.normed + token * args.head.stride, args.head.stride / 8, reinterpret_cast<uint4*>(shared));
    const float threshold = thresholdOf(args.probes + token * args.probeCount, args.probeCount, lane, kWarp);
    BestRow best{-INFINITY, -1};
    for (int first = static_cast<int>(blockIdx.x) * kRowsOfChoice; first < rows;
         first += static_cast<int>(gridDim.x) * kRowsOfChoice) {
#pragma unroll
        for (int i = 0; i < kEach; ++i) {
            const int row = first + i * kStayThreads + thread;
            if (row < rows && !(bounds[row] < threshold)) candidates[atomicAdd(&count, 1)] = row;
        }
        __syncthreads();
        const int taken = count;
        for (int i = warp; i < taken; i += kStayThreads / kWarp) {
            const float product = productInFull<kFullAhead>(args.head, candidates[i], x);
            if (product == product) best = better(best, BestRow{product, candidates[i]});
        }
        if (thread == 0 && taken > 0 && args.rowsInFull != nullptr)
            atomicAdd(args.rowsInFull, static_cast<unsigned long long>(taken));
        __syncthreads();
        if (thread == 0) count = 0;
        __syncthreads();
    }
    BestLogit logit;
    logit.value = best.value;
    logit.index = best.row;
    writeBlockBest(logit, args.partialValues + token * args.blocks, args.partialIndices + token * args.blocks);
}

}  // namespace

cudaError_t packUpperBits(const WeightMatrix& matrix, std::byte* upper, float* largest, const Launch& launch) {
    const int64_t threads =
        static_cast<int64_t>(ceilDiv(matrix.rows, kPanelRows)) * panelSteps(matrix.columns) * 2 * kWarp;
    return launchKernel(pack_upper_bits, ceilDiv(threads, kPackThreads), kPackThreads, 0,
                        Launch{launch.stream, false, launch.multiprocessors}, matrix, upper, largest);
}

cudaError_t gemvNormHeadBounds(const HeadBoundsArgs& args, const Launch& launch) {
    assert(args.upper.rows == args.head.rows && args.upper.columns == args.head.columns);
    const size_t shared = normSharedBytes(args.head.stride) + boundedInputBytes(args.head.columns);
    if (args.head.columns % 4 != 0) return cudaErrorInvalidValue;
    if (shared > kSharedLimit) return cudaErrorInvalidConfiguration;
    return launchKernel(gemv_norm_head_bounds_bf16, args.blocks, kStayThreads, shared, launch, args);
}

cudaError_t gemvHeadBoundsRows(const HeadBoundsRowsArgs& args, const Launch& launch) {
    assert(args.upper.rows == args.head.rows && args.upper.columns == args.head.columns);
    const size_t ofToken = boundedInputBytes(args.head.columns);
    return launchForTokens(args.tokens, ofToken, [&](auto count) {
        constexpr int kTokens = decltype(count)::value;
        return launchKernel(gemv_head_bounds_rows_bf16<kTokens>, gridFor(args.blocks, args.tokens, kTokens),
                            kStayThreads, kTokens * ofToken, launch, args);
    });
}

cudaError_t chooseByBounds(const HeadChoiceArgs& args, const Launch& launch) {
    const size_t shared = sizeof(Bf16) * static_cast<size_t>(args.head.stride);
    if (shared > kSharedLimit - kRowsOfChoice * sizeof(int)) return cudaErrorInvalidConfiguration;
    return launchKernel(head_choice_by_bounds_bf16, gridFor(args.blocks, args.tokens, 1), kStayThreads, shared, launch,
                        args);
}

}  // namespace gapscope::cuda

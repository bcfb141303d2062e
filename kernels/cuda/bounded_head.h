// The largest product of a matrix and a vector without reading all its bits, as kernels/cpu/bounded_head.h does it for
// Q8_0: here of a bf16 matrix, the head. Beside the matrix lies a copy of five bits a weight. A first pass reads the
// copy and knows of each product the most that it can be; a second one computes those in full that may reach the
// largest known so far, as gemvNormHead() computes them, to the bit. What wins is the index that the full products
// give.
//
// A block of 32 weights is w = s (q - 15.5) + e with q in 0 .. 31 and |e| <= s / 2, s being a sixteenth of its largest
// |w|, rounded up to bf16. The input's blocks are x = t k + d with k an int8. A block's product is then
// s t sum((q - 15.5) k), an exact integer times two factors, and at most s (sum |x| / 2 + 15.5 sum |d|) more. What
// rounding adds, here and in the full product, is in that slack as well; bounded_head.cuh says how much.
#pragma once

#include <cstddef>

#include "kernels/cuda/gemv.h"

namespace gapscope::cuda {

// The copy: panels of kPanelRows rows, each in steps of kPanelColumns columns, a lane of a warp 64 of its weights.
struct UpperBits {
    const std::byte* data = nullptr;  // upperBitsBytes(), aligned to 128 bytes
    int rows = 0;
    int columns = 0;
    float largest = 0;  // |w| of the matrix: what tells whether sums may leave the range of floats
};
inline constexpr int kPanelRows = 16;
inline constexpr int kPanelColumns = 128;
inline constexpr int kPanelStepBytes = 1408;  // two blocks a lane: nibbles, fifth bits, steps
GAPSCOPE_HOST_DEVICE constexpr int panelSteps(int columns) {
    return (columns + kPanelColumns - 1) / kPanelColumns;
}
constexpr int64_t upperBitsBytes(int64_t rows, int64_t columns) {
    return (rows + kPanelRows - 1) / kPanelRows * panelSteps(static_cast<int>(columns)) * kPanelStepBytes;
}

// Makes the copy, and *largest (device memory, 0 before) the largest |w|: not finite if a weight is not, and then the
// copy is of no use.
[[nodiscard]] cudaError_t packUpperBits(const WeightMatrix& matrix, std::byte* upper, float* largest,
                                        const Launch& launch);

// The first pass: norm, bounds, and a block's row that looks largest in full. Of an input that cannot be bounded (a
// number that is none, infinity, sums beyond floats) the products in full are NaN, and the second pass takes all rows.
struct HeadBoundsArgs {
    NormInput input;
    WeightMatrix head;
    UpperBits upper;          // of the head
    Bf16* normed = nullptr;   // [head.stride], the input, for the second pass
    float* bounds = nullptr;  // [rows]
    float* probes = nullptr;  // [blocks]: a product in full; -infinity: the block has no row
    int blocks = 0;           // gemvHeadBlocks()
};
[[nodiscard]] cudaError_t gemvNormHeadBounds(const HeadBoundsArgs& args, const Launch& launch);

// The first pass for the tokens of a step that checks drafts, whose inputs are there.
struct HeadBoundsRowsArgs {
    const Bf16* x = nullptr;  // [tokens, head.stride]
    int tokens = 1;
    WeightMatrix head;
    UpperBits upper;
    float* bounds = nullptr;  // [tokens, rows]
    float* probes = nullptr;  // [tokens, blocks]
    int blocks = 0;
};
[[nodiscard]] cudaError_t gemvHeadBoundsRows(const HeadBoundsRowsArgs& args, const Launch& launch);

// The second pass: per block and token the largest product, for argmaxFinish() or argmaxFinishRows(). Ties go to the
// lowest index, NaN is never the largest (index -1: nothing comparable).
struct HeadChoiceArgs {
    WeightMatrix head;
    const Bf16* normed = nullptr;   // [tokens, head.stride]
    const float* bounds = nullptr;  // [tokens, rows]
    const float* probes = nullptr;  // [tokens, probeCount]
    int probeCount = 0;
    float* partialValues = nullptr;  // [tokens, blocks]
    int32_t* partialIndices = nullptr;
    int blocks = 0;
    unsigned long long* rowsInFull = nullptr;  // grows by the rows computed here; may be null
    int tokens = 1;
};
[[nodiscard]] cudaError_t chooseByBounds(const HeadChoiceArgs& args, const Launch& launch);

}  // namespace gapscope::cuda

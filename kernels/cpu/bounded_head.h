// The largest product of a matrix and a vector without reading all its bits. The weights of Q8_0 are w = d (8 h + l -
// 128) with h their upper five bits and l in 0 .. 7 their lower three. A first pass reads h alone and knows of each
// product the most that it can be; the second one computes those in full that may reach the largest known so far. What
// wins is the index that the full products give, to the bit: the same kernel computes the candidates.
//
// With the activations in int8 blocks x = s q, a block's product is d s (sum((8h - 128) q) + sum(l q)), and sum(l q) is
// at most 7 times the sum of the positive q. With d >= 0 that gives the bound; kernels/cpu/README.md has the figures.
#pragma once

#include <functional>
#include <optional>

#include "kernels/cpu/argmax.h"
#include "kernels/cpu/isa.h"
#include "kernels/cpu/packed_matrix.h"

namespace gapscope {

// The upper five bits of a Q8_0 matrix, laid out as Q5_0 with steps of 8 d: 5.5 bits a weight. None if a d is negative
// or too large for that, if rows are too long for kSelfQuantizedColumns, and for Isa::Scalar. `onRows`, if there, is
// told every few megabytes that rows [0, rowsDone) have been read, so that a mapped file's pages can be let go. Throws
// std::bad_alloc, and what onRows throws.
std::optional<PackedMatrix> packUpperBits(const MatrixView& view, Isa isa,
                                          const std::function<void(int64_t rowsDone)>& onRows = {});

inline constexpr int64_t kMostBoundedTokens = 17;  // a token and its drafts, or the sequences of a batch

struct BoundedHeadArgs {
    const float* x = nullptr;  // [tokens, K]
    // X from quantizeRows, as in MatmulArgs: may be null for one token.
    const std::byte* quantized = nullptr;
    int64_t tokens = 1;                   // 1..kMostBoundedTokens
    const PackedMatrix* upper = nullptr;  // packUpperBits() of what `full` was packed from
    const PackedMatrix* full = nullptr;   // [N, K], Arithmetic::Quantized
    float* bounds = nullptr;              // [tokens, N]: the most that each product can be
    ArgmaxPartial* probes = nullptr;      // [tokens, Part::count]: in full, the one that looks largest to each part
    ArgmaxPartial* partials = nullptr;    // [tokens, Part::count]: for combineArgmax()
};

}  // namespace gapscope

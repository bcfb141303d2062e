// What the products of a few tokens share, whatever the weights' format: which tokens a block takes, and where sums go.
#pragma once

#include <algorithm>

#include "kernels/cuda/gemv_rows.h"
#include "kernels/cuda/gemv_stage.cuh"

namespace gapscope::cuda {

// A sum for each token that a block takes; those past the last are added up too and not stored.
template <class Sum, int kTokens>
struct TokenSums {
    Sum of[kTokens] = {};
};
template <class Sum, int kTokens>
__device__ __forceinline__ TokenSums<Sum, kTokens> warpSum(TokenSums<Sum, kTokens> sums) {
#pragma unroll
    for (int t = 0; t < kTokens; ++t)
        sums.of[t] = warpSum(sums.of[t]);
    return sums;
}

// The tokens of this block: blockIdx.y says which.
struct BlockTokens {
    int first, count;
};
template <int kTokens>
__device__ __forceinline__ BlockTokens blockTokens(int tokens) {
    const int first = static_cast<int>(blockIdx.y) * kTokens;
    return {first, min(kTokens, tokens - first)};
}

// Row `row` of all matrices one after the other.
struct RowPlace {
    int matrix, row;
};
template <class Matrix>
__device__ __forceinline__ RowPlace placeOf(const GemvRowsArgsOf<Matrix>& args, int row) {
    int matrix = 0;
    while (matrix + 1 < args.count && row >= args.matrices[matrix].rows)
        row -= args.matrices[matrix++].rows;
    return {matrix, row};
}

template <class Matrix>
__host__ __device__ __forceinline__ int allRows(const GemvRowsArgsOf<Matrix>& args) {
    int rows = 0;
    for (int i = 0; i < args.count; ++i)
        rows += args.matrices[i].rows;
    return rows;
}

template <class Matrix>
__device__ __forceinline__ void storeRow(const GemvRowsArgsOf<Matrix>& args, RowPlace place, int token, float sum) {
    const int64_t at = static_cast<int64_t>(token) * args.matrices[place.matrix].rows + place.row;
    if (args.outBf16 != nullptr)
        args.outBf16[at] = fromFloat<Bf16>(sum);
    else
        args.out[place.matrix][at] = sum;
}

// Calls `launch` with the smallest number of tokens a block that is compiled and holds all of them, or the largest
// whose shared memory, `bytesOfAToken` each, can be had.
template <class LaunchWith>
cudaError_t launchForTokens(int tokens, size_t bytesOfAToken, LaunchWith launch) {
    if (tokens < 1) return cudaErrorInvalidValue;
    constexpr size_t kRoom = kSharedLimit - (size_t{4} << 10);  // the rest for what a kernel declares
    const auto fits = [&](size_t count) { return count * bytesOfAToken <= kRoom; };
    if (tokens > 5 && fits(8)) return launch(std::integral_constant<int, 8>());
    if (tokens > 3 && fits(5)) return launch(std::integral_constant<int, 5>());
    if (tokens > 1 && fits(3)) return launch(std::integral_constant<int, 3>());
    return fits(1) ? launch(std::integral_constant<int, 1>()) : cudaErrorInvalidConfiguration;
}

inline dim3 gridFor(int blocks, int tokens, int tokensOfABlock) {
    return {static_cast<unsigned>(blocks), static_cast<unsigned>(ceilDiv(tokens, tokensOfABlock))};
}

}  // namespace gapscope::cuda

// What the products of a few tokens are held to: the bits that each token gets alone, whatever the weights' format.
#pragma once

#include <algorithm>
#include <span>

#include "gemv_test_support.h"
#include "kernels/cuda/draft_check.h"
#include "kernels/cuda/gemv_int8.h"
#include "kernels/cuda/gemv_packed.h"
#include "kernels/cuda/gemv_rows.h"

namespace gapscope::cuda {

inline constexpr int kTokenCounts[] = {1, 2, 3, 4, 5, 6, 8, 9, 17};

// `x` is on the device, 17 tokens of `xStride`.
template <class Matrix>
void expectBitsOfGemv(const Matrix& matrix, int rows, const DeviceArray<Bf16>& x, int xStride) {
    std::vector<float> expected;
    std::vector<Bf16> expectedHalf;
    for (int t = 0; t < 17; ++t) {
        const DeviceArray<float> out(static_cast<size_t>(rows));
        const DeviceArray<Bf16> half(static_cast<size_t>(rows));
        const Bf16* const token = x.get() + static_cast<ptrdiff_t>(t) * xStride;
        GAPSCOPE_CUDA_OK(gemv(GemvArgsOf<Matrix>{matrix, token, out.get(), nullptr}, {}));
        GAPSCOPE_CUDA_OK(gemv(GemvArgsOf<Matrix>{matrix, token, nullptr, half.get()}, {}));
        const auto values = out.read();
        const auto halves = half.read();
        expected.insert(expected.end(), values.begin(), values.end());
        expectedHalf.insert(expectedHalf.end(), halves.begin(), halves.end());
    }
    for (const int tokens : kTokenCounts) {
        SCOPED_TRACE(testing::Message() << tokens << " tokens");
        const auto count = static_cast<size_t>(tokens * rows);
        const DeviceArray<float> out(count);
        const DeviceArray<Bf16> half(count);
        GemvRowsArgsOf<Matrix> args;
        args.matrices[0] = matrix;
        args.x = x.get();
        args.tokens = tokens;
        args.sums = RowSums::OfGemv;
        args.out[0] = out.get();
        GAPSCOPE_CUDA_OK(gemvRows(args, {}));
        args.out[0] = nullptr;
        args.outBf16 = half.get();
        GAPSCOPE_CUDA_OK(gemvRows(args, {}));
        expected.resize(17 * static_cast<size_t>(rows));
        EXPECT_TRUE(std::ranges::equal(out.read(), std::span(expected).first(count)));
        EXPECT_TRUE(std::ranges::equal(half.read(), std::span(expectedHalf).first(count)));
    }
}

// Streams and sublayer outputs of 17 tokens, and their norms.
struct NormRowsCase {
    NormRowsCase(int columnCount, bool withY)
        : columns(columnCount),
          x(randomNumbers(17 * static_cast<size_t>(columns), 71, 3)),
          y(randomNumbers(17 * static_cast<size_t>(columns), 72, 2)),
          post(randomNumbers(static_cast<size_t>(columns), 73)),
          next(randomNumbers(static_cast<size_t>(columns), 74)),
          hasY(withY) {}
    NormInput token(int t, float* xOut) const {
        const ptrdiff_t at = static_cast<ptrdiff_t>(t) * columns;
        NormInput input{x.get() + at, nullptr, nullptr, next.get(), nullptr, 1e-6F};
        if (!hasY) return input;
        input.y = y.get() + at;
        input.postWeights = post.get();
        input.xOut = xOut;
        return input;
    }
    int columns;
    DeviceArray<float> x, y, post, next;
    bool hasY;
};

// Norm and three matrices, norm and gate and up, norm and head: as kernels of one token do it.
template <class Matrix>
void expectBitsOfFusedNorms(const std::vector<Matrix>& matrices, const Matrix& gate, const Matrix& up, int columns,
                            bool withY) {
    const NormRowsCase norm(columns, withY);
    const auto size = [](int rows) { return static_cast<size_t>(rows); };
    std::vector<std::vector<float>> qkv(3);
    std::vector<float> streams;
    std::vector<Bf16> activated;
    for (int t = 0; t < 17; ++t) {
        const DeviceArray<float> stream(size(columns)), a(size(matrices[0].rows)), b(size(matrices[1].rows)),
            c(size(matrices[2].rows));
        GemvQkvArgsOf<Matrix> args;
        args.input = norm.token(t, stream.get());
        std::copy(matrices.begin(), matrices.end(), args.matrices);
        args.out[0] = a.get();
        args.out[1] = b.get();
        args.out[2] = c.get();
        GAPSCOPE_CUDA_OK(gemvNormQkv(args, {}));
        const auto left = stream.read();
        streams.insert(streams.end(), left.begin(), left.end());
        const DeviceArray<Bf16> out(size(gate.rows));
        GAPSCOPE_CUDA_OK(
            gemvNormGateUp(GemvGateUpArgsOf<Matrix>{norm.token(t, stream.get()), gate, up, out.get()}, {}));
        size_t i = 0;
        for (const DeviceArray<float>* part : {&a, &b, &c}) {
            const auto values = part->read();
            qkv[i].insert(qkv[i].end(), values.begin(), values.end());
            ++i;
        }
        const auto halves = out.read();
        activated.insert(activated.end(), halves.begin(), halves.end());
    }
    for (const int tokens : kTokenCounts) {
        SCOPED_TRACE(testing::Message() << tokens << " tokens of " << columns << (withY ? " with y" : ""));
        const auto count = size(tokens);
        const DeviceArray<Bf16> normed(count * size(columns));
        const DeviceArray<float> stream(count * size(columns));
        NormRowsArgs normArgs{norm.token(0, stream.get()), tokens, columns, normed.get(), NormThreads::OfQkv};
        GAPSCOPE_CUDA_OK(normRows(normArgs, {}));
        const DeviceArray<float> a(count * size(matrices[0].rows)), b(count * size(matrices[1].rows)),
            c(count * size(matrices[2].rows));
        GemvRowsArgsOf<Matrix> args;
        std::copy(matrices.begin(), matrices.end(), args.matrices);
        args.count = 3;
        args.x = normed.get();
        args.tokens = tokens;
        args.out[0] = a.get();
        args.out[1] = b.get();
        args.out[2] = c.get();
        GAPSCOPE_CUDA_OK(gemvRows(args, {}));
        size_t i = 0;
        for (const DeviceArray<float>* part : {&a, &b, &c}) {
            const auto values = part->read();
            EXPECT_TRUE(std::ranges::equal(values, std::span(qkv[i]).first(values.size()))) << "matrix " << i;
            ++i;
        }
        if (withY) {
            EXPECT_TRUE(std::ranges::equal(stream.read(), std::span(streams).first(count * size(columns))));
        }
        normArgs.threads = NormThreads::OfGateUp;
        GAPSCOPE_CUDA_OK(normRows(normArgs, {}));
        const DeviceArray<Bf16> out(count * size(gate.rows));
        GAPSCOPE_CUDA_OK(gemvGateUpRows(GemvGateUpRowsArgsOf<Matrix>{gate, up, normed.get(), tokens, out.get()}, {}));
        EXPECT_TRUE(std::ranges::equal(out.read(), std::span(activated).first(count * size(gate.rows))));
    }
}

}  // namespace gapscope::cuda

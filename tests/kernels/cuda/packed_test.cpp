// GGUF block types on the device against the plain C++ dequantisation, and products of its numbers with the input
// quantised in plain C++.
#include <algorithm>
#include <cmath>
#include <memory>
#include <span>

#include "gemv_rows_test_support.h"
#include "kernels/cuda/argmax.h"
#include "tests/kernels/test_support.h"

namespace gapscope::cuda {

namespace {

constexpr WeightType kPackedTypes[] = {WeightType::Q8_0, WeightType::Q4_0, WeightType::Q5_0, WeightType::Q4_K,
                                       WeightType::Q5_K, WeightType::Q6_K, WeightType::BF16};

// A random matrix as a file has it, and packed on the device.
class PackedCase {
public:
    PackedCase(WeightType type, int rows, int columns, unsigned seed)
        : m_file(type, rows, columns, seed), m_rowBytes(packedRowBytes(type, columns)), m_device(packed()) {}
    PackedMatrix view() const {
        return {m_device.get(), m_file.view().type, static_cast<int>(m_file.view().rows),
                static_cast<int>(m_file.view().columns), m_rowBytes};
    }
    std::vector<float> numbers() const { return m_file.floats(); }

private:
    std::vector<std::byte> packed() const {
        std::vector<std::byte> bytes(static_cast<size_t>(m_file.view().rows * m_rowBytes));
        for (int64_t row = 0; row < m_file.view().rows; ++row)
            packRow(m_file.view().type, m_file.view().row(row), m_file.view().columns, bytes.data() + row * m_rowBytes);
        return bytes;
    }
    test::FileMatrix m_file;
    int64_t m_rowBytes;
    DeviceArray<std::byte> m_device;
};

const char* nameOf(WeightType type) {
    return weightTypeInfo(type).name.data();
}

// The numbers that a product takes its input for: int8 with a scale for each 32.
std::vector<float> quantized(std::vector<float> x) {
    constexpr float kToInteger = 12582912;  // floats of its size are integers; by fma, the product is rounded once
    for (size_t unit = 0; unit < x.size(); unit += kUnit) {
        const std::span<float> values(x.data() + unit, kUnit);
        float largest = 0;
        for (const float value : values)
            largest = std::max(largest, std::abs(value));
        const float inverse = largest > 1e-35F ? 127 / largest : 0.0F;
        for (float& value : values)
            value = (std::fma(value, inverse, kToInteger) - kToInteger) * (largest / 127);
    }
    return x;
}

std::vector<float> squares(std::vector<float> values) {
    for (float& value : values)
        value *= value;
    return values;
}

struct Product {
    Product(const std::vector<float>& numbers, int rows, int columns, const std::vector<float>& x)
        : sums(multiply(numbers, rows, columns, quantized(x))),
          ofFloats(multiply(numbers, rows, columns, x)),
          ofSquares(multiply(squares(numbers), rows, columns, squares(x))) {}

    // A sum of fp32 is off by a few roundings of what was added up.
    void expectSums(const std::vector<float>& actual, float relative) const {
        ASSERT_EQ(actual.size(), sums.size());
        for (size_t i = 0; i < sums.size(); ++i)
            ASSERT_NEAR(actual[i], sums[i], relative * std::abs(sums[i]) + 1e-5F * std::sqrt(ofSquares[i]))
                << "row " << i;
    }
    // Rounding normal numbers to 127ths of the largest of 32 puts each off by half a percent of their deviation.
    void expectAboutOfFloats(const std::vector<float>& actual) const {
        double errors = 0, all = 0;
        for (size_t i = 0; i < ofFloats.size(); ++i) {
            errors += std::pow(static_cast<double>(actual[i]) - static_cast<double>(ofFloats[i]), 2);
            all += static_cast<double>(ofSquares[i]);
        }
        EXPECT_LT(std::sqrt(errors / all), 0.02);
    }

    std::vector<float> sums, ofFloats, ofSquares;
};

}  // namespace

TEST(PackedMatrix, RowsAreAlignedAndHoldTheFilesBytes) {
    EXPECT_EQ(packedRowBytes(WeightType::Q4_K, 512), 288);
    EXPECT_EQ(packedRowBytes(WeightType::Q5_0, 96), 80);  // 66, padded to 16
    // Q5_0: two blocks of 22 bytes numbered through, as half, 4 high bits, 16 nibbles.
    std::vector<std::byte> file(44), out(48, std::byte{0xEE});
    for (size_t i = 0; i < file.size(); ++i)
        file[i] = static_cast<std::byte>(i);
    packRow(WeightType::Q5_0, file.data(), 64, out.data());
    EXPECT_EQ(out[0], std::byte{6});        // first block's nibbles
    EXPECT_EQ(out[16], std::byte{22 + 6});  // second block's
    // High bits: 2, 3, 4, 5 are those of weights 1, 8, 9, 18, 24 and 26. Weight w's is bit w / 4 of byte w % 4.
    EXPECT_EQ(out[32], std::byte{0x44});
    EXPECT_EQ(out[33], std::byte{0x05});
    EXPECT_EQ(out[34], std::byte{0x50});
    EXPECT_EQ(out[35], std::byte{0});
    EXPECT_EQ(out[40], std::byte{0});  // scales
    EXPECT_EQ(out[42], std::byte{22});
    EXPECT_EQ(out[44], std::byte{0});  // padding
    EXPECT_EQ(out[47], std::byte{0});
    // Q8_0: two blocks of 34 bytes, as half and 32 integers.
    file.resize(68);
    out.resize(80);
    for (size_t i = 0; i < file.size(); ++i)
        file[i] = static_cast<std::byte>(i);
    packRow(WeightType::Q8_0, file.data(), 64, out.data());
    EXPECT_EQ(out[0], std::byte{2});
    EXPECT_EQ(out[16], std::byte{34 + 2});
    EXPECT_EQ(out[32], std::byte{18});  // the blocks' other halves
    EXPECT_EQ(out[63], std::byte{67});
    EXPECT_EQ(out[66], std::byte{34});  // the second's scale
}

TEST(CudaPacked, DequantizeGivesTheFilesNumbersInBf16) {
    GAPSCOPE_NEEDS_GPU();
    for (const WeightType type : kPackedTypes)
        for (const int rows : {1, 5, 67}) {
            SCOPED_TRACE(testing::Message() << nameOf(type) << ", " << rows << " rows");
            constexpr int kColumns = 768;
            const PackedCase matrix(type, rows, kColumns, 3);
            const DeviceArray<Bf16> out(static_cast<size_t>(rows * kColumns));
            GAPSCOPE_CUDA_OK(dequantize(matrix.view(), out.get(), {}));
            // One rounding apart at most: minimum and scale may be joined in one step or two.
            expectNear(toFloats(out.read()), matrix.numbers(), kBf16Error, 1e-6F);
        }
}

TEST(CudaPacked, EmbeddingRowsAreScaled) {
    GAPSCOPE_NEEDS_GPU();
    for (const WeightType type : kPackedTypes) {
        SCOPED_TRACE(nameOf(type));
        constexpr int kRows = 40, kColumns = 1280;
        const PackedCase table(type, kRows, kColumns, 4);
        const auto numbers = table.numbers();
        const std::vector<int32_t> ids{39, 0, 17};
        const DeviceArray<int32_t> deviceIds(ids);
        const DeviceArray<float> out(ids.size() * kColumns);
        const DeviceArray<Bf16> half(ids.size() * kColumns);
        GAPSCOPE_CUDA_OK(embedding({table.view(), deviceIds.get(), 3, 25.25F, out.get(), nullptr}, {}));
        GAPSCOPE_CUDA_OK(embedding({table.view(), deviceIds.get(), 3, 1, nullptr, half.get()}, {}));
        std::vector<float> expected, scaled;
        for (const int32_t id : ids)
            for (int i = 0; i < kColumns; ++i) {
                expected.push_back(numbers[static_cast<size_t>(id * kColumns + i)]);
                scaled.push_back(expected.back() * 25.25F);
            }
        expectNear(out.read(), scaled, 1e-5F, 1e-5F);
        expectNear(toFloats(half.read()), expected, kBf16Error, 1e-6F);
    }
}

TEST(CudaPacked, ProductsOfAnySize) {
    GAPSCOPE_NEEDS_GPU();
    struct Size {
        int rows, columns;
    };
    for (const WeightType type : kPackedTypes)
        for (const Size size : {Size{1, 256}, Size{7, 512}, Size{641, 1280}, Size{5, 1536}, Size{33, 6912},
                                Size{9001, 256}, Size{3, 16384}}) {
            SCOPED_TRACE(testing::Message() << nameOf(type) << " " << size.rows << " x " << size.columns);
            const PackedCase matrix(type, size.rows, size.columns, 5);
            const auto x = randomNumbers(static_cast<size_t>(size.columns), 6);
            const Product expected(matrix.numbers(), size.rows, size.columns, x);
            const DeviceArray<Bf16> deviceX(toBf16(x));
            const DeviceArray<float> out(static_cast<size_t>(size.rows));
            const DeviceArray<Bf16> half(static_cast<size_t>(size.rows));
            GAPSCOPE_CUDA_OK(gemv({matrix.view(), deviceX.get(), out.get(), nullptr}, {}));
            GAPSCOPE_CUDA_OK(gemv({matrix.view(), deviceX.get(), nullptr, half.get()}, {}));
            expected.expectSums(out.read(), 0);
            expected.expectSums(toFloats(half.read()), kBf16Error);
            expected.expectAboutOfFloats(out.read());
        }
}

TEST(CudaPacked, UnitsOfUnlikeSizesKeepTheirOwnScales) {
    GAPSCOPE_NEEDS_GPU();
    for (const WeightType type : kPackedTypes)
        for (const int columns : {1280, 6912}) {
            SCOPED_TRACE(testing::Message() << nameOf(type) << ", " << columns << " columns");
            constexpr int kRows = 7;
            const PackedCase matrix(type, kRows, columns, 50);
            auto x = randomNumbers(static_cast<size_t>(columns), 51);
            for (size_t i = 0; i < x.size(); ++i)
                x[i] *= std::ldexp(1.0F, static_cast<int>(i / kUnit % 8) - 12);
            std::fill_n(x.begin() + 3 * kUnit, 2 * kUnit, 0.0F);
            std::fill_n(x.begin() + 5 * kUnit, kUnit, 1e-39F);  // counts as nothing
            const DeviceArray<Bf16> deviceX(toBf16(x));
            const DeviceArray<float> out(kRows);
            GAPSCOPE_CUDA_OK(gemv({matrix.view(), deviceX.get(), out.get(), nullptr}, {}));
            Product(matrix.numbers(), kRows, columns, x).expectSums(out.read(), 0);
        }
}

TEST(CudaPacked, WhatIsNotFiniteGivesNoFiniteProduct) {
    GAPSCOPE_NEEDS_GPU();
    for (const WeightType type : kPackedTypes)
        for (const int columns : {1280, 6912})
            for (const float bad : {std::nanf(""), -std::nanf(""), INFINITY, -INFINITY}) {
                SCOPED_TRACE(testing::Message() << nameOf(type) << ", " << columns << " columns, " << bad);
                constexpr int kRows = 7;
                const PackedCase matrix(type, kRows, columns, 52);
                auto bits = toBf16(randomNumbers(static_cast<size_t>(columns), 53));
                bits[bits.size() - 5] = floatToBfloat16(bad);
                const DeviceArray<Bf16> x(bits);
                const DeviceArray<float> out(kRows);
                GAPSCOPE_CUDA_OK(gemv({matrix.view(), x.get(), out.get(), nullptr}, {}));
                for (const float product : out.read())
                    EXPECT_FALSE(std::isfinite(product));
            }
}

TEST(CudaPacked, NormAndQkvOfMixedTypes) {
    GAPSCOPE_NEEDS_GPU();
    for (const int columns : {256, 1280, 2560})
        for (const bool withY : {false, true}) {
            SCOPED_TRACE(testing::Message() << columns << (withY ? " with y" : ""));
            const NormCase norm(columns, withY);
            const int rows[3] = {35, 17, 1};
            const WeightType types[3] = {WeightType::Q5_0, WeightType::BF16, WeightType::Q6_K};
            GemvQkvArgsOf<PackedMatrix> args;
            args.input = norm.input();
            std::vector<std::unique_ptr<PackedCase>> matrices;
            std::vector<std::unique_ptr<DeviceArray<float>>> outs;
            for (unsigned i = 0; i < 3; ++i) {
                matrices.push_back(std::make_unique<PackedCase>(types[i], rows[i], columns, 10 + i));
                outs.push_back(std::make_unique<DeviceArray<float>>(static_cast<size_t>(rows[i])));
                args.matrices[i] = matrices[i]->view();
                args.out[i] = outs[i]->get();
            }
            GAPSCOPE_CUDA_OK(gemvNormQkv(args, {}));
            for (unsigned i = 0; i < 3; ++i)
                expectNear(outs[i]->read(),
                           multiply(matrices[i]->numbers(), rows[i], columns, quantized(roundedToBf16(norm.normed))),
                           1e-3F, sumTolerance(columns));
            if (withY) expectNear(norm.deviceOut.read(), norm.stream, 1e-5F, 1e-5F);
        }
}

TEST(CudaPacked, NormAndGateUp) {
    GAPSCOPE_NEEDS_GPU();
    for (const WeightType type : kPackedTypes)
        for (const int rows : {1, 7, 2049}) {
            SCOPED_TRACE(testing::Message() << nameOf(type) << ", " << rows << " rows");
            constexpr int kColumns = 256;
            const NormCase norm(kColumns, true);
            const PackedCase gate(type, rows, kColumns, 20);
            const PackedCase up(WeightType::Q8_0, rows, kColumns, 21);
            const DeviceArray<Bf16> out(static_cast<size_t>(rows));
            GAPSCOPE_CUDA_OK(gemvNormGateUp({norm.input(), gate.view(), up.view(), out.get()}, {}));
            const auto g = multiply(gate.numbers(), rows, kColumns, quantized(roundedToBf16(norm.normed)));
            const auto u = multiply(up.numbers(), rows, kColumns, quantized(roundedToBf16(norm.normed)));
            const auto got = toFloats(out.read());
            for (size_t i = 0; i < got.size(); ++i) {
                const double x = static_cast<double>(g[i]);
                const double gelu = 0.5 * x * (1 + std::tanh(0.7978845608 * (x + 0.044715 * x * x * x)));
                const double expected = gelu * static_cast<double>(u[i]);
                EXPECT_NEAR(got[i], expected, 0.3 + 0.02 * std::abs(expected)) << i;
            }
        }
}

TEST(CudaPacked, NormAndHeadFindTheLargestLogit) {
    GAPSCOPE_NEEDS_GPU();
    const int blocks = gemvHeadBlocks(listDevices().devices.front().multiprocessors);
    for (const int rows : {1, 5, 50001}) {
        SCOPED_TRACE(rows);
        constexpr int kColumns = 256;
        const NormCase norm(kColumns, true);
        const PackedCase matrix(WeightType::Q8_0, rows, kColumns, 30);
        const DeviceArray<float> logits(static_cast<size_t>(rows)), values(static_cast<size_t>(blocks));
        const DeviceArray<int32_t> indices(static_cast<size_t>(blocks));
        GAPSCOPE_CUDA_OK(
            gemvNormHead({norm.input(), matrix.view(), logits.get(), values.get(), indices.get(), blocks}, {}));
        const auto written = logits.read();
        expectNear(written, multiply(matrix.numbers(), rows, kColumns, quantized(roundedToBf16(norm.normed))), 1e-3F,
                   sumTolerance(kColumns));
        const DeviceArray<int32_t> ids(1);
        const DeviceArray<StepState> state(std::vector<StepState>{{0, 0}});
        GAPSCOPE_CUDA_OK(
            argmaxFinish({values.get(), indices.get(), blocks, 1, ids.get(), state.get(), nullptr, 0}, {}));
        EXPECT_EQ(ids.read()[0], std::max_element(written.begin(), written.end()) - written.begin());
    }
}

TEST(CudaPacked, AttentionsPartsAreJoinedAndMultiplied) {
    GAPSCOPE_NEEDS_GPU();
    for (const WeightType type : kPackedTypes) {
        SCOPED_TRACE(nameOf(type));
        constexpr int kRows = 67;
        const CombineCase parts(4, 128, 5);
        const PackedCase matrix(type, kRows, 512, 40);
        const DeviceArray<float> out(kRows);
        GAPSCOPE_CUDA_OK(gemvCombine(parts.args(matrix.view(), out.get()), {}));
        expectNear(out.read(), multiply(matrix.numbers(), kRows, 512, quantized(roundedToBf16(parts.joined))), 5e-3F,
                   sumTolerance(512));
    }
}

TEST(CudaPacked, OverlappingLaunchesGiveTheSameBits) {
    GAPSCOPE_NEEDS_GPU();
    if (listDevices().devices.front().computeMajor < 9) GTEST_SKIP() << "no programmatic dependent launch on this GPU";
    constexpr int kSize = 1280;
    const PackedCase matrix(WeightType::Q8_0, kSize, kSize, 7);
    cudaStream_t stream = nullptr;
    GAPSCOPE_CUDA_OK(cudaStreamCreate(&stream));
    std::vector<std::vector<Bf16>> results;
    for (const bool overlap : {false, true}) {
        const DeviceArray<Bf16> a(toBf16(randomNumbers(kSize, 8, 1e-3F)));
        const DeviceArray<Bf16> b(toBf16(randomNumbers(kSize, 9)));
        for (int i = 0; i < 3; ++i) {
            GAPSCOPE_CUDA_OK(gemv({matrix.view(), a.get(), nullptr, b.get()}, {stream, overlap}));
            GAPSCOPE_CUDA_OK(gemv({matrix.view(), b.get(), nullptr, a.get()}, {stream, overlap}));
        }
        results.push_back(a.read());
    }
    EXPECT_EQ(results[0], results[1]);
    cudaStreamDestroy(stream);
}

TEST(CudaPacked, SeveralTokensHaveTheBitsOfEach) {
    GAPSCOPE_NEEDS_GPU();
    for (const WeightType type : kPackedTypes) {
        SCOPED_TRACE(nameOf(type));
        for (const int columns : {256, 1280, 1536, 6912}) {
            SCOPED_TRACE(columns);
            const PackedCase matrix(type, 133, columns, 5);
            const DeviceArray<Bf16> x(toBf16(randomNumbers(17 * static_cast<size_t>(columns), 6)));
            expectBitsOfGemv(matrix.view(), 133, x, columns);
        }
        for (const bool withY : {false, true}) {
            const PackedCase q(type, 35, 1280, 1), k(WeightType::BF16, 17, 1280, 2), v(WeightType::Q6_K, 1, 1280, 3),
                gate(type, 131, 1280, 4), up(WeightType::Q8_0, 131, 1280, 5);
            expectBitsOfFusedNorms<PackedMatrix>({q.view(), k.view(), v.view()}, gate.view(), up.view(), 1280, withY);
        }
    }
}

}  // namespace gapscope::cuda

// LLM.int8() on the device: step by step against a reference in double and, where the shared goldens are, against what
// bitsandbytes computes; and the products of a decode step against the same reference.
#include <simdjson.h>

#include <memory>

#include "gemv_rows_test_support.h"
#include "kernels/cuda/llm_int8.h"
#include "tests/support/test_files.h"

namespace gapscope::cuda {

namespace {

// A matrix quantised row by row, on the device too.
class Int8Case {
public:
    Int8Case(const std::vector<float>& dense, int rows, int columns)
        : m_rows(rows),
          m_columns(columns),
          m_stride(static_cast<int>(paddedInt8Columns(columns))),
          m_absmax(static_cast<size_t>(rows)),
          m_integers(static_cast<size_t>(rows) * static_cast<size_t>(m_stride)) {
        for (int row = 0; row < rows; ++row)
            m_absmax[static_cast<size_t>(row)] =
                quantizeInt8Row(dense.data() + static_cast<size_t>(row) * static_cast<size_t>(columns), columns,
                                m_integers.data() + static_cast<size_t>(row) * static_cast<size_t>(m_stride));
    }
    // Copied to the device when first asked for: the numbers alone need no GPU.
    Int8Matrix view() const {
        if (!m_device) {
            m_device = std::make_unique<DeviceArray<int8_t>>(m_integers);
            m_deviceAbsmax = std::make_unique<DeviceArray<float>>(m_absmax);
        }
        return {m_device->get(), m_deviceAbsmax->get(), m_rows, m_columns, m_stride};
    }
    int8_t at(int row, int column) const { return m_integers[static_cast<size_t>(row * m_stride + column)]; }
    float absmax(int row) const { return m_absmax[static_cast<size_t>(row)]; }
    int rows() const { return m_rows; }
    int columns() const { return m_columns; }

private:
    int m_rows, m_columns, m_stride;
    std::vector<float> m_absmax;
    std::vector<int8_t> m_integers;
    mutable std::unique_ptr<DeviceArray<int8_t>> m_device;
    mutable std::unique_ptr<DeviceArray<float>> m_deviceAbsmax;
};

// y[t, n] as bitsandbytes' formulas give it, in double: x [tokens, columns].
std::vector<float> reference(const Int8Case& matrix, const std::vector<float>& x, int tokens) {
    const int columns = matrix.columns();
    const auto at = [&](int t, int k) { return x[static_cast<size_t>(t * columns + k)]; };
    std::vector<bool> outlier(static_cast<size_t>(columns));
    for (int t = 0; t < tokens; ++t)
        for (int k = 0; k < columns; ++k)
            if (std::abs(at(t, k)) >= kOutlierThreshold) outlier[static_cast<size_t>(k)] = true;
    std::vector<float> y;
    for (int t = 0; t < tokens; ++t) {
        float absmax = 0;
        for (int k = 0; k < columns; ++k)
            if (std::abs(at(t, k)) < kOutlierThreshold) absmax = std::max(absmax, std::abs(at(t, k)));
        const float scale = absmax > 0 ? 127.0F / absmax : 0.0F;
        for (int n = 0; n < matrix.rows(); ++n) {
            int64_t products = 0;
            double outliers = 0;
            for (int k = 0; k < columns; ++k) {
                if (outlier[static_cast<size_t>(k)])
                    outliers +=
                        static_cast<double>(at(t, k)) * matrix.at(n, k) * static_cast<double>(matrix.absmax(n)) / 127;
                else
                    products += std::lrintf(at(t, k) * scale) * matrix.at(n, k);
            }
            y.push_back(static_cast<float>(static_cast<double>(products) * static_cast<double>(absmax) *
                                               static_cast<double>(matrix.absmax(n)) / (127.0 * 127.0) +
                                           outliers));
        }
    }
    return y;
}

std::vector<Half> toHalves(const std::vector<float>& values) {
    std::vector<Half> halves(values.size());
    for (size_t i = 0; i < values.size(); ++i)
        halves[i].bits = floatToHalf(values[i]);
    return halves;
}

std::vector<float> toFloats(const std::vector<Half>& halves) {
    std::vector<float> values(halves.size());
    for (size_t i = 0; i < halves.size(); ++i)
        values[i] = halfToFloat(halves[i].bits);
    return values;
}

struct OutlierMemory {
    explicit OutlierMemory(int columns)
        : flags(static_cast<size_t>(columns)), numbers(static_cast<size_t>(columns)), count(1) {}
    OutlierColumns view() const { return {flags.get(), numbers.get(), count.get()}; }
    DeviceArray<uint8_t> flags;
    DeviceArray<int32_t> numbers, count;
};

// All the steps that eager mode launches for one linear layer.
std::vector<float> stepByStep(const Int8Case& matrix, const std::vector<float>& x, int tokens,
                              std::vector<int32_t>* outliers = nullptr) {
    const auto inputs = static_cast<size_t>(tokens * matrix.columns());
    const auto outputs = static_cast<size_t>(tokens * matrix.rows());
    const int columns = matrix.columns();
    const int stride = static_cast<int>(paddedInt8Columns(columns));
    const Launch launch{};
    const DeviceArray<Half> half(toHalves(x)), magnitude(inputs), result(outputs);
    const DeviceArray<uint8_t> mask(inputs);
    const DeviceArray<int32_t> flag(1), products(outputs);
    const DeviceArray<int8_t> integers(static_cast<size_t>(tokens * stride));
    const DeviceArray<float> absmax(static_cast<size_t>(tokens));
    const OutlierMemory found(columns);
    EXPECT_EQ(absolute(half.get(), magnitude.get(), static_cast<int64_t>(inputs), launch), cudaSuccess);
    EXPECT_EQ(markOutliers(magnitude.get(), mask.get(), static_cast<int64_t>(inputs), launch), cudaSuccess);
    EXPECT_EQ(anyMarked(mask.get(), static_cast<int64_t>(inputs), flag.get(), launch), cudaSuccess);
    const bool any = flag.read()[0] != 0;
    QuantizeRows rows{tokens, columns, nullptr, integers.get(), stride, absmax.get()};
    if (any) {
        EXPECT_EQ(findOutlierColumns(half.get(), tokens, columns, found.view(), launch), cudaSuccess);
        EXPECT_EQ(listOutlierColumns(columns, found.view(), launch), cudaSuccess);
        if (tokens > 1) rows.zeroColumns = found.flags.get();
    }
    EXPECT_EQ(quantizeRows(half.get(), rows, launch), cudaSuccess);
    EXPECT_EQ(matmulInt8(matrix.view(), integers.get(), tokens, products.get(), launch), cudaSuccess);
    EXPECT_EQ(dequantizeProducts(matrix.view(), {products.get(), absmax.get(), tokens}, result.get(), launch),
              cudaSuccess);
    if (any) {
        const auto count = static_cast<size_t>(found.count.read()[0]);
        const DeviceArray<Half> values(count * static_cast<size_t>(tokens));
        const DeviceArray<Half> weights(count * static_cast<size_t>(matrix.rows()));
        EXPECT_EQ(gatherOutliers(half.get(), tokens, columns, found.view(), values.get(), launch), cudaSuccess);
        EXPECT_EQ(dequantizeColumns(matrix.view(), found.view(), weights.get(), launch), cudaSuccess);
        EXPECT_EQ(
            addOutlierProducts(values.get(), weights.get(), tokens, matrix.rows(), found.view(), result.get(), launch),
            cudaSuccess);
        if (outliers) {
            *outliers = found.numbers.read();
            outliers->resize(count);
        }
    }
    return toFloats(result.read());
}

std::vector<float> numbersWithOutliers(int tokens, int columns, unsigned seed, std::initializer_list<int> places) {
    auto x = randomNumbers(static_cast<size_t>(tokens * columns), seed);
    for (float& value : x)
        value = std::clamp(value, -5.5F, 5.5F);
    float sign = 1;
    for (const int place : places) {
        x[static_cast<size_t>(place) % x.size()] = sign * (6.0F + static_cast<float>(place % 5));
        sign = -sign;
    }
    return x;
}

std::vector<float> numbersOf(simdjson::dom::element rows) {
    std::vector<float> values;
    for (const auto row : rows.get_array())
        if (row.is_array())
            for (const auto value : row.get_array())
                values.push_back(static_cast<float>(value.get_double().value()));
        else
            values.push_back(static_cast<float>(row.get_double().value()));
    return values;
}

}  // namespace

TEST(Int8Matrix, RowsAreQuantizedToNearestEven) {
    // 127 / 254 = 0.5: 1 -> 0.5 -> 0, 3 -> 1.5 -> 2, 5 -> 2.5 -> 2.
    const std::vector<float> row{254, 1, 3, 5, -254, 0};
    std::vector<int8_t> out(16, 99);
    EXPECT_EQ(quantizeInt8Row(row.data(), 6, out.data()), 254);
    EXPECT_EQ(out, (std::vector<int8_t>{127, 0, 2, 2, -127, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}));
    const std::vector<float> zeros(6, 0);
    EXPECT_EQ(quantizeInt8Row(zeros.data(), 6, out.data()), 0);
    EXPECT_EQ(out, std::vector<int8_t>(16, 0));
}

TEST(CudaInt8, GivesWhatBitsandbytesGives) {
    const std::filesystem::path path = test::sharedFile("goldens/int8/int8.json");
    if (path.empty()) GTEST_SKIP() << "goldens/int8 is not here";
    simdjson::dom::parser parser;
    const simdjson::dom::element all = parser.load(path.string());
    int cases = 0;
    for (const auto golden : all["cases"].get_array()) {
        const auto rows = static_cast<int>(golden["N"].get_int64().value());
        const auto columns = static_cast<int>(golden["K"].get_int64().value());
        const auto tokens = static_cast<int>(golden["T"].get_int64().value());
        SCOPED_TRACE(testing::Message() << tokens << " x " << columns << " x " << rows);
        const Int8Case matrix(numbersOf(golden["w"]), rows, columns);
        // Weights need no GPU.
        const auto integers = numbersOf(golden["w_q"]);
        const auto absmax = numbersOf(golden["w_absmax"]);
        for (int n = 0; n < rows; ++n) {
            EXPECT_EQ(matrix.absmax(n), absmax[static_cast<size_t>(n)]);
            for (int k = 0; k < columns; ++k)
                EXPECT_EQ(matrix.at(n, k), integers[static_cast<size_t>(n * columns + k)]) << n << ", " << k;
        }
        ++cases;
        if (listDevices().devices.empty()) continue;
        std::vector<int32_t> outliers;
        const auto y = stepByStep(matrix, numbersOf(golden["x"]), tokens, &outliers);
        // Half a unit of fp16 at the largest results, and the same again for what bitsandbytes rounds in between.
        expectNear(y, numbersOf(golden["y_bitsandbytes"]), 5e-4F, 4e-3F);
    }
    EXPECT_EQ(cases, 3);
    if (listDevices().devices.empty()) GTEST_SKIP() << "no GPU: weights were compared, products were not";
}

TEST(CudaInt8, StepsGiveTheReferenceForAnySize) {
    GAPSCOPE_NEEDS_GPU();
    struct Size {
        int tokens, rows, columns;
    };
    for (const Size size : {Size{1, 1, 4}, Size{1, 33, 65}, Size{3, 19, 33}, Size{1, 130, 6912}, Size{65, 66, 1152},
                            Size{200, 257, 100}, Size{2, 5, 2050}})
        for (const bool withOutliers : {false, true}) {
            SCOPED_TRACE(testing::Message() << size.tokens << ", " << size.rows << " x " << size.columns
                                            << (withOutliers ? " with outliers" : ""));
            const Int8Case matrix(
                randomNumbers(static_cast<size_t>(size.rows) * static_cast<size_t>(size.columns), 1, 0.05F), size.rows,
                size.columns);
            const auto x = withOutliers
                               ? numbersWithOutliers(size.tokens, size.columns, 2, {0, size.columns - 1, 1029, 70007})
                               : numbersWithOutliers(size.tokens, size.columns, 2, {});
            std::vector<int32_t> outliers;
            expectNear(stepByStep(matrix, x, size.tokens, &outliers), reference(matrix, x, size.tokens), 2e-3F, 4e-3F);
            EXPECT_EQ(outliers.empty(), !withOutliers);
            EXPECT_TRUE(std::is_sorted(outliers.begin(), outliers.end()));
        }
}

TEST(CudaInt8, ThePrefillsTwoStepsInOneGiveTheSame) {
    GAPSCOPE_NEEDS_GPU();
    for (const int tokens : {2, 23, 130}) {
        SCOPED_TRACE(tokens);
        constexpr int kRows = 70, kColumns = 264;
        const Int8Case matrix(randomNumbers(kRows * kColumns, 5, 0.05F), kRows, kColumns);
        const auto x = numbersWithOutliers(tokens, kColumns, 6, {5, 300, 263});
        const int stride = static_cast<int>(paddedInt8Columns(kColumns));
        const DeviceArray<Bf16> deviceX(toBf16(x));
        const OutlierMemory found(kColumns);
        const DeviceArray<int8_t> integers(static_cast<size_t>(tokens * stride));
        const DeviceArray<float> absmax(static_cast<size_t>(tokens)), out(static_cast<size_t>(tokens * kRows));
        const DeviceArray<int32_t> products(static_cast<size_t>(tokens * kRows));
        GAPSCOPE_CUDA_OK(findOutlierColumns(deviceX.get(), tokens, kColumns, found.view(), {}));
        GAPSCOPE_CUDA_OK(listOutlierColumns(kColumns, found.view(), {}));
        GAPSCOPE_CUDA_OK(quantizeRows(deviceX.get(),
                                      {tokens, kColumns, found.flags.get(), integers.get(), stride, absmax.get()}, {}));
        GAPSCOPE_CUDA_OK(matmulInt8(matrix.view(), integers.get(), tokens, products.get(), {}));
        GAPSCOPE_CUDA_OK(dequantizeAddOutliers(matrix.view(), {products.get(), absmax.get(), tokens}, deviceX.get(),
                                               found.view(), out.get(), {}));
        expectNear(out.read(), reference(matrix, x, tokens), 1e-4F, 1e-4F);
    }
}

TEST(CudaInt8, DecodeProductsOfAnySize) {
    GAPSCOPE_NEEDS_GPU();
    struct Size {
        int rows, columns;
    };
    for (const Size size : {Size{1, 8}, Size{5, 24}, Size{33, 64}, Size{641, 1152}, Size{130, 6912}, Size{4, 16392}})
        for (const bool withOutliers : {false, true}) {
            SCOPED_TRACE(testing::Message() << size.rows << " x " << size.columns << (withOutliers ? " outliers" : ""));
            const Int8Case matrix(
                randomNumbers(static_cast<size_t>(size.rows) * static_cast<size_t>(size.columns), 7, 0.05F), size.rows,
                size.columns);
            auto x = withOutliers ? numbersWithOutliers(1, size.columns, 8, {0, size.columns - 1, 777})
                                  : numbersWithOutliers(1, size.columns, 8, {});
            const auto expected = reference(matrix, x, 1);
            const DeviceArray<Bf16> deviceX(toBf16(x));
            const DeviceArray<float> out(static_cast<size_t>(size.rows));
            GAPSCOPE_CUDA_OK(gemv({matrix.view(), deviceX.get(), out.get(), nullptr}, {}));
            expectNear(out.read(), expected, 1e-4F, 1e-4F);
        }
}

// Norm and quantisation in one kernel: an input that falls on the other side of a rounding moves a result by one step.
TEST(CudaInt8, NormAndQkvAndGateUp) {
    GAPSCOPE_NEEDS_GPU();
    for (const int columns : {8, 72, 640, 1152, 2568}) {
        SCOPED_TRACE(columns);
        NormCase norm(columns, true);
        const auto size = static_cast<size_t>(columns);
        const Int8Case q(randomNumbers(35 * size, 10, 0.05F), 35, columns);
        const Int8Case k(randomNumbers(17 * size, 11, 0.05F), 17, columns);
        const Int8Case v(randomNumbers(size, 12, 0.05F), 1, columns);
        const DeviceArray<float> outQ(35), outK(17), outV(1);
        GAPSCOPE_CUDA_OK(
            gemvNormQkv({norm.input(), {q.view(), k.view(), v.view()}, {outQ.get(), outK.get(), outV.get()}, 3}, {}));
        const auto normed = roundedToBf16(norm.normed);
        float largest = 0;
        for (const float value : normed)
            if (std::abs(value) < kOutlierThreshold) largest = std::max(largest, std::abs(value));
        const float step = 4 * largest / 127 * 0.2F;  // a few inputs one step off, times the largest weights
        expectNear(outQ.read(), reference(q, normed, 1), 5e-3F, step);
        expectNear(outK.read(), reference(k, normed, 1), 5e-3F, step);
        expectNear(outV.read(), reference(v, normed, 1), 5e-3F, step);
        expectNear(norm.deviceOut.read(), norm.stream, 1e-5F, 1e-5F);

        const int rows = 531;
        const Int8Case gate(randomNumbers(static_cast<size_t>(rows) * size, 13, 0.05F), rows, columns);
        const Int8Case up(randomNumbers(static_cast<size_t>(rows) * size, 14, 0.05F), rows, columns);
        const DeviceArray<Bf16> activated(static_cast<size_t>(rows));
        GAPSCOPE_CUDA_OK(gemvNormGateUp({norm.input(), gate.view(), up.view(), activated.get()}, {}));
        const auto g = reference(gate, normed, 1);
        const auto u = reference(up, normed, 1);
        const auto got = toFloats(activated.read());
        for (size_t i = 0; i < got.size(); ++i) {
            const double x = static_cast<double>(g[i]);
            const double gelu = 0.5 * x * (1 + std::tanh(0.7978845608 * (x + 0.044715 * x * x * x)));
            const double allowed =
                0.02 * std::abs(gelu * static_cast<double>(u[i])) +
                static_cast<double>(step) * (1 + std::abs(gelu) + std::abs(static_cast<double>(u[i])));
            EXPECT_NEAR(got[i], gelu * static_cast<double>(u[i]), allowed) << i;
        }
    }
}

TEST(CudaInt8, AttentionsPartsAreJoinedAndMultiplied) {
    GAPSCOPE_NEEDS_GPU();
    struct Size {
        int heads, headDim, splits;
    };
    for (const Size size : {Size{1, 24, 2}, Size{4, 256, 16}}) {
        SCOPED_TRACE(size.headDim);
        const CombineCase parts(size.heads, size.headDim, size.splits);
        const int columns = size.heads * size.headDim;
        const Int8Case matrix(randomNumbers(static_cast<size_t>(67 * columns), 41, 0.05F), 67, columns);
        const DeviceArray<float> out(67);
        GAPSCOPE_CUDA_OK(gemvCombine(parts.args(matrix.view(), out.get()), {}));
        expectNear(out.read(), reference(matrix, roundedToBf16(parts.joined), 1), 5e-3F, 5e-3F);
    }
}

TEST(CudaInt8, OutliersOfANormMeetTheWeights) {
    GAPSCOPE_NEEDS_GPU();
    constexpr int kColumns = 1152;
    NormCase norm(kColumns, false);
    // One input far above the others: after the norm it is an outlier for certain.
    std::vector<float> x(kColumns, 0.25F);
    x[700] = 40;
    const DeviceArray<float> deviceX(x);
    const DeviceArray<float> ones(std::vector<float>(kColumns, 1));
    double squares = 0;
    for (const float value : x)
        squares += static_cast<double>(value) * static_cast<double>(value);
    for (float& value : x)
        value = static_cast<float>(value / std::sqrt(squares / kColumns + 1e-6));
    ASSERT_GT(x[700], 2 * kOutlierThreshold);
    const Int8Case matrix(randomNumbers(8 * kColumns, 15, 0.05F), 8, kColumns);
    const DeviceArray<float> out(8);
    GemvQkvArgsOf<Int8Matrix> args;
    args.input.x = deviceX.get();
    args.input.nextWeights = ones.get();
    args.matrices[0] = matrix.view();
    args.out[0] = out.get();
    args.count = 1;
    GAPSCOPE_CUDA_OK(gemvNormQkv(args, {}));
    expectNear(out.read(), reference(matrix, roundedToBf16(x), 1), 1e-3F, 2e-3F);
}

// Some of them with outliers, in columns of their own.
TEST(CudaInt8, SeveralTokensHaveTheBitsOfEach) {
    GAPSCOPE_NEEDS_GPU();
    const auto matrix = [](int rows, int columns, unsigned seed) {
        return Int8Case(randomNumbers(static_cast<size_t>(rows) * static_cast<size_t>(columns), seed), rows, columns);
    };
    for (const int columns : {64, 1152, 1288, 6912}) {
        SCOPED_TRACE(columns);
        const Int8Case weights = matrix(133, columns, 5);
        auto numbers = randomNumbers(17 * static_cast<size_t>(columns), 6);
        for (size_t i = 0; i < numbers.size(); i += 301)
            if (i / static_cast<size_t>(columns) % 3 != 0) numbers[i] = 7 + static_cast<float>(i % 5);
        const DeviceArray<Bf16> x(toBf16(numbers));
        expectBitsOfGemv(weights.view(), 133, x, columns);
    }
    for (const int columns : {64, 1152, 2560})
        for (const bool withY : {false, true}) {
            const Int8Case q = matrix(35, columns, 1), k = matrix(17, columns, 2), v = matrix(1, columns, 3),
                           gate = matrix(131, columns, 4), up = matrix(131, columns, 5);
            expectBitsOfFusedNorms<Int8Matrix>({q.view(), k.view(), v.view()}, gate.view(), up.view(), columns, withY);
        }
}

}  // namespace gapscope::cuda

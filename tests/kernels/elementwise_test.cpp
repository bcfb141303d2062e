// The elementwise family and argmax of every instruction set against the C++ library in double precision.
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "tests/kernels/test_support.h"

namespace gapscope {
namespace {

using test::expectClose;
using test::kPartCounts;
using test::kUntouched;
using test::randomFloats;

constexpr int64_t kCounts[] = {1, 15, 16, 64, 257, 1000};

class Elementwise : public testing::TestWithParam<Isa> {
protected:
    const CpuOps& ops() const { return cpuOps(GetParam()); }

    void expectUnary(void (*op)(const UnaryArgs&, Part), const std::vector<float>& x,
                     const std::function<double(double)>& formula, double tolerance) {
        std::vector<float> wanted;
        for (const float value : x)
            wanted.push_back(static_cast<float>(formula(value)));
        for (const int parts : kPartCounts) {
            std::vector<float> out(x.size() + 1, kUntouched);
            test::runParts(op, UnaryArgs{x.data(), out.data(), static_cast<int64_t>(x.size())}, parts);
            ASSERT_EQ(out.back(), kUntouched) << "written past the end";
            out.pop_back();
            ASSERT_NO_FATAL_FAILURE(expectClose(out, wanted, 1e-30, tolerance, "out of place"));
            std::vector<float> inPlace = x;
            test::runParts(op, UnaryArgs{inPlace.data(), inPlace.data(), static_cast<int64_t>(x.size())}, parts);
            ASSERT_EQ(inPlace, out);
        }
    }
};

double geluTanh(double g) {
    return 0.5 * g * (1 + std::tanh(std::sqrt(2 / M_PI) * (g + 0.044715 * g * g * g)));
}

TEST_P(Elementwise, Unary) {
    for (const int64_t count : kCounts) {
        std::vector<float> x = randomFloats(count, 1, 2.0F);
        ASSERT_NO_FATAL_FAILURE(expectUnary(
            ops().square, x, [](double v) { return v * v; }, 1e-6));
        for (float& value : x)
            value = value * value + 1e-6F;
        ASSERT_NO_FATAL_FAILURE(expectUnary(
            ops().rsqrt, x, [](double v) { return 1 / std::sqrt(v); }, 1e-6));
    }
}

// The whole range, where the tanh form saturates included. Far left the formula in fp32 cancels to nothing, so there
// only the absolute error counts.
TEST_P(Elementwise, Gelu) {
    std::vector<float> x;
    for (int i = -2000; i <= 2000; ++i)
        x.push_back(static_cast<float>(i) * 0.01F);
    for (const float extreme : {-1e30F, -1e4F, -100.0F, 100.0F, 1e4F, 1e30F, 0.0F, -0.0F, 1e-30F})
        x.push_back(extreme);
    std::vector<float> out(x.size(), kUntouched);
    ops().gelu({x.data(), out.data(), static_cast<int64_t>(x.size())}, {0, 1});
    for (size_t i = 0; i < x.size(); ++i) {
        const double wanted = geluTanh(x[i]);
        ASSERT_LE(std::fabs(out[i] - wanted), 1e-6 + 1e-6 * std::fabs(wanted)) << x[i];
    }
}

TEST_P(Elementwise, ScalarsAndPairs) {
    for (const int64_t count : kCounts) {
        const std::vector<float> a = randomFloats(count, 1);
        const std::vector<float> b = randomFloats(count, 2);
        std::vector<float> sums, products, plus, times;
        for (size_t i = 0; i < a.size(); ++i) {
            sums.push_back(a[i] + b[i]);
            products.push_back(a[i] * b[i]);
            plus.push_back(a[i] + 0.7F);
            times.push_back(a[i] * 0.7F);
        }
        for (const int parts : kPartCounts) {
            std::vector<float> out(a.size(), kUntouched);
            test::runParts(ops().add, BinaryArgs{a.data(), b.data(), out.data(), count}, parts);
            ASSERT_EQ(out, sums);
            test::runParts(ops().mul, BinaryArgs{a.data(), b.data(), out.data(), count}, parts);
            ASSERT_EQ(out, products);
            test::runParts(ops().addScalar, ScalarArgs{a.data(), 0.7F, out.data(), count}, parts);
            ASSERT_EQ(out, plus);
            test::runParts(ops().mulScalar, ScalarArgs{a.data(), 0.7F, out.data(), count}, parts);
            ASSERT_EQ(out, times);
        }
    }
}

// Rows with a stride: elements between rows must stay untouched.
TEST_P(Elementwise, Rows) {
    for (const int64_t columns : {1, 17, 64, 643}) {
        const int64_t rows = 5;
        const int64_t stride = columns + 2;
        const std::vector<float> x = randomFloats(rows * stride, 1);
        const std::vector<float> perRow = randomFloats(rows, 2);
        const std::vector<float> perColumn = randomFloats(columns, 3);
        const auto at = [&](int64_t r, int64_t c) { return static_cast<size_t>(r * stride + c); };
        std::vector<float> byRow(x.size(), kUntouched), byColumn = byRow, copied = byRow, gated = byRow, means;
        for (int64_t r = 0; r < rows; ++r) {
            double sum = 0;
            for (int64_t c = 0; c < columns; ++c) {
                const float value = x[at(r, c)];
                sum += value;
                byRow[at(r, c)] = value * perRow[static_cast<size_t>(r)];
                byColumn[at(r, c)] = value * perColumn[static_cast<size_t>(c)];
                copied[at(r, c)] = value;
                gated[at(r, c)] = static_cast<float>(geluTanh(value) * value);
            }
            means.push_back(static_cast<float>(sum / static_cast<double>(columns)));
        }
        for (const int parts : kPartCounts) {
            std::vector<float> out(x.size(), kUntouched);
            test::runParts(ops().mulRows,
                           MulFactorsArgs{x.data(), stride, rows, columns, perRow.data(), out.data(), stride}, parts);
            ASSERT_EQ(out, byRow);
            test::runParts(ops().mulWeights,
                           MulFactorsArgs{x.data(), stride, rows, columns, perColumn.data(), out.data(), stride},
                           parts);
            ASSERT_EQ(out, byColumn);
            test::runParts(ops().copy, CopyArgs{x.data(), stride, rows, columns, out.data(), stride}, parts);
            ASSERT_EQ(out, copied);
            test::runParts(ops().geluGate,
                           GeluGateArgs{x.data(), stride, x.data(), stride, rows, columns, out.data(), stride}, parts);
            ASSERT_NO_FATAL_FAILURE(expectClose(out, gated, 1e-6, 1e-6, "geluGate"));
            std::vector<float> mean(static_cast<size_t>(rows), kUntouched);
            test::runParts(ops().meanRows, MeanRowsArgs{x.data(), stride, rows, columns, mean.data()}, parts);
            ASSERT_NO_FATAL_FAILURE(expectClose(mean, means, 1e-6, 1e-6, "meanRows"));
        }
    }
}

TEST_P(Elementwise, Heads) {
    for (const int64_t headDim : {2, 10, 64, 256}) {
        const int64_t tokens = 4;
        const int64_t heads = 3;
        const int64_t stride = heads * headDim + 1;
        const std::vector<float> x = randomFloats(tokens * stride, 1);
        const std::vector<float> factors = randomFloats(tokens * headDim, 2);
        std::vector<float> turned(x.size(), kUntouched), multiplied = turned;
        for (int64_t t = 0; t < tokens; ++t) {
            for (int64_t h = 0; h < heads; ++h) {
                const auto first = static_cast<size_t>(t * stride + h * headDim);
                const auto half = static_cast<size_t>(headDim / 2);
                for (size_t i = 0; i < half; ++i) {
                    turned[first + i] = -x[first + half + i];
                    turned[first + half + i] = x[first + i];
                }
                for (size_t i = 0; i < 2 * half; ++i)
                    multiplied[first + i] = x[first + i] * factors[static_cast<size_t>(t * headDim) + i];
            }
        }
        for (const int parts : kPartCounts) {
            std::vector<float> out(x.size(), kUntouched);
            test::runParts(ops().rotateHalf,
                           RotateHalfArgs{x.data(), stride, tokens, heads, headDim, out.data(), stride}, parts);
            ASSERT_EQ(out, turned);
            test::runParts(
                ops().mulBroadcastHeads,
                MulBroadcastHeadsArgs{x.data(), stride, tokens, heads, headDim, factors.data(), out.data(), stride},
                parts);
            ASSERT_EQ(out, multiplied);
        }
    }
}

TEST_P(Elementwise, ArgmaxTakesTheFirstOfTheLargest) {
    const auto winner = [&](const std::vector<float>& logits, int parts) {
        std::vector<ArgmaxPartial> partials(static_cast<size_t>(parts));
        test::runParts(ops().argmax, ArgmaxArgs{logits.data(), static_cast<int64_t>(logits.size()), partials.data()},
                       parts);
        return combineArgmax(partials.data(), parts);
    };
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const float infinity = std::numeric_limits<float>::infinity();
    for (const int parts : kPartCounts) {
        for (const int64_t count : kCounts) {
            std::vector<float> logits = randomFloats(count, 4);
            for (const int64_t place : {int64_t{0}, count / 2, count - 1}) {
                std::vector<float> changed = logits;
                changed[static_cast<size_t>(place)] = 100.0F;
                ASSERT_EQ(winner(changed, parts), place);
                changed[static_cast<size_t>(count - 1)] = 100.0F;
                ASSERT_EQ(winner(changed, parts), place) << "tie";
            }
        }
        std::vector<float> odd(200, -infinity);
        ASSERT_EQ(winner(odd, parts), 0);
        odd[150] = -3.0F;
        odd[3] = nan;
        odd[151] = nan;
        ASSERT_EQ(winner(odd, parts), 150);
        ASSERT_EQ(winner(std::vector<float>(200, nan), parts), 0);
    }
}

INSTANTIATE_TEST_SUITE_P(Isas, Elementwise, testing::ValuesIn(supportedIsas()),
                         [](const auto& test) { return std::string(isaName(test.param)); });

}  // namespace
}  // namespace gapscope

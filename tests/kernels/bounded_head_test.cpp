// The head by bounds chooses what its full product chooses, and no product lies above its bound.
#include "kernels/cpu/bounded_head.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "tests/kernels/test_support.h"

namespace gapscope {
namespace {

using test::FileMatrix;
using test::randomFloats;

class BoundedHead : public testing::TestWithParam<Isa> {
protected:
    void SetUp() override {
        if (!isaSupported(GetParam())) GTEST_SKIP() << "this machine lacks it";
    }
    const CpuOps& ops() const { return cpuOps(GetParam()); }

    struct Passes {
        std::vector<float> bounds;    // [tokens, rows]
        std::vector<int32_t> chosen;  // [tokens]
    };
    Passes choose(const PackedMatrix& upper, const PackedMatrix& full, const std::vector<float>& x, int parts) const {
        const int64_t tokens = static_cast<int64_t>(x.size()) / full.columns();
        Passes result;
        result.bounds.assign(static_cast<size_t>(tokens * full.rows()), test::kUntouched);
        std::vector<std::byte> quantized(static_cast<size_t>(quantizedBytes(tokens, full.columns())));
        test::runParts(ops().quantizeRows,
                       QuantizeRowsArgs{x.data(), full.columns(), tokens, full.columns(), quantized.data()}, 1);
        std::vector<ArgmaxPartial> probes(static_cast<size_t>(tokens * parts)), partials(probes.size());
        const BoundedHeadArgs args{.x = x.data(),
                                   .quantized = tokens > 1 ? quantized.data() : nullptr,
                                   .tokens = tokens,
                                   .upper = &upper,
                                   .full = &full,
                                   .bounds = result.bounds.data(),
                                   .probes = probes.data(),
                                   .partials = partials.data()};
        test::runParts(ops().headBounds, args, parts);
        test::runParts(ops().headChoice, args, parts);
        for (int64_t t = 0; t < tokens; ++t)
            result.chosen.push_back(combineArgmax(partials.data() + t * parts, parts));
        return result;
    }
    // Each token's products alone, and the first of the largest.
    std::vector<float> products(const PackedMatrix& full, const float* x) const {
        std::vector<float> out(static_cast<size_t>(full.rows()));
        MatmulArgs args{.x = x, .xStride = full.columns(), .tokens = 1};
        args.targets[0] = {&full, out.data(), full.rows()};
        test::runParts(ops().matmul, args, 1);
        return out;
    }
    int32_t wanted(const std::vector<float>& logits) const {
        ArgmaxPartial partial;
        test::runParts(ops().argmax, ArgmaxArgs{logits.data(), static_cast<int64_t>(logits.size()), &partial}, 1);
        return combineArgmax(&partial, 1);
    }
    void expectSame(const MatrixView& view, const std::vector<float>& x) const {
        const std::optional<PackedMatrix> upper = packUpperBits(view, GetParam());
        ASSERT_TRUE(upper);
        const PackedMatrix full = PackedMatrix::pack(view, GetParam(), Arithmetic::Quantized);
        for (const int parts : test::kPartCounts) {
            const Passes passes = choose(*upper, full, x, parts);
            for (size_t t = 0; t < passes.chosen.size(); ++t) {
                const std::vector<float> logits = products(full, x.data() + t * static_cast<size_t>(view.columns));
                EXPECT_EQ(passes.chosen[t], wanted(logits)) << "parts " << parts << ", token " << t;
                for (size_t row = 0; row < logits.size(); ++row)
                    ASSERT_FALSE(passes.bounds[t * logits.size() + row] < logits[row]) << "row " << row;
            }
        }
    }
};

TEST_P(BoundedHead, ChoosesWhatTheFullProductChooses) {
    uint32_t seed = 1;
    for (const auto& [rows, columns] : {std::pair<int64_t, int64_t>{1, 32}, {50, 96}, {700, 640}, {90, 2560}}) {
        for (int i = 0; i < 10; ++i) {
            SCOPED_TRACE(testing::Message() << rows << " x " << columns << ", " << i);
            const FileMatrix file(WeightType::Q8_0, rows, columns, ++seed);
            const int64_t tokens = i % 2 == 0 ? 1 : i == 1 ? kMostBoundedTokens : i;
            ASSERT_NO_FATAL_FAILURE(
                expectSame(file.view(), randomFloats(tokens * columns, ++seed, i < 5 ? 1.0F : 1000.0F)));
        }
    }
}

// All rows alike but for the lower bits that a bound leaves out, which alone decide.
TEST_P(BoundedHead, TellsRowsApartByTheirLowerBits) {
    constexpr int64_t kRows = 40, kColumns = 64;
    std::vector<std::byte> bytes(static_cast<size_t>(kRows * rowBytes(WeightType::Q8_0, kColumns)));
    const uint16_t d = floatToHalf(0.0625F);
    for (int64_t row = 0; row < kRows; ++row) {
        for (int64_t b = 0; b < kColumns / 32; ++b) {
            std::byte* const block = bytes.data() + (row * (kColumns / 32) + b) * 34;
            std::memcpy(block, &d, 2);
            for (int64_t i = 0; i < 32; ++i)
                block[2 + i] = static_cast<std::byte>(row == 23 ? 47 : 40 + (row * 5 + i) % 7);  // 47: all of them set
        }
    }
    const MatrixView view{WeightType::Q8_0, kRows, kColumns, bytes.data()};
    expectSame(view, std::vector<float>(kColumns, 1.0F));
    expectSame(view, std::vector<float>(kColumns, -1.0F));
    expectSame(view, randomFloats(kColumns, 5));
}

TEST_P(BoundedHead, TiesAndNumbersThatAreNone) {
    const FileMatrix file(WeightType::Q8_0, 100, 64, 3);
    expectSame(file.view(), std::vector<float>(64, 0.0F));  // all tie: the first
    for (const float strange : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
        std::vector<float> x = randomFloats(64, 4);
        x[17] = strange;
        expectSame(file.view(), x);
    }
}

TEST_P(BoundedHead, RefusesWhatItCannotBound) {
    EXPECT_FALSE(packUpperBits(FileMatrix(WeightType::Q4_0, 4, 32, 1).view(), GetParam()));
    EXPECT_FALSE(packUpperBits(FileMatrix(WeightType::Q8_0, 4, 32, 1).view(), Isa::Scalar));
    for (const float step : {-0.01F, 9000.0F, std::numeric_limits<float>::quiet_NaN()}) {
        std::vector<std::byte> bytes(3 * 34);
        const uint16_t d = floatToHalf(step);
        std::memcpy(bytes.data() + 34, &d, 2);
        EXPECT_FALSE(packUpperBits({WeightType::Q8_0, 3, 32, bytes.data()}, GetParam())) << step;
    }
}

INSTANTIATE_TEST_SUITE_P(Isas, BoundedHead, testing::Values(Isa::Avx2, Isa::Avx512),
                         [](const auto& of) { return std::string(isaName(of.param)); });

}  // namespace
}  // namespace gapscope

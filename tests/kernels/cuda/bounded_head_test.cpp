// The head by bounds chooses what gemvNormHead() chooses, and no product lies above its bound.
#include "kernels/cuda/bounded_head.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "gemv_test_support.h"
#include "kernels/cuda/argmax.h"
#include "kernels/cuda/gemv_rows.h"

namespace gapscope::cuda {

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// A head and the copy of its upper bits.
class BoundedCase {
public:
    BoundedCase(const std::vector<float>& dense, int rows, int columns)
        : m_rows(rows),
          m_head(dense, rows, columns),
          m_upper(static_cast<size_t>(upperBitsBytes(rows, columns))),
          m_largest(std::vector<float>{0}) {
        EXPECT_EQ(packUpperBits(m_head.view(), m_upper.get(), m_largest.get(), {}), cudaSuccess);
        m_bits = {m_upper.get(), rows, columns, m_largest.read()[0]};
    }
    const UpperBits& bits() const { return m_bits; }
    std::vector<std::byte> packed() const { return m_upper.read(); }

    // What both ways choose for an input; how many rows were computed in full.
    struct Choice {
        int32_t byBounds, byAll;
        unsigned long long rowsInFull;
    };
    Choice choose(const NormInput& input) const {
        const int blocks = gemvHeadBlocks(Launch{}.multiprocessors);
        const auto count = static_cast<size_t>(blocks);
        const DeviceArray<float> logits(static_cast<size_t>(m_rows)), values(count),
            bounds(static_cast<size_t>(m_rows)), probes(count), boundedValues(count);
        const DeviceArray<int32_t> indices(count), boundedIndices(count);
        const DeviceArray<Bf16> normed(static_cast<size_t>(m_head.view().stride));
        const DeviceArray<unsigned long long> rowsInFull(std::vector<unsigned long long>{0});
        EXPECT_EQ(gemvNormHead({input, m_head.view(), logits.get(), values.get(), indices.get(), blocks}, {}),
                  cudaSuccess);
        EXPECT_EQ(
            gemvNormHeadBounds({input, m_head.view(), m_bits, normed.get(), bounds.get(), probes.get(), blocks}, {}),
            cudaSuccess);
        EXPECT_EQ(chooseByBounds({m_head.view(), normed.get(), bounds.get(), probes.get(), blocks, boundedValues.get(),
                                  boundedIndices.get(), blocks, rowsInFull.get()},
                                 {}),
                  cudaSuccess);
        const auto best = [&](const std::vector<float>& value, const std::vector<int32_t>& index) {
            int32_t found = -1;
            float most = 0;
            for (size_t i = 0; i < count; ++i)
                if (index[i] >= 0 && (found < 0 || value[i] > most || (value[i] == most && index[i] < found)))
                    found = index[i], most = value[i];
            return std::pair(found, most);
        };
        const auto all = best(values.read(), indices.read());
        const auto bounded = best(boundedValues.read(), boundedIndices.read());
        if (all.first >= 0) {
            EXPECT_EQ(bounded.second, all.second);  // the same bits, but for the sign of a zero
        }
        const auto products = logits.read(), most = bounds.read();
        int below = 0;
        for (size_t row = 0; row < products.size(); ++row)
            below += most[row] < products[row] ? 1 : 0;
        const auto probe = probes.read();
        const bool isBounded = std::none_of(probe.begin(), probe.end(), [](float p) { return std::isnan(p); });
        if (isBounded) {
            EXPECT_EQ(below, 0) << "products above their bounds";
        } else {
            EXPECT_EQ(rowsInFull.read()[0], static_cast<unsigned long long>(m_rows));
        }
        return {bounded.first, all.first, rowsInFull.read()[0]};
    }

private:
    int m_rows;
    DeviceMatrix m_head;
    DeviceArray<std::byte> m_upper;
    DeviceArray<float> m_largest;
    UpperBits m_bits;
};

// An input whose norm is known to come out as `x` times a factor: no sublayer, weights that are the numbers.
struct PlainInput {
    explicit PlainInput(const std::vector<float>& x) : stream(std::vector<float>(x.size(), 1)), weights(x) {}
    NormInput input() const { return {stream.get(), nullptr, nullptr, weights.get(), nullptr, 1e-6F}; }
    DeviceArray<float> stream, weights;
};

}  // namespace

TEST(CudaBoundedHead, TheCopyIsHalfAStepFromTheWeights) {
    GAPSCOPE_NEEDS_GPU();
    constexpr int kRows = 35, kColumns = 200;
    std::vector<float> dense = randomNumbers(kRows * kColumns, 1);
    std::fill_n(dense.begin(), 64, 0.0F);  // blocks of zeros
    for (int i = 64; i < 96; ++i)
        dense[static_cast<size_t>(i)] *= 1e-36F;
    const BoundedCase head(dense, kRows, kColumns);
    EXPECT_EQ(head.bits().largest, std::abs(*std::max_element(dense.begin(), dense.end(), [](float a, float b) {
                  return std::abs(a) < std::abs(b);
              })));
    const auto packed = head.packed();
    for (int row = 0; row < kRows; ++row)
        for (int column = 0; column < kColumns; ++column) {
            const int step = column / 128, block = column % 128 / 32, element = column % 32;
            const int lane = row % 16 + block % 2 * 16, j = block / 2, group = element / 4;
            const std::byte* const at = packed.data() + (row / 16 * panelSteps(kColumns) + step) * kPanelStepBytes;
            const auto byte = static_cast<unsigned>(at[(j * 32 + lane) * 16 + group / 2 * 4 + element % 4]);
            const auto fifth = static_cast<unsigned>(at[1024 + (2 * lane + j) * 4 + element % 4]) >> group & 1;
            const unsigned level = (byte >> (4 * (group % 2)) & 15) + 16 * fifth;
            uint16_t bits = 0;
            std::memcpy(&bits, at + 1280 + (2 * lane + j) * 2, 2);
            const float scale = bfloat16ToFloat(bits);
            const float weight = dense[static_cast<size_t>(row * kColumns + column)];
            ASSERT_LE(std::abs(weight - scale * (static_cast<float>(level) - 15.5F)), 0.50001F * scale)
                << row << ", " << column;
        }
}

TEST(CudaBoundedHead, ChoosesWhatTheFullProductChooses) {
    GAPSCOPE_NEEDS_GPU();
    struct Size {
        int rows, columns;
    };
    for (const Size size :
         {Size{1, 8}, Size{15, 60}, Size{33, 64}, Size{700, 640}, Size{20001, 1152}, Size{90, 2560}, Size{300001, 136}})
        for (const bool withY : {false, true}) {
            SCOPED_TRACE(testing::Message() << size.rows << " x " << size.columns << (withY ? " with y" : ""));
            const BoundedCase head(
                randomNumbers(static_cast<size_t>(size.rows) * static_cast<size_t>(size.columns), 5, 0.02F), size.rows,
                size.columns);
            const NormCase norm(size.columns, withY);
            const BoundedCase::Choice choice = head.choose(norm.input());
            EXPECT_EQ(choice.byBounds, choice.byAll);
            EXPECT_GE(choice.rowsInFull, 1U);
            if (size.rows > 10000 && size.columns > 1000) {
                EXPECT_LT(choice.rowsInFull, static_cast<unsigned long long>(size.rows) / 20);
            }
        }
}

// Of a few tokens in one pass each has the bounds and the choice that it has alone.
TEST(CudaBoundedHead, TokensInOnePassChooseWhatEachChooses) {
    GAPSCOPE_NEEDS_GPU();
    constexpr int kRows = 20003, kColumns = 640, kMost = 17;
    const DeviceMatrix head(randomNumbers(static_cast<size_t>(kRows) * kColumns, 9, 0.02F), kRows, kColumns);
    const DeviceArray<std::byte> upper(static_cast<size_t>(upperBitsBytes(kRows, kColumns)));
    const DeviceArray<float> largest(std::vector<float>{0});
    GAPSCOPE_CUDA_OK(packUpperBits(head.view(), upper.get(), largest.get(), {}));
    const UpperBits bits{upper.get(), kRows, kColumns, largest.read()[0]};
    std::vector<float> inputs = randomNumbers(kMost * kColumns, 10);
    inputs[3 * kColumns + 5] = std::numeric_limits<float>::quiet_NaN();  // one token that cannot be bounded
    const DeviceArray<Bf16> x(toBf16(inputs));
    const int blocks = gemvHeadBlocks(Launch{}.multiprocessors);
    const auto count = static_cast<size_t>(blocks);
    for (const int tokens : {1, 2, 5, 8, 17}) {
        SCOPED_TRACE(tokens);
        const auto all = static_cast<size_t>(tokens);
        const DeviceArray<float> bounds(all * kRows), probes(all * count), values(all * count), logits(all * kRows),
            fullValues(all * count);
        const DeviceArray<int32_t> indices(all * count), fullIndices(all * count), ids(all), fullIds(all);
        const DeviceArray<StepState> state(std::vector<StepState>{{0, 0}});
        GAPSCOPE_CUDA_OK(
            gemvHeadBoundsRows({x.get(), tokens, head.view(), bits, bounds.get(), probes.get(), blocks}, {}));
        GAPSCOPE_CUDA_OK(chooseByBounds({head.view(), x.get(), bounds.get(), probes.get(), blocks, values.get(),
                                         indices.get(), blocks, nullptr, tokens},
                                        {}));
        GAPSCOPE_CUDA_OK(
            argmaxFinishRows({values.get(), indices.get(), blocks, tokens, ids.get(), state.get(), nullptr, 0}, {}));
        GemvRowsArgs full;
        full.matrices[0] = head.view();
        full.x = x.get();
        full.tokens = tokens;
        full.out[0] = logits.get();
        GAPSCOPE_CUDA_OK(gemvRows(full, {}));
        GAPSCOPE_CUDA_OK(argmaxPartial({logits.get(), kRows, fullValues.get(), fullIndices.get(), blocks, tokens}, {}));
        GAPSCOPE_CUDA_OK(argmaxFinishRows(
            {fullValues.get(), fullIndices.get(), blocks, tokens, fullIds.get(), state.get(), nullptr, 0}, {}));
        EXPECT_EQ(ids.read(), fullIds.read());
        const auto most = bounds.read(), products = logits.read();
        int below = 0;
        for (size_t i = 0; i < products.size(); ++i)
            below += most[i] < products[i] ? 1 : 0;
        EXPECT_EQ(below, 0) << "products above their bounds";
    }
}

// Inputs with a few large numbers, and rows that are alike but for what the copy leaves out.
TEST(CudaBoundedHead, TellsRowsApartByTheBitsThatTheCopyLacks) {
    GAPSCOPE_NEEDS_GPU();
    constexpr int kRows = 4000, kColumns = 256;
    const auto one = randomNumbers(kColumns, 3, 0.02F);
    std::vector<float> dense;
    for (int row = 0; row < kRows; ++row)
        dense.insert(dense.end(), one.begin(), one.end());
    const auto nudge = [&](int row, int column) {
        float& weight = dense[static_cast<size_t>(row * kColumns + column)];
        weight = bfloat16ToFloat(static_cast<uint16_t>(floatToBfloat16(weight) + 1));  // away from zero
    };
    nudge(1234, 77);
    nudge(3456, 200);
    const BoundedCase head(dense, kRows, kColumns);
    for (unsigned seed = 0; seed < 8; ++seed) {
        std::vector<float> x = randomNumbers(kColumns, 20 + seed);
        x[static_cast<size_t>(seed * 9)] *= 200;
        const BoundedCase::Choice choice = head.choose(PlainInput(x).input());
        EXPECT_EQ(choice.byBounds, choice.byAll);
    }
}

TEST(CudaBoundedHead, TiesAndNumbersThatAreNone) {
    GAPSCOPE_NEEDS_GPU();
    constexpr int kRows = 5000, kColumns = 64;
    const BoundedCase head(randomNumbers(kRows * kColumns, 3), kRows, kColumns);
    // All tie: the first.
    const BoundedCase::Choice zeros = head.choose(PlainInput(std::vector<float>(kColumns, 0)).input());
    EXPECT_EQ(zeros.byBounds, 0);
    EXPECT_EQ(zeros.byAll, 0);
    for (const float strange : {std::numeric_limits<float>::quiet_NaN(), kInfinity, -kInfinity, 3e38F, 1e33F, 1e-38F}) {
        SCOPED_TRACE(strange);
        std::vector<float> x = randomNumbers(kColumns, 4);
        x[17] = strange;
        const BoundedCase::Choice choice = head.choose(PlainInput(x).input());
        EXPECT_EQ(choice.byBounds, choice.byAll);
    }
}

TEST(CudaBoundedHead, WeightsThatAreNoNumbersAreTold) {
    GAPSCOPE_NEEDS_GPU();
    for (const float strange : {std::numeric_limits<float>::quiet_NaN(), kInfinity, -kInfinity}) {
        std::vector<float> dense = randomNumbers(40 * 64, 3);
        dense[1111] = strange;
        EXPECT_FALSE(std::isfinite(BoundedCase(dense, 40, 64).bits().largest));
    }
}

}  // namespace gapscope::cuda

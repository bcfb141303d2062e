// The weight formats' plain formulas against the reference package's numbers, and the 16-bit floats against the
// compiler's own conversions.
#include "kernels/cpu/dequantize.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "tests/kernels/dequantize_fixture.h"

namespace gapscope {
namespace {

TEST(Dequantize, MatchesTheReferencePackage) {
    for (const fixture::DequantizeCase& testCase : fixture::kDequantizeCases) {
        SCOPED_TRACE(weightTypeInfo(testCase.type).name);
        const auto count = static_cast<int64_t>(testCase.values.size());
        ASSERT_EQ(static_cast<int64_t>(testCase.blocks.size()), rowBytes(testCase.type, count));
        // One byte off, because blocks in a mapped file have no alignment.
        std::vector<std::byte> bytes(testCase.blocks.size() + 1);
        std::memcpy(bytes.data() + 1, testCase.blocks.data(), testCase.blocks.size());
        std::vector<float> values(testCase.values.size());
        dequantizeRow(testCase.type, bytes.data() + 1, count, values.data());
        for (size_t i = 0; i < values.size(); ++i)
            ASSERT_NEAR(values[i], testCase.values[i], 1e-6 * std::fabs(testCase.values[i])) << "element " << i;
    }
}

TEST(Dequantize, EveryHalfSurvivesTheRoundTrip) {
    for (uint32_t bits = 0; bits < 65536; ++bits) {
        const auto half = static_cast<uint16_t>(bits);
        const float value = halfToFloat(half);
        const bool isNan = (bits & 0x7c00U) == 0x7c00U && (bits & 0x3ffU) != 0;
        ASSERT_EQ(std::isnan(value), isNan) << bits;
        if (isNan) continue;
        ASSERT_EQ(floatToHalf(value), half) << bits;
    }
}

TEST(Dequantize, HalvesMeanWhatIeeeSays) {
    EXPECT_EQ(halfToFloat(0x3c00), 1.0F);
    EXPECT_EQ(halfToFloat(0xc000), -2.0F);
    EXPECT_EQ(halfToFloat(0x7bff), 65504.0F);
    EXPECT_EQ(halfToFloat(0x0001), std::ldexp(1.0F, -24));
    EXPECT_EQ(halfToFloat(0x0400), std::ldexp(1.0F, -14));
    EXPECT_TRUE(std::isinf(halfToFloat(0x7c00)));
    EXPECT_TRUE(std::signbit(halfToFloat(0x8000)));
}

// Nearest even, checked against the distance to both neighbours.
TEST(Dequantize, FloatsRoundToTheNearestHalf) {
    for (uint32_t i = 0; i < 200000; ++i) {
        const auto value = std::bit_cast<float>(0x33000000U + i * 3571U);
        if (!(value < 65504.0F)) break;
        const uint16_t half = floatToHalf(value);
        const double error = std::fabs(static_cast<double>(halfToFloat(half)) - value);
        for (const int step : {-1, 1}) {
            if (half == 0 && step < 0) continue;
            const auto other = static_cast<uint16_t>(half + step);
            const double otherError = std::fabs(static_cast<double>(halfToFloat(other)) - value);
            ASSERT_TRUE(error < otherError || (error == otherError && half % 2 == 0)) << value;
        }
    }
    EXPECT_EQ(floatToHalf(65519.0F), 0x7bff);
    EXPECT_EQ(floatToHalf(65520.0F), 0x7c00);
    EXPECT_EQ(floatToHalf(-1e30F), 0xfc00);
    EXPECT_EQ(floatToHalf(std::ldexp(1.0F, -25)), 0);
}

TEST(Dequantize, Bfloat16RoundsToNearestEven) {
    EXPECT_EQ(bfloat16ToFloat(0x3f80), 1.0F);
    EXPECT_EQ(floatToBfloat16(1.0F), 0x3f80);
    EXPECT_EQ(floatToBfloat16(std::bit_cast<float>(0x3f808000U)), 0x3f80);  // tie: even stays
    EXPECT_EQ(floatToBfloat16(std::bit_cast<float>(0x3f818000U)), 0x3f82);  // tie: odd goes up
    EXPECT_EQ(floatToBfloat16(std::bit_cast<float>(0x3f808001U)), 0x3f81);
    EXPECT_TRUE(std::isnan(bfloat16ToFloat(floatToBfloat16(std::numeric_limits<float>::quiet_NaN()))));
}

}  // namespace
}  // namespace gapscope

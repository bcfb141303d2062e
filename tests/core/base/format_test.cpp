#include "core/base/format.h"

#include <gtest/gtest.h>

#include <limits>

namespace gapscope {

TEST(Format, DurationHasThreeDigitsAndAUnitThatFits) {
    EXPECT_EQ(formatDuration(0), "0 ns");
    EXPECT_EQ(formatDuration(999), "999 ns");
    EXPECT_EQ(formatDuration(1200), "1.20 µs");
    EXPECT_EQ(formatDuration(31'400'000), "31.4 ms");
    EXPECT_EQ(formatDuration(999'600), "1.00 ms");  // rounds into the next unit instead of "1000 µs"
    EXPECT_EQ(formatDuration(2'502'000'000), "2.50 s");
    EXPECT_EQ(formatDuration(-3'000'000), "-3.00 ms");
    EXPECT_EQ(formatDuration(1'234'000'000'000), "1,234 s");
}

TEST(Format, CountsGroupThousands) {
    EXPECT_EQ(formatCount(0), "0");
    EXPECT_EQ(formatCount(999), "999");
    EXPECT_EQ(formatCount(146185), "146,185");
    EXPECT_EQ(formatCount(-1000), "-1,000");
}

TEST(Format, MomentsTellNeighboursApart) {
    EXPECT_EQ(formatMoment(0), "0.000000 s");
    EXPECT_EQ(formatMoment(11'512'345'678), "11.512346 s");
    EXPECT_EQ(formatMoment(999'999'500), "1.000000 s");
    EXPECT_EQ(formatMoment(-1'500'000'000), "-1.500000 s");
    EXPECT_EQ(formatMoment(std::numeric_limits<int64_t>::min()), "-9223372036.854776 s");
}

TEST(Format, BytesRatesAndShares) {
    EXPECT_EQ(formatBytes(253113024), "253 MB");
    EXPECT_EQ(formatBytes(12), "12 B");
    EXPECT_EQ(formatRate(13.8e9, "B/s"), "13.8 GB/s");
    EXPECT_EQ(formatPercent(0.183), "18.3 %");
}

}  // namespace gapscope

// Packed lists and gaps give back what was put in.
#include "core/layout/packed_list.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <utility>
#include <vector>

#include "core/layout/packed_gaps.h"

namespace gapscope {
namespace {

TEST(PackedList, NumbersOfEverySizeComeBack) {
    std::mt19937_64 random(4);
    for (const int bits : {0, 1, 8, 9, 16, 17, 31, 32, 33, 63, 64}) {
        std::vector<int64_t> values;
        PackedNumbers list;
        const auto mask = bits == 0 ? 0 : ~uint64_t{0} >> (64 - bits);
        const int64_t base = bits < 60 ? -1'000'000'007 : 0;
        for (size_t i = 0; i < 3 * kPackedBlock + 17; ++i) {
            values.push_back(base + static_cast<int64_t>(random() & mask));
            list.push_back(values.back());
        }
        ASSERT_EQ(list.size(), values.size());
        for (size_t i = 0; i < values.size(); ++i)
            ASSERT_EQ(list[i], values[i]) << bits << " bits, " << i;
        for (const auto& [from, count] : {std::pair{size_t{0}, size_t{1}},
                                          {1000, 100},
                                          {3 * kPackedBlock - 3, 20},
                                          {7, 2 * kPackedBlock},
                                          {5, 0}}) {
            std::vector<int64_t> part(count);
            list.read(from, part);
            EXPECT_TRUE(std::equal(part.begin(), part.end(), values.begin() + static_cast<ptrdiff_t>(from))) << from;
        }
        EXPECT_EQ(list.front(), values.front());
        EXPECT_EQ(list.back(), values.back());
    }
}

TEST(PackedList, RealsComeBackBitByBit) {
    std::mt19937_64 random(5);
    PackedReals list;
    std::vector<double> values;
    for (size_t i = 0; i < 6 * kPackedBlock + 5; ++i) {
        double value = static_cast<double>(random() % 300);  // whole numbers in the first blocks
        if (i >= 2 * kPackedBlock) value = static_cast<double>(static_cast<int64_t>(random())) * 1e-9;
        if (i == kPackedBlock + 3) value = -0.0;  // and one there that is none
        if (i == 5 * kPackedBlock) value = std::numeric_limits<double>::infinity();
        values.push_back(value);
        list.push_back(value);
    }
    for (size_t i = 0; i < values.size(); ++i)
        ASSERT_EQ(std::bit_cast<uint64_t>(list[i]), std::bit_cast<uint64_t>(values[i])) << i;
    std::vector<double> all(values.size() - 1);
    list.read(1, all);
    for (size_t i = 0; i < all.size(); ++i)
        ASSERT_EQ(std::bit_cast<uint64_t>(all[i]), std::bit_cast<uint64_t>(values[i + 1])) << i;
}

TEST(PackedList, SmallCountsTakeAByte) {
    PackedNumbers times;
    PackedReals counts;
    for (int64_t i = 0; i < 100 * static_cast<int64_t>(kPackedBlock); ++i) {
        times.push_back(i * 2000);
        counts.push_back(static_cast<double>(i % 100));
    }
    EXPECT_LT(static_cast<double>(times.memoryBytes()) / static_cast<double>(times.size()), 4.5);
    EXPECT_LT(static_cast<double>(counts.memoryBytes()) / static_cast<double>(counts.size()), 1.5);
}

TEST(PackedGaps, GapsComeBackAndAreFoundByTheirRange) {
    std::mt19937_64 random(6);
    const auto number = [&](int64_t below) { return static_cast<int64_t>(random() % static_cast<uint64_t>(below)); };
    std::vector<Gap> gaps;
    for (const uint32_t device : {0U, 3U}) {
        int64_t nowNs = -5000;
        for (int i = 0; i < 20'000; ++i) {
            Gap gap{.deviceId = device};
            gap.range.startNs = nowNs += number(20'000);
            gap.hostEndNs = nowNs += number(3) * number(9000);
            gap.launchEndNs = nowNs += number(4000);
            gap.range.endNs = nowNs += 1 + number(4000);
            gap.unknown = number(10) == 0;
            if (gap.unknown) {
                gap.causes[GapCause::Unknown] = gap.range.durationNs();
            } else {
                int64_t hostNs = gap.hostEndNs - gap.range.startNs;
                for (const GapCause cause : {GapCause::HostWaiting, GapCause::Profiler, GapCause::HostApi})
                    hostNs -= gap.causes[cause] = number(hostNs / 3 + 1);
                gap.causes[GapCause::HostOutside] = hostNs;
                gap.causes[GapCause::LaunchCall] = gap.launchEndNs - gap.hostEndNs;
                gap.causes[GapCause::DeviceLatency] = gap.range.endNs - gap.launchEndNs;
            }
            if (number(50) == 0) gap.causes[GapCause::HostApi] += 77;  // and what no rule foresees
            if (number(4) > 0) gap.nextOp = static_cast<uint32_t>(i);
            if (number(4) > 0) gap.call = static_cast<uint32_t>(i * 3);
            if (number(4) > 0) gap.hostName = StringId{static_cast<uint32_t>(number(300))};
            if (number(4) > 0) gap.hostCall = StringId{static_cast<uint32_t>(number(3))};
            gaps.push_back(gap);
        }
    }
    const PackedGaps packed(gaps);
    ASSERT_EQ(packed.size(), gaps.size());
    for (size_t i = 0; i < gaps.size(); ++i) {
        const Gap gap = packed[i];
        ASSERT_EQ(gap.deviceId, gaps[i].deviceId) << i;
        ASSERT_EQ(gap.range, gaps[i].range);
        ASSERT_EQ(gap.hostEndNs, gaps[i].hostEndNs);
        ASSERT_EQ(gap.launchEndNs, gaps[i].launchEndNs);
        ASSERT_EQ(gap.unknown, gaps[i].unknown);
        ASSERT_EQ(gap.causes, gaps[i].causes) << i;
        ASSERT_EQ(gap.nextOp, gaps[i].nextOp);
        ASSERT_EQ(gap.call, gaps[i].call);
        ASSERT_EQ(gap.hostName, gaps[i].hostName);
        ASSERT_EQ(gap.hostCall, gaps[i].hostCall);
        const std::optional<size_t> found = packed.find(gap.range);
        ASSERT_TRUE(found);
        ASSERT_EQ(gaps[*found].range, gap.range);
    }
    EXPECT_FALSE(packed.find({-77, -3}));
    EXPECT_FALSE(packed.find({gaps[5].range.startNs, gaps[5].range.endNs + 1}));
    EXPECT_LT(packed.memoryBytes(), gaps.size() * sizeof(Gap) / 3);
    EXPECT_EQ(PackedGaps().size(), 0u);
    EXPECT_FALSE(PackedGaps().find({0, 1}));
}

}  // namespace
}  // namespace gapscope

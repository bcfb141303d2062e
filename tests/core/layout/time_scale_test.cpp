#include "core/layout/time_scale.h"

#include <gtest/gtest.h>

#include <random>

#include "core/layout/name_steps.h"
#include "core/layout/ruler.h"

namespace gapscope {

TEST(TimeScale, GoesToPixelsAndBackExactly) {
    std::mt19937_64 random(1);
    for (int round = 0; round < 20000; ++round) {
        const int64_t start = static_cast<int64_t>(random() >> (2 + random() % 50));
        const int64_t duration = 1 + static_cast<int64_t>(random() >> (13 + random() % 50));
        const TimeScale scale{{start, start + duration}, 1.0 + static_cast<double>(random() % 8000)};
        const int64_t t = start + static_cast<int64_t>(random() % static_cast<uint64_t>(duration + 1));
        ASSERT_EQ(scale.timeAt(scale.xOf(t)), t);
        const double x = scale.width * static_cast<double>(random() % 1000) / 1000;
        ASSERT_NEAR(scale.xOf(scale.timeAt(x)), x, 0.5 * scale.pxPerNs() + 1e-6);
    }
}

TEST(TimeScale, ZoomKeepsTheTimeUnderTheCursor) {
    const TimeRange whole{0, 10'000'000'000};
    const TimeScale scale{{2'000'000'000, 4'000'000'000}, 1000};
    for (const double x : {0.0, 250.0, 999.0}) {
        const int64_t under = scale.timeAt(x);
        TimeRange range = scale.range;
        for (int step = 0; step < 40; ++step) {
            range = zoomedAt({range, 1000}, x, 0.8, whole);
            EXPECT_NEAR(static_cast<double>((TimeScale{range, 1000}).timeAt(x) - under), 0,
                        1.0 + static_cast<double>(step) + static_cast<double>(range.durationNs()) / 1000);
        }
        EXPECT_LT(range.durationNs(), 300'000);
    }
}

TEST(TimeScale, ZoomAndPanStayNearTheTrace) {
    const TimeRange whole{1000, 2'001'000};
    TimeRange range = whole;
    for (int i = 0; i < 200; ++i)
        range = zoomedAt({range, 500}, 100, 1.5, whole);
    EXPECT_EQ(range.durationNs(), 3 * whole.durationNs());
    EXPECT_TRUE(range.overlaps(whole));
    for (int i = 0; i < 200; ++i)
        range = zoomedAt({range, 500}, 100, 0.5, whole);
    EXPECT_EQ(range.durationNs(), kMinVisibleNs);
    EXPECT_TRUE(panned(range, -int64_t{1} << 50, whole).overlaps(whole));
    EXPECT_TRUE(panned(range, int64_t{1} << 50, whole).overlaps(whole));
    EXPECT_EQ(panned({5000, 6000}, 300, whole), (TimeRange{5300, 6300}));
}

TEST(Ruler, StepsAreOneTwoFive) {
    EXPECT_EQ(roundStep(0.3), 1);
    EXPECT_EQ(roundStep(1.5), 2);
    EXPECT_EQ(roundStep(2.5), 5);
    EXPECT_EQ(roundStep(5.5), 10);
    EXPECT_EQ(roundStep(1e6), 1'000'000);
    EXPECT_EQ(roundStep(123456), 200'000);
}

TEST(Ruler, TicksAreRoundTimesWithRoomForTheirLabels) {
    std::mt19937_64 random(2);
    for (int round = 0; round < 500; ++round) {
        const int64_t start = static_cast<int64_t>(random() >> (10 + random() % 50)) - 1000;
        const TimeScale scale{{start, start + 100 + static_cast<int64_t>(random() >> (14 + random() % 48))}, 1200};
        double last = -1e9;
        std::string lastLabel;
        size_t majors = 0;
        for (const RulerTick& tick : rulerTicks(scale)) {
            EXPECT_TRUE(scale.range.startNs <= tick.timeNs && tick.timeNs <= scale.range.endNs);
            EXPECT_EQ(tick.x, scale.xOf(tick.timeNs));
            if (!tick.major) continue;
            EXPECT_GE(tick.x - last, 109.99);
            EXPECT_NE(tick.label, lastLabel);
            last = tick.x;
            lastLabel = tick.label;
            ++majors;
        }
        EXPECT_LE(majors, 12u);
        if (scale.range.durationNs() > 2000) {
            EXPECT_GE(majors, 3u);
        }
    }
}

TEST(Ruler, LabelsTellNeighboursApart) {
    EXPECT_EQ(formatTick(1'234'200'000, 200'000, 1'300'000'000), "1.2342 s");
    EXPECT_EQ(formatTick(-1'500'000, 500'000, 2'000'000), "-1.5 ms");
    EXPECT_EQ(formatTick(20'000, 10'000, 90'000), "20 µs");
    EXPECT_EQ(formatTick(1'000'000'005, 5, 1'100'000'000), "1.000000005 s");
    EXPECT_EQ(formatTick(0, 1, 50), "0 ns");
}

TEST(NameSteps, TemplateArgumentsGoFirst) {
    using Steps = std::vector<std::string>;
    EXPECT_EQ(nameSteps("rms_norm_fused"), Steps{"rms_norm_fused"});
    EXPECT_EQ(
        nameSteps("void ns::k<256, __nv_bfloat16>(float const*, int)"),
        (Steps{"void ns::k<256, __nv_bfloat16>(float const*, int)", "void ns::k(float const*, int)", "ns::k", "k"}));
    EXPECT_EQ(nameSteps("void at::native::(anonymous namespace)::cat<a<b>, 3>(x)").back(), "cat");
    EXPECT_EQ(nameSteps("aten::mul"), (Steps{"aten::mul", "mul"}));
    EXPECT_EQ(nameSteps("Memcpy HtoD (Pageable -> Device)"), Steps{"Memcpy HtoD (Pageable -> Device)"});
    EXPECT_EQ(nameSteps("decode 12"), (Steps{"decode 12", "12"}));
    EXPECT_EQ(nameSteps("aten::mul, op_id = 995159"),
              (Steps{"aten::mul, op_id = 995159", "mul, op_id = 995159", "aten::mul", "mul"}));
    EXPECT_EQ(nameSteps("a b 7").back(), "a b 7");
    EXPECT_EQ(nameSteps("broken<<<(("), Steps{"broken<<<(("});
    EXPECT_EQ(nameSteps("a::operator<<(std::ostream&)").back(), "operator<<");
    EXPECT_EQ(nameSteps(""), Steps{""});
}

}  // namespace gapscope

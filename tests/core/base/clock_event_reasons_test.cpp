#include "core/base/clock_event_reasons.h"

#include <gtest/gtest.h>

namespace gapscope {

TEST(ClockEventReasons, AreWordsAndTheGravestGivesTheKind) {
    EXPECT_EQ(clockEventReasonWords(0), "");
    EXPECT_EQ(gravestClockLimit(0), ClockLimit::None);
    EXPECT_EQ(clockEventReasonWords(0x1), "idle");
    EXPECT_EQ(gravestClockLimit(0x1), ClockLimit::Idle);
    EXPECT_EQ(clockEventReasonWords(0x24), "power cap, thermal (software)");
    EXPECT_EQ(gravestClockLimit(0x24), ClockLimit::Thermal);
    EXPECT_EQ(gravestClockLimit(0x48), ClockLimit::Hardware);
    EXPECT_EQ(gravestClockLimit(0x82), ClockLimit::Power);
    EXPECT_EQ(clockEventReasonWords(0x1000000004), "power cap, reason 0x1000000000");
    EXPECT_EQ(gravestClockLimit(0x1000000000), ClockLimit::Other);
}

TEST(ClockEventReasons, OfACounterThatIsNoMaskAreNone) {
    EXPECT_EQ(clockEventReasonsOf(36.0), 36u);
    for (const double value : {-1.0, 1e300, 0.0})
        EXPECT_EQ(clockEventReasonsOf(value), 0u) << value;
}

}  // namespace gapscope

// The random traces, and a window of each, that the figures of core/analysis are held against the reference on.
#pragma once

#include <gtest/gtest.h>

#include "tests/core/testing/random_trace.h"

namespace gapscope {

class RandomTraces : public testing::TestWithParam<int> {
protected:
    RandomTraces() {
        const auto seed = static_cast<uint32_t>(GetParam());
        RandomTraceShape shape;
        if (seed % 5 == 1) shape = {.deviceOps = 15, .calls = 12, .spanNs = 500};
        if (seed % 5 == 2) shape.calls = 0;
        if (seed % 5 == 3) shape = {.deviceOps = 25, .calls = 60, .ranges = 60, .spanNs = 250};
        if (seed % 5 == 4) shape = {.deviceOps = 40, .calls = 5, .spanNs = 600};  // many operations a call
        RandomTrace random(seed, shape);
        trace = random.build().snapshot();
        window = seed % 2 ? TimeRange{50, shape.spanNs - 40} : TimeRange{-10, shape.spanNs + 60};
    }
    TracePtr trace;
    TimeRange window;
};

}  // namespace gapscope

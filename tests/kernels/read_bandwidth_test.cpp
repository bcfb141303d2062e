#include "kernels/cpu/read_bandwidth.h"

#include <gtest/gtest.h>

namespace gapscope::cpu {

TEST(ReadBandwidth, IsARateThatMemoryCanHave) {
    for (const int threads : {1, 3}) {
        const double rate = measureReadBandwidth(threads);
        EXPECT_GT(rate, 1e7);
        EXPECT_LT(rate, 1e13);
    }
    EXPECT_GT(measureReadBandwidth(0), 0) << "no thread counts as one";
}

}  // namespace gapscope::cpu

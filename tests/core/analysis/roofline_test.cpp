// Points and roofs worked out on paper.
#include "core/analysis/roofline.h"

#include <gtest/gtest.h>

#include "tests/core/analysis/hand_made_trace.h"

namespace gapscope {

namespace {

struct Peaks {
    double bytes = 0, flops = 0;
};

// A product of the prompt, the same product in two tokens (the second half outside the window), and a copy of unknown
// size.
TracePtr products(Peaks peaks) {
    Builder b;
    b.setRun({.modelName = "m", .weightBytes = 100});
    b.setDevice({.id = 0, .name = "d", .peakBytesPerSecond = peaks.bytes, .peakFlopsPerSecond = peaks.flops});
    const auto add = [&](int64_t start, int64_t end, int64_t bytes, int64_t flops, int32_t token) {
        OpId op;
        if (bytes > 0) op = b.internOp({.name = b.intern("q_proj"), .layer = 3, .bytes = bytes, .flops = flops});
        b.add(DeviceOpRow{.startNs = start,
                          .endNs = end,
                          .name = b.intern("gemv"),
                          .track = b.track,
                          .category = Category::Gemm,
                          .op = op,
                          .token = token});
    };
    add(0, 100, 200, 8000, kPrefillToken);
    add(100, 200, 100, 200, 0);
    add(200, 250, 0, 0, 0);
    add(250, 350, 100, 200, 1);
    return b.snapshot();
}

}  // namespace

TEST(Roofline, OnPaper) {
    const TracePtr trace = products({.bytes = 4e9, .flops = 1e11});
    const Roofline roof = roofline(*trace, {0, 300});
    EXPECT_DOUBLE_EQ(roof.ridge(), 25);
    ASSERT_EQ(roof.roles.size(), 2u) << "prompt and decode apart";
    const RooflinePoint& decode = roof.roles[0];
    EXPECT_FALSE(decode.prompt);
    EXPECT_EQ(decode.count, 2);
    EXPECT_EQ(decode.ns, 150);
    EXPECT_DOUBLE_EQ(decode.bytes, 150) << "half of the last one lies outside";
    EXPECT_DOUBLE_EQ(decode.intensity(), 2);
    EXPECT_DOUBLE_EQ(decode.bytesPerSecond(), 1e9);
    EXPECT_DOUBLE_EQ(roof.shareOfRoof(decode), 0.25);
    EXPECT_TRUE(roof.isUnderMemoryRoof(decode));
    const RooflinePoint& prompt = roof.roles[1];
    EXPECT_DOUBLE_EQ(prompt.intensity(), 40);
    EXPECT_FALSE(roof.isUnderMemoryRoof(prompt));
    EXPECT_DOUBLE_EQ(roof.shareOfRoof(prompt), 0.8) << "80 GFLOP/s of 100";
    EXPECT_EQ(roof.unknownNs, 50);
    EXPECT_DOUBLE_EQ(roof.floorNsPerToken, 25);
    ASSERT_EQ(roof.layers.size(), 1u);
    EXPECT_EQ(roof.layers[0].layer, 3);
    EXPECT_EQ(roof.layers[0].count, 2) << "decode only";
    EXPECT_EQ(roof.tokens.size(), 3u);
    EXPECT_EQ(roof.lacks, "");
}

TEST(Roofline, TheFloorOfABatchIsSharedByItsPrompts) {
    Builder b;
    b.setRun({.modelName = "m", .sequences = 5, .batch = 4, .weightBytes = 1000});
    b.setDevice({.id = 0, .name = "d", .peakBytesPerSecond = 1e9});
    b.kernel(0, 10, 0);
    EXPECT_DOUBLE_EQ(roofline(*b.snapshot(), {0, 10}).floorNsPerToken, 250);
    EXPECT_EQ(roofline(*b.snapshot(), {0, 10}).weightBytes, 250);
    EXPECT_DOUBLE_EQ(memoryFloorNsPerToken(*b.snapshot(), 1e9), 250);
    b.setRun({.modelName = "m", .sequences = 2, .batch = 4, .weightBytes = 1000});
    EXPECT_DOUBLE_EQ(roofline(*b.snapshot(), {0, 10}).floorNsPerToken, 500) << "no more than there are";
}

TEST(Roofline, SaysWhatIsMissing) {
    EXPECT_NE(roofline(*products({}), {0, 300}).lacks, "");
    EXPECT_NE(roofline(*products({.bytes = 1e9}), {0, 300}).lacks, "");
    Builder b;
    b.kernel(0, 10, 0);
    const Roofline foreign = roofline(*b.snapshot(), {0, 10});
    EXPECT_NE(foreign.lacks.find("does not tell"), std::string::npos);
    EXPECT_EQ(foreign.unknownNs, 10);
}

}  // namespace gapscope

// What a kernel did inside splits its category and its role, and adds nothing to any sum.
#include "core/analysis/stages.h"

#include <gtest/gtest.h>

#include "core/analysis/prepared_window.h"
#include "core/analysis/summary.h"
#include "tests/core/analysis/hand_made_trace.h"

namespace gapscope {

namespace {

// A persistent kernel of 100 ns: norm 20, gemm 50 (layer 0), attention 20 (layer 1), and 10 that no stage tells.
struct Staged : Builder {
    Staged() {
        setDevice({.id = 0, .name = "d", .peakBytesPerSecond = 1e12});
        kernel(900, 950, 1);  // has none
        add(DeviceOpRow{.startNs = 1000,
                        .endNs = 1100,
                        .name = intern("persistent"),
                        .track = track,
                        .category = Category::Gemm,
                        .correlationId = 7,
                        .op = internOp({.name = intern("decode"), .bytes = 4000}),
                        .token = 3});
        stage(1000, 1020, "norm", Category::Norm, 0);
        stage(1020, 1070, "gate_up", Category::Gemm, 0);
        stage(1070, 1090, "attention", Category::Attention, 1);
    }
    void stage(int64_t start, int64_t end, const char* name, Category category, int32_t layer,
               uint32_t correlation = 7) {
        add(StageRow{.startNs = start,
                     .endNs = end,
                     .name = intern(name),
                     .track = track,
                     .correlationId = correlation,
                     .category = category,
                     .op = internOp({.name = intern(name), .layer = layer}),
                     .token = 3});
    }
};

const LayerOpTime* roleOf(const Trace& trace, const LayerTable& table, std::string_view name) {
    for (const LayerOpTime& role : table.ops)
        if (trace.string(role.name) == name) return &role;
    return nullptr;
}

}  // namespace

TEST(Stages, SplitTheCategoryOfTheirKernelAndAddNothing) {
    Staged b;
    const TracePtr trace = b.snapshot();
    const CategoryTimes times = categoryTimes(*trace, {0, 2000});
    EXPECT_EQ(times[Category::Gemm].ns, 50 + 50 + 10);
    EXPECT_EQ(times[Category::Gemm].count, 2);
    EXPECT_EQ(times[Category::Norm].ns, 20);
    EXPECT_EQ(times[Category::Norm].count, 0);
    EXPECT_EQ(times[Category::Attention].ns, 20);
    EXPECT_EQ(times.totalNs, 150);
    EXPECT_EQ(times[TwoWay::Gemm].ns, 110);
    const Summary summary = summarize(*trace, {0, 2000});
    EXPECT_EQ(summary.gpuBusyNs, 150);
    EXPECT_EQ(summary.kernelCount, 2);
}

TEST(Stages, AreClippedToTheWindow) {
    Staged b;
    const CategoryTimes times = categoryTimes(*b.snapshot(), {1010, 1080});
    EXPECT_EQ(times[Category::Norm].ns, 10);
    EXPECT_EQ(times[Category::Gemm].ns, 50);
    EXPECT_EQ(times[Category::Attention].ns, 10);
    EXPECT_EQ(times.totalNs, 70);
}

TEST(Stages, GiveTheirKernelsTimeToLayers) {
    Staged b;
    const TracePtr trace = b.snapshot();
    for (const bool prepared : {false, true}) {
        const PreparedTrace all(trace);
        const LayerTable table =
            prepared ? layerTable(PreparedWindow(all, {0, 2000})) : layerTable(*trace, TimeRange{0, 2000});
        ASSERT_EQ(table.layers.size(), 3u);
        EXPECT_EQ(table.layers[0].layer, -1);
        EXPECT_EQ(table.layers[0].totalNs, 10);
        EXPECT_EQ(table.layers[1].totalNs, 70);
        EXPECT_EQ(table.layers[2].totalNs, 20);
        const LayerOpTime* const decode = roleOf(*trace, table, "decode");
        ASSERT_TRUE(decode);
        EXPECT_EQ(decode->count, 1);
        EXPECT_DOUBLE_EQ(decode->bytesPerSecond(), 4e10);  // over the whole kernel
        const LayerOpTime* const product = roleOf(*trace, table, "gate_up");
        ASSERT_TRUE(product);
        EXPECT_EQ(product->totalNs, 50);
        EXPECT_EQ(product->category, Category::Gemm);
        EXPECT_EQ(product->bytesPerSecond(), 0);  // unknown: the weights came while others ran
    }
}

TEST(Stages, OfAStrangeFileTakeNoMoreThanThereIs) {
    Staged b;
    b.stage(1000, 1100, "twice", Category::Rope, 0);         // over those that are there
    b.stage(500, 5000, "beyond", Category::Sampling, 0);     // its kernel's bounds hold
    b.stage(1000, 1100, "lost", Category::Embedding, 0, 8);  // of no kernel
    const CategoryTimes times = categoryTimes(*b.snapshot(), {0, 9000});
    EXPECT_EQ(times.totalNs, 150);
    EXPECT_EQ(times[Category::Embedding].ns, 0);
    for (const CategoryTime& category : times.categories)
        EXPECT_GE(category.ns, 0);
}

}  // namespace gapscope

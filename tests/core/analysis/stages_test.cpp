// What a kernel did inside splits its category and its role, and adds nothing to any sum.
#include "core/analysis/stages.h"

#include <gtest/gtest.h>

#include "core/analysis/prepared_window.h"
#include "core/analysis/summary.h"
#include "tests/core/analysis/hand_made_trace.h"
#include "tests/core/testing/persistent_run.h"

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
        EXPECT_EQ(product->count, 0);
        EXPECT_EQ(product->stageCount, 1);
        EXPECT_EQ(decode->stageCount, 0);
        EXPECT_EQ(table.layers[1].stageCount, 2);
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

TEST(Stages, KnowTheKernelTheyLieIn) {
    Staged b;
    b.stage(1000, 1100, "lost", Category::Embedding, 0, 8);
    const TracePtr trace = b.snapshot();
    const StageIndex index(*trace);
    EXPECT_EQ(index.kernelOf(0), 1u);
    EXPECT_EQ(index.kernelOf(2), 1u);
    EXPECT_EQ(index.kernelOf(3), kNoRow);
}

TEST(Stages, AreSummedUpByNameWhateverTheirLayer) {
    const TracePtr trace = persistentTrace({.layers = 5, .tokens = 2});
    const std::vector<StageTimes> rows = stageTimes(*trace, trace->extent());
    ASSERT_EQ(rows.size(), 9u + 4);
    double share = 0;
    for (size_t i = 0; i < rows.size(); ++i) {
        share += rows[i].share;
        if (i > 0) {
            EXPECT_GE(rows[i - 1].times.totalNs, rows[i].times.totalNs);
        }
    }
    EXPECT_DOUBLE_EQ(share, 1);
    EXPECT_EQ(trace->string(rows[0].name), "lm_head");
    EXPECT_EQ(rows[0].times.count, 2);
    EXPECT_EQ(rows[0].times.totalNs, 2 * 69'200);
    EXPECT_EQ(trace->string(rows[1].name), "gate_up_gelu");
    EXPECT_EQ(rows[1].times.count, 10);
    EXPECT_EQ(rows[1].times.totalNs, 10 * 3'900);
    EXPECT_EQ(rows[1].times.minNs, 3'900 * 98 / 100);
    // A window takes what begins inside and clips it.
    const int64_t first = trace->stages().startNs[0];
    const std::vector<StageTimes> one = stageTimes(*trace, {first, first + 300});
    ASSERT_EQ(one.size(), 1u);
    EXPECT_EQ(one[0].times.totalNs, 300);
}

// Five layers: products 9.8 µs each and the head's 69.2, inputs 10.6 each and the head's 5.8, attention 3 each.
TEST(Stages, TellTheVerdictWhatNoRateShows) {
    const TracePtr trace = persistentTrace({.layers = 5, .tokens = 5});
    const TimeRange decode{trace->deviceOps().startNs[1], trace->extent().endNs};
    const StageShares shares = StageIndex(*trace).shares(decode);
    EXPECT_EQ(shares.productNs, 5 * (5 * 9'800 + 69'200));
    EXPECT_EQ(shares.inputNs, 5 * (5 * 10'600 + 5'800));
    EXPECT_EQ(shares.attentionNs, 5 * 5 * 3'000);
    EXPECT_EQ(shares.otherNs, 5 * (900 + 1'100));
    EXPECT_EQ(shares.totalNs, shares.productNs + shares.inputNs + shares.attentionNs + shares.otherNs);
    const auto evidence = [](const Verdict& verdict) {
        for (size_t i = 0; i < verdict.about.size(); ++i)
            if (verdict.about[i] == Evidence::StageRows) return verdict.evidence[i];
        return std::string();
    };
    const std::string told =
        "Of the time inside kernels with stages, 60.9 % goes to matrix products, 30.3 % to bringing their inputs to "
        "all blocks, 7.73 % to attention, 1.03 % to the rest.";
    const PreparedTrace prepared(trace);
    for (const Summary& summary :
         {summarize(*trace, decode), gapscope::analyze(PreparedWindow(prepared, decode)).summary}) {
        EXPECT_EQ(evidence(summary.verdict), told);
        EXPECT_EQ(summary.verdict.bound, Bound::Memory);
    }
    // Where the bandwidth is far from its peak, the sentence says what the kernels do instead.
    const TracePtr slow = persistentTrace({.layers = 5, .tokens = 5, .peakBytesPerSecond = 3e13});
    EXPECT_TRUE(summarize(*slow, decode).verdict.sentence.ends_with("until products have their inputs."))
        << summarize(*slow, decode).verdict.sentence;
    const TracePtr none = persistentTrace({.layers = 5, .tokens = 5, .stages = false, .peakBytesPerSecond = 3e13});
    EXPECT_EQ(evidence(summarize(*none, decode).verdict), "");
    EXPECT_TRUE(summarize(*none, decode).verdict.sentence.ends_with("is near its peak."));
}

}  // namespace gapscope

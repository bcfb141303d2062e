#include "core/analysis/kernel_rules.h"

#include <gtest/gtest.h>

#include "core/analysis/window.h"
#include "core/import/open_trace.h"
#include "core/trace/trace_builder.h"
#include "tests/support/test_files.h"

namespace gapscope {

namespace {

// Three foreign kernels of two names, a copy, and a kernel whose op tells its category.
TraceBuilder foreign() {
    TraceBuilder b;
    const TrackId track = b.internTrack({});
    const LaunchConfigId config = b.internLaunchConfig({.fullName = b.intern("void ns::odd_kernel<float>(float*)")});
    b.add(DeviceOpRow{.startNs = 0, .endNs = 10, .name = b.intern("odd_kernel"), .track = track, .config = config});
    b.add(DeviceOpRow{.startNs = 20, .endNs = 25, .name = b.intern("sgemm"), .track = track});
    b.add(DeviceOpRow{.startNs = 30, .endNs = 47, .name = b.intern("odd_kernel"), .track = track, .config = config});
    b.add(DeviceOpRow{.startNs = 50,
                      .endNs = 60,
                      .name = b.intern("odd_copy"),
                      .track = track,
                      .kind = DeviceOpKind::Copy,
                      .category = Category::Copy});
    b.add(DeviceOpRow{.startNs = 70,
                      .endNs = 80,
                      .name = b.intern("odd_kernel"),
                      .track = track,
                      .category = Category::Rope,
                      .op = b.internOp({.name = b.intern("rope")})});
    return b;
}

std::vector<Category> categoriesOf(const Trace& trace) {
    std::vector<Category> categories;
    for (size_t row = 0; row < trace.deviceOps().startNs.size(); ++row)
        categories.push_back(trace.deviceOps().category[row]);
    return categories;
}

}  // namespace

TEST(KernelRules, SortForeignKernelsAlone) {
    const TracePtr trace = foreign().snapshot();
    const CategoryRules rules = CategoryRules::beforeBuiltIn({{Category::Norm, {"odd", "<float>"}}});
    const TracePtr sorted = categorized(trace, rules);
    using enum Category;
    EXPECT_EQ(categoriesOf(*sorted), (std::vector{Norm, Gemm, Norm, Copy, Rope}));
    EXPECT_EQ(categoriesOf(*trace), (std::vector{Other, Other, Other, Copy, Rope}));  // is immutable
    EXPECT_FALSE(isLaterSnapshot(*trace, *sorted));                                   // or its colours would stay
    EXPECT_EQ(categorized(sorted, rules), sorted);                                    // nothing changes
    EXPECT_EQ(categoriesOf(*categorized(sorted, CategoryRules::builtIn())),
              (std::vector{Other, Gemm, Other, Copy, Rope}));  // a rule that is gone
}

TEST(KernelRules, LeaveOwnRunsAlone) {
    TraceBuilder builder = foreign();
    builder.setRun({.modelName = "own"});
    const TracePtr trace = builder.snapshot();
    EXPECT_EQ(categorized(trace, CategoryRules::builtIn()), trace);
    EXPECT_TRUE(kernelNames(*trace, trace->extent(), CategoryRules::builtIn()).empty());
}

TEST(KernelRules, NamesAreCountedByWhatRulesSee) {
    const TracePtr trace = foreign().snapshot();
    const std::vector<KernelName> names = kernelNames(*trace, {0, 40}, CategoryRules::builtIn());
    ASSERT_EQ(names.size(), 2u);
    EXPECT_EQ(names[0].name, "void ns::odd_kernel<float>(float*)");
    EXPECT_EQ(names[0].count, 2);
    EXPECT_EQ(names[0].ns, 20);  // the second is clipped
    EXPECT_FALSE(names[0].rule);
    EXPECT_EQ(names[1].name, "sgemm");
    EXPECT_EQ(names[1].ns, 5);
    EXPECT_TRUE(names[1].rule);
}

TEST(KernelRules, SuggestedPartsNameTheFunction) {
    const std::pair<const char*, const char*> names[] = {
        {"my_kernel", "my_kernel"},
        {"my_kernel(float*, int)", "my_kernel"},
        {"void at::native::(anonymous namespace)::CatArrayBatchedCopy<at::native::Opaque<2u>, int>(int)",
         "CatArrayBatchedCopy"},
        {"void cutlass::Kernel2<cutlass_80_wmma_tensorop_bf16>(cutlass_80::Params)",
         "Kernel2 cutlass_80_wmma_tensorop_bf16"},
        {"void a::f<int>::operator()<b>(c)", "f"},
        {"triton_poi_fused_7", "triton_poi_fused_7"},
        {"<<x>>", "<<x>>"},
        {"", ""},
    };
    for (const auto& [name, parts] : names) {
        EXPECT_EQ(suggestedParts(name), parts);
        if (*name == '\0') continue;
        const auto rule = CategoryRule::parse(std::string("norm ") + suggestedParts(name));
        ASSERT_TRUE(rule && *rule) << name;
        EXPECT_TRUE((*rule)->fits(name)) << name;
    }
}

// Importers sort by the built-in rules as they read; sorting again by the same rules must find nothing to change.
TEST(KernelRules, AgreeWithTheImporters) {
    int opened = 0;
    for (const char* name : {"traces/public/mfu_2gpu_before.sqlite", "traces/public/hta-nccl_data.json.gz",
                             "traces/public/kineto-resnet50-v100-nw0.pt.trace.json.gz"}) {
        const auto path = test::sharedFile(name);
        if (path.empty()) continue;
        const auto trace = openTrace(path);
        ASSERT_TRUE(trace) << trace.error().message;
        EXPECT_EQ(categorized(*trace, CategoryRules::builtIn()), *trace) << name;
        int64_t count = 0;
        for (const KernelName& each : kernelNames(**trace, (*trace)->extent(), CategoryRules::builtIn()))
            count += each.count;
        EXPECT_GT(count, 0) << name;
        ++opened;
    }
    if (opened == 0) GTEST_SKIP() << "no trace below shared/traces is here";
}

}  // namespace gapscope

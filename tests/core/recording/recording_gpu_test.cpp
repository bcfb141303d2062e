// A whole recorded run on a real GPU: every launch that the plan makes is a kernel record, joined to its op, layer and
// token, in each mode. Needs a GPU, else it says why it is skipped.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>

#include "core/analysis/token_table.h"
#include "core/recording/recording.h"
#include "core/runner/devices.h"
#include "core/runner/model_catalog.h"
#include "core/runner/plan.h"
#include "core/runner/plan_launcher.h"
#include "core/runner/prefix_memory.h"

namespace gapscope {
namespace {

constexpr int64_t kPromptTokens = 23;
constexpr int32_t kNewTokens = 12;

struct RecordingGpuTest : testing::TestWithParam<Mode> {
    std::unique_ptr<Recording> recording;
    RecordingSettings settings;

    void SetUp() override {
        if (const CudaDevices found = cudaDevices(); found.devices.empty()) GTEST_SKIP() << found.problem;
        settings.modelPath = resourceFolder() / "tiny-random-gemma3.gguf";
        settings.generate.device = "cuda";
        settings.generate.mode = GetParam();
        for (int32_t i = 0; i < kPromptTokens; ++i)
            settings.generate.promptIds.push_back(5 + i);
        settings.generate.maxNewTokens = kNewTokens;
        settings.generate.ignoreEos = true;
    }
    void run(TraceLevel level) {
        settings.traceLevel = level;
        auto started = Recording::start(settings);
        ASSERT_TRUE(started) << started.error().message;
        recording = std::move(*started);
        recording->wait();
        ASSERT_TRUE(recording->result()) << recording->result().error().message;
        for (const Diagnostic& diagnostic : recording->trace()->diagnostics().entries())
            EXPECT_EQ(diagnostic.severity, Severity::Info)
                << diagnostic.name << " " << diagnostic.count << ": " << diagnostic.text;
    }
    // Of a decode step.
    Plan plan() const {
        PlanRequest request;
        request.flavor = PlanFlavor::Cuda;
        request.eager = GetParam() == Mode::Eager;
        request.boundsHead = !request.eager;  // the run only chooses
        request.kvElementBytes = 2;
        return makePlan(*recording->model(), request);
    }
    static int64_t positionOf(int32_t token) { return kPromptTokens + token - 1; }
    bool isGraph() const { return GetParam() == Mode::Graph; }
};

using OpKey = std::pair<std::string, int32_t>;  // name and layer

TEST_P(RecordingGpuTest, EveryPlannedLaunchIsAKernelOfItsOpAndToken) {
    run(TraceLevel::Full);
    if (HasFatalFailure()) return;
    const Plan decode = plan();
    std::map<OpKey, int> planned;
    for (const PlanOp& op : decode.ops)
        ++planned[{op.opName, op.layer}];
    const TracePtr trace = recording->trace();
    const DeviceOps& rows = trace->deviceOps();
    for (const int16_t repeat : {-1, 0})
        for (int32_t token = 1; token < kNewTokens; ++token) {
            SCOPED_TRACE("repeat " + std::to_string(repeat) + ", token " + std::to_string(token));
            std::map<OpKey, int> seen;
            OpCost cost, plannedCost;
            for (size_t i = 0; i < rows.startNs.size(); ++i) {
                const DeviceOpRow row = rowAt(rows, i);
                if (row.repeat != repeat || row.token != token || row.kind != DeviceOpKind::Kernel) continue;
                ASSERT_TRUE(row.op.valid()) << trace->string(row.name);
                EXPECT_EQ(row.graphNodeId != 0, isGraph());
                const OpRow op = trace->ops()[row.op.value];
                ++seen[{std::string(trace->string(op.name)), op.layer}];
                cost.bytes += op.bytes;
                cost.flops += op.flops;
            }
            EXPECT_EQ(seen, planned);
            for (const PlanOp& op : decode.ops) {
                plannedCost.bytes += op.cost(positionOf(token)).bytes;
                plannedCost.flops += op.cost(positionOf(token)).flops;
            }
            EXPECT_EQ(cost.bytes, plannedCost.bytes);
            EXPECT_EQ(cost.flops, plannedCost.flops);
        }
    const TokenTable tokens = tokenTable(*trace, trace->extent());
    ASSERT_EQ(tokens.rows.size(), 2u * (1 + kNewTokens));  // the prompt is one
    for (const TokenTime& token : tokens.rows) {
        if (token.index < 1) continue;
        // Eager copies the token to the host, as PyTorch does.
        const auto launches = static_cast<int64_t>(isGraph() ? 1 : decode.ops.size());
        EXPECT_EQ(token.launchCount, launches + (GetParam() == Mode::Eager ? 1 : 0)) << token.index;
    }
}

TEST_P(RecordingGpuTest, TheCheapLevelHasEveryGraphLaunchWithItsTokenAndCost) {
    run(TraceLevel::Graph);
    if (HasFatalFailure()) return;
    const Plan decode = plan();
    const TracePtr trace = recording->trace();
    std::map<int32_t, int> graphsOf, kernelsOf;
    for (size_t i = 0; i < trace->deviceOps().startNs.size(); ++i) {
        const DeviceOpRow row = rowAt(trace->deviceOps(), i);
        if (row.repeat != 0 || row.token < 1) continue;
        if (row.kind == DeviceOpKind::Kernel) ++kernelsOf[row.token];
        if (row.kind != DeviceOpKind::GraphLaunch) continue;
        ++graphsOf[row.token];
        int64_t bytes = 0;
        for (const PlanOp& op : decode.ops)
            bytes += op.cost(positionOf(row.token)).bytes;
        ASSERT_TRUE(row.op.valid());
        EXPECT_EQ(trace->ops()[row.op.value].bytes, bytes);
    }
    for (int32_t token = 1; token < kNewTokens; ++token) {
        EXPECT_EQ(graphsOf[token], isGraph() ? 1 : 0) << token;
        EXPECT_EQ(kernelsOf[token], isGraph() ? 0 : static_cast<int>(decode.ops.size())) << token;
    }
}

// As the window's runs with Prefix: Reuse.
TEST_P(RecordingGpuTest, TheNextRunTellsWhatItKnewAndHowItCameBack) {
    settings.generate.promptIds.clear();
    for (int32_t i = 0; i < kGpuChunkTokens + 7; ++i)
        settings.generate.promptIds.push_back(5 + i % 500);
    settings.generate.reusePrefix = true;
    settings.generate.warmup = 0;
    settings.memory = std::make_shared<PrefixMemory>();
    for (const int64_t known : {int64_t{0}, kGpuChunkTokens}) {
        run(TraceLevel::Full);
        if (HasFatalFailure()) return;
        const TracePtr trace = recording->trace();
        EXPECT_EQ(trace->run()->reusedPromptTokens, known);
        int copies = 0;
        for (size_t i = 0; i < trace->deviceOps().startNs.size(); ++i) {
            const DeviceOpRow row = rowAt(trace->deviceOps(), i);
            if (!row.op.valid() || trace->string(trace->ops()[row.op.value].name) != "cache_from_pages") continue;
            ++copies;
            EXPECT_EQ(row.category, Category::Copy);
            EXPECT_EQ(row.token, kPrefillToken);
            EXPECT_GT(trace->ops()[row.op.value].bytes, 0);
        }
        EXPECT_EQ(copies, known > 0 ? 1 : 0);
        settings.model = recording->model();
    }
}

INSTANTIATE_TEST_SUITE_P(Modes, RecordingGpuTest, testing::Values(Mode::Eager, Mode::Fused, Mode::Graph),
                         [](const auto& testCase) { return std::string(modeName(testCase.param)); });

}  // namespace
}  // namespace gapscope

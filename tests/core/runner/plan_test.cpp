// Plans: what each mode launches, what it costs, and that no op of the eager plan is there for show.
#include "core/runner/plan.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "core/runner/cpu_backend.h"
#include "tests/support/test_files.h"

namespace gapscope {
namespace {

std::shared_ptr<const Model> tinyModel() {
    auto model = Model::load(test::repositoryFile("resources/tiny-random-gemma3.gguf"));
    EXPECT_TRUE(model) << (model ? "" : model.error().message);
    return model ? *model : nullptr;
}

PlanRequest request(bool eager, int64_t tokens, bool head = true, bool quantized = false) {
    PlanRequest result;
    result.eager = eager;
    result.tokens = tokens;
    result.head = head;
    result.quantizedActivations = quantized;
    return result;
}

std::map<int32_t, int> opsByLayer(const Plan& plan) {
    std::map<int32_t, int> counts;
    for (const PlanOp& op : plan.ops)
        ++counts[op.layer];
    return counts;
}

TEST(Plan, EagerLaunchesWhatPyTorchsModulesLaunch) {
    const auto model = tinyModel();
    const Plan plan = makePlan(*model, request(true, 1));
    // Six kernels for each of six norms, seven projections, four for each of two ropes, one cache write, one attention,
    // gelu and its product, two residual adds.
    const auto counts = opsByLayer(plan);
    for (int32_t layer = 0; layer < model->config().layers; ++layer)
        EXPECT_EQ(counts.at(layer), 6 * 6 + 7 + 2 * 4 + 1 + 1 + 2 + 2) << "layer " << layer;
    EXPECT_EQ(counts.at(-1), 4 + 6 + 2);  // embedding, its scale, two rope tables; final norm; head and argmax
    std::set<std::string> names;
    for (const PlanOp& op : plan.ops)
        names.insert(op.kernelName);
    for (const char* name : {"pow_f32", "mean_f32", "add_scalar_f32", "rsqrt_f32", "mul_rows_f32", "mul_weights_f32"})
        EXPECT_TRUE(names.contains(name)) << name;
}

TEST(Plan, FusedLaunchesEightKernelsALayer) {
    const auto model = tinyModel();
    const Plan plan = makePlan(*model, request(false, 1, true, true));
    const auto counts = opsByLayer(plan);
    EXPECT_EQ(counts.at(0), 9);  // the first layer's own input norm; later ones are fused into the layer before
    for (int32_t layer = 1; layer + 1 < model->config().layers; ++layer)
        EXPECT_EQ(counts.at(layer), 8) << "layer " << layer;
}

TEST(Plan, AChoiceByBoundsReadsTheUpperBitsOfTheHead) {
    const auto model = tinyModel();
    PlanRequest asked = request(false, 1, true, true);
    const Plan full = makePlan(*model, asked);
    asked.boundsHead = true;
    const Plan bounded = makePlan(*model, asked);
    ASSERT_EQ(bounded.ops.size(), full.ops.size());
    const PlanOp &bounds = bounded.ops[bounded.ops.size() - 2], &head = full.ops[full.ops.size() - 2];
    EXPECT_EQ(bounds.kind, OpKind::HeadBounds);
    EXPECT_EQ(bounds.opName, head.opName);
    EXPECT_EQ(bounds.kernelName, head.kernelName + "_upper_bits");
    EXPECT_EQ(head.cost(0).bytes - bounds.cost(0).bytes,
              model->head().bytes() - model->head().rows * rowBytes(WeightType::Q5_0, model->head().columns));
    EXPECT_EQ(bounded.ops.back().kind, OpKind::HeadChoice);
}

TEST(Plan, OnlyTheEndOfThePromptHasAHead) {
    const auto model = tinyModel();
    for (const bool eager : {true, false}) {
        const Plan inner = makePlan(*model, request(eager, 8, false));
        for (const PlanOp& op : inner.ops)
            EXPECT_FALSE(op.head);
        EXPECT_NE(inner.ops.back().kind, OpKind::Argmax);
        const Plan last = makePlan(*model, request(eager, 8));
        EXPECT_EQ(last.ops.back().kind, OpKind::Argmax);
        EXPECT_TRUE(last.ops.back().head);
        EXPECT_EQ(last.ops.back().tokens, 1);
    }
}

TEST(Plan, QuantizesOnlyWhereWeightsAreInBlocks) {
    const auto model = tinyModel();
    const auto quantizes = [&](bool quantized) {
        int count = 0;
        for (const PlanOp& op : makePlan(*model, request(true, 1, true, quantized)).ops)
            count += op.kind == OpKind::Quantize ? 1 : 0;
        return count;
    };
    EXPECT_EQ(quantizes(false), 0);
    int expected = 0;
    const auto inBlocks = [](const MatrixView& matrix) { return weightTypeInfo(matrix.type).blockElements > 1; };
    for (const LayerWeights& layer : model->layers()) {
        expected += inBlocks(layer.q) || inBlocks(layer.k) || inBlocks(layer.v) ? 1 : 0;
        expected += inBlocks(layer.output) ? 1 : 0;
        expected += inBlocks(layer.gate) || inBlocks(layer.up) ? 1 : 0;
        expected += inBlocks(layer.down) ? 1 : 0;
    }
    EXPECT_EQ(quantizes(true), expected + (inBlocks(model->head()) ? 1 : 0));
}

TEST(Plan, MatmulsReadEveryWeightOnceAToken) {
    const auto model = tinyModel();
    int64_t matrices = model->head().bytes();
    for (const LayerWeights& layer : model->layers())
        for (const MatrixView* matrix :
             {&layer.q, &layer.k, &layer.v, &layer.output, &layer.gate, &layer.up, &layer.down})
            matrices += matrix->bytes();
    for (const bool eager : {true, false}) {
        int64_t weights = 0;
        for (const PlanOp& op : makePlan(*model, request(eager, 1)).ops)
            if (op.category == Category::Gemm)
                for (const MatrixView* matrix : op.matrices)
                    weights += matrix != nullptr ? matrix->bytes() : 0;
        EXPECT_EQ(weights, matrices);
    }
}

TEST(Plan, AttentionCostCountsTheKeysSeen) {
    PlanOp op;
    op.kind = OpKind::Attention;
    op.costPerKey = {10, 1};
    for (const int64_t window : {0, 1, 5, 16}) {
        for (const int64_t tokens : {1, 3, 20}) {
            for (const int64_t position : {0, 1, 4, 15, 16, 40}) {
                op.window = window;
                op.tokens = tokens;
                // By hand: every (query, key) pair, and every key that any query sees.
                int64_t pairs = 0;
                std::set<int64_t> keys;
                for (int64_t i = position; i < position + tokens; ++i) {
                    for (int64_t j = 0; j <= i; ++j) {
                        if (window > 0 && i - j >= window) continue;
                        ++pairs;
                        keys.insert(j);
                    }
                }
                const OpCost cost = op.cost(position);
                EXPECT_EQ(cost.flops, pairs) << window << ' ' << tokens << ' ' << position;
                EXPECT_EQ(cost.bytes, 10 * static_cast<int64_t>(keys.size())) << window << ' ' << tokens;
            }
        }
    }
}

// A row of a sequence of its own reads what it would read alone.
TEST(PlanOpCost, OfRowsOfSeveralSequencesIsTheirSum) {
    PlanOp op;
    op.kind = OpKind::Attention;
    op.costPerKey = {10, 1};
    op.fixedCost = {7, 3};
    for (const int64_t window : {0, 4}) {
        op.window = window;
        op.tokens = 3;
        const OpCost together = op.cost(std::vector<int32_t>{0, 3, 40});
        op.tokens = 1;
        OpCost sum = op.fixedCost;
        for (const int64_t position : {0, 3, 40}) {
            sum.bytes += op.cost(position).bytes - op.fixedCost.bytes;
            sum.flops += op.cost(position).flops - op.fixedCost.flops;
        }
        EXPECT_EQ(together.bytes, sum.bytes) << window;
        EXPECT_EQ(together.flops, sum.flops) << window;
    }
}

class EagerOps : public testing::Test {
protected:
    static constexpr int64_t kTokens = 5;

    std::unique_ptr<CpuBackend> backend(const char* isa, int64_t threads) {
        const test::ScopedEnvironment choice("GAPSCOPE_CPU_ISA", isa);
        BackendSettings settings;
        settings.precision = Precision::Fp32;
        settings.threads = threads;
        settings.contextLength = 64;
        settings.chunkTokens = kTokens;
        auto created = CpuBackend::create(*m_model, settings, m_log);
        EXPECT_TRUE(created) << (created ? "" : created.error().message);
        return created ? std::move(*created) : nullptr;
    }

    // Where an op leaves its numbers.
    std::map<Buffer, int64_t> outputs(const PlanOp& op) const {
        std::map<Buffer, int64_t> found;
        for (size_t i = 0; i < op.out.size(); ++i) {
            if (op.out[i].buffer == Buffer::None || op.out[i].buffer == Buffer::Ids) continue;
            const bool matmul = op.kind == OpKind::Matmul && op.matrices[i] != nullptr;
            const int64_t width = matmul                        ? op.matrices[i]->rows
                                  : op.kind == OpKind::MeanRows ? op.heads
                                                                : op.heads * op.columns;
            found[op.out[i].buffer] = op.tokens * width;
        }
        return found;
    }

    std::shared_ptr<const Model> m_model = tinyModel();
    ActivityLog m_log{TraceLevel::Off};
    const std::vector<int32_t> m_ids = {2, 40, 41, 99, 7};
};

TEST_F(EagerOps, EachGivesWhatThePlainVersionGives) {
    const auto plain = backend("scalar", 1);
    for (const Isa isa : supportedIsas()) {
        const auto fast = backend(std::string(isaName(isa)).c_str(), 2);
        const Backend::PlanId id = *plain->add(makePlan(*m_model, request(true, kTokens)));
        const Backend::PlanId fastId = *fast->add(makePlan(*m_model, request(true, kTokens)));
        for (CpuBackend* each : {plain.get(), fast.get()})
            each->uploadIds({}, m_ids);
        const std::vector<PlanOp>& ops = plain->plan(id).ops;
        for (size_t i = 0; i < ops.size(); ++i) {
            plain->launch(id, i, {});
            fast->launch(fastId, i, {});
            ASSERT_TRUE(plain->synchronize());
            ASSERT_TRUE(fast->synchronize());
            for (const auto& [buffer, count] : outputs(ops[i])) {
                const float* expected = plain->buffer(buffer);
                const float* actual = fast->buffer(buffer);
                for (int64_t j = 0; j < count; ++j)
                    ASSERT_NEAR(actual[j], expected[j], 1e-4 * (1 + std::abs(expected[j])))
                        << isaName(isa) << ' ' << ops[i].opName << " of layer " << ops[i].layer << ", element " << j;
            }
        }
        int32_t expected = 0, chosen = 0;
        EXPECT_TRUE(plain->readTokens({}, std::span(&expected, 1)) && fast->readTokens({}, std::span(&chosen, 1)));
        EXPECT_EQ(chosen, expected);
    }
}

// The result needs every op: leaving any one out changes the logits or the chosen token.
TEST_F(EagerOps, NoneIsFiller) {
    const auto device = backend("scalar", 1);
    const Backend::PlanId id = *device->add(makePlan(*m_model, request(true, kTokens)));
    const auto vocabulary = static_cast<size_t>(m_model->config().vocabulary);
    const size_t count = device->plan(id).ops.size();
    const auto run = [&](const std::vector<int32_t>& ids, int64_t position, size_t skipped,
                         std::vector<float>& logits) {
        Step step;
        step.position = position;
        device->uploadIds(step, ids);
        for (size_t i = 0; i < count; ++i)
            if (i != skipped) device->launch(id, i, step);
        logits.resize(vocabulary);
        EXPECT_TRUE(device->readLogits(step, 0, logits));
        int32_t token = 0;
        EXPECT_TRUE(device->readTokens(step, std::span(&token, 1)));
        return token;
    };
    const std::vector<int32_t> others = {2, 300, 12, 77, 201};
    const auto result = [&](size_t skipped, std::vector<float>& logits) {
        // Other tokens first, then other positions: what an op left in a buffer or the cache last time is stale.
        std::vector<float> ignored;
        run(others, 0, count, ignored);
        run(others, 20, count, ignored);
        return run(m_ids, 0, skipped, logits);
    };
    std::vector<float> whole;
    const int32_t token = result(count, whole);
    for (size_t i = 0; i < count; ++i) {
        std::vector<float> logits;
        const int32_t chosen = result(i, logits);
        EXPECT_TRUE(logits != whole || chosen != token)
            << device->plan(id).ops[i].opName << " of layer " << device->plan(id).ops[i].layer;
    }
}

}  // namespace
}  // namespace gapscope

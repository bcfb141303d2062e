// The CUDA backend's plans, which need no GPU to be made: what they launch, and that every op reads what an earlier one
// wrote.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/runner/generate.h"
#include "core/runner/plan.h"
#include "tests/support/test_files.h"

namespace gapscope {
namespace {

std::shared_ptr<const Model> tinyModel() {
    auto model = Model::load(test::repositoryFile("resources/tiny-random-gemma3.gguf"));
    EXPECT_TRUE(model) << (model ? "" : model.error().message);
    return model ? *model : nullptr;
}

enum class Drafts { None, Checked };

Plan cudaPlan(const Model& model, bool eager, int64_t tokens, bool head = true, Precision precision = Precision::Bf16,
              Drafts drafts = Drafts::None, bool boundsHead = false) {
    PlanRequest request;
    request.flavor = PlanFlavor::Cuda;
    request.precision = precision;
    request.eager = eager;
    request.tokens = tokens;
    request.head = head;
    request.checksDrafts = drafts == Drafts::Checked;
    request.boundsHead = boundsHead;
    request.kvElementBytes = 2;
    return makePlan(model, request);
}

std::map<int32_t, int> opsByLayer(const Plan& plan) {
    std::map<int32_t, int> counts;
    for (const PlanOp& op : plan.ops)
        ++counts[op.layer];
    return counts;
}

TEST(CudaPlan, EagerLaunchesWhatPyTorchDoesForOneToken) {
    const auto model = tinyModel();
    const auto counts = opsByLayer(cudaPlan(*model, true, 1));
    // Ten kernels for each of six norms (casts and 1 + weight included), seven projections, five for each of two ropes,
    // two cache writes, attention in two steps, gelu and its product, two residual adds: 85. PyTorch launches 2,284
    // kernels a token for 26 such layers; this plan 26 * 85 + 18 = 2,228.
    for (int32_t layer = 0; layer < model->config().layers; ++layer)
        EXPECT_EQ(counts.at(layer), 6 * 10 + 7 + 2 * 5 + 2 + 2 + 2 + 2) << "layer " << layer;
    EXPECT_EQ(counts.at(-1), 4 + 10 + 4);
}

// Around each of seven linear layers bitsandbytes launches a cast, abs, >=, any, the quantisation, the dequantisation
// and a cast back: 2,228 + 182 * 7 = 3,502 for 26 layers, of PyTorch's 3,533. The copy of any's answer is no kernel.
TEST(CudaPlan, EagerInt8LaunchesWhatBitsandbytesDoes) {
    const auto model = tinyModel();
    const Plan plan = cudaPlan(*model, true, 1, true, Precision::Int8);
    std::map<int32_t, int> always, conditional;
    int copies = 0;
    for (const PlanOp& op : plan.ops) {
        if (op.kind == OpKind::ReadOutlierFlag)
            ++copies;
        else
            ++(op.onlyWithOutliers ? conditional : always)[op.layer];
    }
    for (int32_t layer = 0; layer < model->config().layers; ++layer) {
        EXPECT_EQ(always.at(layer), 89 - 2 + 2 - 4 + 7 * 7) << "layer " << layer;
        EXPECT_EQ(conditional.at(layer), 5 * 7) << "layer " << layer;
    }
    EXPECT_EQ(copies, 7 * model->config().layers);
    EXPECT_EQ(always.at(-1), 18);  // embedding and head stay as they are
    EXPECT_FALSE(conditional.contains(-1));
}

TEST(CudaPlan, PackedWeightsAreTurnedToBf16OnlyForSeveralTokens) {
    const auto model = tinyModel();  // layers in Q8_0, embedding in F16
    const auto unpacked = [&](bool eager, int64_t tokens) {
        int count = 0;
        for (const PlanOp& op : cudaPlan(*model, eager, tokens, true, Precision::File).ops)
            count += op.kind == OpKind::DequantizeWeights ? 1 : 0;
        return count;
    };
    EXPECT_EQ(unpacked(true, 1), 0);
    EXPECT_EQ(unpacked(false, 1), 0);
    EXPECT_EQ(unpacked(true, 9), 7 * model->config().layers);
    EXPECT_EQ(unpacked(false, 9), 7 * model->config().layers);
}

TEST(CudaPlan, FusedLaunchesFiveKernelsALayer) {
    const auto model = tinyModel();
    for (const Precision precision : {Precision::File, Precision::Bf16, Precision::Int8}) {
        const auto counts = opsByLayer(cudaPlan(*model, false, 1, true, precision));
        for (int32_t layer = 0; layer < model->config().layers; ++layer)
            EXPECT_EQ(counts.at(layer), 5) << "layer " << layer;
        EXPECT_EQ(counts.at(-1), 4);  // embedding, rope table; head, argmax
    }
}

// A large GPU takes about as long for keys and values alone as for queries, keys and values in one product.
TEST(CudaPlan, APromptsQueriesKeysAndValuesAreOneProduct) {
    const auto model = tinyModel();
    const int32_t layers = model->config().layers;
    for (const Precision precision : {Precision::File, Precision::Bf16}) {
        SCOPED_TRACE(precisionName(precision));
        std::map<int32_t, int> products;
        int64_t unpackedRows = 0;
        for (const PlanOp& op : cudaPlan(*model, false, 9, true, precision).ops) {
            if (op.opName == "qkv_proj.dequantize") {
                EXPECT_EQ(op.out[0].row, unpackedRows);
                unpackedRows += op.matrices[0]->rows;
            }
            if (op.kind != OpKind::Matmul || op.layer < 0) continue;
            ++products[op.layer];
            if (op.opName != "qkv_proj") continue;
            EXPECT_TRUE(op.matrices[0] && op.matrices[1] && op.matrices[2]);
            EXPECT_EQ(unpackedRows, precision == Precision::Bf16
                                        ? 0
                                        : op.matrices[0]->rows + op.matrices[1]->rows + op.matrices[2]->rows);
            unpackedRows = 0;
        }
        for (int32_t layer = 0; layer < layers; ++layer)
            EXPECT_EQ(products[layer], 5) << "layer " << layer;
    }
    // The norm before the first layer apart: product, rope, attention, product, norm, two products, gelu, product,
    // norm.
    const auto counts = opsByLayer(cudaPlan(*model, false, 9));
    EXPECT_EQ(counts.at(0), 11);
    for (int32_t layer = 1; layer + 1 < layers; ++layer)
        EXPECT_EQ(counts.at(layer), 10) << "layer " << layer;
    EXPECT_EQ(counts.at(-1), 6);  // embedding, rope table; final norm, head, argmax in two steps
}

TEST(CudaPlan, EveryOpReadsWhatAnEarlierOneWrote) {
    const auto model = tinyModel();
    for (const Precision precision : {Precision::File, Precision::Bf16, Precision::Int8})
        for (const bool eager : {true, false})
            for (const int64_t tokens : {int64_t{1}, int64_t{7}})
                for (const bool head : {true, false}) {
                    SCOPED_TRACE(testing::Message() << precisionName(precision) << (eager ? " eager " : " fused ")
                                                    << tokens << (head ? " head" : ""));
                    const Plan plan = cudaPlan(*model, eager, tokens, head, precision);
                    std::set<Buffer> written{Buffer::Ids};
                    bool partialLogits = false;
                    for (const PlanOp& op : plan.ops) {
                        for (const Operand& operand : op.in)
                            EXPECT_TRUE(operand.buffer == Buffer::None || written.contains(operand.buffer))
                                << op.opName << " of layer " << op.layer;
                        for (const Operand& operand : op.out)
                            written.insert(operand.buffer);
                        if (op.kind == OpKind::ArgmaxPartial || op.kind == OpKind::NormHead) partialLogits = true;
                        if (op.kind == OpKind::Argmax) {
                            EXPECT_TRUE(partialLogits);
                            EXPECT_EQ(op.heads, tokens);
                        }
                        EXPECT_GT(op.tokens, 0);
                        EXPECT_FALSE(op.kernelName.empty());
                    }
                    EXPECT_EQ(plan.ops.back().kind == OpKind::Argmax, head);
                }
}

// Every token gets logits and a choice; each weight is read once for all of them, but for eager int8, whose outliers
// are those of all rows, and where each token takes the steps by itself.
TEST(CudaPlan, CheckedDraftsHaveLogitsOfEachAndWeightsOnce) {
    const auto model = tinyModel();
    for (const Precision precision : {Precision::File, Precision::Bf16, Precision::Int8})
        for (const bool eager : {true, false}) {
            SCOPED_TRACE(testing::Message() << precisionName(precision) << (eager ? " eager" : " fused"));
            const bool alone = eager && precision == Precision::Int8;
            const Plan plan = cudaPlan(*model, eager, 5, true, precision, Drafts::Checked);
            std::set<Buffer> written{Buffer::Ids};
            std::map<const MatrixView*, int> products;
            for (const PlanOp& op : plan.ops) {
                for (const Operand& operand : op.in)
                    EXPECT_TRUE(operand.buffer == Buffer::None || written.contains(operand.buffer))
                        << op.opName << " of layer " << op.layer;
                for (const Operand& operand : op.out)
                    written.insert(operand.buffer);
                if (op.category == Category::Gemm && op.kind != OpKind::AddOutliers)
                    for (const MatrixView* matrix : op.matrices)
                        if (matrix) ++products[matrix];
                // Weights of a norm are no token's.
                const bool ofWeights = op.opName.ends_with(".weight_float") || op.opName.ends_with(".one_plus_weight");
                if (op.head && !ofWeights) {
                    EXPECT_EQ(op.tokens, 5) << op.opName;
                }
                EXPECT_NE(op.kind, OpKind::DequantizeWeights);
            }
            EXPECT_EQ(plan.ops.back().kind, OpKind::Argmax);
            EXPECT_EQ(plan.ops.back().heads, 5);
            EXPECT_EQ(products.size(), static_cast<size_t>(7 * model->config().layers + 1));
            for (const auto& [matrix, times] : products)
                EXPECT_EQ(times, alone && matrix != &model->head() ? 5 : 1);
        }
}

TEST(CudaPlan, ANormInAGemvNeverWritesTheStreamThatItReads) {
    const auto model = tinyModel();
    int moved = 0;
    for (const PlanOp& op : cudaPlan(*model, false, 1).ops) {
        if (op.kind != OpKind::NormQkv && op.kind != OpKind::NormGateUp && op.kind != OpKind::NormHead) continue;
        EXPECT_NE(op.in[0].buffer, op.out[3].buffer) << op.opName;
        moved += op.out[3].buffer != Buffer::None ? 1 : 0;
    }
    EXPECT_EQ(moved, 2 * model->config().layers);  // but for the first norm
}

TEST(CudaPlan, AHeadByBoundsIsTwoPassesAndTheChoice) {
    const auto model = tinyModel();
    const int64_t rows = model->head().rows, columns = model->head().columns;
    for (const Drafts drafts : {Drafts::None, Drafts::Checked}) {
        const int64_t tokens = drafts == Drafts::None ? 1 : 5;
        const Plan full = cudaPlan(*model, false, tokens, true, Precision::Bf16, drafts);
        const Plan bounded = cudaPlan(*model, false, tokens, true, Precision::Bf16, drafts, true);
        const PlanOp& head = *std::ranges::find(full.ops, "lm_head", &PlanOp::opName);
        const auto at = std::ranges::find(bounded.ops, "lm_head", &PlanOp::opName);
        ASSERT_EQ(bounded.ops.end() - at, 3);
        const PlanOp &bounds = at[0], &choice = at[1];
        EXPECT_EQ(bounds.kind, OpKind::HeadBounds);
        EXPECT_EQ(bounds.norms, head.norms);
        EXPECT_EQ(head.cost(0).bytes - bounds.cost(0).bytes,
                  rows * (2 * columns - rowBytes(WeightType::Q5_0, columns)));
        EXPECT_EQ(choice.kind, OpKind::HeadChoice);
        EXPECT_EQ(choice.category, Category::Sampling);
        EXPECT_EQ(choice.matrices[0], &model->head());
        EXPECT_EQ(choice.in[0].buffer, Buffer::Logits);
        EXPECT_EQ(choice.in[1].buffer, Buffer::Normed);
        EXPECT_EQ(bounded.ops.back().kind, OpKind::Argmax);
        for (const PlanOp* op : {&bounds, &choice, &bounded.ops.back()})
            EXPECT_EQ(op->tokens, tokens);
        std::set<Buffer> written{Buffer::Ids};
        for (const PlanOp& op : bounded.ops) {
            for (const Operand& operand : op.in)
                EXPECT_TRUE(operand.buffer == Buffer::None || written.contains(operand.buffer)) << op.opName;
            for (const Operand& operand : op.out)
                written.insert(operand.buffer);
        }
    }
}

TEST(CudaPlan, OneTokensBytesAreTheWeightsAsTheyAreStored) {
    const auto model = tinyModel();
    for (const Precision precision : {Precision::File, Precision::Bf16, Precision::Int8}) {
        SCOPED_TRACE(precisionName(precision));
        double weights = 2 * static_cast<double>(model->head().rows * model->head().columns);
        const double bytesPerWeight = precision == Precision::File ? 34.0 / 32 : precision == Precision::Int8 ? 1 : 2;
        for (const LayerWeights& layer : model->layers())
            for (const MatrixView* m :
                 {&layer.q, &layer.k, &layer.v, &layer.output, &layer.gate, &layer.up, &layer.down})
                weights += bytesPerWeight * static_cast<double>(m->rows * m->columns);
        double bytes = 0;
        for (const PlanOp& op : cudaPlan(*model, false, 1, true, precision).ops)
            bytes += static_cast<double>(op.cost(0).bytes);
        EXPECT_GE(bytes, weights);
        EXPECT_LT(bytes, 1.15 * weights);  // the tiny model has many activations for its weights
    }
}

}  // namespace
}  // namespace gapscope

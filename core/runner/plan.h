// A plan: the explicit list of ops that turns some tokens at some position into logits and the next token. It says what
// is computed; a backend says how. The mode picks the list (eager: one op for each that PyTorch's modules launch,
// fused: few and long ones) and how it is launched, never the numbers.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/base/activity.h"
#include "core/base/category.h"
#include "core/runner/model.h"

namespace gapscope {

// Activations by role. Each is [tokens, columns] fp32 but for Ids and Positions (int32), Quantized (the backend's form)
// and Logits (one row, or one a token of a plan that checks drafts). A plan's ops run in order, so buffers are reused
// from layer to layer.
enum class Buffer : uint8_t {
    None,
    Ids,  // tokens to process; argmax leaves the next token in row 0 (checking drafts: each token's next in its row)
    Positions,
    Residual,  // the stream that layers add to
    Normed,
    Projected,  // what attention or the feed-forward net adds to the residual stream, before its norm
    Scratch,    // eager: between the small ops
    Rotated,    // eager: likewise, in rope
    RowScale,   // eager: one number a row (and head)
    Query,
    Key,
    Value,
    Attended,
    Gate,
    Up,
    Quantized,
    CosLocal,
    SinLocal,
    CosGlobal,
    SinGlobal,
    Logits,
    // CUDA only (plan_cuda.cpp says what is in them)
    ResidualOther,
    Activated,
    FloatInput,
    FloatProduct,
    FloatWeights,
    Negated,
    Partials,
    LogitsBf16,
    WeightsBf16,  // a packed matrix turned to bf16 for a prefill
    HalfInput,    // int8: the steps of LLM.int8() (kernels/cuda/llm_int8.h)
    HalfAbsolute,
    OutlierMask,
    OutlierFlag,
    OutlierColumns,  // flags, numbers and count
    OutlierValues,
    OutlierWeights,
    Int8Input,
    Int8Absmax,
    Int8Products,
    HalfOutput,
};
inline constexpr int kBufferCount = static_cast<int>(Buffer::HalfOutput) + 1;

struct Operand {
    Buffer buffer = Buffer::None;
    int64_t row = 0;  // first row read or written
};

enum class OpKind : uint8_t {
    // both
    Embedding,   // Ids -> out0, times scalar
    CosSin,      // position -> out0, out1 of one theta (fused: out0..3, both thetas)
    Quantize,    // in0 -> Quantized
    Matmul,      // in0 times matrices[i] -> out[i]
    Attention,   // Query and the cache -> out0 (CUDA: or Partials)
    Argmax,      // Logits -> Ids
    HeadBounds,  // in0 times the upper bits of matrices[0] -> the most that each logit can be, in Logits (CUDA: with
                 // the
                 // norm of NormHead, which stays in out1)
    HeadChoice,  // in1 times the rows of matrices[0] that may win by Logits -> Ids (CUDA: a largest one a block)
    // eager
    MulScalar,
    Square,
    MeanRows,
    AddScalar,
    Rsqrt,
    MulRows,
    MulWeights,
    Mul,
    Add,
    Gelu,
    RotateHalf,
    MulHeads,
    KvWrite,
    // fused
    RmsNorm,
    AddRmsNorm,       // in1 += rms(in0) * norms[0]; out0 = rms(in1) * norms[1]
    QkNormRopeCache,  // norm and rope of Query in place; Key and Value to the cache (CUDA: in0 may hold all three)
    GateUpGelu,       // in0 times both matrices, gelu(gate) * up -> out0 (Up is overwritten)
    // CUDA, eager
    CastFloat,
    CastBf16,
    NegateHalf,
    JoinHalves,
    CacheWrite,        // in0 (Key or Value) to its half of the cache
    AttentionCombine,  // Partials -> out0
    ArgmaxPartial,     // Logits -> a largest one a block, for Argmax
    // CUDA, fused: a norm in a GEMV is x' = in0 + rms(in1) * norms[0], rms(x') * norms[1]; x' goes to out3
    NormQkv,
    AttentionDecode,  // norm and rope of Query and Key, the cache's new row, and attention -> Partials
    CombineMatmul,    // Partials joined, times the matrix
    NormGateUp,
    NormHead,  // and a largest logit a block
    GeluGate,
    // CUDA, drafts checked and batches stepped by fused plans: a few tokens, each with the bits that it has alone
    // (draft_check.h)
    NormRows,       // norms[0], if there, of in1 added to in0, which stays there; its norm by norms[1] -> out0
    MatmulRows,     // in0 times matrices[i] -> out[i]
    GateUpRows,     // in0 times both matrices, gelu(gate) * up -> out0
    RopeCacheRows,  // norm and rope of Key, and Value, to the cache
    AttentionRows,  // norm and rope of Query, and attention, in parts that it joins -> out0
    // CUDA, weights that are not bf16
    DequantizeWeights,  // matrices[0], packed, -> WeightsBf16, which the Matmul after it reads (in1)
    CastHalf,           // bf16 in0 -> HalfInput
    AbsoluteHalf,
    MarkOutliers,
    AnyOutlier,
    ReadOutlierFlag,  // to the host, which waits for it: what follows depends on it
    FindOutliers,     // columns of in0 with one -> flags
    ListOutliers,     // their numbers
    QuantizeInt8,     // in0 -> Int8Input, Int8Absmax
    MatmulInt8,       // Int8Input times matrices[0] -> Int8Products
    DequantizeHalf,   // Int8Products -> HalfOutput
    DequantizeFloat,  // Int8Products and the outliers of in1 -> out0
    GatherOutliers,
    DequantizeOutlierWeights,
    AddOutliers,
    CastHalfToBf16,  // HalfOutput -> out0
};

struct OpCost {
    int64_t bytes = 0;
    int64_t flops = 0;
};

struct PlanOp {
    OpKind kind = OpKind::Embedding;
    std::string kernelName;  // as shown on the timeline: "gemv_q5_0"
    std::string opName;      // role in the model: "q_proj"
    std::string shapes;
    std::string dtype = "f32";
    Category category = Category::Other;
    int32_t layer = -1;
    bool head = false;              // works for the token to come even in a prefill: final norm, head, choice
    bool global = false;            // which rope table and window
    bool paged = false;             // CUDA: of a batch, whose rows have positions and pages of their own
    bool onlyWithOutliers = false;  // launched only if the last ReadOutlierFlag found one
    int64_t tokens = 0;             // rows; with `heads` > 1 each has that many parts of `columns`
    int64_t heads = 1;
    int64_t columns = 0;
    std::array<Operand, 3> in;
    std::array<Operand, 4> out;
    std::array<const MatrixView*, 3> matrices{};       // of the model, which outlives the plan
    std::array<const std::vector<float>*, 2> norms{};  // likewise
    float scalar = 0;
    OpCost fixedCost;    // all but what depends on the position
    int64_t window = 0;  // Attention: keys seen; 0: all
    OpCost costPerKey;   // Attention: bytes a cached position read, flops a (token, key) pair

    OpCost cost(int64_t position) const;
    // Of rows that are each of a sequence of their own.
    OpCost cost(std::span<const int32_t> positions) const;
};

enum class Precision : uint8_t;  // generate.h

enum class PlanFlavor : uint8_t { Cpu, Cuda };

struct PlanRequest {
    PlanFlavor flavor = PlanFlavor::Cpu;
    Precision precision{};  // CUDA: decides the weights' form on the device (cuda_formats.h); File by default
    bool eager = false;
    int64_t tokens = 1;
    bool head = true;           // false: a part of the prompt that only fills the cache
    bool drafts = false;        // of a model that guesses for another one
    bool checksDrafts = false;  // logits and choice of every token, each with the bits that it has alone
    bool batch = false;         // the same, and the tokens are next ones of as many sequences, in pages
    bool boundsHead = false;    // a token is chosen without all bits of the head (bounded_head.h of the kernels)
    bool quantizedActivations = false;  // block-quantised weights meet int8 activations
    int64_t kvElementBytes = 4;
};

struct Plan {
    PlanRequest request;
    std::vector<PlanOp> ops;
};

Plan makePlan(const Model& model, const PlanRequest& request);
// What the activity log is told of an op; a draft model's ops are told apart.
OpActivity describeOp(const PlanOp& op, const PlanRequest& request);
// What a launch of the whole plan is called: "decode_graph", "draft_graph", "verify_graph", "prefill_graph".
std::string graphName(const PlanRequest& request);
Plan makeCudaPlan(const Model& model, const PlanRequest& request);  // in plan_cuda.cpp; makePlan() calls it

// Elements of one row; 0 for those that have no rows of floats (None, Quantized).
int64_t bufferColumns(Buffer buffer, const ModelConfig& config);
// Floats of the widest row that a matmul quantises.
int64_t widestInput(const ModelConfig& config);

}  // namespace gapscope

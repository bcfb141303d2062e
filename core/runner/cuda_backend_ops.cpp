// Which kernel each op of a plan is.
#include <cassert>
#include <type_traits>
#include <variant>

#include "core/runner/cuda_backend.h"
#include "kernels/cuda/argmax.h"
#include "kernels/cuda/attention_prefill.h"
#include "kernels/cuda/elementwise.h"
#include "kernels/cuda/embedding.h"
#include "kernels/cuda/gemv_int8.h"
#include "kernels/cuda/gemv_packed.h"
#include "kernels/cuda/matmul.h"
#include "kernels/cuda/rms_norm.h"
#include "kernels/cuda/rope.h"

namespace gapscope {

float* CudaBackend::floats(const Operand& operand, int64_t columns) const {
    return reinterpret_cast<float*>(m_buffers[static_cast<size_t>(operand.buffer)]) + elements(operand, columns);
}

cuda::Bf16* CudaBackend::halves(const Operand& operand, int64_t columns) const {
    return reinterpret_cast<cuda::Bf16*>(m_buffers[static_cast<size_t>(operand.buffer)]) + elements(operand, columns);
}

cuda::NormInput CudaBackend::normInput(const PlanOp& op) const {
    cuda::NormInput input;
    input.x = floats(op.in[0]);
    input.nextWeights = m_weights.norm(op.norms[1]).onePlus;
    input.epsilon = static_cast<float>(m_config.rmsEpsilon);
    if (op.norms[0] == nullptr) return input;
    input.y = floats(op.in[1]);
    input.postWeights = m_weights.norm(op.norms[0]).onePlus;
    input.xOut = floats(op.out[3]);
    return input;
}

cuda::QkNormRope CudaBackend::ropeOf(const PlanOp& op) const {
    cuda::QkNormRope rope;
    rope.queryWeights = m_weights.norm(op.norms[0]).onePlus;
    rope.keyWeights = m_weights.norm(op.norms[1]).onePlus;
    rope.epsilon = static_cast<float>(m_config.rmsEpsilon);
    return rope;
}

cuda::AttentionArgs CudaBackend::attentionArgs(const PlanOp& op) const {
    const auto layer = static_cast<size_t>(op.layer);
    cuda::AttentionArgs args;
    args.q = halves(op.in[0]);
    args.tokens = static_cast<int>(op.tokens);
    args.heads = static_cast<int>(m_config.heads);
    args.window = static_cast<int>(op.window);
    args.scale = op.scalar;
    args.state = m_state;
    args.cache = cacheOf(op);
    const bool inParts =
        op.kind == OpKind::AttentionRows || op.in[0].buffer == Buffer::Partials || op.out[0].buffer == Buffer::Partials;
    args.splits = inParts ? m_splits[layer] : 1;
    args.partials = reinterpret_cast<float*>(m_buffers[static_cast<size_t>(Buffer::Partials)]);
    args.out = halves(op.out[0]);
    return args;
}

cudaError_t CudaBackend::enqueue(const PlanOp& op, bool eager, const cuda::Launch& launch) {
    const int tokens = static_cast<int>(op.tokens);
    switch (op.kind) {
        case OpKind::Embedding:
        case OpKind::NormQkv:
        case OpKind::NormGateUp:
        case OpKind::NormHead:
        case OpKind::CombineMatmul:
            return std::visit([&](const auto& first) { return enqueueGemv(op, first, eager, launch); },
                              m_weights.matrix(op.matrices[0]));
        case OpKind::Matmul:
            return enqueueMatmul(op, eager, launch);
        case OpKind::AttentionDecode: {
            cuda::AttentionDecodeArgs args;
            args.attention = attentionArgs(op);
            args.rope = ropeOf(op);
            args.q = floats({Buffer::Query});
            args.k = floats({Buffer::Key});
            args.v = floats({Buffer::Value});
            args.cosSin = ropeTableOf(op);
            return cuda::attentionDecode(args, launch);
        }
        case OpKind::Attention: {
            const cuda::AttentionArgs args = attentionArgs(op);
            return args.splits > 1 ? cuda::attention(args, launch) : cuda::attentionPrefill(args, launch);
        }
        case OpKind::AttentionCombine: {
            cuda::AttentionArgs args = attentionArgs(op);
            return cuda::attentionCombine(args, launch);
        }
        case OpKind::QkNormRopeCache: {
            cuda::QkNormRopeArgs args;
            args.rope = ropeOf(op);
            args.cosSin = ropeTableOf(op);
            args.cosSinStride = static_cast<int>(2 * m_config.headDim);
            args.tokens = tokens;
            args.heads = static_cast<int>(m_config.heads);
            args.qStride = static_cast<int>(m_config.heads * m_config.headDim);
            args.kvStride = static_cast<int>(m_config.kvHeads * m_config.headDim);
            args.q = floats(op.in[0]);
            if (op.in[1].buffer == Buffer::None) {  // all three in one row
                args.k = args.q + args.qStride;
                args.v = args.k + args.kvStride;
                args.qStride = args.kvStride = args.qStride + 2 * args.kvStride;
            } else {
                args.k = floats(op.in[1]);
                args.v = floats(op.in[2]);
            }
            args.state = m_state;
            args.cache = m_caches[static_cast<size_t>(op.layer)];
            args.out = halves(op.out[0]);
            return cuda::qkNormRope(args, launch);
        }
        case OpKind::RmsNorm:
            return cuda::rmsNorm(
                {floats(op.in[0]), tokens, static_cast<int>(op.columns), m_weights.norm(op.norms[0]).onePlus,
                 static_cast<float>(m_config.rmsEpsilon), halves(op.out[0]), static_cast<int>(op.columns)},
                launch);
        case OpKind::AddRmsNorm:
            return cuda::addRmsNorm(
                {floats(op.in[0], op.columns), floats(op.in[1], op.columns), tokens, static_cast<int>(op.columns),
                 m_weights.norm(op.norms[0]).onePlus, m_weights.norm(op.norms[1]).onePlus,
                 static_cast<float>(m_config.rmsEpsilon), halves(op.out[0]), static_cast<int>(op.columns)},
                launch);
        case OpKind::GeluGate:
            return cuda::geluGate({floats(op.in[0]), floats(op.in[1]), tokens, static_cast<int>(op.columns),
                                   halves(op.out[0]), static_cast<int>(op.columns)},
                                  launch);
        case OpKind::ArgmaxPartial:
        case OpKind::Argmax:
            return enqueueArgmax(op, launch);
        case OpKind::HeadBounds:
        case OpKind::HeadChoice:
            return enqueueHeadByBounds(op, launch);
        case OpKind::NormRows:
        case OpKind::MatmulRows:
        case OpKind::GateUpRows:
        case OpKind::RopeCacheRows:
        case OpKind::AttentionRows:
            return enqueueCheck(op, eager, launch);
        case OpKind::DequantizeWeights:
            return cuda::dequantize(std::get<cuda::PackedMatrix>(m_weights.matrix(op.matrices[0])),
                                    halves(op.out[0], op.columns), launch);
        default:
            return op.kind >= OpKind::CastHalf ? enqueueInt8(op, eager, launch) : enqueueSmall(op, eager, launch);
    }
}

// What a decode step reads its weights by, in whichever form they are; `first` is the first matrix, the others are of
// its type.
template <class Matrix>
cudaError_t CudaBackend::enqueueGemv(const PlanOp& op, const Matrix& first, bool eager, const cuda::Launch& launch) {
    const auto matrix = [&](size_t i) { return std::get<Matrix>(m_weights.matrix(op.matrices[i])); };
    switch (op.kind) {
        case OpKind::NormQkv: {
            cuda::GemvQkvArgsOf<Matrix> args;
            args.input = normInput(op);
            for (size_t i = 0; i < 3; ++i) {
                args.matrices[i] = matrix(i);
                args.out[i] = floats(op.out[i]);
            }
            return cuda::gemvNormQkv(args, launch);
        }
        case OpKind::NormGateUp: {
            const cuda::GemvGateUpArgsOf<Matrix> args{normInput(op), first, matrix(1), halves(op.out[0])};
            return cuda::gemvNormGateUp(args, launch);
        }
        case OpKind::CombineMatmul: {
            const cuda::GemvCombineArgsOf<Matrix> args{first,
                                                       floats(op.in[0]),
                                                       static_cast<int>(m_config.heads),
                                                       static_cast<int>(m_config.headDim),
                                                       m_splits[static_cast<size_t>(op.layer)],
                                                       floats(op.out[0])};
            return cuda::gemvCombine(args, launch);
        }
        default:
            break;
    }
    // Embedding table and head: never int8.
    if constexpr (std::is_same_v<Matrix, cuda::Int8Matrix>) {
        return cudaErrorNotSupported;
    } else if (op.kind == OpKind::NormHead) {
        const cuda::GemvHeadArgsOf<Matrix> args{normInput(op),    first,         floats(op.out[0]), m_partialValues,
                                                m_partialIndices, m_argmaxBlocks};
        return cuda::gemvNormHead(args, launch);
    } else {
        cuda::EmbeddingArgsOf<Matrix> args{first, m_ids, static_cast<int>(op.tokens), op.scalar};
        if (eager)
            args.outBf16 = halves(op.out[0]);
        else
            args.out = floats(op.out[0]);
        return cuda::embedding(args, launch);
    }
}

cudaError_t CudaBackend::enqueueMatmul(const PlanOp& op, bool eager, const cuda::Launch& launch) {
    const CudaWeights::Matrix& weights = m_weights.matrix(op.matrices[0]);
    const cuda::Bf16* const x = halves(op.in[0]);
    float* const out = eager ? nullptr : floats(op.out[0]);
    cuda::Bf16* const outBf16 = eager ? halves(op.out[0]) : nullptr;
    if (op.tokens == 1)
        return std::visit(
            [&]<class Matrix>(const Matrix& matrix) {
                const cuda::GemvArgsOf<Matrix> args{matrix, x, out, outBf16};
                return cuda::gemv(args, launch);
            },
            weights);
    cuda::WeightMatrix matrix;
    if (op.in[1].buffer == Buffer::WeightsBf16)  // dequantised by the ops before
        matrix = {halves(op.in[1]), 0, static_cast<int>(op.columns), static_cast<int>(op.columns)};
    else
        matrix = std::get<cuda::WeightMatrix>(weights);
    matrix.rows = 0;
    for (const MatrixView* view : op.matrices) {
        if (!view) continue;
        // Several are multiplied as one, whose rows they are. So they lie on the device: heads are multiples of 16
        // rows, which leaves no room between matrices that are aligned to 256 bytes.
        assert(op.in[1].buffer == Buffer::WeightsBf16 ||
               std::get<cuda::WeightMatrix>(m_weights.matrix(view)).data ==
                   matrix.data + static_cast<int64_t>(matrix.rows) * matrix.stride);
        matrix.rows += static_cast<int>(view->rows);
    }
    const int tokens = static_cast<int>(op.tokens);
    void* const target = eager ? static_cast<void*>(outBf16) : static_cast<void*>(out);
    if (m_cublas && m_cublas->matmul(matrix, x, tokens, target, eager, m_workspace, launch.stream)) return cudaSuccess;
    return cuda::matmul({matrix, x, matrix.stride, tokens, out, outBf16}, launch);
}

cudaError_t CudaBackend::enqueueArgmax(const PlanOp& op, const cuda::Launch& launch) {
    if (op.kind == OpKind::ArgmaxPartial)
        return cuda::argmaxPartial({floats(op.in[0]), static_cast<int>(op.columns), m_partialValues, m_partialIndices,
                                    m_argmaxBlocks, static_cast<int>(op.tokens)},
                                   launch);
    cuda::ArgmaxFinishArgs args;
    args.partialValues = m_partialValues;
    args.partialIndices = m_partialIndices;
    args.blocks = m_argmaxBlocks;
    args.tokens = static_cast<int>(op.heads);
    args.ids = m_ids;
    if (!op.paged) args.state = m_state;
    // Eager PyTorch copies the token; so does eager here.
    args.ring = m_mode == Mode::Eager ? nullptr : m_ring;
    args.ringSize = static_cast<int>(m_contextLength + m_chunkTokens);
    return op.tokens > 1 || op.paged ? cuda::argmaxFinishRows(args, launch) : cuda::argmaxFinish(args, launch);
}

cudaError_t CudaBackend::enqueueSmall(const PlanOp& op, bool eager, const cuda::Launch& launch) {
    const int rows = static_cast<int>(op.tokens * op.heads);
    const int columns = static_cast<int>(op.columns);
    const int64_t count = op.tokens * op.heads * op.columns;
    const int64_t rowColumns = op.heads * op.columns;
    const int tokens = static_cast<int>(op.tokens);
    const int heads = static_cast<int>(op.heads);
    switch (op.kind) {
        case OpKind::CastFloat:
            return cuda::castToFloat(op.norms[0] ? m_weights.norm(op.norms[0]).weight : halves(op.in[0], rowColumns),
                                     floats(op.out[0]), count, launch);
        case OpKind::CastBf16:
            return cuda::castToBf16(floats(op.in[0]), halves(op.out[0]), count, launch);
        case OpKind::Square:
            return cuda::square(floats(op.in[0]), floats(op.out[0]), count, launch);
        case OpKind::MeanRows:
            return cuda::meanRows(floats(op.in[0]), rows, columns, floats(op.out[0]), launch);
        case OpKind::AddScalar:
            return cuda::addScalar(floats(op.in[0]), op.scalar, floats(op.out[0]), count, launch);
        case OpKind::Rsqrt:
            return cuda::rsqrtEach(floats(op.in[0]), floats(op.out[0]), count, launch);
        case OpKind::MulRows:
            return cuda::mulRows(floats(op.in[0]), floats(op.in[1]), rows, columns, floats(op.out[0]), launch);
        case OpKind::MulWeights:
            return cuda::mulWeights(floats(op.in[0]), floats(op.in[1]), rows, columns, floats(op.out[0]), launch);
        case OpKind::MulScalar:
            return cuda::mulScalar(halves(op.in[0]), op.scalar, halves(op.out[0]), count, launch);
        case OpKind::Mul:
            return cuda::mul(halves(op.in[0]), halves(op.in[1]), halves(op.out[0]), count, launch);
        case OpKind::Add:
            return cuda::add(halves(op.in[0]), halves(op.in[1]), halves(op.out[0]), count, launch);
        case OpKind::Gelu:
            return cuda::gelu(halves(op.in[0]), halves(op.out[0]), count, launch);
        case OpKind::MulHeads:
            return cuda::mulHeads(halves(op.in[0]), halves(op.in[1]), tokens, heads, columns, halves(op.out[0]),
                                  launch);
        case OpKind::NegateHalf:
            return cuda::negateUpperHalf(halves(op.in[0]), rows, columns, halves(op.out[0]), launch);
        case OpKind::JoinHalves:
            return cuda::joinHalves(halves(op.in[0]), halves(op.in[1]), rows, columns / 2, halves(op.out[0]), launch);
        case OpKind::CosSin:
            if (!eager)
                return cuda::ropeTable(
                    {m_state, m_frequenciesLocal, m_frequenciesGlobal, static_cast<int>(m_config.headDim / 2),
                     static_cast<float>(m_config.ropeScaleGlobal), m_ropeTable, tokens, rowPositions(op)},
                    launch);
            return cuda::cosSin(
                {m_state, op.global ? m_frequenciesGlobal : m_frequenciesLocal, tokens, columns / 2,
                 op.global ? static_cast<float>(m_config.ropeScaleGlobal) : 1.0F, halves(op.out[0]), halves(op.out[1])},
                launch);
        case OpKind::CacheWrite: {
            const cuda::KvCache& cache = m_caches[static_cast<size_t>(op.layer)];
            return cuda::cacheWrite({halves(op.in[0]), tokens, static_cast<int>(rowColumns), m_state,
                                     op.in[0].buffer == Buffer::Key ? cache.keys : cache.values, cache.slots},
                                    launch);
        }
        default:
            return cudaErrorNotSupported;
    }
}

}  // namespace gapscope

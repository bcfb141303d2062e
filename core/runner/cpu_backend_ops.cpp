// How each op of a plan becomes calls of kernels/cpu: the second half of CpuBackend. A stage builds its arguments when
// it runs, because only the position changes from token to token.
#include <algorithm>
#include <utility>

#include "core/runner/cpu_backend.h"

namespace gapscope {

namespace {

using Stage = CpuKernel::Stage;

// Where the rows of a step write and read keys and values.
template <typename Args>
void placeRows(Args& args, const Step& step) {
    args.firstPosition = step.position;
    if (step.rows) args.rows = {step.rows->positions.data(), step.rows->pages.data(), step.rows->tableStride};
}

}  // namespace

float* CpuBackend::data(const Operand& operand) const {
    return m_buffers[static_cast<size_t>(operand.buffer)].get() + operand.row * columns(operand.buffer);
}

std::vector<Stage> CpuBackend::stagesOf(const PlanOp& op, const PlanRequest& request) {
    switch (op.kind) {
        case OpKind::Embedding: {
            EmbeddingArgs args{*op.matrices[0], ids(), op.tokens, op.scalar, data(op.out[0]), op.columns};
            return {[this, args](const Step&, Part part) { m_ops.embedding(args, part); }};
        }
        case OpKind::CosSin:
            return cosSinStages(op);
        case OpKind::Quantize:
            return {quantizeStage(op)};
        case OpKind::Matmul:
        case OpKind::GateUpGelu:
            return matmulStages(op, request);
        case OpKind::Argmax:
            return argmaxStages(op);
        case OpKind::HeadBounds:
        case OpKind::HeadChoice:
            return boundedHeadStages(op);
        case OpKind::Attention: {
            AttentionArgs args;
            args.q = data(op.in[0]);
            args.out = data(op.out[0]);
            args.qStride = args.outStride = op.heads * op.columns;
            args.tokens = op.tokens;
            args.heads = op.heads;
            args.window = op.window;
            args.scale = op.scalar;
            args.cache = m_cache->layer(op.layer);
            return {[this, args](const Step& step, Part part) {
                AttentionArgs now = args;
                placeRows(now, step);
                m_ops.attention(now, part);
            }};
        }
        case OpKind::RmsNorm: {
            const RmsNormArgs args{data(op.in[0]),  op.columns,          op.tokens,
                                   op.columns,      op.norms[0]->data(), static_cast<float>(m_config.rmsEpsilon),
                                   data(op.out[0]), op.columns};
            return {[this, args](const Step&, Part part) { m_ops.rmsNorm(args, part); }};
        }
        case OpKind::AddRmsNorm: {
            AddRmsNormArgs args;
            args.y = data(op.in[0]);
            args.x = data(op.in[1]);
            args.out = data(op.out[0]);
            args.yStride = args.xStride = args.outStride = args.columns = op.columns;
            args.rows = op.tokens;
            args.postWeights = op.norms[0]->data();
            args.nextWeights = op.norms[1]->data();
            args.epsilon = static_cast<float>(m_config.rmsEpsilon);
            return {[this, args](const Step&, Part part) { m_ops.addRmsNorm(args, part); }};
        }
        case OpKind::QkNormRopeCache: {
            QkNormRopeArgs args;
            args.q = data(op.in[0]);
            args.k = data(op.in[1]);
            args.v = data(op.in[2]);
            args.qStride = op.heads * op.columns;
            args.kStride = args.vStride = m_config.kvHeads * op.columns;
            args.tokens = op.tokens;
            args.heads = op.heads;
            args.queryWeights = op.norms[0]->data();
            args.keyWeights = op.norms[1]->data();
            args.epsilon = static_cast<float>(m_config.rmsEpsilon);
            args.cos = data({op.global ? Buffer::CosGlobal : Buffer::CosLocal});
            args.sin = data({op.global ? Buffer::SinGlobal : Buffer::SinLocal});
            args.cache = m_cache->layer(op.layer);
            return {[this, args](const Step& step, Part part) {
                QkNormRopeArgs now = args;
                placeRows(now, step);
                m_ops.qkNormRope(now, part);
            }};
        }
        default:
            return smallStages(op);
    }
}

// The ops of eager PyTorch. Buffers are dense, so element-wise ones see one run of numbers.
std::vector<Stage> CpuBackend::smallStages(const PlanOp& op) {
    const int64_t rows = op.tokens * op.heads;
    const int64_t count = rows * op.columns;
    const float* in = data(op.in[0]);
    float* out = op.out[0].buffer == Buffer::None ? nullptr : data(op.out[0]);
    const auto unary = [&](void (*run)(const UnaryArgs&, Part)) -> std::vector<Stage> {
        return {[run, args = UnaryArgs{in, out, count}](const Step&, Part part) { run(args, part); }};
    };
    const auto scalar = [&](void (*run)(const ScalarArgs&, Part)) -> std::vector<Stage> {
        return {[run, args = ScalarArgs{in, op.scalar, out, count}](const Step&, Part part) { run(args, part); }};
    };
    const auto binary = [&](void (*run)(const BinaryArgs&, Part)) -> std::vector<Stage> {
        return {[run, args = BinaryArgs{in, data(op.in[1]), out, count}](const Step&, Part part) { run(args, part); }};
    };
    const auto factors = [&](void (*run)(const MulFactorsArgs&, Part), const float* by) -> std::vector<Stage> {
        const MulFactorsArgs args{in, op.columns, rows, op.columns, by, out, op.columns};
        return {[run, args](const Step&, Part part) { run(args, part); }};
    };
    const int64_t tokenStride = op.heads * op.columns;
    switch (op.kind) {
        case OpKind::Square:
            return unary(m_ops.square);
        case OpKind::Rsqrt:
            return unary(m_ops.rsqrt);
        case OpKind::Gelu:
            return unary(m_ops.gelu);
        case OpKind::MulScalar:
            return scalar(m_ops.mulScalar);
        case OpKind::AddScalar:
            return scalar(m_ops.addScalar);
        case OpKind::Add:
            return binary(m_ops.add);
        case OpKind::Mul:
            return binary(m_ops.mul);
        case OpKind::MulRows:
            return factors(m_ops.mulRows, data(op.in[1]));
        case OpKind::MulWeights:
            return factors(m_ops.mulWeights, op.norms[0]->data());
        case OpKind::MeanRows: {
            const MeanRowsArgs args{in, op.columns, rows, op.columns, out};
            return {[this, args](const Step&, Part part) { m_ops.meanRows(args, part); }};
        }
        case OpKind::RotateHalf: {
            const RotateHalfArgs args{in, tokenStride, op.tokens, op.heads, op.columns, out, tokenStride};
            return {[this, args](const Step&, Part part) { m_ops.rotateHalf(args, part); }};
        }
        case OpKind::MulHeads: {
            const MulBroadcastHeadsArgs args{in,         tokenStride,    op.tokens, op.heads,
                                             op.columns, data(op.in[1]), out,       tokenStride};
            return {[this, args](const Step&, Part part) { m_ops.mulBroadcastHeads(args, part); }};
        }
        case OpKind::KvWrite: {
            const int64_t stride = m_config.kvHeads * op.columns;
            const KvWriteArgs args{in, stride, data(op.in[1]), stride, op.tokens, 0, m_cache->layer(op.layer)};
            return {[this, args](const Step& step, Part part) {
                KvWriteArgs now = args;
                placeRows(now, step);
                m_ops.kvWrite(now, part);
            }};
        }
        default:
            return {};
    }
}

Stage CpuBackend::quantizeStage(const PlanOp& op) {
    const QuantizeRowsArgs args{data(op.in[0]), op.columns, op.tokens, op.columns, m_quantized.get()};
    return [this, args](const Step&, Part part) { m_ops.quantizeRows(args, part); };
}

std::vector<Stage> CpuBackend::matmulStages(const PlanOp& op, const PlanRequest& request) {
    std::vector<Stage> stages;
    const std::byte* quantized = nullptr;
    if (op.in[1].buffer == Buffer::Quantized) {
        // An eager plan has quantised in an op of its own. A fused one does it here, or, for a single row, leaves it to
        // the kernel: every worker does it for itself, which is cheaper than a barrier.
        if (request.eager || op.tokens > 1 || op.columns > kSelfQuantizedColumns) {
            if (!request.eager) stages.push_back(quantizeStage(op));
            quantized = m_quantized.get();
        }
    }
    if (op.kind == OpKind::GateUpGelu) {
        GateUpArgs args;
        args.x = data(op.in[0]);
        args.xStride = op.columns;
        args.quantized = quantized;
        args.tokens = op.tokens;
        args.asSingles = request.checksDrafts;
        args.gate = &m_packed.at(op.matrices[0]);
        args.up = &m_packed.at(op.matrices[1]);
        args.out = data(op.out[0]);
        args.scratch = data(op.out[1]);
        args.outStride = args.scratchStride = args.gate->rows();
        stages.push_back([this, args](const Step&, Part part) { m_ops.gateUp(args, part); });
        return stages;
    }
    MatmulArgs args;
    args.x = data(op.in[0]);
    args.xStride = op.columns;
    args.quantized = quantized;
    args.tokens = op.tokens;
    args.asSingles = request.checksDrafts;
    args.targetCount = 0;
    for (size_t i = 0; i < op.matrices.size() && op.matrices[i] != nullptr; ++i) {
        const PackedMatrix& weights = m_packed.at(op.matrices[i]);
        args.targets[args.targetCount++] = {&weights, data(op.out[i]), weights.rows()};
    }
    stages.push_back([this, args](const Step&, Part part) { m_ops.matmul(args, part); });
    return stages;
}

std::vector<Stage> CpuBackend::cosSinStages(const PlanOp& op) {
    const auto makeArgs = [&](bool global, const Operand& cos, const Operand& sin) {
        CosSinArgs args;
        args.positions = m_positions.get();
        args.tokens = op.tokens;
        args.inverseFrequencies = global ? m_frequenciesGlobal.data() : m_frequenciesLocal.data();
        args.half = op.columns / 2;
        args.positionScale = global ? static_cast<float>(m_config.ropeScaleGlobal) : 1.0F;
        args.cos = data(cos);
        args.sin = data(sin);
        return args;
    };
    std::vector<Stage> stages;
    stages.push_back([this, tokens = op.tokens](const Step& step, Part part) {
        if (part.index != 0) return;
        for (int64_t t = 0; t < tokens; ++t)
            m_positions[static_cast<size_t>(t)] =
                step.rows ? step.rows->positions[static_cast<size_t>(t)] : static_cast<int32_t>(step.position + t);
    });
    const CosSinArgs first = makeArgs(op.global, op.out[0], op.out[1]);
    if (op.out[2].buffer == Buffer::None) {
        stages.push_back([this, first](const Step&, Part part) { m_ops.cosSin(first, part); });
    } else {
        const CosSinArgs second = makeArgs(!op.global, op.out[2], op.out[3]);
        stages.push_back([this, first, second](const Step&, Part part) {
            m_ops.cosSin(first, part);
            m_ops.cosSin(second, part);
        });
    }
    return stages;
}

std::vector<Stage> CpuBackend::argmaxStages(const PlanOp& op) {
    const float* const logits = data(op.in[0]);
    return {[this, logits, tokens = op.tokens, columns = op.columns](const Step&, Part part) {
                for (int64_t t = 0; t < tokens; ++t)
                    m_ops.argmax({logits + t * columns, columns, m_partials.data() + t * part.count}, part);
            },
            combineStage(op.tokens)};
}

Stage CpuBackend::combineStage(int64_t tokens) {
    return [this, tokens](const Step&, Part part) {
        if (part.index != 0) return;
        for (int64_t t = 0; t < tokens; ++t)
            m_ids[static_cast<size_t>(t)] = combineArgmax(m_partials.data() + t * part.count, part.count);
    };
}

std::vector<Stage> CpuBackend::boundedHeadStages(const PlanOp& op) {
    const bool bounds = op.kind == OpKind::HeadBounds;
    BoundedHeadArgs args;
    args.x = data(op.in[bounds ? 0 : 1]);
    args.quantized = op.tokens > 1 ? m_quantized.get() : nullptr;  // one row each worker quantises for itself
    args.tokens = op.tokens;
    args.upper = &*m_upperHead;
    args.full = &m_packed.at(op.matrices[0]);
    args.bounds = data(bounds ? op.out[0] : op.in[0]);
    args.probes = m_probes.data();
    args.partials = m_partials.data();
    if (!bounds)
        return {[this, args](const Step&, Part part) { m_ops.headChoice(args, part); }, combineStage(op.tokens)};
    std::vector<Stage> stages;
    if (args.quantized) stages.push_back(quantizeStage(op));
    stages.push_back([this, args](const Step&, Part part) { m_ops.headBounds(args, part); });
    return stages;
}

}  // namespace gapscope

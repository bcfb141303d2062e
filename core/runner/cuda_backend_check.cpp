// The kernels of plans that check drafts or step a batch: a few tokens in one pass, each with the bits that it has
// alone.
#include <variant>

#include "core/runner/cuda_backend.h"
#include "kernels/cuda/draft_check.h"
#include "kernels/cuda/gemv_rows.h"

namespace gapscope {

// Queries, keys and values of Query and Key by norm and rope; the rope table is that of the step's tokens.
cudaError_t CudaBackend::enqueueCheck(const PlanOp& op, bool eager, const cuda::Launch& launch) {
    const int tokens = static_cast<int>(op.tokens);
    const auto headDim = static_cast<int>(m_config.headDim);
    const float* const cosSin = ropeTableOf(op);
    switch (op.kind) {
        case OpKind::NormRows: {
            cuda::NormRowsArgs args;
            args.input = normInput(op);
            args.input.xOut = floats(op.in[0]);
            args.tokens = tokens;
            args.columns = static_cast<int>(op.columns);
            args.out = halves(op.out[0]);
            const bool beforeQkv =
                op.layer >= 0 && op.norms[1] == &m_model.layers()[static_cast<size_t>(op.layer)].inputNorm;
            args.threads = beforeQkv ? cuda::NormThreads::OfQkv : cuda::NormThreads::OfGateUp;
            return cuda::normRows(args, launch);
        }
        case OpKind::RopeCacheRows: {
            cuda::RopeCacheRowsArgs args;
            args.rope = ropeOf(op);
            args.k = floats(op.in[0]);
            args.v = floats(op.in[1]);
            args.tokens = tokens;
            args.state = m_state;
            args.cache = cacheOf(op);
            args.paged = pagedRows(op);
            args.cosSin = cosSin;
            args.cosSinStride = 2 * headDim;
            return cuda::ropeCacheRows(args, launch);
        }
        case OpKind::AttentionRows: {
            cuda::AttentionRowsArgs args;
            args.attention = attentionArgs(op);
            args.paged = pagedRows(op);
            args.arrivals = m_partArrivals;
            args.rope = ropeOf(op);
            args.q = floats(op.in[0]);
            args.cosSin = cosSin;
            args.cosSinStride = 2 * headDim;
            return cuda::attentionRows(args, launch);
        }
        default:
            return std::visit([&]<class Matrix>(const Matrix&) { return enqueueRows<Matrix>(op, eager, launch); },
                              m_weights.matrix(op.matrices[0]));
    }
}

// Products, whose matrices are all of one form.
template <class Matrix>
cudaError_t CudaBackend::enqueueRows(const PlanOp& op, bool eager, const cuda::Launch& launch) {
    const auto matrix = [&](size_t i) { return std::get<Matrix>(m_weights.matrix(op.matrices[i])); };
    const int tokens = static_cast<int>(op.tokens);
    const cuda::Bf16* const x = halves(op.in[0]);
    if (op.kind == OpKind::GateUpRows) {
        const cuda::GemvGateUpRowsArgsOf<Matrix> args{matrix(0), matrix(1), x, tokens, halves(op.out[0])};
        return cuda::gemvGateUpRows(args, launch);
    }
    cuda::GemvRowsArgsOf<Matrix> args;
    args.x = x;
    args.tokens = tokens;
    // What is a plain GEMV in a step of one token; the others have a norm or attention's parts as their input.
    const bool plain = eager || op.in[0].buffer == Buffer::Activated;
    args.sums = plain ? cuda::RowSums::OfGemv : cuda::RowSums::OfAWarp;
    for (args.count = 0; args.count < 3 && op.matrices[static_cast<size_t>(args.count)] != nullptr; ++args.count) {
        const auto i = static_cast<size_t>(args.count);
        args.matrices[i] = matrix(i);
        if (eager)
            args.outBf16 = halves(op.out[i]);
        else
            args.out[i] = floats(op.out[i]);
    }
    return cuda::gemvRows(args, launch);
}

}  // namespace gapscope

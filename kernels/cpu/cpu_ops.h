// The ops of the CPU backend as one table of functions per instruction set.
#pragma once

#include "kernels/cpu/argmax.h"
#include "kernels/cpu/attention.h"
#include "kernels/cpu/bounded_head.h"
#include "kernels/cpu/elementwise.h"
#include "kernels/cpu/embedding.h"
#include "kernels/cpu/isa.h"
#include "kernels/cpu/matmul.h"
#include "kernels/cpu/quantize_rows.h"
#include "kernels/cpu/rms_norm.h"
#include "kernels/cpu/rope.h"

namespace gapscope {

// Activations are fp32, row-major, with a stride in elements from row to row; no alignment is needed. Ops neither
// allocate nor lock nor wait; a caller that needs one op's output in the next puts a barrier between them.
struct CpuOps {
    Isa isa = Isa::Scalar;

    void (*embedding)(const EmbeddingArgs&, Part) = nullptr;
    void (*quantizeRows)(const QuantizeRowsArgs&, Part) = nullptr;
    void (*matmul)(const MatmulArgs&, Part) = nullptr;
    void (*gateUp)(const GateUpArgs&, Part) = nullptr;
    void (*rmsNorm)(const RmsNormArgs&, Part) = nullptr;
    void (*addRmsNorm)(const AddRmsNormArgs&, Part) = nullptr;
    void (*cosSin)(const CosSinArgs&, Part) = nullptr;
    void (*rope)(const RopeArgs&, Part) = nullptr;
    void (*qkNormRope)(const QkNormRopeArgs&, Part) = nullptr;
    void (*kvWrite)(const KvWriteArgs&, Part) = nullptr;
    void (*attention)(const AttentionArgs&, Part) = nullptr;
    void (*geluGate)(const GeluGateArgs&, Part) = nullptr;
    void (*argmax)(const ArgmaxArgs&, Part) = nullptr;
    void (*headBounds)(const BoundedHeadArgs&, Part) = nullptr;  // the first pass; null in the scalar table
    void (*headChoice)(const BoundedHeadArgs&, Part) = nullptr;  // the second

    // One per PyTorch op.
    void (*square)(const UnaryArgs&, Part) = nullptr;
    void (*rsqrt)(const UnaryArgs&, Part) = nullptr;  // 1 / sqrt(x)
    void (*gelu)(const UnaryArgs&, Part) = nullptr;   // tanh form
    void (*addScalar)(const ScalarArgs&, Part) = nullptr;
    void (*mulScalar)(const ScalarArgs&, Part) = nullptr;
    void (*add)(const BinaryArgs&, Part) = nullptr;
    void (*mul)(const BinaryArgs&, Part) = nullptr;
    void (*meanRows)(const MeanRowsArgs&, Part) = nullptr;
    void (*mulRows)(const MulFactorsArgs&, Part) = nullptr;
    void (*mulWeights)(const MulFactorsArgs&, Part) = nullptr;
    void (*rotateHalf)(const RotateHalfArgs&, Part) = nullptr;
    void (*mulBroadcastHeads)(const MulBroadcastHeadsArgs&, Part) = nullptr;
    void (*copy)(const CopyArgs&, Part) = nullptr;
};

// The table of `isa`, which must be supported (isaSupported); else the scalar one.
const CpuOps& cpuOps(Isa isa);

}  // namespace gapscope

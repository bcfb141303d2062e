// The plain C++ ops: what cpuOps(Isa::Scalar) holds, and what the SIMD versions are tested against.
#pragma once

#include "kernels/cpu/cpu_ops.h"

namespace gapscope::scalar {

void embedding(const EmbeddingArgs& args, Part part);
void quantizeRows(const QuantizeRowsArgs& args, Part part);
void matmul(const MatmulArgs& args, Part part);
void gateUp(const GateUpArgs& args, Part part);
void rmsNorm(const RmsNormArgs& args, Part part);
void addRmsNorm(const AddRmsNormArgs& args, Part part);
void cosSin(const CosSinArgs& args, Part part);
void rope(const RopeArgs& args, Part part);
void qkNormRope(const QkNormRopeArgs& args, Part part);
void kvWrite(const KvWriteArgs& args, Part part);
void attention(const AttentionArgs& args, Part part);
void geluGate(const GeluGateArgs& args, Part part);
void argmax(const ArgmaxArgs& args, Part part);
void square(const UnaryArgs& args, Part part);
void rsqrt(const UnaryArgs& args, Part part);
void gelu(const UnaryArgs& args, Part part);
void addScalar(const ScalarArgs& args, Part part);
void mulScalar(const ScalarArgs& args, Part part);
void add(const BinaryArgs& args, Part part);
void mul(const BinaryArgs& args, Part part);
void meanRows(const MeanRowsArgs& args, Part part);
void mulRows(const MulFactorsArgs& args, Part part);
void mulWeights(const MulFactorsArgs& args, Part part);
void rotateHalf(const RotateHalfArgs& args, Part part);
void mulBroadcastHeads(const MulBroadcastHeadsArgs& args, Part part);
void copy(const CopyArgs& args, Part part);

// Also what the SIMD tables use where speed does not matter: one block of 32 activations.
void quantizeBlock(const float* x, QuantizedBlock& out);

}  // namespace gapscope::scalar

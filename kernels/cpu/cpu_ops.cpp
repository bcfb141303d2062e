// The tables of ops, and the last step of argmax.
#include "kernels/cpu/cpu_ops.h"

#include "kernels/cpu/bounded_head_driver.h"
#include "kernels/cpu/matmul_driver.h"
#include "kernels/cpu/scalar/scalar_ops.h"
#include "kernels/cpu/simd/simd_ops.h"

namespace gapscope {

namespace {

constexpr CpuOps kScalarOps = {
    .isa = Isa::Scalar,
    .embedding = scalar::embedding,
    .quantizeRows = scalar::quantizeRows,
    .matmul = scalar::matmul,
    .gateUp = scalar::gateUp,
    .rmsNorm = scalar::rmsNorm,
    .addRmsNorm = scalar::addRmsNorm,
    .cosSin = scalar::cosSin,
    .rope = scalar::rope,
    .qkNormRope = scalar::qkNormRope,
    .kvWrite = scalar::kvWrite,
    .attention = scalar::attention,
    .geluGate = scalar::geluGate,
    .argmax = scalar::argmax,
    .square = scalar::square,
    .rsqrt = scalar::rsqrt,
    .gelu = scalar::gelu,
    .addScalar = scalar::addScalar,
    .mulScalar = scalar::mulScalar,
    .add = scalar::add,
    .mul = scalar::mul,
    .meanRows = scalar::meanRows,
    .mulRows = scalar::mulRows,
    .mulWeights = scalar::mulWeights,
    .rotateHalf = scalar::rotateHalf,
    .mulBroadcastHeads = scalar::mulBroadcastHeads,
    .copy = scalar::copy,
};

}  // namespace

#if defined(__x86_64__)
namespace {

template <const PanelKernels& kKernels>
CpuOps withMatmuls(CpuOps ops) {
    ops.matmul = [](const MatmulArgs& args, Part part) { runMatmul(kKernels, args, part); };
    ops.gateUp = [](const GateUpArgs& args, Part part) { runGateUp(kKernels, args, part); };
    ops.headBounds = [](const BoundedHeadArgs& args, Part part) { runHeadBounds(kKernels, args, part); };
    ops.headChoice = [](const BoundedHeadArgs& args, Part part) { runHeadChoice(kKernels, args, part); };
    return ops;
}

}  // namespace

const CpuOps& cpuOps(Isa isa) {
    static const CpuOps avx2 = withMatmuls<kAvx2Panels>(kAvx2Ops);
    static const CpuOps avx512 = withMatmuls<kAvx512Panels>(kAvx512Ops);
    if (!isaSupported(isa)) return kScalarOps;
    return isa == Isa::Avx512 ? avx512 : isa == Isa::Avx2 ? avx2 : kScalarOps;
}
#else
const CpuOps& cpuOps(Isa) {
    return kScalarOps;
}
#endif

int32_t combineArgmax(const ArgmaxPartial* partials, int count) {
    ArgmaxPartial best;
    for (int i = 0; i < count; ++i) {
        if (partials[i].index < 0) continue;
        if (best.index < 0 || partials[i].value > best.value) best = partials[i];
    }
    return best.index < 0 ? 0 : best.index;
}

}  // namespace gapscope

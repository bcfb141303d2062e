// The ops of one instruction set as a table. Included once per instruction set, last.
#pragma once

#include "kernels/cpu/cpu_ops.h"
#include "kernels/cpu/scalar/scalar_ops.h"
#include "kernels/cpu/simd/attention_op.h"
#include "kernels/cpu/simd/elementwise_ops.h"
#include "kernels/cpu/simd/layer_ops.h"
#include "kernels/cpu/simd/quantize.h"

namespace gapscope {
namespace {

// embedding and cosSin stay plain: they are a handful of rows a token. matmul and gateUp are filled in by cpu_ops.cpp.
constexpr CpuOps opsTable(Isa isa) {
    return {
        .isa = isa,
        .embedding = scalar::embedding,
        .quantizeRows = quantizeRows,
        .rmsNorm = rmsNorm,
        .addRmsNorm = addRmsNorm,
        .cosSin = scalar::cosSin,
        .rope = rope,
        .qkNormRope = qkNormRope,
        .kvWrite = kvWrite,
        .attention = attention,
        .geluGate = geluGate,
        .argmax = argmax,
        .square = square,
        .rsqrt = rsqrt,
        .gelu = gelu,
        .addScalar = addScalar,
        .mulScalar = mulScalar,
        .add = add,
        .mul = mul,
        .meanRows = meanRows,
        .mulRows = mulRows,
        .mulWeights = mulWeights,
        .rotateHalf = rotateHalf,
        .mulBroadcastHeads = mulBroadcastHeads,
        .copy = copy,
    };
}

}  // namespace
}  // namespace gapscope

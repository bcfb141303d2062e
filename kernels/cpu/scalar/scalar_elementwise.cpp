// Plain C++: the gated GELU and PyTorch's eager elementwise ops, and argmax.
#include <cmath>
#include <cstring>
#include <limits>

#include "kernels/cpu/scalar/scalar_ops.h"
#include "kernels/cpu/work_split.h"

namespace gapscope::scalar {

namespace {

constexpr int64_t kGrain = 64;

float geluTanh(float g) {
    constexpr float kSqrtTwoOverPi = 0.7978845608028654F;
    return 0.5F * g * (1.0F + std::tanh(kSqrtTwoOverPi * (g + 0.044715F * g * g * g)));
}

template <typename Function>
void unary(const UnaryArgs& args, Part part, Function function) {
    const WorkRange range = workRange(args.count, kGrain, part);
    for (int64_t i = range.begin; i < range.end; ++i)
        args.out[i] = function(args.in[i]);
}

}  // namespace

void square(const UnaryArgs& args, Part part) {
    unary(args, part, [](float x) { return x * x; });
}

void rsqrt(const UnaryArgs& args, Part part) {
    unary(args, part, [](float x) { return 1.0F / std::sqrt(x); });
}

void gelu(const UnaryArgs& args, Part part) {
    unary(args, part, geluTanh);
}

void addScalar(const ScalarArgs& args, Part part) {
    unary({args.in, args.out, args.count}, part, [&](float x) { return x + args.value; });
}

void mulScalar(const ScalarArgs& args, Part part) {
    unary({args.in, args.out, args.count}, part, [&](float x) { return x * args.value; });
}

void add(const BinaryArgs& args, Part part) {
    const WorkRange range = workRange(args.count, kGrain, part);
    for (int64_t i = range.begin; i < range.end; ++i)
        args.out[i] = args.a[i] + args.b[i];
}

void mul(const BinaryArgs& args, Part part) {
    const WorkRange range = workRange(args.count, kGrain, part);
    for (int64_t i = range.begin; i < range.end; ++i)
        args.out[i] = args.a[i] * args.b[i];
}

void meanRows(const MeanRowsArgs& args, Part part) {
    const WorkRange range = workRange(args.rows, part);
    for (int64_t r = range.begin; r < range.end; ++r) {
        double sum = 0;
        for (int64_t c = 0; c < args.columns; ++c)
            sum += args.x[r * args.xStride + c];
        args.out[r] = static_cast<float>(sum / static_cast<double>(args.columns));
    }
}

void mulRows(const MulFactorsArgs& args, Part part) {
    const WorkRange range = workRange(args.rows, part);
    for (int64_t r = range.begin; r < range.end; ++r)
        for (int64_t c = 0; c < args.columns; ++c)
            args.out[r * args.outStride + c] = args.x[r * args.xStride + c] * args.factors[r];
}

void mulWeights(const MulFactorsArgs& args, Part part) {
    const WorkRange range = workRange(args.rows, part);
    for (int64_t r = range.begin; r < range.end; ++r)
        for (int64_t c = 0; c < args.columns; ++c)
            args.out[r * args.outStride + c] = args.x[r * args.xStride + c] * args.factors[c];
}

void geluGate(const GeluGateArgs& args, Part part) {
    const WorkRange range = workRange(args.columns * args.rows, kGrain, part);
    for (int64_t i = range.begin; i < range.end; ++i) {
        const int64_t r = i / args.columns;
        const int64_t c = i % args.columns;
        args.out[r * args.outStride + c] =
            geluTanh(args.gate[r * args.gateStride + c]) * args.up[r * args.upStride + c];
    }
}

void rotateHalf(const RotateHalfArgs& args, Part part) {
    const int64_t half = args.headDim / 2;
    const WorkRange range = workRange(args.tokens, part);
    for (int64_t t = range.begin; t < range.end; ++t) {
        for (int64_t h = 0; h < args.heads; ++h) {
            const float* const x = args.x + t * args.xStride + h * args.headDim;
            float* const out = args.out + t * args.outStride + h * args.headDim;
            for (int64_t i = 0; i < half; ++i) {
                out[i] = -x[half + i];
                out[half + i] = x[i];
            }
        }
    }
}

void mulBroadcastHeads(const MulBroadcastHeadsArgs& args, Part part) {
    const WorkRange range = workRange(args.tokens, part);
    for (int64_t t = range.begin; t < range.end; ++t)
        for (int64_t h = 0; h < args.heads; ++h)
            for (int64_t d = 0; d < args.headDim; ++d)
                args.out[t * args.outStride + h * args.headDim + d] =
                    args.x[t * args.xStride + h * args.headDim + d] * args.factors[t * args.headDim + d];
}

void copy(const CopyArgs& args, Part part) {
    const WorkRange range = workRange(args.rows, part);
    for (int64_t r = range.begin; r < range.end; ++r)
        std::memcpy(args.out + r * args.outStride, args.x + r * args.xStride,
                    static_cast<size_t>(args.columns) * sizeof(float));
}

void argmax(const ArgmaxArgs& args, Part part) {
    const WorkRange range = workRange(args.count, kGrain, part);
    ArgmaxPartial best{-std::numeric_limits<float>::infinity(), -1};
    for (int64_t i = range.begin; i < range.end; ++i) {
        const bool first = best.index < 0 && !std::isnan(args.logits[i]);
        if (first || args.logits[i] > best.value) best = {args.logits[i], static_cast<int32_t>(i)};
    }
    args.partials[part.index] = best;
}

}  // namespace gapscope::scalar

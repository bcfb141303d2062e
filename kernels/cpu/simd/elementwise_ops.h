// The elementwise family in SIMD, with exp and tanh. Included once per instruction set.
#pragma once

#include "kernels/cpu/argmax.h"
#include "kernels/cpu/elementwise.h"
#include "kernels/cpu/work_split.h"

namespace gapscope {
namespace {

constexpr int64_t kGrain = 64;  // floats that a thread's share begins at: no cache line has two writers

// e^x to 2 units in the last place: 2^n * e^r with |r| <= ln(2) / 2 and a polynomial of degree 7. Below -87.3 the
// result is 0 rather than subnormal; above 88.7 it is infinite.
inline FloatV expF(FloatV x) {
    const FloatV clamped = minF(maxF(x, setF(-104.0F)), setF(89.0F));
    const FloatV n = roundF(mulF(clamped, setF(1.44269504F)));
    FloatV r = fnmaF(n, setF(0.693359375F), clamped);  // ln 2 in two parts: the product with the first is exact
    r = fnmaF(n, setF(-2.12194440e-4F), r);
    FloatV p = setF(1.98412698e-4F);
    p = fmaF(p, r, setF(1.38888889e-3F));
    p = fmaF(p, r, setF(8.33333333e-3F));
    p = fmaF(p, r, setF(4.16666667e-2F));
    p = fmaF(p, r, setF(1.66666667e-1F));
    p = fmaF(p, r, setF(0.5F));
    p = fmaF(p, r, setF(1.0F));
    p = fmaF(p, r, setF(1.0F));
    return scaleByPowerF(p, n);
}

// g / 2 * (1 + tanh(u)) = g / (1 + e^(-2u)), which loses nothing where tanh is near -1.
inline FloatV geluF(FloatV g) {
    const FloatV cube = mulF(mulF(g, g), g);
    const FloatV u = mulF(setF(0.7978845608028654F), fmaF(setF(0.044715F), cube, g));
    const FloatV e = expF(mulF(setF(-2.0F), u));
    return divF(g, addF(setF(1.0F), e));
}

template <typename Function>
inline void mapRange(const float* in, float* out, int64_t begin, int64_t end, const Function& function) {
    int64_t i = begin;
    for (; i + kLanes <= end; i += kLanes)
        storeF(out + i, function(loadF(in + i)));
    if (i < end) storeFirst(out + i, function(loadFirst(in + i, end - i)), end - i);
}

template <typename Function>
inline void zipRange(const float* a, const float* b, float* out, int64_t begin, int64_t end, const Function& function) {
    int64_t i = begin;
    for (; i + kLanes <= end; i += kLanes)
        storeF(out + i, function(loadF(a + i), loadF(b + i)));
    if (i < end) storeFirst(out + i, function(loadFirst(a + i, end - i), loadFirst(b + i, end - i)), end - i);
}

void square(const UnaryArgs& args, Part part) {
    const WorkRange range = workRange(args.count, kGrain, part);
    mapRange(args.in, args.out, range.begin, range.end, [](FloatV x) { return mulF(x, x); });
}

void rsqrt(const UnaryArgs& args, Part part) {
    const WorkRange range = workRange(args.count, kGrain, part);
    mapRange(args.in, args.out, range.begin, range.end, [](FloatV x) { return divF(setF(1.0F), sqrtF(x)); });
}

void gelu(const UnaryArgs& args, Part part) {
    const WorkRange range = workRange(args.count, kGrain, part);
    mapRange(args.in, args.out, range.begin, range.end, geluF);
}

void addScalar(const ScalarArgs& args, Part part) {
    const WorkRange range = workRange(args.count, kGrain, part);
    const FloatV value = setF(args.value);
    mapRange(args.in, args.out, range.begin, range.end, [&](FloatV x) { return addF(x, value); });
}

void mulScalar(const ScalarArgs& args, Part part) {
    const WorkRange range = workRange(args.count, kGrain, part);
    const FloatV value = setF(args.value);
    mapRange(args.in, args.out, range.begin, range.end, [&](FloatV x) { return mulF(x, value); });
}

void add(const BinaryArgs& args, Part part) {
    const WorkRange range = workRange(args.count, kGrain, part);
    zipRange(args.a, args.b, args.out, range.begin, range.end, addF);
}

void mul(const BinaryArgs& args, Part part) {
    const WorkRange range = workRange(args.count, kGrain, part);
    zipRange(args.a, args.b, args.out, range.begin, range.end, mulF);
}

void meanRows(const MeanRowsArgs& args, Part part) {
    const WorkRange range = workRange(args.rows, part);
    for (int64_t r = range.begin; r < range.end; ++r) {
        const float* const x = args.x + r * args.xStride;
        FloatV sum = zeroF();
        int64_t i = 0;
        for (; i + kLanes <= args.columns; i += kLanes)
            sum = addF(sum, loadF(x + i));
        if (i < args.columns) sum = addF(sum, loadFirst(x + i, args.columns - i));
        args.out[r] = sumF(sum) / static_cast<float>(args.columns);
    }
}

void mulRows(const MulFactorsArgs& args, Part part) {
    const WorkRange range = workRange(args.rows, part);
    for (int64_t r = range.begin; r < range.end; ++r) {
        const FloatV factor = setF(args.factors[r]);
        mapRange(args.x + r * args.xStride, args.out + r * args.outStride, 0, args.columns,
                 [&](FloatV x) { return mulF(x, factor); });
    }
}

void mulWeights(const MulFactorsArgs& args, Part part) {
    const WorkRange range = workRange(args.rows, part);
    for (int64_t r = range.begin; r < range.end; ++r)
        zipRange(args.x + r * args.xStride, args.factors, args.out + r * args.outStride, 0, args.columns, mulF);
}

// Shares are runs of elements, not rows: with one token there is one row for all threads.
void geluGate(const GeluGateArgs& args, Part part) {
    const WorkRange range = workRange(args.rows * args.columns, kGrain, part);
    for (int64_t i = range.begin; i < range.end;) {
        const int64_t row = i / args.columns;
        const int64_t begin = i % args.columns;
        const int64_t left = range.end - i;
        const int64_t end = args.columns - begin < left ? args.columns : begin + left;
        zipRange(args.gate + row * args.gateStride, args.up + row * args.upStride, args.out + row * args.outStride,
                 begin, end, [](FloatV gate, FloatV up) { return mulF(geluF(gate), up); });
        i += end - begin;
    }
}

void rotateHalf(const RotateHalfArgs& args, Part part) {
    const int64_t half = args.headDim / 2;
    const WorkRange range = workRange(args.tokens, part);
    for (int64_t t = range.begin; t < range.end; ++t) {
        for (int64_t h = 0; h < args.heads; ++h) {
            const float* const x = args.x + t * args.xStride + h * args.headDim;
            float* const out = args.out + t * args.outStride + h * args.headDim;
            mapRange(x + half, out, 0, half, [](FloatV v) { return subF(zeroF(), v); });
            mapRange(x, out + half, 0, half, [](FloatV v) { return v; });
        }
    }
}

void mulBroadcastHeads(const MulBroadcastHeadsArgs& args, Part part) {
    const WorkRange range = workRange(args.tokens, part);
    for (int64_t t = range.begin; t < range.end; ++t) {
        const float* const factors = args.factors + t * args.headDim;
        for (int64_t h = 0; h < args.heads; ++h)
            zipRange(args.x + t * args.xStride + h * args.headDim, factors,
                     args.out + t * args.outStride + h * args.headDim, 0, args.headDim, mulF);
    }
}

void copy(const CopyArgs& args, Part part) {
    const WorkRange range = workRange(args.rows, part);
    for (int64_t r = range.begin; r < range.end; ++r)
        mapRange(args.x + r * args.xStride, args.out + r * args.outStride, 0, args.columns, [](FloatV v) { return v; });
}

// Largest value first, by vectors; then the first place that holds it.
void argmax(const ArgmaxArgs& args, Part part) {
    const WorkRange range = workRange(args.count, kGrain, part);
    const float lowest = -__builtin_inff();
    FloatV best = setF(lowest);
    int64_t i = range.begin;
    for (; i + kLanes <= range.end; i += kLanes)
        best = maxF(loadF(args.logits + i), best);  // NaN keeps `best`
    float largest = largestF(best);
    for (; i < range.end; ++i)
        if (args.logits[i] > largest) largest = args.logits[i];
    ArgmaxPartial& result = args.partials[part.index];
    result.value = lowest;
    result.index = -1;
    for (i = range.begin; i < range.end; ++i) {
        if (args.logits[i] == largest) {
            result.value = largest;
            result.index = static_cast<int32_t>(i);
            return;
        }
    }
}

}  // namespace
}  // namespace gapscope

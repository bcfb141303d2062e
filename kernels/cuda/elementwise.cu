#include "kernels/cuda/elementwise.h"

#include "kernels/cuda/device_math.cuh"

namespace gapscope::cuda {

namespace {

constexpr int kThreads = 256;
constexpr int kVector = 4;

__device__ __forceinline__ int64_t elementIndex() {
    return static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
}

// geluTanh() with an exponential for the hyperbolic tangent, which takes longer than the memory does.
__device__ __forceinline__ float geluFast(float x) {
    constexpr float kTwoSqrt2OverPi = 2 * 0.7978845608028654F;
    return __fdividef(x, 1.0F + __expf(-kTwoSqrt2OverPi * (x + 0.044715F * x * x * x)));
}

// A row a block row; four columns a thread, read and written together where rows allow it.
__global__ void __launch_bounds__(kThreads) gelu_gate_bf16(GeluGateArgs args) {
    waitForPrevious();
    allowNext();
    const int column = kVector * (static_cast<int>(blockIdx.x) * kThreads + static_cast<int>(threadIdx.x));
    const int64_t row = blockIdx.y;
    if (column >= args.outStride) return;
    const float* const gate = args.gate + row * args.columns + column;
    const float* const up = args.up + row * args.columns + column;
    Bf16* const out = args.out + row * args.outStride + column;
    if (args.columns % kVector == 0 && args.outStride % kVector == 0 && column < args.columns) {
        const float4 g = *reinterpret_cast<const float4*>(gate);
        const float4 u = *reinterpret_cast<const float4*>(up);
        const auto pair = [](float low, float high) {
            return static_cast<unsigned>(fromFloat<Bf16>(low)) | static_cast<unsigned>(fromFloat<Bf16>(high)) << 16;
        };
        *reinterpret_cast<uint2*>(out) = {pair(geluFast(g.x) * u.x, geluFast(g.y) * u.y),
                                          pair(geluFast(g.z) * u.z, geluFast(g.w) * u.w)};
        return;
    }
    for (int i = 0; i < kVector && column + i < args.outStride; ++i)
        out[i] = column + i < args.columns ? fromFloat<Bf16>(geluFast(gate[i]) * up[i]) : Bf16{0};
}

__global__ void __launch_bounds__(kThreads) cast_to_float(const Bf16* in, float* out, int64_t count) {
    const int64_t at = elementIndex();
    if (at < count) out[at] = toFloat(in[at]);
}

__global__ void __launch_bounds__(kThreads) cast_to_bf16(const float* in, Bf16* out, int64_t count) {
    const int64_t at = elementIndex();
    if (at < count) out[at] = fromFloat<Bf16>(in[at]);
}

__global__ void __launch_bounds__(kThreads) pow_f32(const float* in, float* out, int64_t count) {
    const int64_t at = elementIndex();
    if (at < count) out[at] = in[at] * in[at];
}

__global__ void __launch_bounds__(kThreads) add_scalar_f32(const float* in, float value, float* out, int64_t count) {
    const int64_t at = elementIndex();
    if (at < count) out[at] = in[at] + value;
}

__global__ void __launch_bounds__(kThreads) rsqrt_f32(const float* in, float* out, int64_t count) {
    const int64_t at = elementIndex();
    if (at < count) out[at] = rsqrtf(in[at]);
}

__global__ void __launch_bounds__(kThreads) mul_scalar_bf16(const Bf16* in, float value, Bf16* out, int64_t count) {
    const int64_t at = elementIndex();
    if (at < count) out[at] = fromFloat<Bf16>(toFloat(in[at]) * value);
}

__global__ void __launch_bounds__(kThreads) gelu_tanh_bf16(const Bf16* in, Bf16* out, int64_t count) {
    const int64_t at = elementIndex();
    if (at < count) out[at] = fromFloat<Bf16>(geluTanh(toFloat(in[at])));
}

__global__ void __launch_bounds__(kThreads) mul_bf16(const Bf16* a, const Bf16* b, Bf16* out, int64_t count) {
    const int64_t at = elementIndex();
    if (at < count) out[at] = fromFloat<Bf16>(toFloat(a[at]) * toFloat(b[at]));
}

__global__ void __launch_bounds__(kThreads) add_bf16(const Bf16* a, const Bf16* b, Bf16* out, int64_t count) {
    const int64_t at = elementIndex();
    if (at < count) out[at] = fromFloat<Bf16>(toFloat(a[at]) + toFloat(b[at]));
}

__global__ void __launch_bounds__(kThreads) mean_f32(const float* in, int columns, float* out) {
    __shared__ float sums[kThreads / kWarp];
    const float* const row = in + static_cast<int64_t>(blockIdx.x) * columns;
    float sum = 0;
    for (int i = static_cast<int>(threadIdx.x); i < columns; i += kThreads)
        sum += row[i];
    sum = blockSum(sum, sums);
    if (threadIdx.x == 0) out[blockIdx.x] = sum / static_cast<float>(columns);
}

__global__ void __launch_bounds__(kThreads)
    mul_rows_f32(const float* in, const float* factors, int64_t count, int columns, float* out) {
    const int64_t at = elementIndex();
    if (at < count) out[at] = in[at] * factors[at / columns];
}

__global__ void __launch_bounds__(kThreads)
    mul_weights_f32(const float* in, const float* factors, int64_t count, int columns, float* out) {
    const int64_t at = elementIndex();
    if (at < count) out[at] = in[at] * factors[at % columns];
}

__global__ void __launch_bounds__(kThreads)
    mul_heads_bf16(const Bf16* x, const Bf16* factors, int64_t count, int heads, int headDim, Bf16* out) {
    const int64_t at = elementIndex();
    if (at >= count) return;
    const int64_t token = at / (static_cast<int64_t>(heads) * headDim);
    out[at] = fromFloat<Bf16>(toFloat(x[at]) * toFloat(factors[token * headDim + at % headDim]));
}

__global__ void __launch_bounds__(kThreads) neg_bf16(const Bf16* x, int64_t count, int half, Bf16* negated) {
    const int64_t at = elementIndex();
    if (at < count) negated[at] = x[at / half * 2 * half + half + at % half] ^ 0x8000U;
}

__global__ void __launch_bounds__(kThreads)
    cat_bf16(const Bf16* negated, const Bf16* x, int64_t count, int half, Bf16* out) {
    const int64_t at = elementIndex();
    if (at >= count) return;
    const int64_t row = at / (2 * half);
    const int column = static_cast<int>(at % (2 * half));
    out[at] = column < half ? negated[row * half + column] : x[row * 2 * half + column - half];
}

}  // namespace

cudaError_t geluGate(const GeluGateArgs& args, const Launch& launch) {
    const dim3 grid(static_cast<unsigned>(ceilDiv(args.outStride, kVector * kThreads)),
                    static_cast<unsigned>(args.rows));
    return launchKernel(gelu_gate_bf16, grid, kThreads, 0, launch, args);
}

cudaError_t castToFloat(const Bf16* in, float* out, int64_t count, const Launch& launch) {
    return launchKernel(cast_to_float, ceilDiv(count, kThreads), kThreads, 0, launch, in, out, count);
}

cudaError_t castToBf16(const float* in, Bf16* out, int64_t count, const Launch& launch) {
    return launchKernel(cast_to_bf16, ceilDiv(count, kThreads), kThreads, 0, launch, in, out, count);
}

cudaError_t square(const float* in, float* out, int64_t count, const Launch& launch) {
    return launchKernel(pow_f32, ceilDiv(count, kThreads), kThreads, 0, launch, in, out, count);
}

cudaError_t addScalar(const float* in, float value, float* out, int64_t count, const Launch& launch) {
    return launchKernel(add_scalar_f32, ceilDiv(count, kThreads), kThreads, 0, launch, in, value, out, count);
}

cudaError_t rsqrtEach(const float* in, float* out, int64_t count, const Launch& launch) {
    return launchKernel(rsqrt_f32, ceilDiv(count, kThreads), kThreads, 0, launch, in, out, count);
}

cudaError_t mulScalar(const Bf16* in, float value, Bf16* out, int64_t count, const Launch& launch) {
    return launchKernel(mul_scalar_bf16, ceilDiv(count, kThreads), kThreads, 0, launch, in, value, out, count);
}

cudaError_t gelu(const Bf16* in, Bf16* out, int64_t count, const Launch& launch) {
    return launchKernel(gelu_tanh_bf16, ceilDiv(count, kThreads), kThreads, 0, launch, in, out, count);
}

cudaError_t mul(const Bf16* a, const Bf16* b, Bf16* out, int64_t count, const Launch& launch) {
    return launchKernel(mul_bf16, ceilDiv(count, kThreads), kThreads, 0, launch, a, b, out, count);
}

cudaError_t add(const Bf16* a, const Bf16* b, Bf16* out, int64_t count, const Launch& launch) {
    return launchKernel(add_bf16, ceilDiv(count, kThreads), kThreads, 0, launch, a, b, out, count);
}

cudaError_t meanRows(const float* in, int rows, int columns, float* out, const Launch& launch) {
    return launchKernel(mean_f32, rows, kThreads, 0, launch, in, columns, out);
}

cudaError_t mulRows(const float* in, const float* factors, int rows, int columns, float* out, const Launch& launch) {
    const int64_t count = static_cast<int64_t>(rows) * columns;
    return launchKernel(mul_rows_f32, ceilDiv(count, kThreads), kThreads, 0, launch, in, factors, count, columns, out);
}

cudaError_t mulWeights(const float* in, const float* factors, int rows, int columns, float* out, const Launch& launch) {
    const int64_t count = static_cast<int64_t>(rows) * columns;
    return launchKernel(mul_weights_f32, ceilDiv(count, kThreads), kThreads, 0, launch, in, factors, count, columns,
                        out);
}

cudaError_t mulHeads(const Bf16* x, const Bf16* factors, int tokens, int heads, int headDim, Bf16* out,
                     const Launch& launch) {
    const int64_t count = static_cast<int64_t>(tokens) * heads * headDim;
    return launchKernel(mul_heads_bf16, ceilDiv(count, kThreads), kThreads, 0, launch, x, factors, count, heads,
                        headDim, out);
}

cudaError_t negateUpperHalf(const Bf16* x, int rows, int half, Bf16* negated, const Launch& launch) {
    const int64_t count = static_cast<int64_t>(rows) * half;
    return launchKernel(neg_bf16, ceilDiv(count, kThreads), kThreads, 0, launch, x, count, half, negated);
}

cudaError_t joinHalves(const Bf16* negated, const Bf16* x, int rows, int half, Bf16* out, const Launch& launch) {
    const int64_t count = static_cast<int64_t>(rows) * 2 * half;
    return launchKernel(cat_bf16, ceilDiv(count, kThreads), kThreads, 0, launch, negated, x, count, half, out);
}

}  // namespace gapscope::cuda

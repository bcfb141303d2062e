#include "kernels/cuda/elementwise.h"

#include "kernels/cuda/device_math.cuh"

namespace gapscope::cuda {

namespace {

constexpr int kThreads = 256;

__device__ __forceinline__ int64_t elementIndex() {
    return static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
}

__global__ void __launch_bounds__(kThreads) gelu_gate_bf16(GeluGateArgs args) {
    waitForPrevious();
    allowNext();
    const int64_t at = elementIndex();
    const int64_t row = at / args.outStride;
    const int column = static_cast<int>(at % args.outStride);
    if (row >= args.rows) return;
    const int64_t from = row * args.columns + column;
    args.out[at] = column < args.columns ? fromFloat<Bf16>(geluTanh(args.gate[from]) * args.up[from]) : Bf16{0};
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
    return launchKernel(gelu_gate_bf16, ceilDiv(static_cast<int64_t>(args.rows) * args.outStride, kThreads), kThreads,
                        0, launch, args);
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

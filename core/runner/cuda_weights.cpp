#include "core/runner/cuda_weights.h"

#include <algorithm>
#include <cstring>
#include <thread>

#include "kernels/cpu/dequantize.h"

namespace gapscope {

namespace {

constexpr int64_t kAlignment = 256;
constexpr int64_t kStagingBytes = 32 << 20;
constexpr unsigned kMostThreads = 16;

int64_t aligned(int64_t bytes) {
    return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

int64_t matrixBytes(const MatrixView& view) {
    return view.rows * cuda::paddedColumns(view.columns) * static_cast<int64_t>(sizeof(cuda::Bf16));
}

std::vector<const MatrixView*> matricesOf(const Model& model) {
    std::vector<const MatrixView*> matrices{&model.embedding()};
    if (!model.tiedHead()) matrices.push_back(&model.head());
    for (const LayerWeights& layer : model.layers())
        for (const MatrixView* matrix :
             {&layer.q, &layer.k, &layer.v, &layer.output, &layer.gate, &layer.up, &layer.down})
            matrices.push_back(matrix);
    return matrices;
}

std::vector<const std::vector<float>*> normsOf(const Model& model) {
    std::vector<const std::vector<float>*> norms{&model.outputNorm()};
    for (const LayerWeights& layer : model.layers())
        for (const std::vector<float>* norm : {&layer.inputNorm, &layer.postAttentionNorm, &layer.preFeedForwardNorm,
                                               &layer.postFeedForwardNorm, &layer.queryNorm, &layer.keyNorm})
            norms.push_back(norm);
    return norms;
}

int64_t normBytes(const std::vector<float>& norm) {
    return aligned(static_cast<int64_t>(norm.size() * sizeof(float))) +
           aligned(static_cast<int64_t>(norm.size() * sizeof(cuda::Bf16)));
}

// Rows [first, first + count) as padded bf16.
void convertRows(const MatrixView& view, int64_t first, int64_t count, cuda::Bf16* out) {
    const int64_t stride = cuda::paddedColumns(view.columns);
    const auto convert = [&](int64_t begin, int64_t end) {
        std::vector<float> row(static_cast<size_t>(view.columns));
        for (int64_t i = begin; i < end; ++i) {
            cuda::Bf16* const target = out + i * stride;
            std::fill(target + view.columns, target + stride, cuda::Bf16{0});
            if (view.type == WeightType::BF16) {
                std::memcpy(target, view.row(first + i), static_cast<size_t>(view.columns) * sizeof(cuda::Bf16));
                continue;
            }
            dequantizeRow(view.type, view.row(first + i), view.columns, row.data());
            std::transform(row.begin(), row.end(), target, floatToBfloat16);
        }
    };
    const auto threads = static_cast<int64_t>(std::clamp(std::thread::hardware_concurrency(), 1U, kMostThreads));
    const int64_t share = (count + threads - 1) / threads;
    std::vector<std::jthread> workers;
    for (int64_t begin = share; begin < count; begin += share)
        workers.emplace_back(convert, begin, std::min(begin + share, count));
    convert(0, std::min(share, count));
}

}  // namespace

tl::unexpected<Error> cudaFailure(const std::string& what, cudaError_t error) {
    return fail(what + ": " + cudaGetErrorString(error) + " (" + cudaGetErrorName(error) + ").");
}

int64_t CudaWeights::bytesFor(const Model& model) {
    int64_t bytes = 0;
    for (const MatrixView* matrix : matricesOf(model))
        bytes += aligned(matrixBytes(*matrix));
    for (const std::vector<float>* norm : normsOf(model))
        bytes += normBytes(*norm);
    return bytes;
}

Result<CudaWeights> CudaWeights::upload(const Model& model, const BackendSettings& settings) {
    CudaWeights weights;
    weights.m_bytes = bytesFor(model);
    void* raw = nullptr;
    if (const cudaError_t error = cudaMalloc(&raw, static_cast<size_t>(weights.m_bytes)); error != cudaSuccess)
        return cudaFailure("The GPU gave no memory for the weights", error);
    weights.m_memory.reset(raw);
    if (const cudaError_t error = cudaHostAlloc(&raw, kStagingBytes, cudaHostAllocDefault); error != cudaSuccess)
        return cudaFailure("No pinned memory could be had to copy weights through", error);
    const CudaHostMemory staging(raw);

    auto* at = static_cast<std::byte*>(weights.m_memory.get());
    int64_t done = 0;
    for (const MatrixView* matrix : matricesOf(model)) {
        const int64_t stride = cuda::paddedColumns(matrix->columns);
        const int64_t strideBytes = stride * static_cast<int64_t>(sizeof(cuda::Bf16));
        weights.m_matrices[matrix->data] = {reinterpret_cast<const cuda::Bf16*>(at), static_cast<int>(matrix->rows),
                                            static_cast<int>(matrix->columns), static_cast<int>(stride)};
        const int64_t chunk = std::max<int64_t>(1, kStagingBytes / strideBytes);
        if (strideBytes > kStagingBytes) return fail("A matrix has rows too long to copy to the GPU.");
        for (int64_t row = 0; row < matrix->rows; row += chunk) {
            if (settings.stop.stop_requested()) return fail("Cancelled.", ErrorKind::Cancelled);
            if (settings.onProgress)
                settings.onProgress("Copying weights to the GPU",
                                    static_cast<double>(done) / static_cast<double>(weights.m_bytes));
            const int64_t count = std::min(chunk, matrix->rows - row);
            convertRows(*matrix, row, count, static_cast<cuda::Bf16*>(staging.get()));
            const cudaError_t error = cudaMemcpy(at + row * strideBytes, staging.get(),
                                                 static_cast<size_t>(count * strideBytes), cudaMemcpyHostToDevice);
            if (error != cudaSuccess) return cudaFailure("The weights could not be copied to the GPU", error);
            done += count * strideBytes;
        }
        if (matrix != &model.embedding() || model.tiedHead()) weights.m_tokenBytes += matrixBytes(*matrix);
        at += aligned(matrixBytes(*matrix));
        model.releasePages(*matrix);
    }
    std::vector<cuda::Bf16> rounded;
    for (const std::vector<float>* norm : normsOf(model)) {
        rounded.resize(norm->size());
        // The file held w in bf16, or 1 + w in fp32: either way this gives back w.
        std::transform(norm->begin(), norm->end(), rounded.begin(),
                       [](float onePlus) { return floatToBfloat16(onePlus - 1.0F); });
        const size_t floatBytes = norm->size() * sizeof(float);
        std::byte* const half = at + aligned(static_cast<int64_t>(floatBytes));
        weights.m_norms[norm] = {reinterpret_cast<const float*>(at), reinterpret_cast<const cuda::Bf16*>(half),
                                 static_cast<int64_t>(norm->size())};
        cudaError_t error = cudaMemcpy(at, norm->data(), floatBytes, cudaMemcpyHostToDevice);
        if (error == cudaSuccess)
            error = cudaMemcpy(half, rounded.data(), rounded.size() * sizeof(cuda::Bf16), cudaMemcpyHostToDevice);
        if (error != cudaSuccess) return cudaFailure("The weights could not be copied to the GPU", error);
        weights.m_tokenBytes += static_cast<int64_t>(floatBytes);
        at += normBytes(*norm);
    }
    return weights;
}

}  // namespace gapscope

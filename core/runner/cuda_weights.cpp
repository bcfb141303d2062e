#include "core/runner/cuda_weights.h"

#include <algorithm>
#include <array>
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

// One row of a matrix on the device, without the scale that an int8 row has besides.
int64_t deviceRowBytes(const CudaFormats& formats, const MatrixView& view) {
    switch (formats.of(view)) {
        case CudaFormat::Bf16:
            break;
        case CudaFormat::Packed:
            return cuda::packedRowBytes(formats.type(view), view.columns);
        case CudaFormat::Int8:
            return cuda::paddedInt8Columns(view.columns);
    }
    return cuda::paddedColumns(view.columns) * static_cast<int64_t>(sizeof(cuda::Bf16));
}

int64_t scaleBytes(const CudaFormats& formats, const MatrixView& view) {
    return formats.of(view) == CudaFormat::Int8 ? view.rows * static_cast<int64_t>(sizeof(float)) : 0;
}

int64_t deviceBytes(const CudaFormats& formats, const MatrixView& view) {
    return aligned(view.rows * deviceRowBytes(formats, view)) + aligned(scaleBytes(formats, view));
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

void toBf16(const std::vector<float>& from, cuda::Bf16* to) {
    std::transform(from.begin(), from.end(), to, floatToBfloat16);
}

// One row in its form on the device; returns an int8 row's scale. `numbers` is room for a row.
float convertRow(const CudaFormats& formats, const MatrixView& view, int64_t row, std::vector<float>& numbers,
                 std::byte* out) {
    const CudaFormat format = formats.of(view);
    if (format == CudaFormat::Packed && formats.type(view) == view.type) {
        cuda::packRow(view.type, view.row(row), view.columns, out);
        return 0;
    }
    auto* const halves = reinterpret_cast<cuda::Bf16*>(out);
    if (format != CudaFormat::Int8 && view.type == WeightType::BF16) {
        std::memcpy(out, view.row(row), static_cast<size_t>(view.columns) * sizeof(cuda::Bf16));
    } else {
        dequantizeRow(view.type, view.row(row), view.columns, numbers.data());
        if (format == CudaFormat::Int8)
            return cuda::quantizeInt8Row(numbers.data(), view.columns, reinterpret_cast<int8_t*>(out));
        toBf16(numbers, halves);
    }
    std::fill(halves + view.columns, reinterpret_cast<cuda::Bf16*>(out + deviceRowBytes(formats, view)), cuda::Bf16{0});
    return 0;
}

// Rows [first, first + count) and their scales.
void convertRows(const CudaFormats& formats, const MatrixView& view, int64_t first, int64_t count, std::byte* out,
                 float* scales) {
    const int64_t rowBytes = deviceRowBytes(formats, view);
    const auto convert = [&](int64_t begin, int64_t end) {
        std::vector<float> numbers(static_cast<size_t>(view.columns));
        for (int64_t i = begin; i < end; ++i)
            scales[i] = convertRow(formats, view, first + i, numbers, out + i * rowBytes);
    };
    const auto threads = static_cast<int64_t>(std::clamp(std::thread::hardware_concurrency(), 1U, kMostThreads));
    const int64_t share = (count + threads - 1) / threads;
    std::vector<std::jthread> workers;
    for (int64_t begin = share; begin < count; begin += share)
        workers.emplace_back(convert, begin, std::min(begin + share, count));
    convert(0, std::min(share, count));
}

CudaWeights::Matrix matrixAt(const CudaFormats& formats, const MatrixView& view, const std::byte* data) {
    const auto rows = static_cast<int>(view.rows);
    const auto columns = static_cast<int>(view.columns);
    const int64_t rowBytes = deviceRowBytes(formats, view);
    switch (formats.of(view)) {
        case CudaFormat::Bf16:
            break;
        case CudaFormat::Packed:
            return cuda::PackedMatrix{data, formats.type(view), rows, columns, rowBytes};
        case CudaFormat::Int8:
            return cuda::Int8Matrix{reinterpret_cast<const int8_t*>(data),
                                    reinterpret_cast<const float*>(data + aligned(rows * rowBytes)), rows, columns,
                                    static_cast<int>(rowBytes)};
    }
    return cuda::WeightMatrix{reinterpret_cast<const cuda::Bf16*>(data), rows, columns,
                              static_cast<int>(cuda::paddedColumns(columns))};
}

// After these CUDA refuses all further work of the process, by the words of its documentation ("the process must be
// terminated and relaunched"). By number: toolkits differ in which they name.
bool isSticky(cudaError_t error) {
    constexpr std::array kSticky = {214, 226, 700, 702, 710, 714, 715, 716, 717, 718, 719, 721, 810, 911};
    return std::ranges::find(kSticky, static_cast<int>(error)) != kSticky.end();
}

}  // namespace

tl::unexpected<Error> cudaFailure(const std::string& what, cudaError_t error) {
    return fail(what + ": " + cudaGetErrorString(error) + " (" + cudaGetErrorName(error) + ").",
                isSticky(error) ? ErrorKind::GpuUnusable : ErrorKind::General);
}

int64_t CudaWeights::bytesFor(const Model& model, const CudaFormats& formats) {
    int64_t bytes = 0;
    for (const MatrixView* matrix : formats.matrices())
        bytes += deviceBytes(formats, *matrix);
    for (const std::vector<float>* norm : normsOf(model))
        bytes += normBytes(*norm);
    return bytes;
}

Result<CudaWeights> CudaWeights::upload(const Model& model, const CudaFormats& formats,
                                        const BackendSettings& settings) {
    CudaWeights weights;
    weights.m_bytes = bytesFor(model, formats);
    void* raw = nullptr;
    if (const cudaError_t error = cudaMalloc(&raw, static_cast<size_t>(weights.m_bytes)); error != cudaSuccess)
        return cudaFailure("The GPU gave no memory for the weights", error);
    weights.m_memory.reset(raw);
    if (const cudaError_t error = cudaHostAlloc(&raw, kStagingBytes, cudaHostAllocDefault); error != cudaSuccess)
        return cudaFailure("No pinned memory could be had to copy weights through", error);
    const CudaHostMemory staging(raw);

    auto* at = static_cast<std::byte*>(weights.m_memory.get());
    int64_t done = 0;
    std::vector<float> scales;
    for (const MatrixView* matrix : formats.matrices()) {
        const int64_t rowBytes = deviceRowBytes(formats, *matrix);
        weights.m_matrices.emplace(matrix->data, matrixAt(formats, *matrix, at));
        if (rowBytes > kStagingBytes) return fail("A matrix has rows too long to copy to the GPU.");
        const int64_t chunk = kStagingBytes / rowBytes;
        scales.resize(static_cast<size_t>(matrix->rows));
        for (int64_t row = 0; row < matrix->rows; row += chunk) {
            if (settings.stop.stop_requested()) return fail("Cancelled.", ErrorKind::Cancelled);
            if (settings.onProgress)
                settings.onProgress("Copying weights to the GPU",
                                    static_cast<double>(done) / static_cast<double>(weights.m_bytes));
            const int64_t count = std::min(chunk, matrix->rows - row);
            convertRows(formats, *matrix, row, count, static_cast<std::byte*>(staging.get()), scales.data() + row);
            const cudaError_t error = cudaMemcpy(at + row * rowBytes, staging.get(),
                                                 static_cast<size_t>(count * rowBytes), cudaMemcpyHostToDevice);
            if (error != cudaSuccess) return cudaFailure("The weights could not be copied to the GPU", error);
            done += count * rowBytes;
        }
        const int64_t scaleCount = scaleBytes(formats, *matrix);
        const cudaError_t error = cudaMemcpy(at + aligned(matrix->rows * rowBytes), scales.data(),
                                             static_cast<size_t>(scaleCount), cudaMemcpyHostToDevice);
        if (error != cudaSuccess) return cudaFailure("The weights could not be copied to the GPU", error);
        if (matrix != &model.embedding() || model.tiedHead())
            weights.m_tokenBytes += matrix->rows * rowBytes + scaleCount;
        at += deviceBytes(formats, *matrix);
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

#include "core/runner/cuda_pages.h"

#include <string>

#include "kernels/cpu/kv_cache_view.h"

namespace gapscope {

namespace {

static_assert(kKvPagePositions == cuda::kPagePositions);

int64_t rowElements(const ModelConfig& config) {
    return config.kvHeads * config.headDim;
}

}  // namespace

int64_t CudaPages::bytesFor(const ModelConfig& config, int64_t pages) {
    return 2 * static_cast<int64_t>(sizeof(cuda::Bf16)) * pages * kKvPagePositions * rowElements(config) *
           config.layers;
}

Result<std::shared_ptr<CudaPages>> CudaPages::create(const ModelConfig& config, int device, int64_t pages) {
    std::shared_ptr<CudaPages> made(new CudaPages(device));
    void* raw = nullptr;
    if (const cudaError_t error = cudaMalloc(&raw, static_cast<size_t>(bytesFor(config, pages))); error != cudaSuccess)
        return cudaFailure("The GPU gave no memory for a cache of " + std::to_string(pages) + " pages", error);
    made->m_memory.reset(raw);
    auto* half = static_cast<cuda::Bf16*>(raw);
    for (int64_t i = 0; i < config.layers; ++i) {
        cuda::KvCache& cache = made->m_layers.emplace_back();
        cache.slots = static_cast<int>(pages * kKvPagePositions);
        cache.kvHeads = static_cast<int>(config.kvHeads);
        cache.headDim = static_cast<int>(config.headDim);
        cache.keys = half;
        half += cache.slots * rowElements(config);
        cache.values = half;
        half += cache.slots * rowElements(config);
    }
    return made;
}

CudaPages::~CudaPages() {
    // Whichever thread this is: memory of another device would open that one first.
    cudaSetDevice(m_device);
}

Status CudaPages::copyBeginning(const CudaPages& from, int64_t tokens) {
    cudaError_t error = cudaSuccess;
    for (size_t i = 0; i < m_layers.size() && error == cudaSuccess; ++i) {
        const cuda::KvCache& target = m_layers[i];
        const cuda::KvCache& source = from.m_layers[i];
        const size_t bytes = static_cast<size_t>(tokens * target.kvHeads * target.headDim) * sizeof(cuda::Bf16);
        error = cudaMemcpy(target.keys, source.keys, bytes, cudaMemcpyDeviceToDevice);
        if (error == cudaSuccess) error = cudaMemcpy(target.values, source.values, bytes, cudaMemcpyDeviceToDevice);
    }
    if (error == cudaSuccess) error = cudaDeviceSynchronize();
    if (error != cudaSuccess) return cudaFailure("What an earlier prompt left could not be copied", error);
    return {};
}

}  // namespace gapscope

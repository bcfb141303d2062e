// Keys and values of all layers in pages on a CUDA device: what the steps of a batch read, and what of a prompt is kept
// for later ones, in pages that follow each other. May outlive the backend that made it.
#pragma once

#include <memory>
#include <vector>

#include "core/base/result.h"
#include "core/runner/cuda_weights.h"
#include "core/runner/model_config.h"
#include "kernels/cuda/attention.h"

namespace gapscope {

class CudaPages {
public:
    static int64_t bytesFor(const ModelConfig& config, int64_t pages);

    static Result<std::shared_ptr<CudaPages>> create(const ModelConfig& config, int device, int64_t pages);
    ~CudaPages();
    CudaPages(const CudaPages&) = delete;
    CudaPages& operator=(const CudaPages&) = delete;

    const cuda::KvCache& layer(size_t index) const { return m_layers[index]; }
    // The first `tokens` positions of another one's, where both have their pages in the order of the positions. Of the
    // same model and device.
    Status copyBeginning(const CudaPages& from, int64_t tokens);

private:
    explicit CudaPages(int device) : m_device(device) {}

    const int m_device;
    CudaMemory m_memory;
    std::vector<cuda::KvCache> m_layers;
};

}  // namespace gapscope

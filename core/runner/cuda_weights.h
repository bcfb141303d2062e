// A model's weights on a CUDA device: matrices in the form that cuda_formats.h says, norms as fp32 and, as transformers
// keeps them, as bf16 without the 1. One allocation holds all.
#pragma once

#include <cuda_runtime_api.h>

#include <memory>
#include <unordered_map>
#include <variant>
#include <vector>

#include "core/base/result.h"
#include "core/runner/backend.h"
#include "core/runner/cuda_formats.h"
#include "core/runner/model.h"
#include "kernels/cuda/int8_matrix.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/packed_matrix.h"

namespace gapscope {

struct CudaFree {
    void operator()(void* memory) const { cudaFree(memory); }
};
struct CudaFreeHost {
    void operator()(void* memory) const { cudaFreeHost(memory); }
};
using CudaMemory = std::unique_ptr<void, CudaFree>;
using CudaHostMemory = std::unique_ptr<void, CudaFreeHost>;

// "out of memory" and the like as the end of a sentence about what was tried.
tl::unexpected<Error> cudaFailure(const std::string& what, cudaError_t error);

class CudaWeights {
public:
    struct Norm {
        const float* onePlus = nullptr;      // [n], 1 + w
        const cuda::Bf16* weight = nullptr;  // [n], w
        int64_t size = 0;
    };

    using Matrix = std::variant<cuda::WeightMatrix, cuda::PackedMatrix, cuda::Int8Matrix>;

    static int64_t bytesFor(const Model& model, const CudaFormats& formats);

    // Converted on the way, by several threads.
    static Result<CudaWeights> upload(const Model& model, const CudaFormats& formats, const BackendSettings& settings);

    const Matrix& matrix(const MatrixView* view) const { return m_matrices.at(view->data); }
    const Norm& norm(const std::vector<float>* values) const { return m_norms.at(values); }
    int64_t bytes() const { return m_bytes; }            // on the device
    int64_t tokenBytes() const { return m_tokenBytes; }  // read for one token: all but an untied embedding table

private:
    CudaMemory m_memory;
    std::unordered_map<const std::byte*, Matrix> m_matrices;  // by the file's bytes: a tied head is one
    std::unordered_map<const std::vector<float>*, Norm> m_norms;
    int64_t m_bytes = 0;
    int64_t m_tokenBytes = 0;
};

}  // namespace gapscope

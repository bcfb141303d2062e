// cuBLASLt, opened at run time: the prefill's matrix products. Descriptors and the choice of algorithm are made once a
// shape and kept.
#pragma once

#include <cuda_runtime_api.h>

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "core/base/cuda_library.h"
#include "core/base/result.h"
#include "kernels/cuda/int8_matrix.h"
#include "kernels/cuda/launch.h"

namespace gapscope {

class CublasLt {
public:
    // The error says what was looked for and what to install. The device's context must be current, here and later.
    static Result<std::unique_ptr<CublasLt>> open();
    ~CublasLt();
    CublasLt(const CublasLt&) = delete;
    CublasLt& operator=(const CublasLt&) = delete;

    static constexpr int64_t kWorkspaceBytes = 32 << 20;

    // out[t, n] = sum of x[t, k] * matrix[n, k], fp32 sums; x bf16 [tokens, matrix.stride]; out fp32 or bf16
    // [tokens, matrix.rows]. An error means that nothing was launched: use another kernel.
    Status matmul(const cuda::WeightMatrix& matrix, const cuda::Bf16* x, int tokens, void* out, bool outIsBf16,
                  void* workspace, cudaStream_t stream);

    // The same of int8 by int8, exact: out int32 [tokens, matrix.rows], x int8 [tokens, matrix.stride].
    Status matmul(const cuda::Int8Matrix& matrix, const int8_t* x, int tokens, int32_t* out, void* workspace,
                  cudaStream_t stream);

    const std::string& path() const { return m_library.path(); }

private:
    struct Functions;
    struct Shape;
    enum class Types : uint8_t { Bf16ToFloat, Bf16ToBf16, Int8ToInt32 };
    // Rows and columns of the matrix, elements from row to row, tokens, types.
    using Key = std::array<int, 5>;

    CublasLt();
    Result<const Shape*> shapeFor(int rows, int columns, int stride, int tokens, Types types);

    Status run(const Shape& shape, const void* one, const void* zero, const void* matrix, const void* x, void* out,
               void* workspace, cudaStream_t stream);

    CudaLibrary m_library;
    std::unique_ptr<Functions> m_functions;
    void* m_handle = nullptr;
    std::map<Key, std::unique_ptr<Shape>> m_shapes;
};

// What a person should know of a library that could not be opened: "cuBLASLt (libcublasLt.so.13) was not found ...".
std::string missingLibraryText(const std::string& name, const CudaLibrary& library, const std::string& remedy);

}  // namespace gapscope

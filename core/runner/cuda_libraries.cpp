#include "core/runner/cuda_libraries.h"

#include <utility>

namespace gapscope {

namespace {

// The part of cuBLASLt's interface that is used here, by its documented values: its headers are not needed to build.
constexpr int kSuccess = 0;
constexpr int kReal32F = 0;      // CUDA_R_32F
constexpr int kInt8 = 3;         // CUDA_R_8I
constexpr int kInt32 = 10;       // CUDA_R_32I
constexpr int kReal16BF = 14;    // CUDA_R_16BF
constexpr int kCompute32F = 68;  // CUBLAS_COMPUTE_32F
constexpr int kCompute32I = 72;  // CUBLAS_COMPUTE_32I
constexpr int kTransposed = 1;   // CUBLAS_OP_T
constexpr int kDescTransA = 3;   // CUBLASLT_MATMUL_DESC_TRANSA
constexpr int kPreferenceWorkspace = 1;

struct Algorithm {
    uint64_t data[8];
};
struct Heuristic {
    Algorithm algorithm;
    size_t workspaceBytes;
    int state;
    float wavesCount;
    int reserved[4];
};

}  // namespace

struct CublasLt::Functions {
    int (*create)(void** handle);
    int (*destroy)(void* handle);
    int (*descCreate)(void** desc, int computeType, int scaleType);
    int (*descDestroy)(void* desc);
    int (*descSet)(void* desc, int attribute, const void* value, size_t bytes);
    int (*layoutCreate)(void** layout, int type, uint64_t rows, uint64_t columns, int64_t leading);
    int (*layoutDestroy)(void* layout);
    int (*preferenceCreate)(void** preference);
    int (*preferenceDestroy)(void* preference);
    int (*preferenceSet)(void* preference, int attribute, const void* value, size_t bytes);
    int (*heuristic)(void* handle, void* desc, void* a, void* b, void* c, void* d, void* preference, int wanted,
                     Heuristic* results, int* found);
    int (*matmul)(void* handle, void* desc, const void* alpha, const void* a, void* aLayout, const void* b,
                  void* bLayout, const void* beta, const void* c, void* cLayout, void* d, void* dLayout,
                  const Algorithm* algorithm, void* workspace, size_t workspaceBytes, cudaStream_t stream);
};

struct CublasLt::Shape {
    const Functions* functions = nullptr;
    void* desc = nullptr;
    void* a = nullptr;
    void* b = nullptr;
    void* c = nullptr;
    Algorithm algorithm{};
    bool usable = false;

    explicit Shape(const Functions* table) : functions(table) {}
    ~Shape() {
        if (c) functions->layoutDestroy(c);
        if (b) functions->layoutDestroy(b);
        if (a) functions->layoutDestroy(a);
        if (desc) functions->descDestroy(desc);
    }
    Shape(const Shape&) = delete;
    Shape& operator=(const Shape&) = delete;
};

CublasLt::CublasLt() = default;

CublasLt::~CublasLt() {
    m_shapes.clear();
    if (m_handle) m_functions->destroy(m_handle);
}

std::string missingLibraryText(const std::string& name, const CudaLibrary& library, const std::string& remedy) {
    std::string text = name + " could not be opened: ";
    const auto& attempts = library.attempts();
    if (attempts.empty())
        text += "no folder to look in";
    else
        text += attempts.front().path + ": " + attempts.front().outcome;
    if (attempts.size() > 1) text += " (and " + std::to_string(attempts.size() - 1) + " more places)";
    return text + ". " + remedy;
}

Result<std::unique_ptr<CublasLt>> CublasLt::open() {
    constexpr std::string_view kNames[] = {"libcublasLt.so.13", "libcublasLt.so.12", "libcublasLt.so"};
    std::unique_ptr<CublasLt> lt(new CublasLt());
    lt->m_library = CudaLibrary::open(kNames);
    if (!lt->m_library)
        return fail(missingLibraryText("cuBLASLt", lt->m_library,
                                       "Install a CUDA toolkit or the Python package nvidia-cublas, or name its folder "
                                       "in GAPSCOPE_CUDA_LIBRARIES; until then slower kernels of our own are used."),
                    ErrorKind::NotFound);
    lt->m_functions = std::make_unique<Functions>();
    Functions& f = *lt->m_functions;
    const CudaLibrary& library = lt->m_library;
    const bool complete =
        library.resolve("cublasLtCreate", f.create) && library.resolve("cublasLtDestroy", f.destroy) &&
        library.resolve("cublasLtMatmulDescCreate", f.descCreate) &&
        library.resolve("cublasLtMatmulDescDestroy", f.descDestroy) &&
        library.resolve("cublasLtMatmulDescSetAttribute", f.descSet) &&
        library.resolve("cublasLtMatrixLayoutCreate", f.layoutCreate) &&
        library.resolve("cublasLtMatrixLayoutDestroy", f.layoutDestroy) &&
        library.resolve("cublasLtMatmulPreferenceCreate", f.preferenceCreate) &&
        library.resolve("cublasLtMatmulPreferenceDestroy", f.preferenceDestroy) &&
        library.resolve("cublasLtMatmulPreferenceSetAttribute", f.preferenceSet) &&
        library.resolve("cublasLtMatmulAlgoGetHeuristic", f.heuristic) && library.resolve("cublasLtMatmul", f.matmul);
    if (!complete) return fail("cuBLASLt at " + library.path() + " lacks a function that is needed; update CUDA.");
    if (const int status = f.create(&lt->m_handle); status != kSuccess) {
        lt->m_handle = nullptr;
        return fail("cuBLASLt at " + library.path() + " could not start (status " + std::to_string(status) + ").");
    }
    return lt;
}

Result<const CublasLt::Shape*> CublasLt::shapeFor(int matrixRows, int matrixColumns, int stride, int tokens,
                                                  Types types) {
    const Key key{matrixRows, matrixColumns, stride, tokens, static_cast<int>(types)};
    const auto found = m_shapes.find(key);
    if (found == m_shapes.end()) {
        // cuBLASLt counts column by column, so our rows are its columns: D[n, t] = op(A)[n, k] * B[k, t] with A the
        // matrix transposed. Tensor cores have to be allowed nothing more for bf16.
        const Functions& f = *m_functions;
        auto shape = std::make_unique<Shape>(&f);
        const auto columns = static_cast<uint64_t>(matrixColumns);
        const auto rows = static_cast<uint64_t>(matrixRows);
        const auto tokenCount = static_cast<uint64_t>(tokens);
        const bool isInt8 = types == Types::Int8ToInt32;
        const int inType = isInt8 ? kInt8 : kReal16BF;
        const int outType = isInt8 ? kInt32 : types == Types::Bf16ToBf16 ? kReal16BF : kReal32F;
        const int transposed = kTransposed;
        const uint64_t workspace = kWorkspaceBytes;
        void* preference = nullptr;
        Heuristic heuristic{};
        int count = 0;
        const bool made =
            f.descCreate(&shape->desc, isInt8 ? kCompute32I : kCompute32F, isInt8 ? kInt32 : kReal32F) == kSuccess &&
            f.descSet(shape->desc, kDescTransA, &transposed, sizeof(transposed)) == kSuccess &&
            f.layoutCreate(&shape->a, inType, columns, rows, stride) == kSuccess &&
            f.layoutCreate(&shape->b, inType, columns, tokenCount, stride) == kSuccess &&
            f.layoutCreate(&shape->c, outType, rows, tokenCount, matrixRows) == kSuccess &&
            f.preferenceCreate(&preference) == kSuccess &&
            f.preferenceSet(preference, kPreferenceWorkspace, &workspace, sizeof(workspace)) == kSuccess &&
            f.heuristic(m_handle, shape->desc, shape->a, shape->b, shape->c, shape->c, preference, 1, &heuristic,
                        &count) == kSuccess;
        if (preference) f.preferenceDestroy(preference);
        shape->usable = made && count > 0 && heuristic.state == kSuccess;
        shape->algorithm = heuristic.algorithm;
        m_shapes.emplace(key, std::move(shape));
    }
    const Shape* shape = m_shapes.at(key).get();
    if (!shape->usable) return fail("cuBLASLt has no algorithm for this shape.");
    return shape;
}

Status CublasLt::run(const Shape& shape, const void* one, const void* zero, const void* matrix, const void* x,
                     void* out, void* workspace, cudaStream_t stream) {
    const int status = m_functions->matmul(m_handle, shape.desc, one, matrix, shape.a, x, shape.b, zero, out, shape.c,
                                           out, shape.c, &shape.algorithm, workspace, kWorkspaceBytes, stream);
    if (status != kSuccess) return fail("cuBLASLt refused a product (status " + std::to_string(status) + ").");
    return {};
}

Status CublasLt::matmul(const cuda::WeightMatrix& matrix, const cuda::Bf16* x, int tokens, void* out, bool outIsBf16,
                        void* workspace, cudaStream_t stream) {
    ASSIGN_OR_RETURN(const Shape* const shape, shapeFor(matrix.rows, matrix.columns, matrix.stride, tokens,
                                                        outIsBf16 ? Types::Bf16ToBf16 : Types::Bf16ToFloat));
    const float one = 1;
    const float zero = 0;
    return run(*shape, &one, &zero, matrix.data, x, out, workspace, stream);
}

// With int8 the matrix's rows, columns and strides must be multiples of 4 (cuBLASLt's rule for regular ordering). The
// stride is, and padding adds nothing; a number of rows that is not is refused here, because it may not be there.
Status CublasLt::matmul(const cuda::Int8Matrix& matrix, const int8_t* x, int tokens, int32_t* out, void* workspace,
                        cudaStream_t stream) {
    if (matrix.rows % 4 != 0) return fail("cuBLASLt takes int8 matrices whose rows are a multiple of 4.");
    ASSIGN_OR_RETURN(const Shape* const shape,
                     shapeFor(matrix.rows, matrix.stride, matrix.stride, tokens, Types::Int8ToInt32));
    const int32_t one = 1;
    const int32_t zero = 0;
    return run(*shape, &one, &zero, matrix.data, x, out, workspace, stream);
}

}  // namespace gapscope

// The head by bounds on the GPU: the copy of its upper bits, and the two passes of a decode step.
#include <cmath>
#include <variant>

#include "core/runner/cuda_backend.h"

namespace gapscope {

namespace {

constexpr int64_t kAlignment = 256;

int64_t aligned(int64_t bytes) {
    return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

}  // namespace

bool CudaBackend::wantsUpperHead(const BackendSettings& settings) const {
    const bool hasPasses =
        m_mode == Mode::Persistent ? m_config.hidden <= cuda::kMostPersistentBoundedColumns : m_mode != Mode::Eager;
    return settings.onlyChooses && hasPasses && m_formats.of(m_model.head()) == CudaFormat::Bf16;
}

int64_t CudaBackend::upperHeadBytes() const {
    const MatrixView& head = m_model.head();
    return aligned(cuda::upperBitsBytes(head.rows, head.columns)) +
           aligned(m_checkedTokens * m_argmaxBlocks * static_cast<int64_t>(sizeof(float))) + 2 * kAlignment;
}

Status CudaBackend::prepareUpperHead() {
    if (!m_copiesHead) return {};
    const auto head = std::get<cuda::WeightMatrix>(m_weights.matrix(&m_model.head()));
    const int64_t copyBytes = aligned(cuda::upperBitsBytes(head.rows, head.columns));
    const int64_t bytes = upperHeadBytes();
    void* raw = nullptr;
    if (cudaMalloc(&raw, static_cast<size_t>(bytes)) != cudaSuccess) {
        cudaGetLastError();  // another program took the memory meanwhile: the head is read whole
        return {};
    }
    m_upperMemory.reset(raw);
    auto* const base = static_cast<std::byte*>(raw);
    auto* const largest = reinterpret_cast<float*>(base + bytes - 2 * kAlignment);
    cuda::UpperBits upper{base, head.rows, head.columns};
    cudaError_t error = cudaMemset(base + copyBytes, 0, static_cast<size_t>(bytes - copyBytes));
    if (error == cudaSuccess) error = cuda::packUpperBits(head, base, largest, {});
    if (error == cudaSuccess) error = cudaMemcpy(&upper.largest, largest, sizeof(float), cudaMemcpyDeviceToHost);
    if (error != cudaSuccess) return cudaFailure("The upper bits of the head could not be copied", error);
    if (!std::isfinite(upper.largest)) {
        m_upperMemory.reset();
        return {};
    }
    m_upperHead = upper;
    m_probes = reinterpret_cast<float*>(base + copyBytes);
    m_rowsInFull = reinterpret_cast<unsigned long long*>(base + bytes - kAlignment);
    m_info.unreadBytes = m_formats.bytes(m_model.head()) - cuda::upperBitsBytes(head.rows, head.columns);
    m_info.weightBytes -= m_info.unreadBytes;
    return {};
}

int64_t CudaBackend::headRowsInFull() const {
    unsigned long long rows = 0;
    if (m_rowsInFull == nullptr || cudaMemcpy(&rows, m_rowsInFull, sizeof rows, cudaMemcpyDeviceToHost) != cudaSuccess)
        return 0;
    return static_cast<int64_t>(rows);
}

cudaError_t CudaBackend::enqueueHeadByBounds(const PlanOp& op, const cuda::Launch& launch) {
    const auto head = std::get<cuda::WeightMatrix>(m_weights.matrix(op.matrices[0]));
    const int tokens = static_cast<int>(op.tokens);
    if (op.kind == OpKind::HeadBounds && op.norms[1] == nullptr)
        return cuda::gemvHeadBoundsRows(
            {halves(op.in[0]), tokens, head, m_upperHead, floats(op.out[0]), m_probes, m_argmaxBlocks}, launch);
    if (op.kind == OpKind::HeadBounds)
        return cuda::gemvNormHeadBounds(
            {normInput(op), head, m_upperHead, halves(op.out[1]), floats(op.out[0]), m_probes, m_argmaxBlocks}, launch);
    return cuda::chooseByBounds({head, halves(op.in[1]), floats(op.in[0]), m_probes, m_argmaxBlocks, m_partialValues,
                                 m_partialIndices, m_argmaxBlocks, m_rowsInFull, tokens},
                                launch);
}

}  // namespace gapscope

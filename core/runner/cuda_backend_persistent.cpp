// The persistent mode of the CUDA backend: what its one kernel a token needs to know of the model.
#include "core/runner/cuda_backend.h"

#include <span>
#include <string>
#include <vector>

namespace gapscope {

Status CudaBackend::checkPersistent() const {
    if (m_properties.major < cuda::kPersistentCapability)
        return fail(std::string("Mode persistent needs a GPU of compute capability 9.0 or later; ") +
                        m_properties.name + " has " + std::to_string(m_properties.major) + "." +
                        std::to_string(m_properties.minor) + ". Take mode graph.",
                    ErrorKind::WrongUse);
    for (const MatrixView* matrix : m_formats.matrices()) {
        const bool isTable = matrix->data == m_model.embedding().data || matrix->data == m_model.head().data;
        const bool isInt8 = persistentFormat() == CudaFormat::Int8;
        if (m_formats.of(*matrix) != (isTable && isInt8 ? CudaFormat::Bf16 : persistentFormat()))
            return fail(
                "Mode persistent takes weights of which all are in 16 bit or all in block types, and this file has "
                "both: take precision bf16 or int8, or mode graph.",
                ErrorKind::WrongUse);
    }
    return {};
}

CudaFormat CudaBackend::persistentFormat() const {
    return m_formats.of(m_model.layers().front().q);
}

Status CudaBackend::preparePersistent(Compiled& compiled) {
    switch (persistentFormat()) {
        case CudaFormat::Int8:
            return preparePersistentOf<cuda::Int8Matrix>(compiled);
        case CudaFormat::Packed:
            return preparePersistentOf<cuda::PackedMatrix>(compiled);
        case CudaFormat::Bf16:
            break;
    }
    return preparePersistentOf<cuda::WeightMatrix>(compiled);
}

template <class Matrix>
Status CudaBackend::preparePersistentOf(Compiled& compiled) {
    cuda::PersistentDecodeArgsOf<Matrix> args;
    std::vector<cuda::PersistentLayerOf<Matrix>> layers;
    const auto matrix = [&](const MatrixView& view) { return std::get<Matrix>(m_weights.matrix(&view)); };
    const auto table = [&](const MatrixView& view) {
        return std::get<cuda::PersistentTableOf<Matrix>>(m_weights.matrix(&view));
    };
    const auto norm = [&](const std::vector<float>& values) { return m_weights.norm(&values).onePlus; };
    for (size_t i = 0; i < m_model.layers().size(); ++i) {
        const LayerWeights& weights = m_model.layers()[i];
        const bool global = m_config.isGlobal[i];
        layers.push_back({.query = matrix(weights.q),
                          .key = matrix(weights.k),
                          .value = matrix(weights.v),
                          .output = matrix(weights.output),
                          .gate = matrix(weights.gate),
                          .up = matrix(weights.up),
                          .down = matrix(weights.down),
                          .inputNorm = norm(weights.inputNorm),
                          .postAttentionNorm = norm(weights.postAttentionNorm),
                          .preFeedForwardNorm = norm(weights.preFeedForwardNorm),
                          .postFeedForwardNorm = norm(weights.postFeedForwardNorm),
                          .queryNorm = norm(weights.queryNorm),
                          .keyNorm = norm(weights.keyNorm),
                          .cache = m_caches[i],
                          .window = global ? 0 : static_cast<int>(m_config.slidingWindow),
                          .splits = m_splits[i],
                          .global = global ? 1 : 0});
    }
    constexpr size_t kAlignment = 256;
    const size_t bytes = layers.size() * sizeof(layers.front());
    const size_t exchangeAt = (bytes + kAlignment - 1) / kAlignment * kAlignment;
    const std::span<const cuda::PersistentLayerOf<Matrix>> described(layers);
    const size_t exchangeBytes =
        cuda::persistentExchangeBytes(described, static_cast<int>(m_config.heads), static_cast<int>(m_config.headDim));
    void* raw = nullptr;
    cudaError_t error = cudaMalloc(&raw, exchangeAt + exchangeBytes);
    m_persistentMemory.reset(raw);
    if (error == cudaSuccess) error = cudaMemcpy(raw, layers.data(), bytes, cudaMemcpyHostToDevice);
    args.layers = static_cast<const cuda::PersistentLayerOf<Matrix>*>(raw);
    args.exchange = static_cast<std::byte*>(raw) + exchangeAt;
    if (error == cudaSuccess) error = cudaMemset(args.exchange, 0, exchangeBytes);
    if (error != cudaSuccess) return cudaFailure("The GPU gave no memory for the persistent mode's layers", error);
    args.headDim = static_cast<int>(m_config.headDim);
    args.table = table(m_model.embedding());
    args.head = table(m_model.head());
    args.upper = m_upperHead;
    args.rowsInFull = m_rowsInFull;
    args.outputNorm = norm(m_model.outputNorm());
    args.embeddingScale = static_cast<float>(m_config.embeddingScale);
    args.epsilon = static_cast<float>(m_config.rmsEpsilon);
    args.attentionScale = static_cast<float>(m_config.attentionScale);
    args.heads = static_cast<int>(m_config.heads);
    args.localFrequencies = m_frequenciesLocal;
    args.globalFrequencies = m_frequenciesGlobal;
    args.globalScale = static_cast<float>(m_config.ropeScaleGlobal);
    args.logits = floats({Buffer::Logits});
    args.partialValues = m_partialValues;
    args.partialIndices = m_partialIndices;
    args.ids = m_ids;
    args.state = m_state;
    args.ring = m_ring;
    args.ringSize = static_cast<int>(m_contextLength + m_chunkTokens);
    args.arrivals = m_arrivals;
    countCost(compiled);
    compiled.persistent = std::make_unique<cuda::PersistentDecode>();
    error = compiled.persistent->prepare(described, args, m_properties.multiProcessorCount);
    if (error != cudaSuccess) return cudaFailure("The GPU cannot run this model as one kernel a token", error);
    // Where only launches are timed, what is inside them is not asked for either.
    if (m_log.level() == TraceLevel::Full) {
        ASSIGN_OR_RETURN(compiled.stages,
                         PersistentStages::create(compiled.plan, static_cast<int>(described.size()), m_log));
    }
    return {};
}

}  // namespace gapscope

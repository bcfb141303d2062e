#include "core/runner/cuda_backend.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>
#include <utility>

#include "core/runner/cuda_peaks.h"
#include "core/runner/device_peaks.h"
#include "core/runner/kv_cache.h"
#include "kernels/cuda/embedding.h"
#include "kernels/cuda/memory_bandwidth.h"

namespace gapscope {

namespace {

constexpr int64_t kAlignment = 256;
constexpr int64_t kReserveBytes = int64_t{256} << 20;  // for the context, kernels and cuBLASLt
constexpr int kOverlapCapability = 9;                  // programmatic dependent launch

std::string gigabytes(int64_t bytes) {
    const int64_t tenths = (bytes + 50'000'000) / 100'000'000;
    return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " GB";
}

int64_t aligned(int64_t bytes) {
    return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

std::vector<float> inverseFrequencies(double theta, int64_t headDim) {
    std::vector<float> values;
    for (int64_t i = 0; i < headDim / 2; ++i)
        values.push_back(
            static_cast<float>(std::pow(theta, -2.0 * static_cast<double>(i) / static_cast<double>(headDim))));
    return values;
}

}  // namespace

CudaBackend::CudaBackend(const Model& model, const BackendSettings& settings, ActivityLog& log)
    : m_model(model),
      m_config(model.config()),
      m_log(log),
      m_mode(settings.mode),
      m_formats(model, settings.precision),
      m_precision(settings.precision),
      m_device(settings.deviceId),
      m_contextLength(settings.contextLength),
      m_chunkTokens(std::max<int64_t>(settings.chunkTokens, 1)),
      m_checkedTokens(std::max<int64_t>(settings.checkedTokens, 1)),
      m_pageCount(settings.pages) {
    assert(m_checkedTokens <= m_chunkTokens);
    m_info.device = "cuda:" + std::to_string(m_device);
}

CudaBackend::~CudaBackend() {
    // Copies may still be on their way to memory that goes away here.
    if (m_stream) cudaStreamSynchronize(m_stream.get());
}

Result<std::unique_ptr<CudaBackend>> CudaBackend::create(const Model& model, const BackendSettings& settings,
                                                         ActivityLog& log) {
    const ModelConfig& config = model.config();
    for (const int64_t size : {config.hidden, config.feedForward, config.headDim})
        if (size % cuda::kRowPadding != 0)
            return fail("The GPU backend needs layer sizes that are multiples of 8; this model has one of " +
                        std::to_string(size) + ". Run it on the CPU.");
    if (config.headDim % 16 != 0 || config.headDim > cuda::kMaxHeadDim || config.heads > cuda::kMostCombinedHeads)
        return fail(
            "The GPU backend takes heads of at most 256 numbers (a multiple of 16), at most 64 of them; this "
            "model has " +
            std::to_string(config.heads) + " of " + std::to_string(config.headDim) + ". Run it on the CPU.");
    std::unique_ptr<CudaBackend> backend(new CudaBackend(model, settings, log));
    RETURN_IF_ERROR(backend->prepareDevice(settings));
    if (settings.mode == Mode::Persistent) RETURN_IF_ERROR(backend->checkPersistent());
    ASSIGN_OR_RETURN(backend->m_weights, CudaWeights::upload(model, backend->m_formats, settings));
    RETURN_IF_ERROR(backend->allocate());
    RETURN_IF_ERROR(backend->preparePages(settings));
    backend->m_info.weightBytes = backend->m_weights.tokenBytes();
    RETURN_IF_ERROR(backend->prepareUpperHead());
    if (auto cublas = CublasLt::open())
        backend->m_cublas = std::move(*cublas);
    else
        backend->m_missingLibrary = cublas.error().message;
    if (backend->m_cublas && !settings.drafts) {
        const DevicePeakRates peaks = devicePeaks(
            devicePeaksFile(), "gpu, " + backend->m_info.deviceName + ", bf16",
            {backend->m_info.peakBytesPerSecond, measureArithmeticRate(*backend->m_cublas, backend->m_stream.get())});
        backend->m_info.peakBytesPerSecond = peaks.bytesPerSecond;
        backend->m_info.peakFlopsPerSecond = peaks.flopsPerSecond;
    }
    return backend;
}

Status CudaBackend::prepareDevice(const BackendSettings& settings) {
    if (const cudaError_t error = cudaSetDevice(m_device); error != cudaSuccess)
        return cudaFailure("GPU " + std::to_string(m_device) + " could not be opened", error);
    if (const cudaError_t error = cudaGetDeviceProperties(&m_properties, m_device); error != cudaSuccess)
        return cudaFailure("GPU " + std::to_string(m_device) + " could not be asked what it is", error);
    m_info.deviceName = std::string(m_properties.name) + ", " +
                        gigabytes(static_cast<int64_t>(m_properties.totalGlobalMem)) + ", sm_" +
                        std::to_string(m_properties.major) + std::to_string(m_properties.minor);
    // Of one device once: the backend that checks a draft model's guesses has done it.
    if (!settings.drafts) {
        if (settings.onProgress) settings.onProgress("Measuring the GPU's memory", 0);
        const cuda::BandwidthMeasurement measured = cuda::measureReadBandwidth(m_device, 5);
        m_info.peakBytesPerSecond = measured.bytesPerSecond;  // until the arithmetic is measured, too
    }

    // Sizes first, so that a model that does not fit is refused before anything is read.
    m_argmaxBlocks = cuda::gemvHeadBlocks(m_properties.multiProcessorCount);
    int64_t cacheBytes = 0;
    for (int64_t i = 0; i < m_config.layers; ++i) {
        const bool global = m_config.isGlobal[static_cast<size_t>(i)];
        cuda::KvCache cache;
        cache.slots = static_cast<int>(global ? m_contextLength : localSlots(m_config, m_contextLength, m_chunkTokens));
        cache.kvHeads = static_cast<int>(m_config.kvHeads);
        cache.headDim = static_cast<int>(m_config.headDim);
        cacheBytes += 2 * static_cast<int64_t>(sizeof(cuda::Bf16)) * cache.slots * cache.kvHeads * cache.headDim;
        m_splits.push_back(splitsOf(m_contextLength, global));
        m_caches.push_back(cache);
    }
    cacheBytes += CudaPages::bytesFor(m_config, m_pageCount);
    m_info.kvBytes = cacheBytes;
    int64_t need = CudaWeights::bytesFor(m_model, m_formats) + cacheBytes + CublasLt::kWorkspaceBytes + kReserveBytes;
    for (int i = 0; i < kBufferCount; ++i)
        need += bufferBytes(static_cast<Buffer>(i));
    size_t freeBytes = 0;
    size_t totalBytes = 0;
    if (const cudaError_t error = cudaMemGetInfo(&freeBytes, &totalBytes); error != cudaSuccess)
        return cudaFailure("The GPU could not be asked for its free memory", error);
    if (need > static_cast<int64_t>(freeBytes))
        return fail("This run needs " + gigabytes(need) + " of GPU memory (weights and a cache for " +
                    std::to_string(m_contextLength) + " tokens) and " + m_properties.name + " has " +
                    gigabytes(static_cast<int64_t>(freeBytes)) + " free of " +
                    gigabytes(static_cast<int64_t>(totalBytes)) +
                    "; close what else uses it, take a smaller model or context, or run on the CPU.");
    if (const int64_t kept = pagesToKeep(settings.keptTokens, static_cast<int64_t>(freeBytes) - need); kept > 0) {
        m_pageCount = kept;
        m_info.keptTokens = kept * kKvPagePositions;
        const int64_t keptBytes = CudaPages::bytesFor(m_config, kept);
        m_info.kvBytes += keptBytes;
        need += keptBytes;
    }
    m_copiesHead = wantsUpperHead(settings) && need + upperHeadBytes() <= static_cast<int64_t>(freeBytes);
    cudaStream_t stream = nullptr;
    if (const cudaError_t error = cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking); error != cudaSuccess)
        return cudaFailure("The GPU gave no stream", error);
    m_stream.reset(stream);
    return {};
}

int64_t CudaBackend::bufferBytes(Buffer buffer) const {
    const int64_t rows = m_chunkTokens;
    const int64_t queries = m_config.heads * m_config.headDim;
    const int64_t widest = std::max(m_config.hidden, queries);
    const auto floatsOf = [](int64_t count) { return aligned(count * static_cast<int64_t>(sizeof(float))); };
    switch (buffer) {
        case Buffer::ResidualOther:
            return floatsOf(m_config.hidden);
        case Buffer::Query:  // of a prompt with its keys and values beside it
            return floatsOf(rows * (queries + 2 * m_config.kvHeads * m_config.headDim));
        case Buffer::Activated:
            return floatsOf(rows * m_config.feedForward);
        case Buffer::Projected:
        case Buffer::FloatInput:
        case Buffer::FloatProduct:
        case Buffer::Negated:
            return floatsOf(rows * widest);
        case Buffer::FloatWeights:
            return floatsOf(widest);
        case Buffer::Partials: {
            const int splits = *std::max_element(m_splits.begin(), m_splits.end());
            return floatsOf(cuda::attentionPartialFloats(static_cast<int>(m_checkedTokens),
                                                         static_cast<int>(m_config.heads),
                                                         static_cast<int>(m_config.headDim), splits));
        }
        case Buffer::LogitsBf16:
        case Buffer::Logits:
            return floatsOf(m_checkedTokens * m_config.vocabulary);
        case Buffer::Ids:
            return floatsOf(rows);
        case Buffer::WeightsBf16: {
            int64_t largest = 0;
            for (const MatrixView* matrix : m_formats.matrices())
                if (m_formats.of(*matrix) == CudaFormat::Packed && matrix->data != m_model.head().data &&
                    matrix->data != m_model.embedding().data)
                    largest = std::max(largest, matrix->rows * matrix->columns);
            for (const LayerWeights& layer : m_model.layers())
                if (m_formats.of(layer.q) == CudaFormat::Packed)
                    largest = std::max(largest, (layer.q.rows + layer.k.rows + layer.v.rows) * layer.q.columns);
            return aligned(rows > 1 ? largest * static_cast<int64_t>(sizeof(cuda::Bf16)) : 0);
        }
        default:
            if (buffer >= Buffer::HalfInput)
                return m_precision == Precision::Int8 ? aligned(int8BufferBytes(buffer)) : 0;
            return floatsOf(rows * bufferColumns(buffer, m_config));
    }
}

Status CudaBackend::allocate() {
    int64_t bytes = CublasLt::kWorkspaceBytes;
    const auto take = [&bytes](int64_t size) {
        const int64_t at = bytes;
        bytes += aligned(size);
        return at;
    };
    std::array<int64_t, kBufferCount> bufferAt{};
    for (int i = 0; i < kBufferCount; ++i)
        bufferAt[static_cast<size_t>(i)] = take(bufferBytes(static_cast<Buffer>(i)));
    std::vector<int64_t> cacheAt;
    for (const cuda::KvCache& cache : m_caches)
        for (int half = 0; half < 2; ++half)
            cacheAt.push_back(
                take(static_cast<int64_t>(sizeof(cuda::Bf16)) * cache.slots * cache.kvHeads * cache.headDim));
    const int64_t frequencyBytes = m_config.headDim / 2 * static_cast<int64_t>(sizeof(float));
    const int64_t localAt = take(frequencyBytes);
    const int64_t globalAt = take(frequencyBytes);
    const int64_t tableAt = take(4 * frequencyBytes * m_chunkTokens);
    const int64_t stateAt = take(sizeof(cuda::StepState));
    const int64_t valuesAt = take(m_checkedTokens * m_argmaxBlocks * static_cast<int64_t>(sizeof(float)));
    const int64_t indicesAt = take(m_checkedTokens * m_argmaxBlocks * static_cast<int64_t>(sizeof(int32_t)));
    const int64_t arrivalsAt = take(static_cast<int64_t>(sizeof(unsigned)));
    const int64_t partArrivalsAt = take(m_checkedTokens * m_config.heads * static_cast<int64_t>(sizeof(unsigned)));

    void* raw = nullptr;
    if (const cudaError_t error = cudaMalloc(&raw, static_cast<size_t>(bytes)); error != cudaSuccess)
        return cudaFailure("The GPU gave no memory for a context of " + std::to_string(m_contextLength) + " tokens",
                           error);
    m_memory.reset(raw);
    auto* const base = static_cast<std::byte*>(raw);
    m_workspace = base;
    for (size_t i = 0; i < kBufferCount; ++i)
        m_buffers[i] = base + bufferAt[i];
    for (size_t i = 0; i < m_caches.size(); ++i) {
        m_caches[i].keys = reinterpret_cast<cuda::Bf16*>(base + cacheAt[2 * i]);
        m_caches[i].values = reinterpret_cast<cuda::Bf16*>(base + cacheAt[2 * i + 1]);
    }
    m_frequenciesLocal = reinterpret_cast<float*>(base + localAt);
    m_frequenciesGlobal = reinterpret_cast<float*>(base + globalAt);
    m_ropeTable = reinterpret_cast<float*>(base + tableAt);
    m_state = reinterpret_cast<cuda::StepState*>(base + stateAt);
    m_arrivals = reinterpret_cast<unsigned*>(base + arrivalsAt);
    m_partArrivals = reinterpret_cast<unsigned*>(base + partArrivalsAt);
    m_partialValues = reinterpret_cast<float*>(base + valuesAt);
    m_partialIndices = reinterpret_cast<int32_t*>(base + indicesAt);
    m_ids = reinterpret_cast<int32_t*>(m_buffers[static_cast<size_t>(Buffer::Ids)]);

    const auto stagingCount = static_cast<size_t>(m_contextLength + m_chunkTokens);
    const size_t logitsBytes = static_cast<size_t>(m_config.vocabulary) * sizeof(float);
    const cudaError_t pinned =
        cudaHostAlloc(&raw, (2 * stagingCount + 1) * sizeof(int32_t) + logitsBytes, cudaHostAllocMapped);
    if (pinned != cudaSuccess) return cudaFailure("No pinned memory could be had", pinned);
    m_hostMemory.reset(raw);
    m_hostLogits = static_cast<float*>(raw);
    m_staging = reinterpret_cast<int32_t*>(m_hostLogits + m_config.vocabulary);
    m_ring = m_staging + stagingCount;
    m_outlierFlag = m_ring + stagingCount;
    *m_outlierFlag = 0;

    const std::vector<float> local = inverseFrequencies(m_config.ropeThetaLocal, m_config.headDim);
    const std::vector<float> global = inverseFrequencies(m_config.ropeThetaGlobal, m_config.headDim);
    const auto count = static_cast<size_t>(frequencyBytes);
    // What was never written reads as zeros: rows of the ring, ids.
    cudaError_t error = cudaMemset(base, 0, static_cast<size_t>(bytes));
    if (error == cudaSuccess) error = cudaMemcpy(m_frequenciesLocal, local.data(), count, cudaMemcpyHostToDevice);
    if (error == cudaSuccess) error = cudaMemcpy(m_frequenciesGlobal, global.data(), count, cudaMemcpyHostToDevice);
    if (error == cudaSuccess) error = cudaDeviceSynchronize();
    if (error != cudaSuccess) return cudaFailure("The GPU could not be set up", error);
    return {};
}

Result<Backend::PlanId> CudaBackend::add(Plan plan) {
    auto compiled = std::make_unique<Compiled>();
    compiled->plan = std::move(plan);
    const int64_t tokens = compiled->plan.request.tokens;
    for (const PlanOp& op : compiled->plan.ops)
        compiled->activityOps.push_back(m_log.describe(describeOp(op, compiled->plan.request)));
    const bool checks = compiled->plan.request.checksDrafts;
    const std::string name = graphName(compiled->plan.request);
    std::string shape("[");
    shape += std::to_string(tokens);
    shape += ']';
    const CudaFormat weights = persistentFormat();
    const std::string format = weights == CudaFormat::Int8 ? "int8" : weights == CudaFormat::Packed ? "packed" : "bf16";
    compiled->graphOp =
        m_mode == Mode::Persistent && tokens == 1 && !checks
            ? m_log.describe({"persistent_decode_" + format, "decode", shape, format, Category::Gemm, -1})
            : m_log.describe({name, name, shape, "", Category::Other, -1});
    // A prompt's plan runs once or twice; making a graph of it would take longer than it saves.
    // A persistent step takes one token; its logits are those of a graph, and so are those of drafts checked by one.
    // Steps of a batch likewise.
    if ((m_mode == Mode::Graph && tokens == 1) || (checks && m_mode != Mode::Fused && m_mode != Mode::Eager))
        RETURN_IF_ERROR(captureGraph(*compiled));
    if (m_mode == Mode::Persistent && tokens == 1 && compiled->plan.request.head && !checks)
        RETURN_IF_ERROR(preparePersistent(*compiled));
    m_plans.push_back(std::move(compiled));
    return m_plans.size() - 1;
}

Status CudaBackend::captureGraph(Compiled& compiled) {
    cudaStream_t stream = m_stream.get();
    cudaError_t error = cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal);
    if (error != cudaSuccess) return cudaFailure("The GPU could not begin a graph", error);
    cudaError_t failed = cudaSuccess;
    for (size_t i = 0; i < compiled.plan.ops.size() && failed == cudaSuccess; ++i) {
        const PlanOp& op = compiled.plan.ops[i];
        // The choice waits for the whole head: started with it, its time on the timeline would be the head's.
        const bool overlap = m_properties.major >= kOverlapCapability && op.kind != OpKind::Argmax;
        const LaunchScope scope(m_log, contextOf(compiled, i, Step{}));
        failed = enqueue(op, false, launchOn(overlap));
    }
    cudaGraph_t graph = nullptr;
    error = cudaStreamEndCapture(stream, &graph);
    if (failed != cudaSuccess) error = failed;
    cudaGraphExec_t executable = nullptr;
    if (error == cudaSuccess) error = cudaGraphInstantiate(&executable, graph, 0);
    if (graph) cudaGraphDestroy(graph);
    if (error != cudaSuccess) return cudaFailure("The GPU could not make a graph of a decode step", error);
    compiled.graph.reset(executable);
    countCost(compiled);
    // Its upload to the device belongs here and not into the first token.
    note(cudaGraphUpload(executable, stream), nullptr, "uploading a graph");
    return status();
}

void CudaBackend::countCost(Compiled& compiled) const {
    for (size_t i = 0; i < compiled.plan.ops.size(); ++i) {
        const PlanOp& op = compiled.plan.ops[i];
        if (op.costPerKey.bytes != 0 || op.costPerKey.flops != 0) {
            compiled.growing.push_back(i);
        } else {
            compiled.graphCost.bytes += op.fixedCost.bytes;
            compiled.graphCost.flops += op.fixedCost.flops;
        }
    }
    compiled.growths.resize(compiled.growing.size());
}

LaunchContext CudaBackend::contextOf(const Compiled& compiled, size_t index, const Step& step) const {
    const PlanOp& op = compiled.plan.ops[index];
    const bool apart = compiled.plan.request.batch && step.rows != nullptr;
    const OpCost cost = apart ? op.cost(step.rows->positions) : op.cost(step.position);
    return {compiled.activityOps[index], op.head ? step.headToken : step.bodyToken, step.repeat, cost.bytes,
            cost.flops};
}

void CudaBackend::note(cudaError_t error, const PlanOp* op, const char* what) {
    if (error == cudaSuccess || !m_status) return;
    std::string where(what);
    if (op) {
        where += " " + op->opName;
        if (op->layer >= 0) where += " of layer " + std::to_string(op->layer);
    }
    m_status = cudaFailure("The GPU stopped at " + where, error);
}

Status CudaBackend::status() {
    return m_status;
}

void CudaBackend::placePosition(const Step& step) {
    if (m_position == step.position) return;
    const LaunchScope scope(m_log, besidePlan(step.bodyToken, step));
    note(cuda::setPosition(m_state, static_cast<int32_t>(step.position), launchOn(false)), nullptr,
         "setting the position");
    m_position = step.position;
}

void CudaBackend::uploadIds(const Step& step, std::span<const int32_t> ids) {
    if (!m_status || m_cancelled.load(std::memory_order_relaxed)) return;
    int32_t* const from = m_staging + step.position;
    // The stream may still read what an earlier repeat put at this position.
    if (step.position == 0) note(cudaStreamSynchronize(m_stream.get()), nullptr, "waiting");
    std::copy(ids.begin(), ids.end(), from);
    const LaunchScope scope(m_log, besidePlan(step.bodyToken, step));
    note(cudaMemcpyAsync(m_ids, from, ids.size_bytes(), cudaMemcpyHostToDevice, m_stream.get()), nullptr,
         "copying token ids");
}

// Where a graph's launch gaps are to be gone, those of a prompt's kernels are to be small. The steps of LLM.int8() do
// not wait for what is before them.
bool CudaBackend::overlapsInStream(const PlanOp& op) const {
    const bool wanted = m_mode == Mode::Graph || m_mode == Mode::Persistent;
    return wanted && m_properties.major >= kOverlapCapability && op.kind != OpKind::Argmax &&
           op.kind < OpKind::CastHalf;
}

void CudaBackend::launch(PlanId id, size_t index, const Step& step) {
    if (!m_status || m_cancelled.load(std::memory_order_relaxed)) return;
    const Compiled& compiled = *m_plans[id];
    const PlanOp& op = compiled.plan.ops[index];
    if (index == 0) beforePlan(compiled.plan, step);
    if (!op.onlyWithOutliers || *m_outlierFlag != 0) {
        const LaunchScope scope(m_log, contextOf(compiled, index, step));
        note(enqueue(op, compiled.plan.request.eager, launchOn(overlapsInStream(op))), &op, "launching");
    }
    if (index + 1 == compiled.plan.ops.size()) afterPlan(compiled.plan, step);
}

void CudaBackend::launchGraph(PlanId id, const Step& step) {
    Compiled& compiled = *m_plans[id];
    if (!compiled.graph && !compiled.persistent) {
        for (size_t i = 0; i < compiled.plan.ops.size(); ++i)
            launch(id, i, step);
        return;
    }
    if (!m_status || m_cancelled.load(std::memory_order_relaxed)) return;
    beforePlan(compiled.plan, step);
    // The rest costs what it cost when it was captured.
    LaunchContext whole{compiled.graphOp, step.headToken, step.repeat, compiled.graphCost.bytes,
                        compiled.graphCost.flops};
    if (m_log.deviceTracer()) {
        for (size_t i = 0; i < compiled.growing.size(); ++i) {
            compiled.growths[i] = contextOf(compiled, compiled.growing[i], step);
            whole.bytes += compiled.growths[i].bytes;
            whole.flops += compiled.growths[i].flops;
        }
    }
    if (compiled.persistent) {
        StageStamps::Launch stages;
        if (compiled.stages && m_log.deviceTracer()) stages = compiled.stages->next(m_log);
        whole.stages = stages.number;
        const LaunchScope scope(m_log, whole);
        note(compiled.persistent->launch(m_stream.get(), stages.stamps), nullptr, "launching a persistent step");
    } else {
        const LaunchScope scope(m_log, whole, compiled.growths);
        note(cudaGraphLaunch(compiled.graph.get(), m_stream.get()), nullptr, "launching a graph");
    }
    afterPlan(compiled.plan, step);
}

Status CudaBackend::readTokens(const Step& step, std::span<int32_t> ids) {
    // `step.position` is already that of the next token: the entry that argmax wrote.
    if (m_mode == Mode::Eager) {
        const LaunchScope scope(m_log, besidePlan(step.headToken, step));
        note(cudaMemcpyAsync(m_ring + step.position, ids.size() > 1 ? m_ids : &m_state->token, ids.size_bytes(),
                             cudaMemcpyDeviceToHost, m_stream.get()),
             nullptr, "copying tokens");
    }
    RETURN_IF_ERROR(synchronize());
    std::copy_n(m_ring + step.position, ids.size(), ids.begin());
    return {};
}

Status CudaBackend::readLogits(const Step& step, int64_t row, std::span<float> logits) {
    {
        const LaunchScope scope(m_log, besidePlan(step.headToken, step));
        note(cudaMemcpyAsync(m_hostLogits, floats({Buffer::Logits, row}, m_config.vocabulary), logits.size_bytes(),
                             cudaMemcpyDeviceToHost, m_stream.get()),
             nullptr, "copying logits");
    }
    RETURN_IF_ERROR(synchronize());
    std::copy_n(m_hostLogits, logits.size(), logits.begin());
    return {};
}

Status CudaBackend::synchronize() {
    note(cudaStreamSynchronize(m_stream.get()), nullptr, "waiting for the end of its work");
    for (const auto& compiled : m_plans)
        if (m_status && compiled->stages) compiled->stages->tell(m_log);
    return status();
}

Result<std::unique_ptr<Backend>> createCudaBackend(const Model& model, const BackendSettings& settings,
                                                   ActivityLog& log) {
    ASSIGN_OR_RETURN(std::unique_ptr<CudaBackend> backend, CudaBackend::create(model, settings, log));
    return std::unique_ptr<Backend>(std::move(backend));
}

}  // namespace gapscope

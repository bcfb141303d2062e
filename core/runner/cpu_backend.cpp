#include "core/runner/cpu_backend.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>
#include <new>
#include <utility>

#include "core/runner/device_peaks.h"
#include "core/runner/devices.h"

namespace gapscope {

namespace {

constexpr int64_t kMostThreads = 1024;

struct Cancelled {};  // leaves the middle of packing

std::string shapeText(int64_t size) {
    std::string text = "[";
    text += std::to_string(size);
    text += ']';
    return text;
}

}  // namespace

CpuBackend::CpuBackend(const Model& model, const BackendSettings& settings, ActivityLog& log)
    : m_model(model),
      m_config(model.config()),
      m_log(log),
      m_isa(bestIsa()),
      m_ops(cpuOps(m_isa)),
      m_arithmetic(settings.precision == Precision::Fp32 ? Arithmetic::Exact : Arithmetic::Quantized),
      // note: fp32 for fast runs too. Half as many bytes would gain little beside the weights and cost accuracy.
      m_kvType(KvType::F32),
      m_cache(settings.pages > 0
                  ? std::make_shared<KvCache>(m_config, m_kvType, settings.pages)
                  : std::make_shared<KvCache>(m_config, m_kvType, settings.contextLength, settings.chunkTokens)) {
    if (settings.prefix)
        m_cache->copyPrefix(*std::static_pointer_cast<const KvCache>(settings.prefix), settings.prefixTokens);
    m_info.device = "cpu";
    m_info.threads = std::clamp<int64_t>(settings.threads > 0 ? settings.threads : physicalCores(), 1, kMostThreads);
    m_info.deviceName = cpuName() + ", " + std::string(isaName(m_isa)) + ", " + std::to_string(m_info.threads) +
                        (m_info.threads == 1 ? " thread" : " threads");
    m_info.kvBytes = m_cache->bytes();
}

CpuBackend::~CpuBackend() = default;

Result<std::unique_ptr<CpuBackend>> CpuBackend::create(const Model& model, const BackendSettings& settings,
                                                       ActivityLog& log) {
    try {
        std::unique_ptr<CpuBackend> backend(new CpuBackend(model, settings, log));
        // Only a trace asks how near to the machine's limits a kernel came. Before packing: it needs memory of its own.
        if (log.enabled() && !settings.drafts) {
            const DevicePeakRates peaks = cpuPeaks(static_cast<int>(backend->m_info.threads));
            backend->m_info.peakBytesPerSecond = peaks.bytesPerSecond;
            backend->m_info.peakFlopsPerSecond = peaks.flopsPerSecond;
        }
        RETURN_IF_ERROR(backend->packWeights(settings));
        backend->allocateBuffers(settings);
        backend->makeInverseFrequencies();
        backend->m_stream =
            std::make_unique<CpuStream>(static_cast<int>(backend->m_info.threads), log,
                                        settings.drafts ? CpuStream::kDraftStreamId : CpuStream::kStreamId);
        return backend;
    } catch (const std::bad_alloc&) {
        return fail("There is not enough memory for the weights and a context of " +
                    std::to_string(settings.contextLength) + " tokens; try a smaller model or context.");
    } catch (const std::system_error& error) {
        return fail("The worker threads could not be started: " + std::string(error.what()) + ".");
    }
}

Status CpuBackend::packWeights(const BackendSettings& settings) {
    std::vector<const MatrixView*> matrices{&m_model.head()};
    for (const LayerWeights& layer : m_model.layers())
        for (const MatrixView* matrix :
             {&layer.q, &layer.k, &layer.v, &layer.output, &layer.gate, &layer.up, &layer.down})
            matrices.push_back(matrix);
    std::vector<MatrixView> views;
    int64_t total = 0;
    for (const MatrixView* matrix : matrices) {
        views.push_back(*matrix);
        total += matrix->bytes();
    }
    int64_t done = 0;
    int64_t rowsBefore = 0;
    const auto onRows = [&](size_t index, int64_t rowsDone) {
        // Let the mapped pages go while packing goes on: file and copy are never in memory both.
        const MatrixView& view = views[index];
        const MatrixView part{view.type, rowsDone - rowsBefore, view.columns, view.row(rowsBefore)};
        m_model.releasePages(part);
        done += part.bytes();
        rowsBefore = rowsDone == view.rows ? 0 : rowsDone;
        if (settings.onProgress)
            settings.onProgress("Preparing weights", static_cast<double>(done) / static_cast<double>(total));
        if (settings.stop.stop_requested()) throw Cancelled();
    };
    std::vector<PackedMatrix> packed;
    try {
        if (settings.onlyChooses && settings.mode != Mode::Eager && m_arithmetic == Arithmetic::Quantized)
            m_upperHead = packUpperBits(m_model.head(), m_ops.isa, [&, before = int64_t{0}](int64_t rows) mutable {
                const MatrixView& head = m_model.head();
                m_model.releasePages({head.type, rows - before, head.columns, head.row(before)});
                before = rows;
                if (settings.stop.stop_requested()) throw Cancelled();
            });
        packed = PackedMatrix::packAll(views, m_isa, m_arithmetic, onRows);
    } catch (const Cancelled&) {
        return fail("Cancelled.", ErrorKind::Cancelled);
    }
    if (m_upperHead) m_info.unreadBytes = packed[0].bytes() - m_upperHead->bytes();
    for (size_t i = 0; i < packed.size(); ++i) {
        m_info.weightBytes += i == 0 && m_upperHead ? m_upperHead->bytes() : packed[i].bytes();
        m_packed.emplace(matrices[i], std::move(packed[i]));
    }
    // Norm weights, read as they are.
    for (const LayerWeights& layer : m_model.layers())
        m_info.weightBytes += 4 * static_cast<int64_t>(4 * layer.inputNorm.size() + 2 * layer.queryNorm.size());
    m_info.weightBytes += 4 * static_cast<int64_t>(m_model.outputNorm().size());
    return {};
}

void CpuBackend::allocateBuffers(const BackendSettings& settings) {
    const int64_t rows = std::max<int64_t>(settings.chunkTokens, 1);
    const int64_t checked = std::max<int64_t>(settings.checkedTokens, 1);
    assert(checked <= rows);
    for (int i = 0; i < kBufferCount; ++i) {
        const auto buffer = static_cast<Buffer>(i);
        if (buffer == Buffer::Ids || buffer == Buffer::Positions) continue;
        const int64_t elements = (buffer == Buffer::Logits ? checked : rows) * columns(buffer);
        // Untouched pages cost nothing, so what only eager plans use need not be told apart.
        if (elements > 0)
            m_buffers[static_cast<size_t>(i)] = std::make_unique_for_overwrite<float[]>(static_cast<size_t>(elements));
    }
    m_ids = std::make_unique<int32_t[]>(static_cast<size_t>(rows));
    m_positions = std::make_unique<int32_t[]>(static_cast<size_t>(rows));
    const int64_t widest = (widestInput(m_config) + 31) / 32 * 32;
    m_quantized = std::make_unique_for_overwrite<std::byte[]>(static_cast<size_t>(quantizedBytes(rows, widest)));
    m_partials.resize(static_cast<size_t>(m_info.threads * checked));
    m_probes.resize(m_partials.size());
    m_staging.resize(static_cast<size_t>(settings.contextLength + rows));

    const int64_t logitsBytes = 4 * m_config.vocabulary;
    m_logitsCopy = copyKernel("memcpy_logits_to_host", logitsBytes, [this, logitsBytes](const Step&) {
        std::memcpy(m_readLogits, data({Buffer::Logits, m_readRow}), static_cast<size_t>(logitsBytes));
    });
}

void CpuBackend::makeInverseFrequencies() {
    const int64_t half = m_config.headDim / 2;
    for (int64_t i = 0; i < half; ++i) {
        const double exponent = -2.0 * static_cast<double>(i) / static_cast<double>(m_config.headDim);
        m_frequenciesLocal.push_back(static_cast<float>(std::pow(m_config.ropeThetaLocal, exponent)));
        m_frequenciesGlobal.push_back(static_cast<float>(std::pow(m_config.ropeThetaGlobal, exponent)));
    }
}

CpuKernel CpuBackend::copyKernel(const char* name, int64_t bytes, std::function<void(const Step&)> copy) {
    CpuKernel kernel;
    kernel.kind = DeviceActivityKind::Copy;
    kernel.cost.bytes = bytes;
    OpActivity activity;
    activity.kernelName = name;
    activity.opName = name;
    activity.shapes = shapeText(bytes / 4);
    activity.dtype = "f32";
    activity.category = Category::Copy;
    kernel.activityOp = m_log.describe(std::move(activity));
    kernel.stages.push_back([copy = std::move(copy)](const Step& step, Part part) {
        if (part.index == 0) copy(step);
    });
    return kernel;
}

Result<Backend::PlanId> CpuBackend::add(Plan plan) {
    auto compiled = std::make_unique<Compiled>();
    compiled->plan = std::move(plan);
    const PlanRequest& request = compiled->plan.request;
    compiled->kernels.reserve(compiled->plan.ops.size());
    for (const PlanOp& op : compiled->plan.ops) {
        CpuKernel kernel;
        kernel.op = &op;
        kernel.stages = stagesOf(op, request);
        kernel.activityOp = m_log.describe(describeOp(op, request));
        compiled->kernels.push_back(std::move(kernel));
    }
    const std::string name = graphName(request);
    compiled->graphOp = m_log.describe({name, name, shapeText(request.tokens), "", Category::Other, -1});
    m_plans.push_back(std::move(compiled));
    return m_plans.size() - 1;
}

void CpuBackend::uploadIds(const Step& step, std::span<const int32_t> ids) {
    std::copy(ids.begin(), ids.end(), m_staging.begin() + step.position);
    auto found = m_uploads.find(ids.size());
    if (found == m_uploads.end()) {
        const size_t count = ids.size();
        found = m_uploads
                    .emplace(count, copyKernel("memcpy_ids_to_device", 4 * static_cast<int64_t>(count),
                                               [this, count](const Step& at) {
                                                   std::copy_n(m_staging.begin() + at.position, count, m_ids.get());
                                               }))
                    .first;
    }
    // A copy belongs to the token that it is made for, as the layers that read the ids do.
    Step copied = step;
    copied.headToken = step.bodyToken;
    m_stream->launch(found->second, copied, "cpuMemcpyAsync");
}

void CpuBackend::launch(PlanId id, size_t op, const Step& step) {
    m_stream->launch(m_plans[id]->kernels[op], step, "cpuLaunchKernel");
}

void CpuBackend::launchGraph(PlanId id, const Step& step) {
    m_stream->launchGraph(m_plans[id]->kernels, m_plans[id]->graphOp, step, "cpuGraphLaunch");
}

Status CpuBackend::readTokens(const Step& step, std::span<int32_t> tokens) {
    auto found = m_tokenCopies.find(tokens.size());
    if (found == m_tokenCopies.end()) {
        const size_t count = tokens.size();
        found = m_tokenCopies
                    .emplace(count, copyKernel("memcpy_token_to_host", 4 * static_cast<int64_t>(count),
                                               [this, count](const Step&) { std::copy_n(ids(), count, m_readTokens); }))
                    .first;
    }
    m_readTokens = tokens.data();
    m_stream->launchAndWait(found->second, step, "cpuMemcpy");
    return {};
}

Status CpuBackend::readLogits(const Step& step, int64_t row, std::span<float> logits) {
    m_readLogits = logits.data();
    m_readRow = row;
    m_stream->launchAndWait(m_logitsCopy, step, "cpuMemcpy");
    return {};
}

Status CpuBackend::synchronize() {
    m_stream->synchronize();
    return {};
}

Result<std::unique_ptr<Backend>> createCpuBackend(const Model& model, const BackendSettings& settings,
                                                  ActivityLog& log) {
    ASSIGN_OR_RETURN(std::unique_ptr<CpuBackend> backend, CpuBackend::create(model, settings, log));
    return std::unique_ptr<Backend>(std::move(backend));
}

}  // namespace gapscope

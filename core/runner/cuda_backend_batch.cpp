// Pages on the GPU, beside the rings, and where each row of a step stands, in device memory, so that the graph of so
// many rows serves whichever sequences come and go. Prompts run as they do alone, through the rings; their keys and
// values are then copied to their pages, from which the steps of a batch read, and later prompts that begin the same.
#include <algorithm>
#include <cassert>
#include <string>

#include "core/runner/cuda_backend.h"
#include "core/runner/plan_launcher.h"
#include "kernels/cpu/kv_cache_view.h"
#include "kernels/cuda/page_copy.h"

namespace gapscope {

namespace {

constexpr int64_t kMostKeptBytes = int64_t{1} << 30;  // 40,000 tokens of the 1B shape, 2,000 of 27B

constexpr int kKeysOfASplit = 32;  // what the warps of one attention block read at once

// Of the numbers on the device: for each row its position and its parts in layers with and without a window, then the
// stride of the tables, and the tables.
constexpr int64_t kPositionsAt = 0;
constexpr int64_t kLocalSplitsAt = kMostBatch;
constexpr int64_t kGlobalSplitsAt = 2 * kMostBatch;
constexpr int64_t kStrideAt = 3 * kMostBatch;
constexpr int64_t kTablesAt = kStrideAt + 1;

}  // namespace

int CudaBackend::splitsOf(int64_t context, bool global) const {
    const int64_t keys = global ? context : std::min(context, m_config.slidingWindow);
    // At least two, so that a decode step always has parts to combine.
    return static_cast<int>(
        std::clamp<int64_t>((keys + kKeysOfASplit - 1) / kKeysOfASplit, 2, cuda::kMostCombinedSplits));
}

int64_t CudaBackend::pagesToKeep(int64_t tokens, int64_t freeBytes) const {
    const int64_t most = std::min(kMostKeptBytes, freeBytes) / CudaPages::bytesFor(m_config, 1) * kKvPagePositions;
    tokens = std::min(tokens, most);
    return (tokens - tokens % kGpuChunkTokens) / kKvPagePositions;
}

Status CudaBackend::preparePages(const BackendSettings& settings) {
    if (m_pageCount == 0) return {};
    assert(settings.pages == 0 || m_checkedTokens <= kMostBatch);
    ASSIGN_OR_RETURN(m_pages, CudaPages::create(m_config, m_device, m_pageCount));
    if (settings.prefix)
        RETURN_IF_ERROR(m_pages->copyBeginning(*std::static_pointer_cast<const CudaPages>(settings.prefix),
                                               std::min(settings.prefixTokens, m_info.keptTokens)));
    m_toPagesOp = m_log.describe({"copy_kv_to_pages", "cache_to_pages", "", "bf16", Category::Copy, -1});
    m_fromPagesOp = m_log.describe({"copy_kv_from_pages", "cache_from_pages", "", "bf16", Category::Copy, -1});

    const int64_t tablePages = (m_contextLength + kKvPagePositions - 1) / kKvPagePositions;
    const auto numberBytes = static_cast<size_t>(kTablesAt + kMostBatch * tablePages) * sizeof(int32_t);
    std::vector<cuda::PagedLayer> layers;
    for (size_t i = 0; i < m_caches.size(); ++i)
        layers.push_back({m_caches[i], m_pages->layer(i)});
    const size_t layerBytes = layers.size() * sizeof(cuda::PagedLayer);
    void* raw = nullptr;
    if (const cudaError_t error = cudaMalloc(&raw, layerBytes + numberBytes); error != cudaSuccess)
        return cudaFailure("The GPU gave no memory for tables of pages", error);
    m_tableMemory.reset(raw);
    m_pagedLayers = static_cast<cuda::PagedLayer*>(raw);
    m_rows = reinterpret_cast<int32_t*>(m_pagedLayers + layers.size());
    if (const cudaError_t error = cudaHostAlloc(&raw, numberBytes, cudaHostAllocDefault); error != cudaSuccess)
        return cudaFailure("No pinned memory could be had", error);
    m_rowsMemory.reset(raw);
    cudaError_t error = cudaMemcpy(m_pagedLayers, layers.data(), layerBytes, cudaMemcpyHostToDevice);
    if (error == cudaSuccess) error = cudaMemset(m_rows, 0, numberBytes);
    if (error == cudaSuccess) error = cudaDeviceSynchronize();
    if (error != cudaSuccess) return cudaFailure("The GPU's paged cache could not be set up", error);
    return {};
}

cuda::PagedRows CudaBackend::pagedRows(const PlanOp& op) const {
    if (!op.paged) return {};
    return {m_rows + kPositionsAt, m_rows + (op.global ? kGlobalSplitsAt : kLocalSplitsAt), m_rows + kStrideAt,
            m_rows + kTablesAt};
}

const int32_t* CudaBackend::rowPositions(const PlanOp& op) const {
    return op.paged ? m_rows + kPositionsAt : nullptr;
}

void CudaBackend::placeRows(const Step& step) {
    const StepRows& rows = *step.rows;
    std::vector<int32_t> numbers(static_cast<size_t>(kTablesAt), 0);
    const auto put = [&](int64_t at, size_t row, int64_t value) {
        numbers[static_cast<size_t>(at) + row] = static_cast<int32_t>(value);
    };
    for (size_t row = 0; row < rows.contexts.size(); ++row) {
        put(kPositionsAt, row, rows.positions[row]);
        put(kLocalSplitsAt, row, splitsOf(rows.contexts[row], false));
        put(kGlobalSplitsAt, row, splitsOf(rows.contexts[row], true));
    }
    put(kStrideAt, 0, rows.tableStride);
    numbers.insert(numbers.end(), rows.pages.begin(), rows.pages.end());
    if (numbers == m_rowsPlaced) return;
    // Almost always nothing is left to wait for: a step's tokens were read before the next one's rows are known.
    note(cudaStreamSynchronize(m_stream.get()), nullptr, "waiting");
    auto* const from = static_cast<int32_t*>(m_rowsMemory.get());
    std::ranges::copy(numbers, from);
    const LaunchScope scope(m_log, besidePlan(step.bodyToken, step));
    note(cudaMemcpyAsync(m_rows, from, numbers.size() * sizeof(int32_t), cudaMemcpyHostToDevice, m_stream.get()),
         nullptr, "copying where the rows of a step stand");
    m_rowsPlaced = std::move(numbers);
}

const cuda::KvCache& CudaBackend::cacheOf(const PlanOp& op) const {
    const auto layer = static_cast<size_t>(op.layer);
    return op.paged ? m_pages->layer(layer) : m_caches[layer];
}

void CudaBackend::copyPages(PageCopy copy, uint32_t activityOp, int64_t first, int64_t count, const Step& step) {
    cuda::PageCopyArgs args;
    args.layers = m_pagedLayers;
    args.layerCount = static_cast<int>(m_caches.size());
    args.rowElements = static_cast<int>(m_config.kvHeads * m_config.headDim);
    args.table = m_rows + kTablesAt;
    args.first = static_cast<int>(first);
    args.count = static_cast<int>(count);
    LaunchContext context = besidePlan(step.bodyToken, step);
    context.op = activityOp;
    for (const cuda::KvCache& ring : m_caches)  // keys and values, read and written
        context.bytes +=
            4 * static_cast<int64_t>(sizeof(cuda::Bf16)) * args.rowElements * std::min<int64_t>(count, ring.slots);
    const LaunchScope scope(m_log, context);
    note(copy(args, launchOn(false)), nullptr, "copying between the cache and its pages");
}

void CudaBackend::takeFromPages(const Step& step) {
    if (!m_status || m_cancelled.load(std::memory_order_relaxed)) return;
    placeRows(step);
    copyPages(cuda::copyFromPages, m_fromPagesOp, 0, step.position, step);
}

void CudaBackend::beforePlan(const Plan& plan, const Step& step) {
    if (step.rows) placeRows(step);
    if (!plan.request.batch) placePosition(step);
}

void CudaBackend::afterPlan(const Plan& plan, const Step& step) {
    if (plan.request.batch) return;
    if (plan.request.head) m_position = step.position + plan.request.tokens;
    if (step.rows) copyPages(cuda::copyToPages, m_toPagesOp, step.position, plan.request.tokens, step);
}

}  // namespace gapscope

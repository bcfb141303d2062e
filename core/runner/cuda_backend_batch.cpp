// Batches on the GPU: a paged cache beside the rings, and where each row of a step stands, in device memory, so that
// the graph of so many rows serves whichever sequences come and go. Prompts run as they do alone, through the rings;
// their keys and values are then copied to their pages, from which the steps of a batch read.
#include <algorithm>
#include <cassert>
#include <string>

#include "core/runner/cuda_backend.h"
#include "kernels/cpu/kv_cache_view.h"
#include "kernels/cuda/page_copy.h"

namespace gapscope {

namespace {

static_assert(kKvPagePositions == cuda::kPagePositions);

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

int64_t CudaBackend::pageBytes() const {
    return 2 * static_cast<int64_t>(sizeof(cuda::Bf16)) * m_pages * kKvPagePositions * m_config.kvHeads *
           m_config.headDim * m_config.layers;
}

Status CudaBackend::preparePages() {
    if (m_pages == 0) return {};
    assert(m_checkedTokens <= kMostBatch);
    const int64_t tablePages = (m_contextLength + kKvPagePositions - 1) / kKvPagePositions;
    const auto numberBytes = static_cast<size_t>(kTablesAt + kMostBatch * tablePages) * sizeof(int32_t);
    std::vector<cuda::PagedLayer> layers(m_caches.size());
    const auto cacheBytes = static_cast<size_t>(pageBytes());
    const size_t layerBytes = layers.size() * sizeof(cuda::PagedLayer);
    void* raw = nullptr;
    if (const cudaError_t error = cudaMalloc(&raw, cacheBytes + layerBytes + numberBytes); error != cudaSuccess)
        return cudaFailure("The GPU gave no memory for a cache of " + std::to_string(m_pages) + " pages", error);
    m_pageMemory.reset(raw);
    auto* const base = static_cast<std::byte*>(raw);
    auto* half = reinterpret_cast<cuda::Bf16*>(base);
    for (size_t i = 0; i < layers.size(); ++i) {
        cuda::KvCache cache = m_caches[i];
        cache.slots = static_cast<int>(m_pages * kKvPagePositions);
        const int64_t elements = static_cast<int64_t>(cache.slots) * cache.kvHeads * cache.headDim;
        cache.keys = half;
        cache.values = half + elements;
        half += 2 * elements;
        m_pagedCaches.push_back(cache);
        layers[i] = {m_caches[i], cache};
    }
    m_pagedLayers = reinterpret_cast<cuda::PagedLayer*>(base + cacheBytes);
    m_rows = reinterpret_cast<int32_t*>(base + cacheBytes + layerBytes);
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

void CudaBackend::copyToPages(const Step& step, int64_t count) {
    cuda::PageCopyArgs args;
    args.layers = m_pagedLayers;
    args.layerCount = static_cast<int>(m_caches.size());
    args.rowElements = static_cast<int>(m_config.kvHeads * m_config.headDim);
    args.table = m_rows + kTablesAt;
    args.first = static_cast<int>(step.position);
    args.count = static_cast<int>(count);
    const LaunchScope scope(m_log, besidePlan(step.bodyToken, step));
    note(cuda::copyToPages(args, launchOn(false)), nullptr, "copying to pages");
}

void CudaBackend::beforePlan(const Plan& plan, const Step& step) {
    if (step.rows) placeRows(step);
    if (!plan.request.batch) placePosition(step);
}

void CudaBackend::afterPlan(const Plan& plan, const Step& step) {
    if (plan.request.batch) return;
    if (plan.request.head) m_position = step.position + plan.request.tokens;
    if (step.rows) copyToPages(step, plan.request.tokens);
}

}  // namespace gapscope

// An NVIDIA GPU as a device: plans launched op by op on one stream, or as one CUDA graph a token.
#pragma once

#include <cuda_runtime_api.h>

#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/runner/backend.h"
#include "core/runner/cuda_libraries.h"
#include "core/runner/cuda_pages.h"
#include "core/runner/cuda_weights.h"
#include "core/runner/persistent_stages.h"
#include "kernels/cuda/attention.h"
#include "kernels/cuda/bounded_head.h"
#include "kernels/cuda/gemv.h"
#include "kernels/cuda/llm_int8.h"
#include "kernels/cuda/page_copy.h"
#include "kernels/cuda/persistent_decode.h"

namespace gapscope {

struct CudaStreamDestroy {
    void operator()(cudaStream_t stream) const { cudaStreamDestroy(stream); }
};
struct CudaGraphExecDestroy {
    void operator()(cudaGraphExec_t graph) const { cudaGraphExecDestroy(graph); }
};

class CudaBackend : public Backend {
public:
    static Result<std::unique_ptr<CudaBackend>> create(const Model& model, const BackendSettings& settings,
                                                       ActivityLog& log);
    ~CudaBackend() override;

    const BackendInfo& info() const override { return m_info; }
    bool quantizedActivations() const override { return false; }
    int64_t kvElementBytes() const override { return 2; }
    bool boundsHead() const override { return m_upperHead.data != nullptr; }
    int64_t headRowsInFull() const override;
    PlanFlavor planFlavor() const override { return PlanFlavor::Cuda; }

    Result<PlanId> add(Plan plan) override;
    const Plan& plan(PlanId id) const override { return m_plans[id]->plan; }

    void uploadIds(const Step& step, std::span<const int32_t> ids) override;
    void launch(PlanId id, size_t op, const Step& step) override;
    void launchGraph(PlanId id, const Step& step) override;
    Status readTokens(const Step& step, std::span<int32_t> ids) override;
    Status readLogits(const Step& step, int64_t row, std::span<float> logits) override;
    Status synchronize() override;
    void takeFromPages(const Step& step) override;
    KeptCache cache() const override { return m_pages; }
    void cancel() override { m_cancelled.store(true, std::memory_order_relaxed); }

    // Why cuBLASLt is not used; empty when it is.
    const std::string& missingLibrary() const { return m_missingLibrary; }

private:
    struct Compiled {
        Plan plan;
        std::vector<uint32_t> activityOps;
        uint32_t graphOp = 0;
        OpCost graphCost;                    // of all ops whose cost is the same at every position
        std::vector<size_t> growing;         // the other ops
        std::vector<LaunchContext> growths;  // and what they do in the launch at hand
        std::unique_ptr<CUgraphExec_st, CudaGraphExecDestroy> graph;
        std::unique_ptr<cuda::PersistentDecode> persistent;
        std::optional<PersistentStages> stages;  // of the persistent kernel; none: not every kernel is traced
    };

    CudaBackend(const Model& model, const BackendSettings& settings, ActivityLog& log);
    Status prepareDevice(const BackendSettings& settings);
    Status allocate();
    // In cuda_backend_head.cpp. The copy is made if it was wanted and fits; without it the head is read whole.
    bool wantsUpperHead(const BackendSettings& settings) const;
    int64_t upperHeadBytes() const;  // with what its two passes hand one another
    Status prepareUpperHead();
    cudaError_t enqueueHeadByBounds(const PlanOp& op, const cuda::Launch& launch);
    cuda::Launch launchOn(bool overlap) const { return {m_stream.get(), overlap, m_properties.multiProcessorCount}; }
    bool overlapsInStream(const PlanOp& op) const;
    Status captureGraph(Compiled& compiled);
    Status checkPersistent() const;
    CudaFormat persistentFormat() const;  // of all layers, where mode persistent runs them
    Status preparePersistent(Compiled& compiled);
    template <class Matrix>
    Status preparePersistentOf(Compiled& compiled);
    // What all ops of a plan cost together at a position.
    void countCost(Compiled& compiled) const;
    // Before the first op of a plan: the position on the device is this step's.
    void placePosition(const Step& step);
    // Around all ops of a plan. In cuda_backend_batch.cpp with what follows: a paged cache beside the rings.
    void beforePlan(const Plan& plan, const Step& step);
    void afterPlan(const Plan& plan, const Step& step);
    int splitsOf(int64_t context, bool global) const;  // parts of the keys in a decode step
    // Pages of the tokens to keep that may be kept, with so much memory left.
    int64_t pagesToKeep(int64_t tokens, int64_t freeBytes) const;
    Status preparePages(const BackendSettings& settings);
    void placeRows(const Step& step);
    using PageCopy = cudaError_t (*)(const cuda::PageCopyArgs&, const cuda::Launch&);
    void copyPages(PageCopy copy, uint32_t activityOp, int64_t first, int64_t count, const Step& step);
    cuda::PagedRows pagedRows(const PlanOp& op) const;  // none of ops whose rows are not of a batch
    const int32_t* rowPositions(const PlanOp& op) const;
    const cuda::KvCache& cacheOf(const PlanOp& op) const;
    LaunchContext contextOf(const Compiled& compiled, size_t op, const Step& step) const;
    // For what a step launches beside its plan.
    static LaunchContext besidePlan(int32_t token, const Step& step) { return {kNoOp, token, step.repeat, 0, 0}; }
    void note(cudaError_t error, const PlanOp* op, const char* what);
    Status status();

    cudaError_t enqueue(const PlanOp& op, bool eager, const cuda::Launch& launch);
    cudaError_t enqueueSmall(const PlanOp& op, bool eager, const cuda::Launch& launch);
    template <class Matrix>
    cudaError_t enqueueGemv(const PlanOp& op, const Matrix& first, bool eager, const cuda::Launch& launch);
    cudaError_t enqueueMatmul(const PlanOp& op, bool eager, const cuda::Launch& launch);
    cudaError_t enqueueInt8(const PlanOp& op, bool eager, const cuda::Launch& launch);
    cudaError_t enqueueArgmax(const PlanOp& op, const cuda::Launch& launch);
    // Of plans that check drafts: in cuda_backend_check.cpp.
    cudaError_t enqueueCheck(const PlanOp& op, bool eager, const cuda::Launch& launch);
    template <class Matrix>
    cudaError_t enqueueRows(const PlanOp& op, bool eager, const cuda::Launch& launch);
    cuda::AttentionArgs attentionArgs(const PlanOp& op) const;
    cuda::QkNormRope ropeOf(const PlanOp& op) const;
    cuda::NormInput normInput(const PlanOp& op) const;
    const float* ropeTableOf(const PlanOp& op) const { return m_ropeTable + (op.global ? m_config.headDim : 0); }

    int64_t bufferBytes(Buffer buffer) const;
    int64_t int8BufferBytes(Buffer buffer) const;
    template <class T>
    T* bufferAs(Buffer buffer) const;
    cuda::OutlierColumns outlierColumns() const;
    int64_t elements(const Operand& operand, int64_t columns) const { return operand.row * columns; }
    float* floats(const Operand& operand, int64_t columns = 0) const;
    cuda::Bf16* halves(const Operand& operand, int64_t columns = 0) const;

    const Model& m_model;
    const ModelConfig& m_config;
    ActivityLog& m_log;
    const Mode m_mode;
    const CudaFormats m_formats;
    const Precision m_precision;
    const int m_device;
    const int64_t m_contextLength;
    const int64_t m_chunkTokens;
    const int64_t m_checkedTokens;
    int64_t m_pageCount;
    BackendInfo m_info;
    cudaDeviceProp m_properties{};

    std::unique_ptr<CublasLt> m_cublas;
    std::string m_missingLibrary;
    CudaWeights m_weights;
    CudaMemory m_memory;  // buffers, caches and the rest
    bool m_copiesHead = false;
    CudaMemory m_upperMemory;
    cuda::UpperBits m_upperHead;  // no data: the head is read whole
    float* m_probes = nullptr;
    unsigned long long* m_rowsInFull = nullptr;
    std::array<std::byte*, kBufferCount> m_buffers{};
    std::vector<cuda::KvCache> m_caches;
    std::vector<int> m_splits;  // parts of the keys in a decode step, by layer
    float* m_frequenciesLocal = nullptr;
    float* m_frequenciesGlobal = nullptr;
    float* m_ropeTable = nullptr;  // of the step's tokens
    cuda::StepState* m_state = nullptr;
    unsigned* m_arrivals = nullptr;      // of blocks at the ends of persistent steps
    unsigned* m_partArrivals = nullptr;  // of attention's parts, by checked token and head
    CudaMemory m_persistentMemory;       // the layers' descriptions and the exchange of the blocks
    int32_t* m_ids = nullptr;
    float* m_partialValues = nullptr;
    int32_t* m_partialIndices = nullptr;
    int m_argmaxBlocks = 0;
    void* m_workspace = nullptr;

    std::shared_ptr<CudaPages> m_pages;  // null: none
    CudaMemory m_tableMemory;
    CudaHostMemory m_rowsMemory;  // numbers of m_rows on their way
    cuda::PagedLayer* m_pagedLayers = nullptr;
    uint32_t m_toPagesOp = kNoOp;
    uint32_t m_fromPagesOp = kNoOp;
    int32_t* m_rows = nullptr;
    std::vector<int32_t> m_rowsPlaced;  // what m_rows will hold once all enqueued work is done

    CudaHostMemory m_hostMemory;
    int32_t* m_staging = nullptr;  // ids on their way to the device, by position
    int32_t* m_ring = nullptr;     // tokens that the device chose, by position
    float* m_hostLogits = nullptr;
    int32_t* m_outlierFlag = nullptr;  // whether the last input of eager int8 had outliers

    std::unique_ptr<CUstream_st, CudaStreamDestroy> m_stream;
    std::vector<std::unique_ptr<Compiled>> m_plans;
    int64_t m_position = -1;  // what the device's position will be once all enqueued work is done; -1: not known
    std::atomic<bool> m_cancelled{false};
    Status m_status;
};

}  // namespace gapscope

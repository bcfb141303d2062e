// The CPU as a device: plans compiled to calls of kernels/cpu, run by a CpuStream.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/runner/backend.h"
#include "core/runner/cpu_stream.h"
#include "core/runner/kv_cache.h"
#include "kernels/cpu/cpu_ops.h"

namespace gapscope {

class CpuBackend : public Backend {
public:
    static Result<std::unique_ptr<CpuBackend>> create(const Model& model, const BackendSettings& settings,
                                                      ActivityLog& log);
    ~CpuBackend() override;

    const BackendInfo& info() const override { return m_info; }
    bool quantizedActivations() const override { return m_arithmetic == Arithmetic::Quantized; }
    bool boundsHead() const override { return m_upperHead.has_value(); }
    int64_t kvElementBytes() const override { return gapscope::kvElementBytes(m_kvType); }

    Result<PlanId> add(Plan plan) override;
    const Plan& plan(PlanId id) const override { return m_plans[id]->plan; }

    void uploadIds(const Step& step, std::span<const int32_t> ids) override;
    void launch(PlanId id, size_t op, const Step& step) override;
    void launchGraph(PlanId id, const Step& step) override;
    Status readTokens(const Step& step, std::span<int32_t> ids) override;
    Status readLogits(const Step& step, int64_t row, std::span<float> logits) override;
    Status synchronize() override;
    void cancel() override { m_stream->cancel(); }
    KeptCache cache() const override { return m_cache; }

    // For tests: what a buffer holds after synchronize().
    const float* buffer(Buffer buffer) const { return m_buffers[static_cast<size_t>(buffer)].get(); }

private:
    struct Compiled {
        Plan plan;
        std::vector<CpuKernel> kernels;
        uint32_t graphOp = 0;
    };

    CpuBackend(const Model& model, const BackendSettings& settings, ActivityLog& log);
    Status packWeights(const BackendSettings& settings);
    void allocateBuffers(const BackendSettings& settings);
    void makeInverseFrequencies();
    CpuKernel copyKernel(const char* name, int64_t bytes, std::function<void(const Step&)> copy);

    std::vector<CpuKernel::Stage> stagesOf(const PlanOp& op, const PlanRequest& request);
    std::vector<CpuKernel::Stage> smallStages(const PlanOp& op);
    std::vector<CpuKernel::Stage> matmulStages(const PlanOp& op, const PlanRequest& request);
    std::vector<CpuKernel::Stage> cosSinStages(const PlanOp& op);
    std::vector<CpuKernel::Stage> argmaxStages(const PlanOp& op);
    std::vector<CpuKernel::Stage> boundedHeadStages(const PlanOp& op);
    CpuKernel::Stage combineStage(int64_t tokens);
    CpuKernel::Stage quantizeStage(const PlanOp& op);

    float* data(const Operand& operand) const;
    int64_t columns(Buffer buffer) const { return bufferColumns(buffer, m_config); }
    int32_t* ids() const { return m_ids.get(); }

    const Model& m_model;
    const ModelConfig& m_config;
    ActivityLog& m_log;
    const Isa m_isa;
    const CpuOps& m_ops;
    const Arithmetic m_arithmetic;
    const KvType m_kvType;
    BackendInfo m_info;
    const std::shared_ptr<KvCache> m_cache;
    std::unordered_map<const MatrixView*, PackedMatrix> m_packed;
    std::optional<PackedMatrix> m_upperHead;  // where only tokens are wanted
    std::vector<float> m_frequenciesLocal, m_frequenciesGlobal;

    std::array<std::unique_ptr<float[]>, kBufferCount> m_buffers;
    std::unique_ptr<int32_t[]> m_ids, m_positions;
    std::unique_ptr<std::byte[]> m_quantized;
    std::vector<ArgmaxPartial> m_partials, m_probes;

    std::vector<int32_t> m_staging;  // ids on their way to the stream, by position
    int32_t* m_readTokens = nullptr;
    float* m_readLogits = nullptr;
    int64_t m_readRow = 0;
    std::map<size_t, CpuKernel> m_uploads, m_tokenCopies;  // by number of ids
    CpuKernel m_logitsCopy;
    std::vector<std::unique_ptr<Compiled>> m_plans;
    std::unique_ptr<CpuStream> m_stream;  // last: its workers use everything above
};

}  // namespace gapscope

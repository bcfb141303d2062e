#include "core/capture/stage_joins.h"

namespace gapscope {

void StageJoins::add(const StagesActivity& stages) {
    if (const auto kernel = m_kernels.extract(stages.launch))
        publish(kernel.mapped(), stages.stages);
    else if (m_stages.size() < kMostWaiting)
        m_stages.emplace(stages.launch, stages.stages);
    else
        countUnplaced(1);
}

void StageJoins::addKernel(uint32_t launch, const DeviceOpRow& kernel) {
    if (const auto stages = m_stages.extract(launch))
        publish(kernel, stages.mapped());
    else if (m_kernels.size() < kMostWaiting)
        m_kernels.emplace(launch, kernel);
    else
        countUnplaced(1);
}

void StageJoins::publish(const DeviceOpRow& kernel, const std::vector<StagesActivity::Stage>& stages) {
    double total = 0;
    for (const StagesActivity::Stage& stage : stages) {
        if (stage.ticks < 0 || stage.op >= m_ops.size()) return countUnplaced(1);
        total += static_cast<double>(stage.ticks);
    }
    if (total <= 0) return countUnplaced(1);
    const auto durationNs = static_cast<double>(kernel.endNs - kernel.startNs);
    double ticks = 0;
    int64_t startNs = kernel.startNs;
    for (const StagesActivity::Stage& stage : stages) {
        ticks += static_cast<double>(stage.ticks);
        const int64_t endNs = kernel.startNs + static_cast<int64_t>(durationNs * (ticks / total));
        const DescribedOp& described = m_ops[stage.op];
        OpRow role = described.row;
        role.bytes = stage.bytes;
        m_builder.add(StageRow{.startNs = startNs,
                               .endNs = endNs,
                               .name = described.row.name,
                               .track = kernel.track,
                               .correlationId = kernel.correlationId,
                               .category = described.category,
                               .op = m_builder.internOp(role),
                               .token = kernel.token,
                               .repeat = kernel.repeat});
        startNs = endNs;
    }
}

void StageJoins::countUnplaced(size_t count) {
    m_builder.diagnostics().add("kernel_stages_unplaced", Severity::DataLoss, static_cast<int64_t>(count),
                                "What kernels did inside could not be placed on their records and is not shown.");
}

void StageJoins::finish() {
    countUnplaced(m_kernels.size() + m_stages.size());
    m_kernels.clear();
    m_stages.clear();
}

}  // namespace gapscope

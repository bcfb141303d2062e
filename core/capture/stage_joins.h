// Stages inside kernels, told by the runner after their kernel ran, placed on the kernel's own record, which comes from
// the tracer: both arrive in any order. One thread, the same that uses the builder.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "core/base/activity.h"
#include "core/trace/trace_builder.h"

namespace gapscope {

struct DescribedOp {
    OpRow row;  // bytes and flops are each record's own
    Category category = Category::Other;
};

class StageJoins {
public:
    // `ops` as the log described them, by index; it may grow, and outlives this.
    StageJoins(TraceBuilder& builder, const std::vector<DescribedOp>& ops) : m_builder(builder), m_ops(ops) {}

    void add(const StagesActivity& stages);
    void addKernel(uint32_t launch, const DeviceOpRow& kernel);
    void finish();  // counts what found nothing

    static constexpr size_t kMostWaiting = 4096;  // of each side; what comes beyond is counted and left out

private:
    void publish(const DeviceOpRow& kernel, const std::vector<StagesActivity::Stage>& stages);
    void countUnplaced(size_t count);

    TraceBuilder& m_builder;
    const std::vector<DescribedOp>& m_ops;
    std::unordered_map<uint32_t, DeviceOpRow> m_kernels;  // by the launch's number
    std::unordered_map<uint32_t, std::vector<StagesActivity::Stage>> m_stages;
};

}  // namespace gapscope

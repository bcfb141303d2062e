// Kernels with the calls that launched them, summed by names, thread and device: Nsight Systems' cuda_kern_exec_sum.
#pragma once

#include <vector>

#include "app/gui/models/table_model.h"
#include "core/analysis/kernel_executions.h"

namespace gapscope {

class LaunchModel : public TableModel {
    Q_OBJECT

public:
    using TableModel::TableModel;

    // `rows` were made from `trace`.
    void show(TracePtr trace, std::vector<KernelExecutionRow> rows);
    const KernelExecutionRow& launches(int row) const { return m_rows[static_cast<size_t>(row)]; }

    int rowCount(const QModelIndex& parent = {}) const override;

protected:
    const std::vector<TableColumn>& columns() const override;
    TableCell cell(int row, int column) const override;

private:
    TracePtr m_trace;
    std::vector<KernelExecutionRow> m_rows;
};

}  // namespace gapscope

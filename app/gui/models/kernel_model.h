// The kernel table: one row a kernel name, and one a kind of copy.
#pragma once

#include <optional>

#include "app/gui/models/table_model.h"
#include "app/gui/session/report.h"

namespace gapscope {

class KernelModel : public TableModel {
    Q_OBJECT

public:
    using TableModel::TableModel;

    // `only`: rows of this category alone.
    void show(ReportPtr report, std::optional<Category> only = {});
    const KernelRow& kernel(int row) const { return *m_rows[static_cast<size_t>(row)]; }

    int rowCount(const QModelIndex& parent = {}) const override;

protected:
    const std::vector<TableColumn>& columns() const override;
    TableCell cell(int row, int column) const override;

private:
    ReportPtr m_report;
    std::vector<const KernelRow*> m_rows;  // into the report
};

}  // namespace gapscope

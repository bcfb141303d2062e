// The gap table: every idle stretch of every device in the window, with who caused it.
#pragma once

#include <optional>

#include "app/gui/models/table_model.h"
#include "app/gui/session/report.h"

namespace gapscope {

class GapModel : public TableModel {
    Q_OBJECT

public:
    using TableModel::TableModel;

    // `only`: gaps with any time of this cause.
    void show(ReportPtr report, std::optional<GapCause> only = {});
    const Gap& gap(int row) const { return *m_rows[static_cast<size_t>(row)]; }
    int rowOf(TimeRange range) const;  // -1: none

    int rowCount(const QModelIndex& parent = {}) const override;

protected:
    const std::vector<TableColumn>& columns() const override;
    TableCell cell(int row, int column) const override;

private:
    ReportPtr m_report;
    std::vector<const Gap*> m_rows;  // into the report
};

}  // namespace gapscope

// The gap table: idle stretches of the devices in the window, with who caused them. Holds four bytes a gap.
#pragma once

#include <memory>

#include "app/gui/models/ordered_model.h"
#include "app/gui/session/report.h"
#include "core/analysis/gap_order.h"

namespace gapscope {

class GapModel : public OrderedModel {
    Q_OBJECT

public:
    using OrderedModel::OrderedModel;

    using Rows = std::shared_ptr<const std::vector<uint32_t>>;  // indices of the report's gaps, growing

    void show(ReportPtr report, Rows rows, Order order = {});
    const Rows& rows() const { return m_rows; }
    static GapOrder orderBy(int column);
    const Gap& gap(int row) const { return m_report->analysis.gaps.gaps[(*m_rows)[placeOf(row)]]; }
    int rowOf(TimeRange range) const;  // -1: none

    int rowCount(const QModelIndex& parent = {}) const override;

protected:
    const std::vector<TableColumn>& columns() const override;
    TableCell cell(int row, int column) const override;

private:
    ReportPtr m_report;
    Rows m_rows = std::make_shared<const std::vector<uint32_t>>();
};

}  // namespace gapscope

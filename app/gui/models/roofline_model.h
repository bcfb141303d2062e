// The points of a roofline, one a row.
#pragma once

#include <memory>

#include "app/gui/models/table_model.h"
#include "app/gui/session/report.h"
#include "core/analysis/roofline.h"

namespace gapscope {

enum class RooflineRows { ByOperation, ByCategory, ByLayer, ByToken };
using RooflinePtr = std::shared_ptr<const Roofline>;

class RooflineModel : public TableModel {
    Q_OBJECT

public:
    using TableModel::TableModel;
    static constexpr int kKernelColumn = 1, kCountColumn = 3, kIntensityColumn = 4;

    void show(ReportPtr report, RooflinePtr roofline, RooflineRows rows);
    const RooflinePoint& point(int row) const { return rows()[static_cast<size_t>(row)]; }
    QString title(int row) const;  // "q_proj, decode", "token 12"

    int rowCount(const QModelIndex& parent = {}) const override;

protected:
    const std::vector<TableColumn>& columns() const override;
    TableCell cell(int row, int column) const override;

private:
    const std::vector<RooflinePoint>& rows() const;

    ReportPtr m_report;
    RooflinePtr m_roofline;
    RooflineRows m_shown = RooflineRows::ByOperation;
};

}  // namespace gapscope

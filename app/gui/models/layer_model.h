// Device time by layer of the model, or by layer and operation.
#pragma once

#include "app/gui/models/table_model.h"
#include "app/gui/session/report.h"

namespace gapscope {

enum class LayerRows { Layers, Operations };

class LayerModel : public TableModel {
    Q_OBJECT

public:
    using TableModel::TableModel;

    void show(ReportPtr report, LayerRows rows);

    int rowCount(const QModelIndex& parent = {}) const override;

protected:
    const std::vector<TableColumn>& columns() const override;
    TableCell cell(int row, int column) const override;

private:
    const std::vector<LayerOpTime>& rows() const;

    ReportPtr m_report;
    LayerRows m_shown = LayerRows::Layers;
};

}  // namespace gapscope

// Everything known about what is selected, as name and value; of the whole window if nothing is.
#pragma once

#include <vector>

#include "app/gui/models/table_model.h"
#include "app/gui/session/report.h"

namespace gapscope {

struct DetailRow {
    QString name;
    TableCell value;
};

std::vector<DetailRow> detailsOf(const Report& report);

class DetailsModel : public TableModel {
    Q_OBJECT

public:
    using TableModel::TableModel;

    void show(std::vector<DetailRow> rows);

    int rowCount(const QModelIndex& parent = {}) const override;

protected:
    const std::vector<TableColumn>& columns() const override;
    TableCell cell(int row, int column) const override;

private:
    std::vector<DetailRow> m_rows;
};

}  // namespace gapscope

// Who left the devices idle: the gaps of a report summed by the name of who filled them.
#pragma once

#include <vector>

#include "app/gui/models/table_model.h"
#include "core/analysis/culprits.h"

namespace gapscope {

class CulpritModel : public TableModel {
    Q_OBJECT

public:
    using TableModel::TableModel;

    void show(std::vector<Culprit> culprits);
    const Culprit& culprit(int row) const { return m_rows[static_cast<size_t>(row)]; }

    int rowCount(const QModelIndex& parent = {}) const override;

protected:
    const std::vector<TableColumn>& columns() const override;
    TableCell cell(int row, int column) const override;

private:
    std::vector<Culprit> m_rows;
    int64_t m_idleNs = 0;
};

}  // namespace gapscope

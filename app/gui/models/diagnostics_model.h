// What is broken or missing in the trace, and what that means for the numbers.
#pragma once

#include <vector>

#include "app/gui/models/table_model.h"
#include "core/trace/diagnostics.h"

namespace gapscope {

class DiagnosticsModel : public TableModel {
    Q_OBJECT

public:
    using TableModel::TableModel;

    void show(std::vector<Diagnostic> entries);

    int rowCount(const QModelIndex& parent = {}) const override;

protected:
    const std::vector<TableColumn>& columns() const override;
    TableCell cell(int row, int column) const override;

private:
    std::vector<Diagnostic> m_entries;
};

}  // namespace gapscope

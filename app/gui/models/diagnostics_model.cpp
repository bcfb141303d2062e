#include "app/gui/models/diagnostics_model.h"

#include "app/gui/session/selection_text.h"

namespace gapscope {

void DiagnosticsModel::show(std::vector<Diagnostic> entries) {
    if (entries == m_entries) return;
    beginResetModel();
    m_entries = std::move(entries);
    endResetModel();
}

int DiagnosticsModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(m_entries.size());
}

const std::vector<TableColumn>& DiagnosticsModel::columns() const {
    static const std::vector<TableColumn> columns = {
        {tr("Severity"), {}, false},
        {tr("Count"), {}},
        {tr("What"), {}, false},
        {tr("Meaning"), {}, false},
    };
    return columns;
}

TableCell DiagnosticsModel::cell(int row, int column) const {
    const Diagnostic& entry = m_entries[static_cast<size_t>(row)];
    switch (column) {
        case 0: {
            TableCell cell = textCell(text(severityName(entry.severity)));
            cell.raw = static_cast<int>(entry.severity);
            cell.exact = cell.shown;
            return cell;
        }
        case 1:
            return countCell(entry.count);
        case 2:
            return textCell(text(entry.name));
        case 3:
            return textCell(text(entry.text));
        default:
            return {};
    }
}

}  // namespace gapscope

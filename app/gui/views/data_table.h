// The table that every panel uses: sortable by raw values, copies exact ones, keeps its place when rows change.
#pragma once

#include <QSortFilterProxyModel>
#include <QTableView>

#include "app/gui/models/table_model.h"

namespace gapscope {

class DataTable : public QTableView {
    Q_OBJECT

public:
    DataTable(TableModel& model, const QString& accessibleName, QWidget* parent = nullptr);

    // Widths in characters; the `stretched` column takes what room is left.
    void setColumnCharacters(const std::vector<int>& characters, int stretched);
    // What the columns need as they were set, with the scroll bar beside them.
    int neededWidth() const;
    void sortAtFirst(int column, Qt::SortOrder order);
    int sourceRow(const QModelIndex& index) const;  // -1: none
    void markSourceRow(int row);                    // -1: none
    std::vector<int> selectedSourceRows() const;
    void copySelection() const;  // tab-separated, exact values, with a header line

Q_SIGNALS:
    // A click or Enter, not a programmatic change.
    void chosen(int sourceRow);
    void doubleChosen(int sourceRow);

protected:
    void keyPressEvent(QKeyEvent* event) override;

private:
    QSortFilterProxyModel* m_proxy;
    std::vector<int> m_columnWidths;
    int m_scroll = 0;
};

}  // namespace gapscope

// The table that every panel uses: sortable by raw values, filtered by text, copies exact ones, keeps its place when
// rows change. The table's own actions stand at the end of its menu.
#pragma once

#include <QSortFilterProxyModel>
#include <QTableView>
#include <set>

#include "app/gui/models/row_window.h"
#include "app/gui/models/table_model.h"

namespace gapscope {

// AsGiven: for models of any number of rows, which sort and filter themselves. Of more than RowWindow::kMostRows the
// view knows those around what is seen; the scroll bar is of all of them.
enum class RowOrder { Sortable, AsGiven };

class DataTable : public QTableView {
    Q_OBJECT

public:
    DataTable(TableModel& model, const QString& accessibleName, QWidget* parent = nullptr,
              RowOrder order = RowOrder::Sortable);

    // Widths in characters; the `stretched` column takes what room is left, but never becomes too narrow to be read.
    void setColumnCharacters(const std::vector<int>& characters, int stretched);
    // What the columns need as they were set, with the scroll bar beside them.
    int neededWidth() const;
    // Hides or shows a column unless the person chose by the header's menu whether to see it.
    void offerColumn(int column, bool shown);
    void sortAtFirst(int column, Qt::SortOrder order);
    // Of a table as given: clicks on its header ask for an order, which the model's owner makes.
    void offerOrders(int column, Qt::SortOrder order);
    void setFilterText(const QString& text);        // in any column, letters of either case
    int sourceRow(const QModelIndex& index) const;  // -1: none
    void markSourceRow(int row);                    // -1: none
    std::vector<int> selectedSourceRows() const;

    enum class CopyFormat { Text, Csv };
    enum class CopyRows { Selected, All };
    // With a header line and exact values, visible columns only: tab-separated text or CSV (RFC 4180).
    QString copied(CopyFormat format, CopyRows rows) const;
    // As text. Of more rows than a clipboard should take it puts nothing there and says so.
    void copySelection();
    static constexpr int kMostCopied = 1'000'000;

    bool isEditing() const { return state() == EditingState; }
    void finishEditing();  // a cell that is being written is taken as it stands

    void selectAll() override;  // also the rows that the view does not know of
    int selectedCount() const;
    void scrollTo(const QModelIndex& index, ScrollHint hint = EnsureVisible) override;

Q_SIGNALS:
    // A click or Enter, not a programmatic change.
    void chosen(int sourceRow);
    void doubleChosen(int sourceRow);
    void orderWanted(int column, Qt::SortOrder order);
    void editingChanged();  // it began or ended

protected:
    bool edit(const QModelIndex& index, EditTrigger trigger, QEvent* event) override;
    void closeEditor(QWidget* editor, QAbstractItemDelegate::EndEditHint hint) override;
    QItemSelectionModel::SelectionFlags selectionCommand(const QModelIndex& index, const QEvent* event) const override;
    QModelIndex moveCursor(CursorAction action, Qt::KeyboardModifiers modifiers) override;
    void scrollContentsBy(int dx, int dy) override;
    void updateGeometries() override;
    void keyPressEvent(QKeyEvent* event) override;
    void contextMenuEvent(QContextMenuEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

private:
    void fitStretched();
    void showHeaderMenu(const QPoint& place);
    void exportCsv();
    void copy(CopyFormat format, CopyRows rows);
    int rowsOf(CopyRows rows) const;
    QModelIndex viewIndex(int sourceRow) const;
    bool isPart() const { return m_window && m_window->isPart(); }
    // Of all rows.
    void showFrom(int row);
    void bringIntoWindow(int row);

    TableModel& m_model;
    QSortFilterProxyModel* m_proxy = nullptr;  // none: rows as given
    RowWindow* m_window = nullptr;             // of those
    std::vector<int> m_columnWidths;
    int m_stretched = -1;
    std::set<int> m_chosenColumns;  // by the header's menu
    int m_scroll = 0;
    bool m_isAllSelected = false;  // of rows of which the view knows a part; its selection then is all that it knows
};

}  // namespace gapscope

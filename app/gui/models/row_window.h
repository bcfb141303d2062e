// Some of the rows of a table of millions, for views whose cost grows with the rows that they know of (a QTableView
// keeps sixteen bytes a row and walks over all of them): the window moves to where somebody looks. Tables that fit are
// shown whole.
#pragma once

#include <QAbstractProxyModel>

namespace gapscope {

class RowWindow : public QAbstractProxyModel {
    Q_OBJECT

public:
    static constexpr int kMostRows = 100'000;

    // Follows resets and changed contents of the model, which must not insert or move rows otherwise.
    RowWindow(QAbstractItemModel& rows, QObject* parent);

    bool isPart() const { return allRows() > kMostRows; }
    int allRows() const;
    int first() const { return m_first; }
    bool holds(int from, int to) const { return from >= m_first && to <= m_first + rowCount(); }
    // Around that row, as far as there are rows on both sides. What is selected or current and stays inside stays so.
    void moveTo(int row);

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QModelIndex index(int row, int column, const QModelIndex& parent = {}) const override;
    QModelIndex parent(const QModelIndex&) const override { return {}; }
    QModelIndex mapToSource(const QModelIndex& index) const override;
    QModelIndex mapFromSource(const QModelIndex& index) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    int m_first = 0;
};

}  // namespace gapscope

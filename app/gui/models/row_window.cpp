#include "app/gui/models/row_window.h"

#include <algorithm>

namespace gapscope {

RowWindow::RowWindow(QAbstractItemModel& rows, QObject* parent) : QAbstractProxyModel(parent) {
    setSourceModel(&rows);
    connect(&rows, &QAbstractItemModel::modelAboutToBeReset, this, [this] { beginResetModel(); });
    connect(&rows, &QAbstractItemModel::modelReset, this, [this] {
        m_first = std::clamp(m_first, 0, std::max(0, allRows() - kMostRows));
        endResetModel();
    });
    connect(&rows, &QAbstractItemModel::dataChanged, this, [this](const QModelIndex& from, const QModelIndex& to) {
        const int top = std::max(from.row() - m_first, 0), bottom = std::min(to.row() - m_first, rowCount() - 1);
        if (top <= bottom) Q_EMIT dataChanged(index(top, from.column()), index(bottom, to.column()));
    });
}

// The rows may be gone before who shows them.
int RowWindow::allRows() const {
    return sourceModel() ? sourceModel()->rowCount() : 0;
}

void RowWindow::moveTo(int row) {
    const int first = std::clamp(row - kMostRows / 2, 0, std::max(0, allRows() - kMostRows));
    if (first == m_first) return;
    Q_EMIT layoutAboutToBeChanged();
    const int down = m_first - first;
    m_first = first;
    for (const QModelIndex& former : persistentIndexList())
        changePersistentIndex(former, index(former.row() + down, former.column()));
    Q_EMIT layoutChanged();
}

int RowWindow::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : std::min(allRows() - m_first, kMostRows);
}

int RowWindow::columnCount(const QModelIndex& parent) const {
    return parent.isValid() || !sourceModel() ? 0 : sourceModel()->columnCount();
}

QModelIndex RowWindow::index(int row, int column, const QModelIndex& parent) const {
    return hasIndex(row, column, parent) ? createIndex(row, column) : QModelIndex();
}

QModelIndex RowWindow::mapToSource(const QModelIndex& index) const {
    return index.isValid() ? sourceModel()->index(m_first + index.row(), index.column()) : QModelIndex();
}

QModelIndex RowWindow::mapFromSource(const QModelIndex& source) const {
    return source.isValid() ? index(source.row() - m_first, source.column()) : QModelIndex();
}

QVariant RowWindow::headerData(int section, Qt::Orientation orientation, int role) const {
    return sourceModel() ? sourceModel()->headerData(section, orientation, role) : QVariant();
}

}  // namespace gapscope

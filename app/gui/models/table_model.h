// What all tables share: a cell is shown rounded, sorted raw, copied exactly.
#pragma once

#include <QAbstractTableModel>
#include <QColor>
#include <QVariant>
#include <vector>

namespace gapscope {

inline constexpr int kSortRole = Qt::UserRole + 1;   // raw number or text
inline constexpr int kExactRole = Qt::UserRole + 2;  // text for copying: exact, no thousands separators, no unit

struct TableColumn {
    QString title;
    QString tip;
    bool number = true;  // right-aligned
};

struct TableCell {
    QString shown;
    QVariant raw;
    QString exact;  // empty: as raw
    QString tip;    // empty: none
    QColor swatch;  // a small square before the text, if valid
    bool strong = false;
};

class TableModel : public QAbstractTableModel {
    Q_OBJECT

public:
    using QAbstractTableModel::QAbstractTableModel;

    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

protected:
    virtual const std::vector<TableColumn>& columns() const = 0;
    virtual TableCell cell(int row, int column) const = 0;
};

// Cells of the usual kinds.
TableCell textCell(const QString& text);
TableCell countCell(qint64 count);
TableCell durationCell(qint64 ns);  // tip and copy in exact ns
TableCell momentCell(qint64 ns);    // a point in time, from the start of the trace
TableCell shareCell(double share);  // of 1

QString exactNs(qint64 ns);  // "1,234,567 ns"

}  // namespace gapscope

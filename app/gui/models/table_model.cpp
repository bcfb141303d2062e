#include "app/gui/models/table_model.h"

#include <QFont>

#include "app/gui/plain_tip.h"
#include "app/gui/session/selection_text.h"
#include "core/base/format.h"

namespace gapscope {

int TableModel::columnCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(columns().size());
}

QVariant TableModel::data(const QModelIndex& index, int role) const {
    if (!checkIndex(index, CheckIndexOption::IndexIsValid | CheckIndexOption::ParentIsInvalid)) return {};
    const TableColumn& column = columns()[static_cast<size_t>(index.column())];
    if (role == Qt::TextAlignmentRole)
        return QVariant::fromValue(Qt::Alignment(Qt::AlignVCenter | (column.number ? Qt::AlignRight : Qt::AlignLeft)));
    const bool wanted = role == Qt::DisplayRole || role == Qt::ToolTipRole || role == Qt::DecorationRole ||
                        role == Qt::FontRole || role == kSortRole || role == kExactRole;
    if (!wanted) return {};
    const TableCell content = cell(index.row(), index.column());
    switch (role) {
        case Qt::DisplayRole:
            return content.shown;
        case Qt::ToolTipRole:
            return content.tip.isEmpty() ? QVariant() : wrappedTip(content.tip);
        case Qt::DecorationRole:
            return content.swatch.isValid() ? QVariant(content.swatch) : QVariant();
        case Qt::FontRole: {
            if (!content.strong) return {};
            QFont font;
            font.setBold(true);
            return font;
        }
        case kSortRole:
            return content.raw;
        default:
            return content.exact.isEmpty() ? content.raw.toString() : content.exact;
    }
}

QVariant TableModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal || section < 0 || section >= columnCount()) return {};
    const TableColumn& column = columns()[static_cast<size_t>(section)];
    switch (role) {
        case Qt::DisplayRole:
            return column.title;
        case Qt::ToolTipRole:
            return column.tip.isEmpty() ? QVariant() : wrappedTip(column.tip);
        case Qt::TextAlignmentRole:
            return QVariant::fromValue(
                Qt::Alignment(Qt::AlignVCenter | (column.number ? Qt::AlignRight : Qt::AlignLeft)));
        default:
            return {};
    }
}

TableCell textCell(const QString& content) {
    return {.shown = content, .raw = content, .tip = content};
}

TableCell countCell(qint64 count) {
    return {.shown = text(formatCount(count)), .raw = count};
}

TableCell durationCell(qint64 ns) {
    return {.shown = text(formatDuration(ns)), .raw = ns, .exact = QString::number(ns), .tip = exactNs(ns)};
}

TableCell momentCell(qint64 ns) {
    return {.shown = text(formatMoment(ns)), .raw = ns, .exact = QString::number(ns), .tip = exactNs(ns)};
}

TableCell shareCell(double share) {
    return {.shown = text(formatPercent(share)), .raw = share, .exact = QString::number(share, 'g', 10)};
}

QString exactNs(qint64 ns) {
    return text(formatCount(ns)) + QStringLiteral(" ns");
}

}  // namespace gapscope

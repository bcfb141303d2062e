#include "app/gui/views/data_table.h"

#include <QClipboard>
#include <QGuiApplication>
#include <QHeaderView>
#include <QKeyEvent>
#include <QPainter>
#include <QScrollBar>
#include <QStyledItemDelegate>
#include <algorithm>

namespace gapscope {
namespace {

constexpr int kRowHeight = 22;
constexpr int kSwatchSize = 10;

// A swatch keeps its colour in a selected row (styles tint icons there), with a frame to stand off the highlight.
class SwatchDelegate : public QStyledItemDelegate {
public:
    using QStyledItemDelegate::QStyledItemDelegate;

protected:
    void initStyleOption(QStyleOptionViewItem* option, const QModelIndex& index) const override {
        QStyledItemDelegate::initStyleOption(option, index);
        const QVariant swatch = index.data(Qt::DecorationRole);
        if (swatch.userType() != QMetaType::QColor || !option->state.testFlag(QStyle::State_Selected)) return;
        const double ratio = option->widget ? option->widget->devicePixelRatioF() : 1.0;
        QPixmap pixmap((QSizeF(option->decorationSize) * ratio).toSize());
        pixmap.setDevicePixelRatio(ratio);
        pixmap.fill(option->palette.color(QPalette::HighlightedText));
        QPainter(&pixmap).fillRect(QRect({}, option->decorationSize).adjusted(1, 1, -1, -1), swatch.value<QColor>());
        option->icon = QIcon();
        option->icon.addPixmap(pixmap, QIcon::Normal);
        option->icon.addPixmap(pixmap, QIcon::Selected);
    }
};

QString singleLine(QString cell) {
    return cell.replace(QLatin1Char('\t'), QLatin1Char(' ')).replace(QLatin1Char('\n'), QLatin1Char(' '));
}

}  // namespace

DataTable::DataTable(TableModel& model, const QString& accessibleName, QWidget* parent)
    : QTableView(parent), m_proxy(new QSortFilterProxyModel(this)) {
    m_proxy->setSourceModel(&model);
    m_proxy->setSortRole(kSortRole);
    setModel(m_proxy);
    setAccessibleName(accessibleName);
    setShowGrid(false);
    setAlternatingRowColors(true);
    setFrameShape(QFrame::NoFrame);
    setSelectionBehavior(SelectRows);
    setSelectionMode(ExtendedSelection);
    setEditTriggers(NoEditTriggers);
    setWordWrap(false);
    setTextElideMode(Qt::ElideMiddle);
    setTabKeyNavigation(false);
    setItemDelegate(new SwatchDelegate(this));
    setIconSize({kSwatchSize, kSwatchSize});
    setHorizontalScrollMode(ScrollPerPixel);
    verticalHeader()->hide();
    verticalHeader()->setDefaultSectionSize(std::max(kRowHeight, fontMetrics().height() + 6));
    verticalHeader()->setSectionResizeMode(QHeaderView::Fixed);
    horizontalHeader()->setHighlightSections(false);
    horizontalHeader()->setMinimumSectionSize(48);
    connect(&model, &QAbstractItemModel::modelAboutToBeReset, this,
            [this] { m_scroll = verticalScrollBar()->value(); });
    connect(&model, &QAbstractItemModel::modelReset, this, [this] { verticalScrollBar()->setValue(m_scroll); });
    connect(this, &QTableView::clicked, this, [this](const QModelIndex& index) { Q_EMIT chosen(sourceRow(index)); });
    connect(this, &QTableView::doubleClicked, this,
            [this](const QModelIndex& index) { Q_EMIT doubleChosen(sourceRow(index)); });
}

void DataTable::setColumnCharacters(const std::vector<int>& characters, int stretched) {
    const int width = fontMetrics().horizontalAdvance(QLatin1Char('0'));
    m_columnWidths.clear();
    for (size_t column = 0; column < characters.size(); ++column) {
        m_columnWidths.push_back(characters[column] * width + 14);
        setColumnWidth(static_cast<int>(column), m_columnWidths.back());
    }
    horizontalHeader()->setSectionResizeMode(stretched, QHeaderView::Stretch);
}

int DataTable::neededWidth() const {
    int width = verticalScrollBar()->sizeHint().width() + 2;
    for (size_t column = 0; column < m_columnWidths.size(); ++column)
        if (!isColumnHidden(static_cast<int>(column))) width += m_columnWidths[column];
    return width;
}

void DataTable::sortAtFirst(int column, Qt::SortOrder order) {
    setSortingEnabled(true);
    sortByColumn(column, order);
}

int DataTable::sourceRow(const QModelIndex& index) const {
    return index.isValid() ? m_proxy->mapToSource(index).row() : -1;
}

void DataTable::markSourceRow(int row) {
    if (row < 0) {
        clearSelection();
        return;
    }
    const QModelIndex index = m_proxy->mapFromSource(m_proxy->sourceModel()->index(row, 0));
    if (!selectionModel()->isRowSelected(index.row())) selectRow(index.row());
    scrollTo(index);
}

std::vector<int> DataTable::selectedSourceRows() const {
    std::vector<int> rows;
    for (const QModelIndex& index : selectionModel()->selectedRows())
        rows.push_back(sourceRow(index));
    std::sort(rows.begin(), rows.end());
    return rows;
}

void DataTable::copySelection() const {
    QList<QModelIndex> rows = selectionModel()->selectedRows();
    if (rows.isEmpty()) return;
    std::sort(rows.begin(), rows.end());
    QStringList lines;
    QStringList header;
    for (int column = 0; column < m_proxy->columnCount(); ++column)
        header.append(m_proxy->headerData(column, Qt::Horizontal, Qt::DisplayRole).toString());
    lines.append(header.join(QLatin1Char('\t')));
    for (const QModelIndex& row : rows) {
        QStringList cells;
        for (int column = 0; column < m_proxy->columnCount(); ++column)
            cells.append(singleLine(row.siblingAtColumn(column).data(kExactRole).toString()));
        lines.append(cells.join(QLatin1Char('\t')));
    }
    QGuiApplication::clipboard()->setText(lines.join(QLatin1Char('\n')));
}

void DataTable::keyPressEvent(QKeyEvent* event) {
    if (event->matches(QKeySequence::Copy)) {
        copySelection();
    } else if ((event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter) && currentIndex().isValid()) {
        Q_EMIT chosen(sourceRow(currentIndex()));
    } else {
        QTableView::keyPressEvent(event);
    }
}

}  // namespace gapscope

#include "app/gui/views/data_table.h"

#include <QClipboard>
#include <QContextMenuEvent>
#include <QGuiApplication>
#include <QHeaderView>
#include <QKeyEvent>
#include <QMenu>
#include <QMessageBox>
#include <QPainter>
#include <QSaveFile>
#include <QScrollBar>
#include <QSignalBlocker>
#include <QStyledItemDelegate>
#include <QToolTip>
#include <algorithm>
#include <numeric>

#include "app/gui/views/export_choice.h"

namespace gapscope {
namespace {

constexpr int kRowHeight = 22;
constexpr int kSwatchSize = 10;
constexpr int kLeastStretched = 16;  // characters
constexpr int kMsecsTold = 8000;     // a sentence that answers a key

// Numbers stand right, text left: where text follows a number, the two would touch.
const QString kBeforeText = QStringLiteral("\u2003");

bool isNumber(const QAbstractItemModel& model, int column) {
    return model.headerData(column, Qt::Horizontal, Qt::TextAlignmentRole)
        .value<Qt::Alignment>()
        .testFlag(Qt::AlignRight);
}

// Whether `column` shows numbers and what is shown to the right of it text.
bool needsGap(const QTableView& table, int column) {
    if (!isNumber(*table.model(), column)) return false;
    const QHeaderView& header = *table.horizontalHeader();
    for (int place = header.visualIndex(column) + 1; place < header.count(); ++place) {
        const int next = header.logicalIndex(place);
        if (!table.isColumnHidden(next)) return !isNumber(*table.model(), next);
    }
    return false;
}

class GapHeader : public QHeaderView {
public:
    explicit GapHeader(const QTableView& table, QWidget* parent)
        : QHeaderView(Qt::Horizontal, parent), m_table(table) {}

protected:
    void initStyleOptionForIndex(QStyleOptionHeader* option, int logicalIndex) const override {
        QHeaderView::initStyleOptionForIndex(option, logicalIndex);
        if (needsGap(m_table, logicalIndex)) option->text += kBeforeText;
    }

private:
    const QTableView& m_table;
};

// A swatch keeps its colour in a selected row (styles tint icons there), with a frame to stand off the highlight.
class SwatchDelegate : public QStyledItemDelegate {
public:
    using QStyledItemDelegate::QStyledItemDelegate;

protected:
    void initStyleOption(QStyleOptionViewItem* option, const QModelIndex& index) const override {
        QStyledItemDelegate::initStyleOption(option, index);
        const auto* table = qobject_cast<const QTableView*>(option->widget);
        if (table && needsGap(*table, index.column())) option->text += kBeforeText;
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

QString csvField(const QString& cell) {
    const bool plain = !cell.contains(QLatin1Char(',')) && !cell.contains(QLatin1Char('"')) &&
                       !cell.contains(QLatin1Char('\n')) && !cell.contains(QLatin1Char('\r'));
    if (plain) return cell;
    QString quoted = cell;
    return QLatin1Char('"') + quoted.replace(QLatin1Char('"'), QStringLiteral("\"\"")) + QLatin1Char('"');
}

}  // namespace

DataTable::DataTable(TableModel& model, const QString& accessibleName, QWidget* parent, RowOrder order)
    : QTableView(parent), m_model(model) {
    if (order == RowOrder::Sortable) {
        m_proxy = new QSortFilterProxyModel(this);
        m_proxy->setSourceModel(&model);
        m_proxy->setSortRole(kSortRole);
        m_proxy->setFilterKeyColumn(-1);
        m_proxy->setFilterCaseSensitivity(Qt::CaseInsensitive);
        setModel(m_proxy);
    } else {
        m_window = new RowWindow(model, this);
        setModel(m_window);
    }
    setHorizontalHeader(new GapHeader(*this, this));
    horizontalHeader()->setSectionsClickable(true);
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
    horizontalHeader()->setContextMenuPolicy(Qt::CustomContextMenu);
    connect(horizontalHeader(), &QWidget::customContextMenuRequested, this, &DataTable::showHeaderMenu);
    connect(&model, &QAbstractItemModel::modelAboutToBeReset, this,
            [this] { m_scroll = verticalScrollBar()->value(); });
    connect(&model, &QAbstractItemModel::modelReset, this, [this] { verticalScrollBar()->setValue(m_scroll); });
    const auto isNotAll = [this] { m_isAllSelected = false; };
    connect(selectionModel(), &QItemSelectionModel::selectionChanged, this, isNotAll);
    connect(&model, &QAbstractItemModel::modelReset, this, isNotAll);
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
    m_stretched = stretched;
    horizontalHeader()->setSectionResizeMode(stretched, QHeaderView::Fixed);
    connect(horizontalHeader(), &QHeaderView::sectionResized, this, [this](int column) {
        if (column != m_stretched) fitStretched();
    });
    fitStretched();
}

// QHeaderView::Stretch would leave it a few letters; so, a table that is too narrow scrolls.
void DataTable::fitStretched() {
    if (m_stretched < 0 || isColumnHidden(m_stretched)) return;
    const int least = std::min(m_columnWidths[static_cast<size_t>(m_stretched)],
                               kLeastStretched * fontMetrics().horizontalAdvance(QLatin1Char('0')));
    const int others = horizontalHeader()->length() - columnWidth(m_stretched);
    setColumnWidth(m_stretched, std::max(least, viewport()->width() - others));
}

void DataTable::resizeEvent(QResizeEvent* event) {
    QTableView::resizeEvent(event);
    fitStretched();
}

int DataTable::neededWidth() const {
    int width = verticalScrollBar()->sizeHint().width() + 2;
    for (size_t column = 0; column < m_columnWidths.size(); ++column)
        if (!isColumnHidden(static_cast<int>(column))) width += m_columnWidths[column];
    return width;
}

void DataTable::offerColumn(int column, bool shown) {
    if (!m_chosenColumns.contains(column)) setColumnHidden(column, !shown);
}

void DataTable::sortAtFirst(int column, Qt::SortOrder order) {
    setSortingEnabled(true);
    sortByColumn(column, order);
}

void DataTable::offerOrders(int column, Qt::SortOrder order) {
    horizontalHeader()->setSortIndicator(column, order);
    horizontalHeader()->setSortIndicatorShown(true);
    horizontalHeader()->setSectionsClickable(true);
    connect(horizontalHeader(), &QHeaderView::sortIndicatorChanged, this, &DataTable::orderWanted);
}

void DataTable::setFilterText(const QString& text) {
    if (m_proxy) m_proxy->setFilterFixedString(text);
}

int DataTable::sourceRow(const QModelIndex& index) const {
    if (!index.isValid()) return -1;
    return m_proxy ? m_proxy->mapToSource(index).row() : m_window->mapToSource(index).row();
}

QModelIndex DataTable::viewIndex(int sourceRow) const {
    const QModelIndex source = m_model.index(sourceRow, 0);
    return m_proxy ? m_proxy->mapFromSource(source) : m_window->mapFromSource(source);
}

void DataTable::markSourceRow(int row) {
    if (row >= 0) bringIntoWindow(row);
    const QModelIndex index = row < 0 ? QModelIndex() : viewIndex(row);
    if (!index.isValid()) {  // none, or filtered out
        clearSelection();
        return;
    }
    if (!selectionModel()->isRowSelected(index.row())) selectRow(index.row());
    scrollTo(index);
}

std::vector<int> DataTable::selectedSourceRows() const {
    std::vector<int> rows;
    if (m_isAllSelected) {
        rows.resize(static_cast<size_t>(m_model.rowCount()));
        std::iota(rows.begin(), rows.end(), 0);
        return rows;
    }
    for (const QModelIndex& index : selectionModel()->selectedRows())
        rows.push_back(sourceRow(index));
    std::sort(rows.begin(), rows.end());
    return rows;
}

QString DataTable::copied(CopyFormat format, CopyRows rows) const {
    const QAbstractItemModel& from = m_window ? m_model : *model();  // the window may hold a part only
    QList<int> wanted;
    if (rows == CopyRows::All || m_isAllSelected) {
        for (int row = 0; row < from.rowCount(); ++row)
            wanted.append(row);
    } else {
        for (const QModelIndex& index : selectionModel()->selectedRows())
            wanted.append(m_window ? sourceRow(index) : index.row());
        std::sort(wanted.begin(), wanted.end());
    }
    const auto line = [&](auto&& cellOf) {
        QStringList cells;
        for (int column = 0; column < model()->columnCount(); ++column) {
            if (isColumnHidden(column)) continue;
            const QString cell = cellOf(column);
            cells.append(format == CopyFormat::Csv ? csvField(cell) : singleLine(cell));
        }
        return cells.join(format == CopyFormat::Csv ? QLatin1Char(',') : QLatin1Char('\t'));
    };
    QStringList lines{
        line([&](int column) { return model()->headerData(column, Qt::Horizontal, Qt::DisplayRole).toString(); })};
    for (const int row : wanted)
        lines.append(line([&](int column) { return from.index(row, column).data(kExactRole).toString(); }));
    return lines.join(QLatin1Char('\n'));
}

int DataTable::selectedCount() const {
    if (m_isAllSelected) return m_model.rowCount();
    int count = 0;
    for (const QItemSelectionRange& range : selectionModel()->selection())
        count += range.height();  // of whole rows
    return count;
}

int DataTable::rowsOf(CopyRows rows) const {
    if (rows == CopyRows::Selected) return selectedCount();
    return m_window ? m_model.rowCount() : model()->rowCount();
}

// A table of millions would be a clipboard of gigabytes.
void DataTable::copy(CopyFormat format, CopyRows rows) {
    const int count = rowsOf(rows);
    if (count == 0) return;
    if (count <= kMostCopied) return QGuiApplication::clipboard()->setText(copied(format, rows));
    QToolTip::showText(
        viewport()->mapToGlobal(viewport()->rect().center()),
        tr("Nothing was copied: %L1 rows are chosen, and the clipboard takes %L2. List fewer by a filter "
           "or by selecting less of the timeline.")
            .arg(count)
            .arg(kMostCopied),
        viewport(), {}, kMsecsTold);
}

void DataTable::copySelection() {
    copy(CopyFormat::Text, CopyRows::Selected);
}

void DataTable::exportCsv() {
    const auto choice =
        askForExport(this, tr("Export the table"), {}, accessibleName().toLower() + QStringLiteral(".csv"),
                     {tr("Comma-separated values (*.csv)")}, QStringLiteral("csv"));
    if (!choice) return;
    const QString& path = choice->path;
    QByteArray text = copied(CopyFormat::Csv, CopyRows::All).toUtf8() + '\n';
    if (choice->identity == Identity::LeftOut) text = QByteArray::fromStdString(withoutHomeFolders(text.toStdString()));
    QSaveFile file(path);
    if (file.open(QIODevice::WriteOnly) && file.write(text) == text.size() && file.commit()) return;
    QMessageBox::warning(this, tr("Export the table"),
                         tr("%1 could not be written: %2.").arg(path, file.errorString()));
}

void DataTable::contextMenuEvent(QContextMenuEvent* event) {
    const auto copying = [this](CopyFormat format, CopyRows rows) {
        return [this, format, rows] { copy(format, rows); };
    };
    auto* menu = new QMenu(this);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    const bool any = selectionModel()->hasSelection();
    const auto add = [&](const QString& title, bool enabled, auto&& act) {
        QAction* action = menu->addAction(title);
        action->setEnabled(enabled);
        connect(action, &QAction::triggered, this, act);
        return action;
    };
    add(tr("&Copy"), any, copying(CopyFormat::Text, CopyRows::Selected))->setShortcut(QKeySequence::Copy);
    add(tr("Copy as C&SV"), any, copying(CopyFormat::Csv, CopyRows::Selected));
    menu->addSeparator();
    const int rows = rowsOf(CopyRows::All);
    add(tr("Copy &all"), rows > 0, copying(CopyFormat::Text, CopyRows::All));
    add(tr("Copy all as CS&V"), rows > 0, copying(CopyFormat::Csv, CopyRows::All));
    if (rows > kMostCopied)
        add(tr("&Export as CSV: up to %L1 rows").arg(kMostCopied), false, [] {});
    else
        add(tr("&Export as CSV…"), rows > 0, [this] { exportCsv(); });
    if (!actions().isEmpty()) {
        menu->addSeparator();
        menu->addActions(actions());
    }
    menu->popup(event->globalPos());
}

void DataTable::showHeaderMenu(const QPoint& place) {
    auto* menu = new QMenu(this);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    int shown = 0;
    for (int column = 0; column < model()->columnCount(); ++column)
        shown += !isColumnHidden(column);
    for (int column = 0; column < model()->columnCount(); ++column) {
        QAction* action = menu->addAction(model()->headerData(column, Qt::Horizontal, Qt::DisplayRole).toString());
        action->setCheckable(true);
        action->setChecked(!isColumnHidden(column));
        action->setEnabled(isColumnHidden(column) || shown > 1);  // one stays
        connect(action, &QAction::toggled, this, [this, column](bool on) {
            m_chosenColumns.insert(column);
            setColumnHidden(column, !on);
        });
    }
    menu->popup(horizontalHeader()->mapToGlobal(place));
}

// Where the view knows a part of the rows: positions of the scroll bar are rows of the whole.

void DataTable::showFrom(int row) {
    const int page = verticalScrollBar()->pageStep() + 1;
    const int last = std::min(row + page, m_window->allRows());
    if (!m_window->holds(row, last)) m_window->moveTo(row);
    if (row >= verticalScrollBar()->maximum() && last == m_window->allRows())
        verticalHeader()->setOffsetToLastSection();
    else
        verticalHeader()->setOffsetToSectionPosition(row - m_window->first());
    viewport()->update();
}

// With the scroll bar: the window is where that is.
void DataTable::bringIntoWindow(int row) {
    if (!isPart() || m_window->holds(row, row + 1)) return;
    updateGeometries();  // of rows that have just come the bar may not know
    verticalScrollBar()->setValue(row - verticalScrollBar()->pageStep() / 2);
}

void DataTable::updateGeometries() {
    if (!isPart()) return QTableView::updateGeometries();
    QScrollBar& bar = *verticalScrollBar();
    const int row = bar.value();
    {
        const QSignalBlocker quiet(bar);  // the view sets it for the rows that it knows
        QTableView::updateGeometries();
    }
    const int page = bar.pageStep();
    bar.setRange(0, std::max(0, m_window->allRows() - page));
    bar.setValue(row);
    showFrom(bar.value());
}

void DataTable::scrollContentsBy(int dx, int dy) {
    if (!isPart()) return QTableView::scrollContentsBy(dx, dy);
    if (dx != 0) QTableView::scrollContentsBy(dx, 0);
    if (dy != 0) showFrom(verticalScrollBar()->value());
}

void DataTable::scrollTo(const QModelIndex& index, ScrollHint hint) {
    if (!isPart()) return QTableView::scrollTo(index, hint);
    if (!index.isValid()) return;
    QScrollBar& bar = *verticalScrollBar();
    const int top = bar.value(), page = bar.pageStep(), row = sourceRow(index);
    {
        const QSignalBlocker quiet(bar);
        QTableView::scrollTo(index, hint);  // sideways
        bar.setValue(top);
    }
    if (hint == PositionAtCenter)
        bar.setValue(row - page / 2);
    else if (hint == PositionAtTop || row < top)
        bar.setValue(row);
    else if (hint == PositionAtBottom || row >= top + page)
        bar.setValue(row - page + 1);
    showFrom(bar.value());
}

QModelIndex DataTable::moveCursor(CursorAction action, Qt::KeyboardModifiers modifiers) {
    if (isPart()) {
        const int row = sourceRow(currentIndex()), reach = 2 * verticalScrollBar()->pageStep();
        if (modifiers.testFlag(Qt::ControlModifier) && (action == MoveHome || action == MoveEnd)) {
            const int column = std::max(0, currentIndex().column());
            bringIntoWindow(action == MoveHome ? 0 : m_window->allRows() - 1);
            return m_window->index(action == MoveHome ? 0 : m_window->rowCount() - 1, column);
        }
        if (row >= 0 && !m_window->holds(std::max(0, row - reach), std::min(row + reach, m_window->allRows()))) {
            scrollTo(currentIndex());  // or what is seen would draw the window back
            m_window->moveTo(row);
        }
    }
    return QTableView::moveCursor(action, modifiers);
}

// All that the view knows of are selected in it, also when it comes to know others: QItemSelectionModel keeps a whole
// table whole.
void DataTable::selectAll() {
    QTableView::selectAll();
    m_isAllSelected = isPart();
}

// Where all are selected, leaving out one of them begins anew: the view could tell of the rows that it knows only.
QItemSelectionModel::SelectionFlags DataTable::selectionCommand(const QModelIndex& index, const QEvent* event) const {
    const auto command = QTableView::selectionCommand(index, event);
    const bool changes = command & (QItemSelectionModel::Toggle | QItemSelectionModel::Deselect);
    return m_isAllSelected && changes ? QItemSelectionModel::ClearAndSelect | QItemSelectionModel::Rows : command;
}

bool DataTable::edit(const QModelIndex& index, EditTrigger trigger, QEvent* event) {
    const bool begins = QTableView::edit(index, trigger, event);
    if (begins) Q_EMIT editingChanged();
    return begins;
}

void DataTable::closeEditor(QWidget* editor, QAbstractItemDelegate::EndEditHint hint) {
    QTableView::closeEditor(editor, hint);
    Q_EMIT editingChanged();
}

void DataTable::finishEditing() {
    QWidget* const editor = isEditing() ? indexWidget(currentIndex()) : nullptr;
    if (!editor) return;
    commitData(editor);
    closeEditor(editor, QAbstractItemDelegate::NoHint);
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

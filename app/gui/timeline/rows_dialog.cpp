#include "app/gui/timeline/rows_dialog.h"

#include <QDialogButtonBox>
#include <QHeaderView>
#include <QLineEdit>
#include <QPushButton>
#include <QTreeView>
#include <QVBoxLayout>

#include "app/gui/session/selection_text.h"
#include "app/gui/timeline/timeline_widget.h"

namespace gapscope {

namespace {

constexpr int kKeyRole = Qt::UserRole + 1;
constexpr int kShownColumn = 0;
constexpr int kPinnedColumn = 1;

}  // namespace

RowsDialog::RowsDialog(Session& session, TimelineWidget& timeline, QWidget* parent)
    : QDialog(parent), m_session(session), m_timeline(timeline), m_tree(new QTreeView(this)) {
    setObjectName(QStringLiteral("rowsDialog"));
    setWindowTitle(tr("Rows of the timeline"));
    auto* filter = new QLineEdit(this);
    filter->setObjectName(QStringLiteral("rowsFilter"));
    filter->setPlaceholderText(tr("Filter by name"));
    filter->setAccessibleName(tr("Filter by name"));
    filter->setClearButtonEnabled(true);
    m_filtered.setSourceModel(&m_model);
    m_filtered.setRecursiveFilteringEnabled(true);
    m_filtered.setAutoAcceptChildRows(true);
    m_filtered.setFilterCaseSensitivity(Qt::CaseInsensitive);
    connect(filter, &QLineEdit::textChanged, this, [this](const QString& text) {
        m_filtered.setFilterFixedString(text);
        m_tree->expandAll();
    });
    m_tree->setObjectName(QStringLiteral("rowsTree"));
    m_tree->setAccessibleName(tr("Rows"));
    m_tree->setModel(&m_filtered);
    m_tree->setUniformRowHeights(true);
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close, this);
    QPushButton* all = buttons->addButton(tr("Show all"), QDialogButtonBox::ActionRole);
    all->setObjectName(QStringLiteral("rowsShowAll"));
    QPushButton* reset = buttons->addButton(QDialogButtonBox::Reset);
    reset->setObjectName(QStringLiteral("rowsReset"));
    reset->setToolTip(tr("Order, heights, pins and folds as they were at first"));
    connect(all, &QPushButton::clicked, this, [this] { m_timeline.actOnRow({}, TimelineWidget::RowAct::ShowHidden); });
    connect(reset, &QPushButton::clicked, &m_timeline, &TimelineWidget::resetRows);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    auto* layout = new QVBoxLayout(this);
    layout->addWidget(filter);
    layout->addWidget(m_tree, 1);
    layout->addWidget(buttons);
    resize(440, 520);

    connect(&m_model, &QStandardItemModel::itemChanged, this, &RowsDialog::takeChange);
    connect(&m_timeline, &TimelineWidget::rowsChanged, this, &RowsDialog::fill);
    connect(&m_session, &Session::rowArrangementChanged, this, &RowsDialog::showStates);
    fill();
}

void RowsDialog::fill() {
    m_filling = true;
    m_model.clear();
    m_model.setHorizontalHeaderLabels({tr("Shown"), tr("Pinned")});
    const auto add = [&](QStandardItem* parent, const RowNode& node, const auto& self) -> void {
        auto* shown = new QStandardItem(gapscope::text(node.title));
        auto* pinned = new QStandardItem;
        for (QStandardItem* item : {shown, pinned}) {
            item->setData(gapscope::text(node.key), kKeyRole);
            item->setEditable(false);
        }
        shown->setCheckable(true);
        pinned->setCheckable(!node.isGroup());
        pinned->setAccessibleText(tr("%1 pinned").arg(gapscope::text(node.title)));
        parent->appendRow({shown, pinned});
        for (const RowNode& child : node.children)
            self(shown, child, self);
    };
    for (const RowNode& node : m_timeline.index().tree())
        add(m_model.invisibleRootItem(), node, add);
    m_filling = false;
    showStates();
    m_tree->expandAll();
    m_tree->header()->setStretchLastSection(false);
    m_tree->header()->setSectionResizeMode(kShownColumn, QHeaderView::Stretch);
    m_tree->header()->setSectionResizeMode(kPinnedColumn, QHeaderView::ResizeToContents);
}

void RowsDialog::showStates() {
    m_filling = true;
    const RowArrangement& rows = m_session.rowArrangement();
    const auto show = [&](QStandardItem* parent, const auto& self) -> void {
        for (int i = 0; i < parent->rowCount(); ++i) {
            QStandardItem* shown = parent->child(i, kShownColumn);
            QStandardItem* pinned = parent->child(i, kPinnedColumn);
            const std::string key = shown->data(kKeyRole).toString().toStdString();
            shown->setCheckState(rows.hidden.contains(key) ? Qt::Unchecked : Qt::Checked);
            if (pinned->isCheckable())
                pinned->setCheckState(std::ranges::count(rows.pinned, key) > 0 ? Qt::Checked : Qt::Unchecked);
            self(shown, self);
        }
    };
    show(m_model.invisibleRootItem(), show);
    m_filling = false;
}

void RowsDialog::takeChange(QStandardItem* item) {
    if (m_filling) return;
    const std::string key = item->data(kKeyRole).toString().toStdString();
    const bool checked = item->checkState() == Qt::Checked;
    RowArrangement rows = m_session.rowArrangement();
    if (item->column() == kPinnedColumn)
        rows = withPinned(std::move(rows), key, checked);
    else if (checked)
        rows.hidden.erase(key);
    else
        rows.hidden.insert(key);
    m_session.setRowArrangement(std::move(rows));
}

}  // namespace gapscope

#include "app/gui/window/command_palette.h"

#include <QCoreApplication>
#include <QKeyEvent>
#include <QLineEdit>
#include <QListView>
#include <QPainter>
#include <QStandardItemModel>
#include <QStyledItemDelegate>
#include <QVBoxLayout>
#include <algorithm>

#include "app/gui/settings/appearance.h"

namespace gapscope {

namespace {

constexpr int kActionRole = Qt::UserRole + 1;
constexpr int kKeysRole = Qt::UserRole + 2;

QString nameOf(const QAction& action) {
    QString name = action.text();
    name.remove(QLatin1Char('&'));
    if (name.endsWith(QChar(0x2026))) name.chop(1);
    return name;
}

// The name, and at the right the keys.
class CommandDelegate : public QStyledItemDelegate {
public:
    using QStyledItemDelegate::QStyledItemDelegate;
    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override {
        QStyledItemDelegate::paint(painter, option, index);
        const QString keys = index.data(kKeysRole).toString();
        if (keys.isEmpty()) return;
        painter->save();
        const bool selected = option.state.testFlag(QStyle::State_Selected);
        painter->setPen(selected ? option.palette.color(QPalette::HighlightedText) : appTheme().mutedText);
        painter->drawText(option.rect.adjusted(0, 0, -10, 0), Qt::AlignVCenter | Qt::AlignRight, keys);
        painter->restore();
    }
    QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override {
        return QStyledItemDelegate::sizeHint(option, index).expandedTo({0, 28});
    }
};

}  // namespace

int fuzzyScore(const QString& wanted, const QString& name) {
    int score = 0;
    qsizetype at = 0;
    qsizetype last = -2;
    for (const QChar letter : wanted) {
        if (letter.isSpace()) continue;
        at = name.indexOf(letter, at, Qt::CaseInsensitive);
        if (at < 0) return -1;
        const bool beginsWord = at == 0 || !name[at - 1].isLetterOrNumber();
        score += at == last + 1 ? 4 : beginsWord ? 3 : 1;
        last = at++;
    }
    return score;
}

CommandPalette::CommandPalette(const QList<QAction*>& actions, QStringList& recent, QWidget* parent)
    : QDialog(parent),
      m_recent(recent),
      m_text(new QLineEdit(this)),
      m_list(new QListView(this)),
      m_model(new QStandardItemModel(this)) {
    setObjectName(QStringLiteral("commandPalette"));
    setWindowTitle(tr("Command palette"));
    for (QAction* action : actions)
        if (action->isVisible()) m_actions.append(action);
    m_text->setObjectName(QStringLiteral("commandText"));
    m_text->setPlaceholderText(tr("What to do"));
    m_text->setAccessibleName(tr("Command"));
    m_text->installEventFilter(this);
    m_list->setObjectName(QStringLiteral("commandList"));
    m_list->setAccessibleName(tr("Commands"));
    m_list->setModel(m_model);
    m_list->setItemDelegate(new CommandDelegate(m_list));
    m_list->setEditTriggers(QAbstractItemView::NoEditTriggers);
    m_list->setUniformItemSizes(true);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(8, 8, 8, 8);
    layout->addWidget(m_text);
    layout->addWidget(m_list);
    resize(520, 420);
    connect(m_text, &QLineEdit::textChanged, this, &CommandPalette::filter);
    connect(m_list, &QListView::activated, this, &CommandPalette::trigger);
    filter();
}

void CommandPalette::filter() {
    struct Fit {
        int score;
        int order;
        QAction* action;
    };
    QList<Fit> fits;
    for (int i = 0; i < m_actions.size(); ++i) {
        QAction* const action = m_actions[i];
        const int score = fuzzyScore(m_text->text(), nameOf(*action));
        if (score < 0) continue;
        const auto done = static_cast<int>(m_recent.indexOf(action->objectName()));
        fits.append({score, done >= 0 ? done - static_cast<int>(m_recent.size()) : i, action});
    }
    std::ranges::stable_sort(
        fits, [](const Fit& a, const Fit& b) { return a.score != b.score ? a.score > b.score : a.order < b.order; });
    m_model->clear();
    for (const Fit& fit : fits) {
        auto* item = new QStandardItem(fit.action->icon(), nameOf(*fit.action));
        item->setToolTip(fit.action->statusTip());
        item->setEnabled(fit.action->isEnabled());
        item->setData(QVariant::fromValue(static_cast<QObject*>(fit.action)), kActionRole);
        item->setData(fit.action->shortcut().toString(QKeySequence::NativeText), kKeysRole);
        m_model->appendRow(item);
    }
    // Where the best fit cannot be done now, Enter must not do the next best.
    int first = 0;
    while (m_text->text().isEmpty() && first < m_model->rowCount() && !m_model->item(first)->isEnabled())
        ++first;
    if (first < m_model->rowCount() && m_model->item(first)->isEnabled())
        m_list->setCurrentIndex(m_model->index(first, 0));
}

void CommandPalette::trigger() {
    auto* const action = qobject_cast<QAction*>(m_list->currentIndex().data(kActionRole).value<QObject*>());
    if (!action || !action->isEnabled()) return;
    m_recent.removeAll(action->objectName());
    m_recent.prepend(action->objectName());
    accept();
    action->trigger();
}

bool CommandPalette::eventFilter(QObject* watched, QEvent* event) {
    if (watched == m_text && event->type() == QEvent::KeyPress) {
        auto* const key = static_cast<QKeyEvent*>(event);
        switch (key->key()) {
            case Qt::Key_Up:
            case Qt::Key_Down:
            case Qt::Key_PageUp:
            case Qt::Key_PageDown:
                QCoreApplication::sendEvent(m_list, event);
                return true;
            case Qt::Key_Return:
            case Qt::Key_Enter:
                trigger();
                return true;
            default:
                break;
        }
    }
    return QDialog::eventFilter(watched, event);
}

}  // namespace gapscope

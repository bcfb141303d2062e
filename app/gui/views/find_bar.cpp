#include "app/gui/views/find_bar.h"

#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLineEdit>
#include <QToolButton>

#include "app/gui/session/selection_text.h"
#include "app/gui/views/card.h"
#include "core/base/format.h"

namespace gapscope {

namespace {

QToolButton* makeButton(const QString& text, const QString& tip, QWidget* parent) {
    auto* button = new QToolButton(parent);
    button->setText(text);
    button->setToolTip(tip);
    button->setAccessibleName(tip);
    button->setAutoRaise(true);
    button->setFocusPolicy(Qt::TabFocus);
    return button;
}

}  // namespace

FindBar::FindBar(Finder& finder, QWidget* parent)
    : QWidget(parent), m_finder(finder), m_text(new QLineEdit(this)), m_count(new Label(LabelRole::Quiet, {}, this)) {
    setObjectName(QStringLiteral("findBar"));
    m_text->setObjectName(QStringLiteral("findText"));
    m_text->setAccessibleName(tr("Find in the trace"));
    m_text->setPlaceholderText(tr("Kernel, call, range, token or note; /expression/"));
    m_text->setClearButtonEnabled(true);
    m_text->setMaximumWidth(420);
    m_text->installEventFilter(this);
    m_count->setObjectName(QStringLiteral("findCount"));
    m_count->setMinimumWidth(m_count->fontMetrics().horizontalAdvance(QStringLiteral("1,000,000 of 1,000,000")));
    m_previous = makeButton(tr("Previous"), tr("The one before (Shift+Enter)"), this);
    m_next = makeButton(tr("Next"), tr("The next (Enter)"), this);
    m_list = makeButton(tr("List"), tr("All that was found, as a table"), this);
    auto* done = makeButton(tr("Close"), tr("Close the search (Escape)"), this);
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(8, 3, 8, 3);
    layout->setSpacing(6);
    layout->addWidget(m_text, 1);
    layout->addWidget(m_count);
    layout->addWidget(m_previous);
    layout->addWidget(m_next);
    layout->addWidget(m_list);
    layout->addStretch(1);
    layout->addWidget(done);
    setFocusProxy(m_text);
    connect(m_text, &QLineEdit::textChanged, &m_finder, &Finder::setText);
    connect(m_previous, &QToolButton::clicked, &m_finder, &Finder::previous);
    connect(m_next, &QToolButton::clicked, &m_finder, &Finder::next);
    connect(m_list, &QToolButton::clicked, this, &FindBar::listWanted);
    connect(done, &QToolButton::clicked, this, &FindBar::close);
    connect(&m_finder, &Finder::changed, this, &FindBar::showCount);
    showCount();
    hide();
}

void FindBar::open() {
    m_finder.setText(m_text->text());
    show();
    m_text->setFocus(Qt::ShortcutFocusReason);
    m_text->selectAll();
}

void FindBar::close() {
    hide();
    m_finder.setText({});  // what was typed stays for the next time
    Q_EMIT closed();
}

void FindBar::showCount() {
    const auto count = static_cast<int64_t>(m_finder.found()->size());
    QString shown;
    if (!m_finder.problem().isEmpty())
        shown = tr("No expression");
    else if (m_finder.running() && count == 0)
        shown = tr("Searching");
    else if (m_finder.text().isEmpty())
        shown.clear();
    else if (count == 0)
        shown = tr("Nothing found");
    else if (m_finder.current())
        shown = tr("%1 of %2")
                    .arg(text(formatCount(static_cast<int64_t>(*m_finder.current()) + 1)), text(formatCount(count)));
    else
        shown = tr("%1 found").arg(text(formatCount(count)));
    m_count->setText(shown);
    m_count->setToolTip(m_finder.problem());
    for (QToolButton* button : {m_previous, m_next, m_list})
        button->setEnabled(count > 0);
}

bool FindBar::eventFilter(QObject* watched, QEvent* event) {
    if (watched == m_text && event->type() == QEvent::ShortcutOverride) {
        // Escape closes the search before it clears the selection.
        if (static_cast<QKeyEvent*>(event)->key() == Qt::Key_Escape) {
            event->accept();
            return true;
        }
    }
    if (watched == m_text && event->type() == QEvent::KeyPress) {
        const auto* key = static_cast<QKeyEvent*>(event);
        if (key->key() == Qt::Key_Escape) {
            close();
            return true;
        }
        if (key->key() == Qt::Key_Return || key->key() == Qt::Key_Enter) {
            if (key->modifiers().testFlag(Qt::ShiftModifier))
                m_finder.previous();
            else
                m_finder.next();
            return true;
        }
    }
    return QWidget::eventFilter(watched, event);
}

}  // namespace gapscope

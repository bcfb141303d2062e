#include "app/gui/timeline/note_editor.h"

#include <QKeyEvent>
#include <utility>

#include "core/trace/annotations.h"

namespace gapscope {

static_assert(NoteEditor::kMostLetters * 4 <= static_cast<int>(kMostNoteBytes));

NoteEditor::NoteEditor(QWidget* parent) : QLineEdit(parent) {
    setObjectName(QStringLiteral("noteEditor"));
    setAccessibleName(tr("Note"));
    setPlaceholderText(tr("Note, then Enter"));
    setMaxLength(kMostLetters);
    setCursor(Qt::IBeamCursor);
    hide();
}

void NoteEditor::open(const QString& text, QRect place) {
    m_open = true;
    setText(text);
    selectAll();
    setGeometry(place);
    show();
    setFocus(Qt::OtherFocusReason);
}

void NoteEditor::end(bool keep) {
    if (!std::exchange(m_open, false)) return;
    const QString written = text().simplified();
    if (hasFocus()) parentWidget()->setFocus(Qt::OtherFocusReason);  // the timeline
    hide();
    if (keep)
        Q_EMIT this->written(written);
    else
        Q_EMIT givenUp();
}

bool NoteEditor::event(QEvent* event) {
    // Esc is the window's, to clear the selection; here it gives up what is written.
    if (event->type() == QEvent::ShortcutOverride && static_cast<QKeyEvent*>(event)->key() == Qt::Key_Escape)
        event->accept();
    return QLineEdit::event(event);
}

void NoteEditor::keyPressEvent(QKeyEvent* event) {
    if (event->key() == Qt::Key_Escape) return end(false);
    if (event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter) return end(true);
    QLineEdit::keyPressEvent(event);
}

void NoteEditor::focusOutEvent(QFocusEvent* event) {
    QLineEdit::focusOutEvent(event);
    // Another window or its own menu: the person comes back.
    if (event->reason() != Qt::ActiveWindowFocusReason && event->reason() != Qt::PopupFocusReason) end(true);
}

}  // namespace gapscope

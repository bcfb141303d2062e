#include "app/gui/views/note_panel.h"

#include <QAction>
#include <QItemSelectionModel>
#include <algorithm>

#include "app/gui/session/selection_text.h"
#include "app/gui/views/card.h"
#include "app/gui/views/data_table.h"
#include "app/gui/views/panel_layout.h"

namespace gapscope {

NotePanel::NotePanel(Session& session, QWidget* parent)
    : QWidget(parent),
      m_session(session),
      m_model(session),
      m_caption(new ElidedLabel(LabelRole::Quiet, {}, this)),
      m_table(new DataTable(m_model, tr("Notes"), this)),
      m_rename(new QAction(tr("&Write…"), this)),
      m_remove(new QAction(tr("&Remove"), this)) {
    m_table->setObjectName(QStringLiteral("noteTable"));
    m_table->setColumnCharacters({12, 10, 60}, NoteModel::kTextColumn);
    m_table->sortAtFirst(0, Qt::AscendingOrder);
    const auto setUp = [this](QAction* action, const char* name, Qt::Key key, auto act) {
        action->setObjectName(QLatin1String(name));
        action->setShortcut(key);
        action->setShortcutContext(Qt::WidgetShortcut);
        m_table->addAction(action);
        connect(action, &QAction::triggered, this, act);
    };
    setUp(m_rename, "writeNoteAction", Qt::Key_F2, &NotePanel::rename);
    setUp(m_remove, "removeNotesAction", Qt::Key_Delete, &NotePanel::remove);
    QVBoxLayout* const column = columnIn(this);
    captionRowIn(column)->addWidget(m_caption);
    column->addWidget(m_table, 1);
    connect(m_table, &DataTable::chosen, this, [this](int row) {
        if (row >= 0 && static_cast<size_t>(row) < m_session.notes().size())
            m_session.goTo(m_session.notes()[static_cast<size_t>(row)].range);
    });
    connect(m_table, &DataTable::editingChanged, this, &NotePanel::writingChanged);
    connect(&session, &Session::notesChanged, this, &NotePanel::showNotes);
    showNotes();
}

bool NotePanel::isWriting() const {
    return m_table->isEditing();
}

void NotePanel::finishWriting() {
    m_table->finishEditing();
}

void NotePanel::showNotes() {
    const auto count = static_cast<int64_t>(m_session.notes().size());
    m_rename->setEnabled(count > 0);
    m_remove->setEnabled(count > 0);
    if (count == 0)
        m_caption->setFullText(tr(
            "No notes yet. On the timeline, N writes one at the selection or the pointer, Shift+M keeps a mark there. "
            "They are saved with the session."));
    else
        m_caption->setFullText(counted(count, tr("%1 note"), tr("%1 notes")) +
                               tr(". A click or Enter goes there, F2 writes, Delete removes."));
}

void NotePanel::rename() {
    const QModelIndex current = m_table->currentIndex();
    if (current.isValid()) m_table->QTableView::edit(current.siblingAtColumn(NoteModel::kTextColumn));
}

// The row that comes in their place is chosen next, so that the keys can go on.
void NotePanel::remove() {
    std::vector<size_t> places;
    for (const int row : m_table->selectedSourceRows())
        places.push_back(static_cast<size_t>(row));
    if (places.empty()) return;
    const int next = m_table->currentIndex().row();
    m_session.removeNotes(places);
    const int last = m_model.rowCount() - 1;
    if (last >= 0) m_table->selectRow(std::clamp(next, 0, last));
}

}  // namespace gapscope

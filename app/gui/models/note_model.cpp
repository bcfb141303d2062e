#include "app/gui/models/note_model.h"

#include "app/gui/session/selection_text.h"
#include "app/gui/timeline/note_editor.h"

namespace gapscope {

namespace {
enum Column { kStart, kDuration, kText };
static_assert(kText == NoteModel::kTextColumn);
}  // namespace

NoteModel::NoteModel(Session& session, QObject* parent) : TableModel(parent), m_session(session) {
    connect(&session, &Session::notesChanged, this, &NoteModel::refresh);
    m_notes = session.notes();
}

// Another text leaves the rows where they are, and with them what is selected.
void NoteModel::refresh() {
    if (m_notes.size() == m_session.notes().size() && !m_notes.empty()) {
        m_notes = m_session.notes();
        Q_EMIT dataChanged(index(0, 0), index(rowCount() - 1, columnCount() - 1));
        return;
    }
    beginResetModel();
    m_notes = m_session.notes();
    endResetModel();
}

int NoteModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(m_notes.size());
}

QVariant NoteModel::data(const QModelIndex& index, int role) const {
    if (role == Qt::EditRole && index.isValid() && index.column() == kText)
        return text(m_notes[static_cast<size_t>(index.row())].text);
    return TableModel::data(index, role);
}

Qt::ItemFlags NoteModel::flags(const QModelIndex& index) const {
    const Qt::ItemFlags flags = TableModel::flags(index);
    return index.column() == kText ? flags | Qt::ItemIsEditable : flags;
}

bool NoteModel::setData(const QModelIndex& index, const QVariant& value, int role) {
    if (role != Qt::EditRole || !index.isValid() || index.column() != kText) return false;
    const QString written = value.toString().left(NoteEditor::kMostLetters).simplified();
    m_session.setNoteText(static_cast<size_t>(index.row()), written.toStdString());
    return true;
}

const std::vector<TableColumn>& NoteModel::columns() const {
    static const std::vector<TableColumn> columns = {
        {tr("Start"), tr("From the start of the trace")},
        {tr("Duration"), tr("0: a moment")},
        {tr("Note"), {}, false},
    };
    return columns;
}

TableCell NoteModel::cell(int row, int column) const {
    const Note& note = m_notes[static_cast<size_t>(row)];
    switch (column) {
        case kStart:
            return momentCell(note.range.startNs);
        case kDuration:
            return durationCell(note.range.durationNs());
        case kText: {
            if (note.text.empty()) return {.shown = tr("mark"), .raw = QString(), .tip = tr("A mark without words")};
            return textCell(text(note.text));
        }
        default:
            return {};
    }
}

}  // namespace gapscope

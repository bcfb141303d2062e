// The tab with the marks and notes of the open trace. A click or Enter goes there, F2 writes, Delete removes.
#pragma once

#include <QWidget>

#include "app/gui/models/note_model.h"

class QAction;

namespace gapscope {

class DataTable;
class ElidedLabel;

class NotePanel : public QWidget {
    Q_OBJECT

public:
    explicit NotePanel(Session& session, QWidget* parent = nullptr);

    bool isWriting() const;
    void finishWriting();  // what is being written is taken as it stands

Q_SIGNALS:
    void writingChanged();  // it began or ended

private:
    void showNotes();
    void rename();
    void remove();

    Session& m_session;
    NoteModel m_model;
    ElidedLabel* m_caption;
    DataTable* m_table;
    QAction* m_rename;
    QAction* m_remove;
};

}  // namespace gapscope

// All rows of the timeline as a tree: which are shown, which are pinned. Every tick takes effect at once and can be
// undone with the session's undoView().
#pragma once

#include <QDialog>
#include <QSortFilterProxyModel>
#include <QStandardItemModel>

#include "app/gui/session/session.h"

class QTreeView;

namespace gapscope {

class TimelineWidget;

class RowsDialog : public QDialog {
    Q_OBJECT

public:
    RowsDialog(Session& session, TimelineWidget& timeline, QWidget* parent = nullptr);

    QStandardItemModel& model() { return m_model; }

private:
    void fill();
    void showStates();
    void takeChange(QStandardItem* item);

    Session& m_session;
    TimelineWidget& m_timeline;
    QStandardItemModel m_model;
    QSortFilterProxyModel m_filtered;
    QTreeView* m_tree;
    bool m_filling = false;
};

}  // namespace gapscope

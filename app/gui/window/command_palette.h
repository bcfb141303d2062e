// All commands by name: letters of the name in their order find it, Enter does it. What was done last comes first.
#pragma once

#include <QAction>
#include <QDialog>

class QLineEdit;
class QListView;
class QStandardItemModel;

namespace gapscope {

// How well the letters of `wanted` fit into `name` in their order, whole beginnings of words best; -1: they do not.
int fuzzyScore(const QString& wanted, const QString& name);

class CommandPalette : public QDialog {
    Q_OBJECT

public:
    // `recent`: object names of actions, the last done first; moved to its front is what is done here.
    CommandPalette(const QList<QAction*>& actions, QStringList& recent, QWidget* parent);

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void filter();
    void trigger();

    QList<QAction*> m_actions;
    QStringList& m_recent;
    QLineEdit* m_text;
    QListView* m_list;
    QStandardItemModel* m_model;
};

}  // namespace gapscope

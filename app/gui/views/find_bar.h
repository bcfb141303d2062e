// The line over the timeline that searches it: what is typed is looked for at once, Enter goes to the next, Shift+Enter
// to the one before, Escape closes.
#pragma once

#include <QWidget>

#include "app/gui/session/finder.h"

class QLineEdit;
class QToolButton;

namespace gapscope {

class Label;

class FindBar : public QWidget {
    Q_OBJECT

public:
    explicit FindBar(Finder& finder, QWidget* parent = nullptr);

    void open();  // shown, with the text ready to be replaced
    void close();

Q_SIGNALS:
    void closed();
    void listWanted();

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void showCount();

    Finder& m_finder;
    QLineEdit* m_text;
    Label* m_count;
    QToolButton* m_previous;
    QToolButton* m_next;
    QToolButton* m_list;
};

}  // namespace gapscope

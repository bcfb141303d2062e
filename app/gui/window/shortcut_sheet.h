// One page of all keys and gestures, from the actions themselves and from what the timeline understands.
#pragma once

#include <QAction>
#include <QDialog>
#include <QList>

namespace gapscope {

class ShortcutSheet : public QDialog {
    Q_OBJECT

public:
    ShortcutSheet(const QList<QAction*>& window, const QList<QAction*>& timeline, QWidget* parent = nullptr);
};

}  // namespace gapscope

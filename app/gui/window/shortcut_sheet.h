// One page of all keys and gestures, from the actions themselves and from what the timeline understands.
#pragma once

#include <QDialog>

#include "app/gui/window/actions.h"

namespace gapscope {

class ShortcutSheet : public QDialog {
    Q_OBJECT

public:
    explicit ShortcutSheet(const Actions& actions, QWidget* parent = nullptr);
};

}  // namespace gapscope

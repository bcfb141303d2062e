// The window: lays the panels out around one Session.
#pragma once

#include <QMainWindow>

#include "app/gui/session/session.h"

namespace gapscope {

class MainWindow : public QMainWindow {
    Q_OBJECT

public:
    explicit MainWindow(QWidget* parent = nullptr);

    Session& session() { return *m_session; }

private:
    Session* m_session;
};

}  // namespace gapscope

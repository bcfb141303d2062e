#include "app/gui/window/main_window.h"

namespace gapscope {

MainWindow::MainWindow(QWidget* parent) : QMainWindow(parent), m_session(new Session(this)) {
    setObjectName(QStringLiteral("mainWindow"));
    resize(1366, 768);
}

}  // namespace gapscope

// The program `gapscope`: the window.
#include <QApplication>

#include "app/gui/window/main_window.h"

int main(int argc, char** argv) {
    QApplication application(argc, argv);
    gapscope::MainWindow window;
    window.show();
    return QApplication::exec();
}

// `--screenshot FILE`: draws the window into a picture once nothing runs and nothing is being computed, then ends the
// program.
#pragma once

#include <QElapsedTimer>
#include <QObject>
#include <QTimer>

#include "app/gui/window/main_window.h"

namespace gapscope {

class Screenshot : public QObject {
    Q_OBJECT

public:
    Screenshot(MainWindow& window, const QString& path);

private:
    void check();

    MainWindow& m_window;
    QString m_path;
    QTimer m_timer;
    QElapsedTimer m_settledSince;
};

}  // namespace gapscope

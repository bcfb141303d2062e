// For tests that drive the real window from outside: where $GAPSCOPE_TEST_REPORT names a file, the state of the window
// (numbers as shown, and where its parts lie on the screen) is written there whenever it changes.
#pragma once

#include <QObject>
#include <QTimer>

#include "app/gui/window/main_window.h"

namespace gapscope {

class JsonWriter;

// The field `summary`: the report's numbers under the names that gapscope-cli's summary has for them.
void writeSummary(JsonWriter& json, const Report& report);

class TestReport : public QObject {
    Q_OBJECT

public:
    TestReport(MainWindow& window, const QString& path);

private:
    void write();

    MainWindow& m_window;
    QString m_path;
    QByteArray m_last;
    QTimer m_timer;
};

}  // namespace gapscope

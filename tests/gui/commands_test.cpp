// Commands and their keys: each in a menu, with a name and a tip, no key for two of them.
#include <QAction>
#include <QMenu>
#include <QTemporaryDir>
#include <QTest>

#include "app/gui/timeline/timeline_widget.h"
#include "app/gui/views/banner.h"
#include "app/gui/window/main_window.h"
#include "core/export/session_writer.h"
#include "tests/gui/sample_trace.h"

using namespace gapscope;

class CommandsTest : public QObject {
    Q_OBJECT

private:
    QTemporaryDir m_folder;
    std::unique_ptr<AppSettings> m_settings;
    std::unique_ptr<MainWindow> m_window;

    QString path(const char* name) const { return m_folder.filePath(QLatin1String(name)); }
    void open(const QString& file) {
        m_window->openFile(file);
        QTRY_VERIFY(m_window->settled());
        QVERIFY(m_window->banners().count() == 0);
    }
    void openSession() {
        QVERIFY(saveSession(*sampleTrace(4), path("s.gapscope").toStdString()));
        open(path("s.gapscope"));
    }
    QAction& action(const char* name) { return *m_window->findChild<QAction*>(QLatin1String(name)); }
    TimelineWidget& timeline() { return *m_window->findChild<TimelineWidget*>(QStringLiteral("timeline")); }
    Session& session() { return m_window->session(); }
private Q_SLOTS:
    void init() {
        qputenv("XDG_STATE_HOME", m_folder.path().toLocal8Bit());
        QFile::remove(path("settings.ini"));
        m_settings = std::make_unique<AppSettings>(path("settings.ini"));
        m_window = std::make_unique<MainWindow>(*m_settings);
        m_window->resize(1366, 768);
        m_window->show();
        QVERIFY(QTest::qWaitForWindowActive(m_window.get()));
        QTRY_VERIFY(m_window->settled());
    }
    void cleanup() {
        m_window->document().discard();
        m_window.reset();
    }

    void noKeyMeansTwoThings() {
        QMap<QString, QString> owners;
        const auto claim = [&](const QAction* action) {
            for (const QKeySequence& keys : action->shortcuts()) {
                const QString name = keys.toString();
                QVERIFY2(!owners.contains(name) || owners[name] == action->objectName(),
                         qPrintable(name + " is of " + owners[name] + " and " + action->objectName()));
                owners[name] = action->objectName();
            }
        };
        for (const QAction* action : m_window->findChildren<QAction*>())
            if (action->parent() == m_window.get()) claim(action);
        for (const QAction* action : timeline().commands())
            claim(action);
        QVERIFY(owners.size() > 50);
    }

    void everyCommandIsInAMenuAndHasANameAndATip() {
        QSet<const QAction*> inMenus;
        for (const QMenu* menu : m_window->findChildren<QMenu*>())
            for (const QAction* action : menu->actions())
                inMenus.insert(action);
        QList<const QAction*> commands;
        for (const QAction* action : m_window->findChildren<QAction*>())
            if (action->parent() == m_window.get() && action->objectName().endsWith(QStringLiteral("Action")))
                commands.append(action);
        for (const QAction* action : timeline().commands())
            commands.append(action);
        QVERIFY(commands.size() > 55);
        for (const QAction* action : commands) {
            QVERIFY2(inMenus.contains(action), qPrintable(action->objectName()));
            QVERIFY2(!action->text().isEmpty() && !action->statusTip().isEmpty(), qPrintable(action->objectName()));
        }
    }

    void timelineKeysAreTheTimelinesWhileItHasTheFocus() {
        openSession();
        timeline().setFocus();
        QTest::keyClick(&timeline(), Qt::Key_X);
        QVERIFY(timeline().measuring());
        QVERIFY(timeline().command("measureAction")->isChecked());
        QTest::keyClick(&timeline(), Qt::Key_Escape);
        QVERIFY(!timeline().command("measureAction")->isChecked());
        timeline().command("measureAction")->trigger();  // from the menu or palette
        QVERIFY(timeline().measuring());
    }
};

QTEST_MAIN(CommandsTest)
#include "commands_test.moc"

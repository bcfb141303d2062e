// The examples that come with the program: those that are there are offered and opened as they are; a damaged one is a
// sentence.
#include <zlib.h>

#include <QDir>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include "app/gui/views/banner.h"
#include "app/gui/window/main_window.h"
#include "core/export/session_writer.h"
#include "tests/gui/sample_trace.h"

using namespace gapscope;

class ExampleTest : public QObject {
    Q_OBJECT

private:
    std::unique_ptr<QTemporaryDir> m_folder;
    std::unique_ptr<AppSettings> m_settings;
    std::unique_ptr<MainWindow> m_window;

    QString path(const char* name) const { return m_folder->filePath(QLatin1String(name)); }
    QAction& action(const char* name) { return *m_window->findChild<QAction*>(QLatin1String(name)); }

    void pack(const char* name, int tokens) {
        QVERIFY(saveSession(*sampleTrace(tokens), path("session").toStdString()).has_value());
        QFile session(path("session"));
        QVERIFY(session.open(QIODevice::ReadOnly));
        const QByteArray bytes = session.readAll();
        gzFile packed = gzopen(qPrintable(path(name)), "wb");
        QCOMPARE(gzwrite(packed, bytes.constData(), static_cast<unsigned>(bytes.size())),
                 static_cast<int>(bytes.size()));
        QCOMPARE(gzclose(packed), Z_OK);
        session.remove();
    }
    void openWindow() {
        m_settings = std::make_unique<AppSettings>(path("settings.ini"));
        m_window = std::make_unique<MainWindow>(*m_settings);
        m_window->show();
        QTRY_VERIFY(m_window->settled());
    }
    void trigger(const char* name) {
        action(name).trigger();
        QTRY_VERIFY(m_window->settled());
    }
    size_t tokenCount() const { return m_window->session().trace()->tokens().index.size(); }

private Q_SLOTS:
    void init() {
        m_folder = std::make_unique<QTemporaryDir>();
        qputenv("GAPSCOPE_RESOURCES", m_folder->path().toLocal8Bit());
        qputenv("XDG_CACHE_HOME", path("cache").toLocal8Bit());
        qputenv("XDG_STATE_HOME", path("state").toLocal8Bit());
    }
    void cleanup() {
        m_window.reset();
        m_settings.reset();
        m_folder.reset();
    }

    void bothOpenAndAreFoundAmongTheRecentFiles() {
        pack("example-eager.gapscope.gz", 4);
        pack("example-graph.gapscope.gz", 3);
        openWindow();
        trigger("openExampleEagerAction");
        QCOMPARE(tokenCount(), size_t(4));
        QCOMPARE(m_window->document().name(), QStringLiteral("example-eager.gapscope.gz"));
        trigger("openExampleGraphAction");
        QCOMPARE(tokenCount(), size_t(3));
        QVERIFY(!m_window->document().isModified());
        QVERIFY(!QDir(path("cache")).exists());
        for (const QString& recent : m_settings->recentFiles())
            QVERIFY2(QFile::exists(recent), qPrintable(recent));
        QCOMPARE(m_settings->recentFiles().size(), 2);
    }

    void theOneThatIsMissingIsNotOffered() {
        pack("example-eager.gapscope.gz", 4);
        openWindow();
        QVERIFY(action("openExampleEagerAction").isVisible());
        QVERIFY(!action("openExampleGraphAction").isVisible());
        QVERIFY(m_window->findChild<QWidget*>(QStringLiteral("openExampleEagerActionButton")));
        QVERIFY(!m_window->findChild<QWidget*>(QStringLiteral("openExampleGraphActionButton")));
    }

    void aDamagedOneIsASentence() {
        pack("example-eager.gapscope.gz", 4);
        QFile packed(path("example-eager.gapscope.gz"));
        QVERIFY(packed.resize(packed.size() / 2));
        openWindow();
        trigger("openExampleEagerAction");
        QCOMPARE(m_window->banners().count(), 1);
        QVERIFY(m_window->banners().sentences().first().contains(QStringLiteral("cannot be unpacked")));
        QVERIFY(!QDir(path("cache")).exists());  // nothing is made of it
    }
};

QTEST_MAIN(ExampleTest)
#include "example_test.moc"

// A folder is watched for new traces: what counts as new, as whole and as a trace, and the offer in the window.
#include "app/gui/session/folder_watch.h"

#include <QAction>
#include <QFile>
#include <QPushButton>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

#include "app/gui/views/banner.h"
#include "app/gui/window/main_window.h"
#include "core/export/session_writer.h"
#include "tests/gui/sample_trace.h"

using namespace gapscope;

class FolderWatchTest : public QObject {
    Q_OBJECT

private:
    static constexpr qint64 kSettleMs = 100;
    static inline const QByteArray kTrace =
        R"({"traceEvents":[{"ph":"X","name":"k","cat":"kernel","ts":1,"dur":2,"pid":0,"tid":7,"args":{}}]})";

    std::unique_ptr<QTemporaryDir> m_folder;
    FolderState m_state;
    qint64 m_nowMs = 0;

    QString write(const char* name, const QByteArray& bytes) {
        const QString path = m_folder->filePath(QLatin1String(name));
        QFile file(path);
        [[maybe_unused]] const bool opened = file.open(QIODevice::WriteOnly);
        file.write(bytes);
        return path;
    }
    QStringList look(qint64 laterMs) {
        m_nowMs += laterMs;
        FolderLook look = lookAtFolder(m_folder->path(), m_state, m_nowMs, kSettleMs);
        m_state = std::move(look.state);
        return look.found;
    }

private Q_SLOTS:
    void init() {
        m_folder = std::make_unique<QTemporaryDir>();
        m_state = {};
        m_nowMs = 1000;
    }

    void whatWasThereIsNotNew() {
        write("old.json", kTrace);
        QCOMPARE(look(0), QStringList());
        QCOMPARE(look(kSettleMs), QStringList());
        const QString path = write("new.json", kTrace);
        QCOMPARE(look(1), QStringList());  // it may still grow
        QCOMPARE(look(kSettleMs), QStringList{path});
        QCOMPARE(look(kSettleMs), QStringList());  // told once
    }

    void aFileThatGrowsIsWaitedFor() {
        look(0);
        write("a.json", kTrace.left(30));
        look(1);
        const QString path = write("a.json", kTrace);
        QCOMPARE(look(kSettleMs), QStringList());  // changed since
        QCOMPARE(look(kSettleMs), QStringList{path});
        write("a.json", kTrace + "\n\n");  // written anew: new again
        look(1);
        QCOMPARE(look(kSettleMs), QStringList{path});
    }

    void cutShortIsToldOfAtLast() {
        look(0);
        const QString path = write("cut.json", kTrace.left(kTrace.size() - 6));
        look(1);
        QCOMPARE(look(kSettleMs), QStringList());
        QCOMPARE(look(kSettleMs), QStringList());
        QCOMPARE(look(30 * kSettleMs), QStringList{path});
    }

    void onlyTracesAreTold() {
        look(0);
        write("notes.txt", "traceEvents");
        write("config.json", R"({"hidden_size": 640})");
        write("empty.json", "");
        write("half.sqlite", QByteArray("SQLite format 3\0", 16) + QByteArray(600, 'x'));
        const QString session = m_folder->filePath(QStringLiteral("run.gapscope"));
        QVERIFY(saveSession(*sampleTrace(2), session.toStdString()).has_value());
        const QString trace = write("trace without ending", kTrace);
        look(1);
        QStringList found = look(kSettleMs);
        found.sort();
        QCOMPARE(found, (QStringList{session, trace}));
    }

    void aFolderMayComeAndGo() {
        const QString sub = m_folder->filePath(QStringLiteral("later"));
        FolderLook first = lookAtFolder(sub, {}, 0, kSettleMs);
        QVERIFY(!first.state.exists);
        QVERIFY(QDir().mkpath(sub));
        const QString path = write("later/a.json", kTrace);
        FolderLook second = lookAtFolder(sub, first.state, 10, kSettleMs);
        QVERIFY(second.state.exists);
        QCOMPARE(lookAtFolder(sub, second.state, 10 + kSettleMs, kSettleMs).found, QStringList{path});
    }

    void theWindowOffersWhatComes() {
        QTemporaryDir home;
        qputenv("XDG_STATE_HOME", home.path().toLocal8Bit());
        AppSettings settings(home.filePath(QStringLiteral("settings.ini")));
        settings.setWatchedFolder(m_folder->path());
        MainWindow window(settings);  // goes on with the folder of last time
        window.folderWatch().setSettleMs(20);
        window.show();
        QCOMPARE(window.folderWatch().folder(), m_folder->path());
        QTRY_VERIFY(window.settled());
        const auto action = [&](const char* name) { return window.findChild<QAction*>(QLatin1String(name)); };
        QVERIFY(action("stopWatchingAction")->isEnabled());
        QTest::qWait(100);  // the first look is over
        write("rank0.json", kTrace);
        const auto offered = [&] {
            const QStringList sentences = window.banners().sentences();
            return sentences.isEmpty() ? QString() : sentences.first();
        };
        QTRY_VERIFY_WITH_TIMEOUT(offered().contains(QStringLiteral("rank0.json")), 20'000);
        write("rank1.json", kTrace);
        QTRY_VERIFY_WITH_TIMEOUT(offered().startsWith(QStringLiteral("2 new traces")), 20'000);
        QCOMPARE(window.banners().count(), 1);
        const auto button = [&](const char* text) {
            for (QPushButton* each : window.banners().findChildren<QPushButton*>())
                if (each->text().remove(QLatin1Char('&')) == QLatin1String(text)) return each;
            return static_cast<QPushButton*>(nullptr);
        };
        QVERIFY(button("Open the newest"));
        button("Open the newest")->click();
        QTRY_COMPARE(window.document().path(), m_folder->filePath(QStringLiteral("rank1.json")));
        QTRY_VERIFY(window.settled());
        QCOMPARE(window.session().trace()->eventCount(), 1u);
        QVERIFY(offered().isEmpty());
        action("stopWatchingAction")->trigger();
        QVERIFY(window.folderWatch().folder().isEmpty());
        QVERIFY(settings.watchedFolder().isEmpty());
        QVERIFY(!action("stopWatchingAction")->isEnabled());
    }
};

QTEST_MAIN(FolderWatchTest)
#include "folder_watch_test.moc"

// The window as a whole: opening, what a bad file leaves alone, unsaved sessions, one selection for all panels.
#include "app/gui/window/main_window.h"

#include <QAction>
#include <QCheckBox>
#include <QComboBox>
#include <QDialog>
#include <QDragEnterEvent>
#include <QDropEvent>
#include <QFile>
#include <QFileDialog>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QMessageBox>
#include <QMimeData>
#include <QPushButton>
#include <QRadioButton>
#include <QScrollBar>
#include <QSignalSpy>
#include <QTabWidget>
#include <QTemporaryDir>
#include <QTest>
#include <QTimer>
#include <map>
#include <set>

#include "app/gui/models/token_model.h"
#include "app/gui/views/banner.h"
#include "app/gui/views/data_table.h"
#include "app/gui/views/status_strip.h"
#include "core/export/session_writer.h"
#include "tests/gui/sample_trace.h"

using namespace gapscope;

class MainWindowTest : public QObject {
    Q_OBJECT

private:
    QTemporaryDir m_folder;
    std::unique_ptr<AppSettings> m_settings;
    std::unique_ptr<MainWindow> m_window;

    QString path(const char* name) const { return m_folder.filePath(QLatin1String(name)); }
    QString written(const char* name, int tokens) const {
        const QString file = path(name);
        if (!saveSession(*sampleTrace(tokens), file.toStdString())) return {};
        return file;
    }
    void open(const QString& file) {
        m_window->openFile(file);
        QTRY_VERIFY(m_window->settled());
    }
    QAction& action(const char* name) { return *m_window->findChild<QAction*>(QLatin1String(name)); }
    QMessageBox* unsavedBox() const { return m_window->findChild<QMessageBox*>(QStringLiteral("unsavedBox")); }
    // A session that nobody has saved.
    void haveUnsaved(int tokens) {
        m_window->session().setTrace(sampleTrace(tokens));
        m_window->document().adoptRun(QStringLiteral("unsaved"), written("temporary.gapscope", tokens));
    }
    size_t tokenCount() const { return m_window->session().trace()->tokens().index.size(); }

private Q_SLOTS:
    void init() {
        qputenv("XDG_STATE_HOME", m_folder.path().toLocal8Bit());
        QFile::remove(path("settings.ini"));
        m_settings = std::make_unique<AppSettings>(path("settings.ini"));
        m_window = std::make_unique<MainWindow>(*m_settings);
        m_window->resize(1366, 768);
        m_window->show();
        QTRY_VERIFY(m_window->settled());
    }

    void cleanup() {
        m_window->document().discard();
        m_window.reset();
    }

    void openingShowsTheSession() {
        open(written("first.gapscope", 4));
        QCOMPARE(tokenCount(), size_t(4));
        QCOMPARE(m_window->windowTitle(), QStringLiteral("first.gapscope[*] – Gapscope"));
        QVERIFY(!m_window->isWindowModified());
        QCOMPARE(m_settings->recentFiles(), QStringList{path("first.gapscope")});
        const auto* kernels = m_window->findChild<DataTable*>(QStringLiteral("kernelTable"));
        QTRY_COMPARE(kernels->model()->rowCount(), 3);
    }

    void longNamesWidenNothing() {
        open(written("short.gapscope", 4));
        const QString name = QString(240, QLatin1Char('w')) + QStringLiteral(".gapscope");
        const QString sentence = QStringLiteral("The file %1 cannot be read.").arg(name);
        m_window->banners().show(BannerKind::Error, sentence);
        auto* strip = m_window->findChild<StatusStrip*>();
        strip->showProgress(QStringLiteral("Saving %1").arg(name), -1);
        QTest::qWait(50);
        QVERIFY(m_window->minimumSizeHint().width() < 1000);
        QCOMPARE(m_window->width(), 1366);
        // What is left out is told on hover.
        QStringList shown, tips;
        for (const QLabel* label : m_window->findChildren<QLabel*>()) {
            shown << label->text();
            tips << label->toolTip();
        }
        QVERIFY(tips.contains(sentence) && tips.contains(QStringLiteral("Saving %1").arg(name)));
        QVERIFY(!shown.contains(sentence));
        QVERIFY(shown.filter(QStringLiteral("The file ")).join(QChar()).endsWith(QStringLiteral(" cannot be read.")));
        strip->hideProgress();
    }

    void severalFilesOpenAsOne() {
        const QString first = written("job_rank0.gapscope", 4), second = written("job_rank1.gapscope", 4);
        QMimeData data;
        data.setUrls({QUrl::fromLocalFile(first), QUrl::fromLocalFile(second)});
        QDragEnterEvent enter({10, 10}, Qt::CopyAction, &data, Qt::LeftButton, {});
        QApplication::sendEvent(m_window.get(), &enter);
        QVERIFY(enter.isAccepted());
        QDropEvent drop({10, 10}, Qt::CopyAction, &data, Qt::LeftButton, {});
        QApplication::sendEvent(m_window.get(), &drop);
        QTRY_VERIFY(m_window->settled());
        const Trace& trace = *m_window->session().trace();
        QCOMPARE(trace.deviceOps().startNs.size(), 2 * sampleTrace(4)->deviceOps().startNs.size());
        QCOMPARE(trace.tracks().size(), size_t(2));
        QVERIFY(trace.tracks()[0].deviceId != trace.tracks()[1].deviceId);
        QCOMPARE(m_window->windowTitle(), QStringLiteral("2 files[*] – Gapscope"));
        QVERIFY(!m_window->isWindowModified());
        QVERIFY(m_settings->recentFiles().isEmpty());
        QVERIFY(action("saveAsAction").isEnabled());
    }

    void severalFilesAreAlignedAsChosen() {
        const auto firstOf = [this](const char* name) {
            const Trace& trace = *m_window->session().trace();
            std::map<uint64_t, int64_t> starts;  // by process
            for (size_t row = 0; row < trace.ranges().startNs.size(); ++row)
                if (trace.string(trace.ranges().name[row]) == name)
                    starts.try_emplace(globalPidOf(trace.ranges().globalTid[row]), trace.ranges().startNs[row]);
            std::set<int64_t> different;
            for (const auto& [process, startNs] : starts)
                different.insert(startNs);
            return starts.size() == 2 ? different.size() : 0;
        };
        // The second has a kernel long before its first step.
        TraceBuilder early;
        addSampleRun(early, 4);
        early.add(DeviceOpRow{.startNs = 10,
                              .endNs = 20,
                              .name = early.intern("warm-up"),
                              .track = early.internTrack({.globalPid = makeGlobalTid(100, 0), .streamId = 7})});
        QVERIFY(saveSession(*early.snapshot(), path("b_rank1.gapscope").toStdString()).has_value());
        m_window->openFiles({written("a_rank0.gapscope", 4), path("b_rank1.gapscope")});
        QTRY_VERIFY(m_window->settled());
        QCOMPARE(m_window->banners().sentences(),
                 QStringList{QStringLiteral("2 files as one, aligned by their first device operations.")});
        QCOMPARE(firstOf("decode 1"), size_t(2));

        action("alignFilesAction").trigger();
        auto* dialog = m_window->findChild<QDialog*>(QStringLiteral("alignDialog"));
        QVERIFY(dialog);
        QVERIFY(!dialog->findChild<QRadioButton*>(QStringLiteral("alignByClock"))->isEnabled());  // none is known
        auto* name = dialog->findChild<QComboBox*>(QStringLiteral("alignName"));
        QVERIFY(name->findText(QStringLiteral("decode 1")) >= 0);
        QCOMPARE(name->findText(QStringLiteral("warm-up")), -1);  // only one of them has it
        name->setEditText(QStringLiteral("decode 1"));
        QVERIFY(dialog->findChild<QRadioButton*>(QStringLiteral("alignByName"))->isChecked());
        dialog->findChild<QPushButton*>(QStringLiteral("alignButton"))->click();
        QTRY_VERIFY(m_window->settled());
        QCOMPARE(firstOf("decode 1"), size_t(1));
        QCOMPARE(m_window->banners().sentences(),
                 QStringList{QStringLiteral("2 files as one, aligned where decode 1 first begins.")});

        // A name that one of them lacks changes nothing and says so.
        const TracePtr before = m_window->session().trace();
        m_window->document().openTogether(m_window->document().filesTogether()->paths, {.name = "warm-up"});
        QTRY_VERIFY(m_window->settled());
        QCOMPARE(m_window->session().trace(), before);
        QCOMPARE(m_window->banners().sentences().first(),
                 QStringLiteral("rank 0 has nothing named warm-up to align at."));
        open(written("single.gapscope", 4));
        QVERIFY(!action("alignFilesAction").isEnabled());
        QVERIFY(!m_window->banners().sentences().contains(
            QStringLiteral("2 files as one, aligned where decode 1 first begins.")));
    }

    void anExportTellsWhereFilesLieOnlyWhenTicked() {
        TraceBuilder builder;
        addSampleRun(builder, 4);
        builder.add(RangeRow{1, 2, builder.intern("/home/ada/run.py(7): main"), makeGlobalTid(100, 101),
                             RangeKind::PythonFunction});
        QVERIFY(saveSession(*builder.snapshot(), path("named.gapscope").toStdString()).has_value());
        open(path("named.gapscope"));
        for (const char* name : {"out.json", "out.pftrace", "out2.gapscope"}) {
            for (const bool ticked : {false, true}) {
                const QString file = path(name);
                QFile::remove(file);
                QTimer::singleShot(0, this, [&] {
                    auto* dialog = m_window->findChild<QFileDialog*>(QStringLiteral("exportDialog"));
                    QVERIFY(dialog);
                    auto* keep = dialog->findChild<QCheckBox*>(QStringLiteral("keepIdentity"));
                    QVERIFY(keep->isVisible() && !keep->isChecked());
                    keep->setChecked(ticked);
                    dialog->selectFile(file);
                    QMetaObject::invokeMethod(dialog, "accept");
                });
                action("exportTraceAction").trigger();
                QTRY_VERIFY(m_window->settled());
                QFile written(file);
                QVERIFY2(written.open(QIODevice::ReadOnly), qPrintable(file));
                QCOMPARE(written.readAll().contains("ada"), ticked);
                QVERIFY(m_window->banners().sentences().first().contains(file));
            }
        }
        m_window->exportTrace(path("out.txt"), Identity::LeftOut);
        QTRY_VERIFY(m_window->settled());
        QVERIFY(m_window->banners().sentences().first().contains(QStringLiteral("does not tell a format")));
    }

    void aBadFileLeavesTheOpenSessionAsItWas() {
        open(written("good.gapscope", 4));
        const TracePtr before = m_window->session().trace();
        QFile bad(path("bad.gapscope"));
        QVERIFY(bad.open(QIODevice::WriteOnly));
        bad.write("This is no session.");
        bad.close();
        for (const QString& wrong : {bad.fileName(), path("missing.gapscope"), m_folder.path()}) {
            m_window->banners().closeAll();
            open(wrong);
            QCOMPARE(m_window->banners().count(), 1);
            QVERIFY(!m_window->banners().sentences().first().isEmpty());
            QCOMPARE(m_window->session().trace(), before);
            QCOMPARE(m_window->document().name(), QStringLiteral("good.gapscope"));
        }
    }

    void closingAnUnsavedSessionAsksAndCancelKeepsIt() {
        haveUnsaved(4);
        QVERIFY(m_window->isWindowModified());
        m_window->close();
        QTRY_VERIFY(unsavedBox());
        unsavedBox()->button(QMessageBox::Cancel)->click();
        QTRY_VERIFY(!unsavedBox());
        QVERIFY(m_window->isVisible());
        QVERIFY(QFile::exists(path("temporary.gapscope")));

        m_window->close();
        QTRY_VERIFY(unsavedBox());
        unsavedBox()->button(QMessageBox::Discard)->click();
        QTRY_VERIFY(!m_window->isVisible());
        QVERIFY(!QFile::exists(path("temporary.gapscope")));
    }

    void savingWritesTheFileAndClearsTheMark() {
        haveUnsaved(5);
        m_window->document().saveAs(path("saved.gapscope"));
        QTRY_VERIFY(!m_window->isWindowModified());
        QVERIFY(!QFile::exists(path("temporary.gapscope")));
        open(written("other.gapscope", 2));
        QCOMPARE(tokenCount(), size_t(2));
        open(path("saved.gapscope"));
        QCOMPARE(tokenCount(), size_t(5));
    }

    void savingWhereNothingCanBeWrittenSaysSoAndKeepsTheSession() {
        haveUnsaved(4);
        m_window->document().saveAs(QStringLiteral("/proc/nowhere/saved.gapscope"));
        QTRY_COMPARE(m_window->banners().count(), 1);
        QVERIFY(m_window->isWindowModified());
        QVERIFY(QFile::exists(path("temporary.gapscope")));
    }

    void openingOverAnUnsavedSessionAsksFirst() {
        const QString other = written("other.gapscope", 2);
        haveUnsaved(4);
        m_window->openFile(other);
        QTRY_VERIFY(unsavedBox());
        QCOMPARE(tokenCount(), size_t(4));
        unsavedBox()->button(QMessageBox::Discard)->click();
        QTRY_COMPARE(tokenCount(), size_t(2));
        QVERIFY(!m_window->isWindowModified());
    }

    void reopenLastOpensTheNewestFile() {
        open(written("first.gapscope", 4));
        open(written("second.gapscope", 3));
        open(path("first.gapscope"));
        open(written("third.gapscope", 2));
        m_window->session().setTrace(sampleTrace(1));
        action("reopenLastAction").trigger();
        QTRY_COMPARE(tokenCount(), size_t(2));
    }

    void oneSelectionForAllPanelsAndEscapeGoesBack() {
        open(written("first.gapscope", 4));
        auto* kernels = m_window->findChild<DataTable*>(QStringLiteral("kernelTable"));
        QTRY_COMPARE(kernels->model()->rowCount(), 3);
        const int64_t whole = m_window->analyst().report()->window.durationNs();

        const Tokens& tokens = m_window->session().trace()->tokens();
        m_window->session().select(
            {.kind = Selection::Kind::Token, .range = {tokens.emittedNs[0], tokens.emittedNs[1]}, .row = 1});
        QTRY_COMPARE(m_window->analyst().report()->window.durationNs(), int64_t(110'000));
        QCOMPARE(m_window->analyst().report()->analysis.summary.kernelCount, int64_t(2));
        QCOMPARE(kernels->model()->rowCount(), 2);

        QTest::keyClick(m_window.get(), Qt::Key_Escape);
        QTRY_COMPARE(m_window->analyst().report()->window.durationNs(), whole);
        QCOMPARE(kernels->model()->rowCount(), 3);
    }

    void theRateIsThatOfWhatIsSelected() {
        open(written("first.gapscope", 4));
        const auto* rate = m_window->findChild<QLabel*>(QStringLiteral("tile0"));
        const auto* figures = m_window->findChild<QLabel*>(QStringLiteral("tokenFigures"));
        QTRY_VERIFY(rate->text() != QStringLiteral("–"));
        const QString ofTheRun = rate->text();
        QVERIFY(figures->isHidden());
        Session& session = m_window->session();
        const auto show = [&](const Selection& selection) {
            session.select(selection);
            QTRY_VERIFY(m_window->analyst().settled());
        };
        // A token takes 110 µs: 2 launches of 10 µs, a kernel of 60 and one of 30.
        const Tokens& tokens = session.trace()->tokens();
        show({.kind = Selection::Kind::Token, .range = {tokens.emittedNs[0], tokens.emittedNs[1]}, .row = 1});
        QCOMPARE(rate->text(), QStringLiteral("9091"));
        QVERIFY(!figures->isHidden());
        QCOMPARE(figures->text(), QStringLiteral("Device busy 90.0 µs, idle 20.0 µs; 2 kernels, 2 launches"));
        // Of a range the tokens that lie in it as a whole count.
        show({.kind = Selection::Kind::Range, .range = {tokens.emittedNs[0] - 50'000, tokens.emittedNs[2] + 20'000}});
        QCOMPARE(rate->text(), QStringLiteral("9091"));
        QVERIFY(figures->isHidden());
        // A kernel or a gap has no tokens.
        const DeviceOps& ops = session.trace()->deviceOps();
        show({.kind = Selection::Kind::DeviceOp, .range = {ops.startNs[4], ops.endNs[4]}, .row = 4});
        QCOMPARE(rate->text(), QStringLiteral("–"));
        show({.kind = Selection::Kind::Gap, .range = {ops.endNs[3], ops.startNs[4]}});
        QCOMPARE(rate->text(), QStringLiteral("–"));
        session.clearSelection();
        QTRY_COMPARE(rate->text(), ofTheRun);
    }

    void theTokenTableNeedsNoSidewaysScrolling() {
        for (const QSize size : {QSize(1366, 768), QSize(1920, 1080)}) {
            m_window->resize(size);
            open(written("first.gapscope", 4));
            auto* tabs = m_window->findChild<QTabWidget*>(QStringLiteral("tabs"));
            tabs->setCurrentIndex(2);
            auto* table = m_window->findChild<DataTable*>(QStringLiteral("tokenTable"));
            QTRY_VERIFY(table->isVisible());
            QTest::qWait(10);
            QCOMPARE(table->horizontalScrollBar()->maximum(), 0);
            QVERIFY(m_window->findChild<QWidget*>(QStringLiteral("tokenPlot"))->isVisible());
        }
    }

    // What a person hides or brings back by the header's menu stays so, however wide the panel is.
    void columnsChosenByHandStay() {
        m_window->resize(1920, 1080);
        open(written("first.gapscope", 4));
        m_window->findChild<QTabWidget*>(QStringLiteral("tabs"))->setCurrentIndex(2);
        auto* table = m_window->findChild<DataTable*>(QStringLiteral("tokenTable"));
        QTRY_VERIFY(table->isVisible() && !table->isColumnHidden(TokenModel::kHostColumn));
        const auto toggle = [&](int column) {
            Q_EMIT table->horizontalHeader()->customContextMenuRequested({5, 5});
            QMenu* menu = table->findChildren<QMenu*>().last();
            menu->actions().at(column)->toggle();
            menu->close();
        };
        toggle(TokenModel::kHostColumn);  // away
        QVERIFY(table->isColumnHidden(TokenModel::kHostColumn));
        m_window->resize(1366, 768);
        QTest::qWait(10);
        QVERIFY(table->isColumnHidden(TokenModel::kStartColumn));  // for want of room
        toggle(TokenModel::kStartColumn);
        QVERIFY(!table->isColumnHidden(TokenModel::kStartColumn));
        m_window->resize(1300, 768);
        m_window->resize(1920, 1080);
        QTest::qWait(10);
        QVERIFY(table->isColumnHidden(TokenModel::kHostColumn));
        QVERIFY(!table->isColumnHidden(TokenModel::kStartColumn));
        m_window->resize(1366, 768);
        QTest::qWait(10);
        QVERIFY(!table->isColumnHidden(TokenModel::kStartColumn));
    }

    void aCategoryFromTheLegendFiltersTheKernels() {
        open(written("first.gapscope", 4));
        auto* kernels = m_window->findChild<DataTable*>(QStringLiteral("kernelTable"));
        auto* legend = m_window->findChild<DataTable*>(QStringLiteral("categoryLegend"));
        QTRY_COMPARE(legend->model()->rowCount(), 2);
        const QRect row = legend->visualRect(legend->model()->index(1, 0));
        QTest::mouseClick(legend->viewport(), Qt::LeftButton, {}, row.center());
        QCOMPARE(m_window->session().selection().category, Category::Norm);
        QTRY_COMPARE(kernels->model()->rowCount(), 1);
    }

    // A click on an event chooses it on the timeline and keeps the list; an event chosen elsewhere shows its row.
    void eventsAndTimelineChooseEachOther() {
        open(written("events.gapscope", 4));
        auto* tabs = m_window->findChild<QTabWidget*>(QStringLiteral("tabs"));
        auto* events = m_window->findChild<DataTable*>(QStringLiteral("eventTable"));
        tabs->setCurrentWidget(events->parentWidget());
        QTRY_VERIFY(events->model()->rowCount() > 18);
        const int all = events->model()->rowCount();
        const int64_t spanNs = m_window->session().visibleRange().durationNs() / 50;
        m_window->session().setVisibleRange({0, spanNs});
        events->scrollTo(events->model()->index(all - 1, 0));
        QTest::mouseClick(events->viewport(), Qt::LeftButton, {},
                          events->visualRect(events->model()->index(all - 1, 0)).center());
        const Selection last = m_window->session().selection();
        QVERIFY(last.kind != Selection::Kind::None);
        QVERIFY(m_window->session().visibleRange().overlaps(last.range));
        QCOMPARE(m_window->session().visibleRange().durationNs(), spanNs);
        QTRY_VERIFY(m_window->analyst().settled());
        QCOMPARE(events->model()->rowCount(), all);
        const auto& ops = m_window->session().trace()->deviceOps();
        m_window->session().select(
            {.kind = Selection::Kind::DeviceOp, .range = {ops.startNs[2], ops.endNs[2]}, .row = 2});
        QTRY_COMPARE(events->selectedSourceRows().size(), size_t(1));
        QTRY_COMPARE(events->model()->index(events->selectedSourceRows()[0], 0).data(kSortRole).toLongLong(),
                     ops.startNs[2]);
        QCOMPARE(tabs->currentWidget(), events->parentWidget());
        auto* filter = events->parentWidget()->findChild<QLineEdit*>(QStringLiteral("tableFilter"));
        m_window->session().clearSelection();
        QTRY_VERIFY(m_window->analyst().settled());
        QTest::keyClicks(filter, QStringLiteral("norm"));
        QTRY_VERIFY(events->model()->rowCount() > 0 && events->model()->rowCount() < all);
        for (int row = 0; row < events->model()->rowCount(); ++row)
            QVERIFY(events->model()->index(row, 3).data().toString().contains(QStringLiteral("norm")));
    }

    // Sorted, filtered and listed elsewhere; a chosen gap keeps its neighbours beside it.
    void gapsComeInAnyOrder() {
        open(written("gaps.gapscope", 4));
        auto* tabs = m_window->findChild<QTabWidget*>(QStringLiteral("tabs"));
        auto* gaps = m_window->findChild<DataTable*>(QStringLiteral("gapTable"));
        tabs->setCurrentWidget(gaps->parentWidget());
        QTRY_VERIFY(gaps->model()->rowCount() > 3);
        const int all = gaps->model()->rowCount();
        const auto raw = [&](int row, int column) {
            return gaps->model()->index(row, column).data(kSortRole).toLongLong();
        };
        for (int row = 1; row < all; ++row)
            QVERIFY(raw(row - 1, 1) >= raw(row, 1));
        gaps->horizontalHeader()->setSortIndicator(0, Qt::DescendingOrder);
        const auto isByStart = [&] {
            for (int row = 1; row < all; ++row)
                if (raw(row - 1, 0) < raw(row, 0)) return false;
            return true;
        };
        QTRY_VERIFY(isByStart());
        QTest::mouseClick(gaps->viewport(), Qt::LeftButton, {}, gaps->visualRect(gaps->model()->index(2, 0)).center());
        QCOMPARE(m_window->session().selection().kind, Selection::Kind::Gap);
        QCOMPARE(m_window->session().selection().range.startNs, raw(2, 0));
        QTRY_VERIFY(m_window->analyst().settled());
        QCOMPARE(gaps->model()->rowCount(), all);
        QTRY_COMPARE(gaps->selectedSourceRows(), std::vector<int>{2});
        auto* filter = gaps->parentWidget()->findChild<QLineEdit*>(QStringLiteral("tableFilter"));
        m_window->session().clearSelection();
        QTRY_VERIFY(m_window->analyst().settled());
        QTest::keyClicks(filter, QStringLiteral("NORM"));
        QTRY_VERIFY(gaps->model()->rowCount() > 0 && gaps->model()->rowCount() < all);
        for (int row = 0; row < gaps->model()->rowCount(); ++row)
            QVERIFY(gaps->model()->index(row, 7).data().toString().contains(QStringLiteral("norm")));
        filter->clear();
        QTRY_COMPARE(gaps->model()->rowCount(), all);
    }

    void nothingIsClippedOnASmallScreen() {
        open(written("first.gapscope", 4));
        for (const char* name : {"runBar", "promptPanel", "insightPanel", "timeline", "tabs"}) {
            const auto* part = m_window->findChild<QWidget*>(QLatin1String(name));
            QVERIFY2(part->isVisible(), name);
            const QRect onWindow(part->mapTo(m_window.get(), QPoint()), part->size());
            QVERIFY2(m_window->rect().contains(onWindow), name);
            QVERIFY2(part->width() >= part->minimumSizeHint().width(), name);
        }
        QCOMPARE(m_window->size(), QSize(1366, 768));
    }

    void actionsHaveNamesShortcutsAndTips() {
        const auto actions = m_window->findChildren<QAction*>(QRegularExpression(QStringLiteral("Action$")));
        QVERIFY(actions.size() > 10);
        for (const QAction* each : actions)
            QVERIFY2(!each->toolTip().isEmpty(), qPrintable(each->objectName()));
        QVERIFY(action("openAction").shortcuts().contains(QKeySequence(Qt::CTRL | Qt::Key_O)));
        QVERIFY(action("runAction").shortcuts().contains(QKeySequence(Qt::Key_F5)));
    }
};

QTEST_MAIN(MainWindowTest)
#include "main_window_test.moc"

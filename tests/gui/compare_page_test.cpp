// Comparing in the window: two sessions opened side by side, zooms that go together, tables that lead into both
// timelines, and the way back.
#include "app/gui/views/compare_page.h"

#include <QAbstractItemModelTester>
#include <QAction>
#include <QComboBox>
#include <QFile>
#include <QLabel>
#include <QPushButton>
#include <QTabWidget>
#include <QTemporaryDir>
#include <QTest>
#include <QToolButton>
#include <cmath>

#include "app/gui/timeline/timeline_widget.h"
#include "app/gui/views/banner.h"
#include "app/gui/views/data_table.h"
#include "app/gui/window/main_window.h"
#include "core/export/session_writer.h"
#include "tests/core/analysis/hand_made_runs.h"
#include "tests/gui/sample_run.h"
#include "tests/gui/sample_trace.h"

using namespace gapscope;

class ComparePageTest : public QObject {
    Q_OBJECT

private:
    QTemporaryDir m_folder;
    std::unique_ptr<AppSettings> m_settings;
    std::unique_ptr<MainWindow> m_window;

    QString written(const char* name, const Trace& trace) const {
        const QString file = m_folder.filePath(QLatin1String(name));
        return saveSession(trace, file.toStdString()) ? file : QString();
    }
    void compareSamples() {
        m_window->openFile(written("before.gapscope", *sampleTrace(4)));
        QTRY_VERIFY(m_window->settled());
        SampleRun run;
        m_window->compareWith(written("after.gapscope", *run.whole(3, 2)));
        QTRY_VERIFY(m_window->comparing() && m_window->settled() && m_window->comparer().result());
    }
    template <class Widget>
    Widget* find(const char* name) {
        return m_window->findChild<Widget*>(QLatin1String(name));
    }
    const Comparison& comparison() { return m_window->comparer().result()->comparison; }
    static int rowWith(const QAbstractItemModel& model, const QString& name) {
        for (int row = 0; row < model.rowCount(); ++row)
            if (model.index(row, 0).data().toString() == name) return row;
        return -1;
    }
    void choose(DataTable* table, const QString& name) {
        const int row = rowWith(*table->model(), name);
        QVERIFY2(row >= 0, qPrintable(name));
        table->scrollTo(table->model()->index(row, 0));
        QTest::mouseClick(table->viewport(), Qt::LeftButton, {},
                          table->visualRect(table->model()->index(row, 0)).center());
    }

private Q_SLOTS:
    void init() {
        qputenv("XDG_STATE_HOME", m_folder.path().toLocal8Bit());
        m_settings = std::make_unique<AppSettings>(m_folder.filePath(QStringLiteral("settings.ini")));
        m_window = std::make_unique<MainWindow>(*m_settings);
        m_window->resize(1366, 768);
        m_window->show();
        QTRY_VERIFY(m_window->settled());
    }
    void cleanup() {
        m_window->document().discard();
        m_window.reset();
    }

    void theSameNumbersAsTheAnalysis() {
        compareSamples();
        QCOMPARE(find<QLabel>("compareSentence")->text(), QString::fromStdString(comparison().sentence));
        const auto* figures = find<DataTable>("compareFigures");
        const int row = rowWith(*figures->model(), QStringLiteral("kernels"));
        QVERIFY(row >= 0);
        QCOMPARE(figures->model()->index(row, 1).data(kExactRole).toString(), QStringLiteral("9"));
        const double difference = *comparison().find("kernelCount")->difference();
        QVERIFY(figures->isColumnHidden(CompareFigureModel::kPredictedColumn));  // other runs predict nothing of it
        QCOMPARE(figures->model()->index(row, 4).data(kSortRole).toDouble(), difference);
        QCOMPARE(figures->model()->index(row, 4).data().toString(),
                 QStringLiteral("+%1").arg(static_cast<int>(difference)));
        const auto* kernels = find<DataTable>("compareKernels");
        QCOMPARE(kernels->model()->rowCount(), static_cast<int>(comparison().kernels.size()));
        const int gone = rowWith(*kernels->model(), QStringLiteral("decode_gemm"));
        QCOMPARE(kernels->model()->index(gone, 2).data().toString(), QStringLiteral("gone"));
        const int fresh = rowWith(*kernels->model(), QStringLiteral("argmax"));
        QCOMPARE(kernels->model()->index(fresh, 2).data().toString(), QStringLiteral("new"));
        QVERIFY(find<QTabWidget>("compareTabs")
                    ->tabText(1)
                    .contains(QStringLiteral("%1 new").arg(comparison().kernelCountOf(Presence::New))));
        // Of decoding alone there are fewer.
        find<QComboBox>("compareScope")->setCurrentIndex(2);
        const int decoding = rowWith(*figures->model(), QStringLiteral("kernels"));
        QCOMPARE(figures->model()->index(decoding, 1).data(kExactRole).toString(), QStringLiteral("6"));
    }

    void zoomsGoTogetherFromWhereTheyAreAligned() {
        compareSamples();
        Session &before = m_window->comparer().before(), &after = m_window->comparer().after();
        const auto offset = [&] { return after.visibleRange().startNs - before.visibleRange().startNs; };
        QCOMPARE(offset(), comparison().after.summary.window.startNs - comparison().before.summary.window.startNs);
        after.setVisibleRange({5'000'000, 5'100'000});
        QCOMPARE(before.visibleRange().durationNs(), int64_t(100'000));
        QCOMPARE(offset(), comparison().after.summary.window.startNs - comparison().before.summary.window.startNs);
        auto* align = find<QComboBox>("alignAt");
        const int decode = align->findText(QStringLiteral("Decode"));
        QVERIFY(decode > 0);
        align->setCurrentIndex(decode);
        Q_EMIT align->activated(decode);
        const PhaseDelta& phase = comparison().phases.back();
        QCOMPARE(offset(), phase.after.startNs - phase.before.startNs);
        QCOMPARE(before.visibleRange().durationNs(), int64_t(100'000));
        QVERIFY(before.visibleRange().contains(phase.before.startNs));
        QVERIFY(after.visibleRange().contains(phase.after.startNs));
    }

    void rowsLeadIntoBothTimelines() {
        compareSamples();
        Session &before = m_window->comparer().before(), &after = m_window->comparer().after();
        auto* tabs = find<QTabWidget>("compareTabs");
        tabs->setCurrentIndex(1);
        choose(find<DataTable>("compareKernels"), QStringLiteral("argmax"));  // new
        QVERIFY(before.selection().kind == Selection::Kind::None);
        QVERIFY(after.selection().kind == Selection::Kind::KernelName);
        QCOMPARE(std::string(after.trace()->string(after.selection().name)), std::string("argmax"));
        const DeviceOps& ops = after.trace()->deviceOps();
        for (size_t row = 0; row < ops.startNs.size(); ++row) {
            if (after.trace()->string(ops.name[row]) != "argmax") continue;
            QVERIFY(after.visibleRange().contains(ops.startNs[row]));
            break;
        }
        tabs->setCurrentIndex(3);
        choose(find<DataTable>("compareTokens"), QStringLiteral("2"));
        const TokenDelta* token = nullptr;
        for (const TokenDelta& one : comparison().tokens)
            if (one.before && one.before->index == 2) token = &one;
        QVERIFY(token && token->after);
        QCOMPARE(before.selection().range, token->before->range);
        QCOMPARE(after.selection().range, token->after->range);
        // They begin at the same pixel.
        QCOMPARE(token->after->range.startNs - after.visibleRange().startNs,
                 token->before->range.startNs - before.visibleRange().startNs);
        tabs->setCurrentIndex(0);
        choose(find<DataTable>("compareFigures"), QStringLiteral("gemm"));
        QVERIFY(before.selection().kind == Selection::Kind::Category);
        QVERIFY(after.selection().category == Category::Gemm);
    }

    // The run that a remedy made, against the session whose place it took.
    void aRunIsOfferedForComparison() {
        m_window->openFile(written("before.gapscope", *sampleTrace(4)));
        QTRY_VERIFY(m_window->settled());
        if (!m_window->runBar().model()) QSKIP("No model was found, not even the one with random weights.");
        m_window->banners().closeAll();
        m_window->setNoticesWanted(false);
        m_window->run();
        QTRY_VERIFY_WITH_TIMEOUT(m_window->runs().progress().tokenCount > 0 || !m_window->runs().running(), 60'000);
        m_window->runs().stop();
        QTRY_VERIFY_WITH_TIMEOUT(m_window->settled(), 60'000);
        QVERIFY(m_window->banners().sentences().join(QChar()).contains(QStringLiteral("before.gapscope")));
        QPushButton* compare = nullptr;
        for (QPushButton* button : m_window->banners().findChildren<QPushButton*>())
            if (button->text() == QStringLiteral("Compare")) compare = button;
        QVERIFY(compare);
        QTest::mouseClick(compare, Qt::LeftButton);
        QTRY_VERIFY_WITH_TIMEOUT(m_window->comparing() && m_window->settled(), 20'000);
        QCOMPARE(m_window->comparer().nameBefore(), QStringLiteral("before.gapscope"));
        QCOMPARE(m_window->comparer().after().trace(), m_window->session().trace());
    }

    void reportsAreWrittenOffTheThread() {
        compareSamples();
        const QString path = m_folder.filePath(QStringLiteral("compared.html"));
        m_window->exportReport(path);
        QVERIFY(!m_window->settled());
        QTRY_VERIFY(m_window->settled());
        QFile compared(path);
        QVERIFY(compared.open(QIODevice::ReadOnly));
        QVERIFY(compared.readAll().contains(comparison().sentence.c_str()));
        QVERIFY(m_window->banners().sentences().join(QChar()).contains(path));
        m_window->leaveCompare();
        // Of the selection, not of the whole.
        m_window->session().select({.kind = Selection::Kind::Range, .range = {1'500'000, 1'600'000}});
        const QString single = m_folder.filePath(QStringLiteral("single.html"));
        m_window->exportReport(single);
        QTRY_VERIFY(m_window->settled());
        QFile one(single);
        QVERIFY(one.open(QIODevice::ReadOnly));
        QVERIFY(one.readAll().contains("100 µs from 0.001500 s"));
        m_window->banners().closeAll();
        m_window->exportReport(QStringLiteral("/nowhere/at/all.html"));
        QTRY_VERIFY(m_window->settled());
        QCOMPARE(m_window->banners().count(), 1);
        QVERIFY(m_window->banners().sentences().first().contains(QStringLiteral("/nowhere")));
    }

    // A token against another of the same trace, then other windows of the two.
    void windowsOfOneTrace() {
        m_window->openFile(written("run.gapscope", *sampleTrace(4)));
        QTRY_VERIFY(m_window->settled());
        auto* setBaseline = find<QAction>("setBaselineAction");
        auto* compare = find<QAction>("compareBaselineAction");
        QVERIFY(!setBaseline->isEnabled() && !compare->isEnabled());
        const std::vector<TokenTime> tokens = m_window->analyst().report()->tokens.rows;
        const auto select = [&](size_t row) {
            m_window->session().select({.kind = Selection::Kind::Token,
                                        .range = tokens[row].range,
                                        .row = static_cast<size_t>(tokens[row].index)});
            QTRY_VERIFY(m_window->settled());
        };
        select(2);
        QVERIFY(setBaseline->isEnabled() && !compare->isEnabled());
        QTest::keyClick(m_window.get(), Qt::Key_B, Qt::ControlModifier);
        QVERIFY(compare->text().contains(QStringLiteral("token 1")));
        select(4);
        QTest::keyClick(m_window.get(), Qt::Key_M, Qt::ControlModifier | Qt::ShiftModifier);
        QTRY_VERIFY(m_window->comparing() && m_window->settled() && m_window->comparer().result());
        QVERIFY(m_window->banners().sentences().isEmpty());
        QCOMPARE(comparison().before.summary.window, tokens[2].range);
        QCOMPARE(comparison().after.summary.window, tokens[4].range);
        QCOMPARE(m_window->comparer().result()->preparedBefore, m_window->comparer().result()->preparedAfter);
        auto* before = find<QComboBox>("windowBefore");
        auto* after = find<QComboBox>("windowAfter");
        QCOMPARE(before->currentText(), QStringLiteral("token 1"));
        QCOMPARE(after->currentText(), QStringLiteral("token 3"));

        const auto* figures = find<DataTable>("compareFigures");
        QVERIFY(rowWith(*figures->model(), QStringLiteral("window")) >= 0);
        QCOMPARE(rowWith(*figures->model(), QStringLiteral("tokens a second")),
                 -1);  // of the run: on both sides the same

        // Another window by its name; rows stay as the person arranged them.
        Session& upper = m_window->comparer().before();
        RowArrangement rows = upper.rowArrangement();
        rows.folded.clear();
        upper.setRowArrangement(rows);
        const int decode = before->findText(QStringLiteral("decode"));
        QVERIFY(decode > 0);
        before->setCurrentIndex(decode);
        Q_EMIT before->activated(decode);
        QVERIFY(!m_window->comparer().result());
        QTRY_VERIFY(m_window->settled() && m_window->comparer().result());
        QCOMPARE(comparison().before.summary.window, (TimeRange{tokens[1].range.endNs, tokens[4].range.endNs}));
        QCOMPARE(comparison().after.summary.window, tokens[4].range);
        QCOMPARE(before->currentText(), QStringLiteral("decode"));
        QVERIFY(upper.rowArrangement() == rows);

        // A range that is dragged in the timeline.
        auto* take = find<QToolButton>("selectedAfter");
        QVERIFY(!take->isEnabled());
        const TimeRange range{1'500'000, 1'600'000};
        m_window->comparer().after().select({.kind = Selection::Kind::Range, .range = range});
        QVERIFY(take->isEnabled());
        QTest::mouseClick(take, Qt::LeftButton);
        QTRY_VERIFY(m_window->settled() && m_window->comparer().result());
        QCOMPARE(comparison().after.summary.window, range);
        QCOMPARE(after->currentIndex(), after->count() - 1);  // beside those that the trace offers
        QVERIFY(after->currentText().contains(QStringLiteral("100 µs")));
        const QString path = m_folder.filePath(QStringLiteral("windows.html"));
        m_window->exportReport(path);
        QTRY_VERIFY(m_window->settled());
        QFile report(path);
        QVERIFY(report.open(QIODevice::ReadOnly));
        QVERIFY(report.readAll().contains("100 µs from 0.001500 s"));
        QTest::mouseClick(find<QToolButton>("exchangeButton"), Qt::LeftButton);
        QTRY_VERIFY(m_window->settled() && m_window->comparer().result());
        QCOMPARE(comparison().before.summary.window, range);
    }

    void theSelectionAgainstAPhaseOrTheTokenBefore() {
        m_window->openFile(written("run.gapscope", *sampleTrace(4)));
        QTRY_VERIFY(m_window->settled());
        const std::vector<TokenTime> tokens = m_window->analyst().report()->tokens.rows;
        m_window->session().select({.kind = Selection::Kind::Range, .range = tokens[3].range});
        QTRY_VERIFY(m_window->settled());
        auto* tokenBefore = find<QAction>("compareTokenBeforeAction");
        QVERIFY(!tokenBefore->isEnabled());  // a range has none
        find<QAction>("comparePrefillAction")->trigger();
        QTRY_VERIFY(m_window->comparing() && m_window->settled() && m_window->comparer().result());
        // The sample's first token takes a step of its own, which counts as the prompt's end.
        QCOMPARE(comparison().before.summary.window, (TimeRange{tokens[0].range.startNs, tokens[1].range.endNs}));
        QCOMPARE(comparison().after.summary.window, tokens[3].range);
        m_window->leaveCompare();
        m_window->session().select({.kind = Selection::Kind::Token, .range = tokens[3].range, .row = 2});
        QTRY_VERIFY(m_window->settled());
        QVERIFY(tokenBefore->isEnabled());
        tokenBefore->trigger();
        QTRY_VERIFY(m_window->comparing() && m_window->settled() && m_window->comparer().result());
        QCOMPARE(comparison().before.summary.window, tokens[2].range);
        // A trace without phases says so.
        m_window->leaveCompare();
        TraceBuilder builder;
        const TrackId track = builder.internTrack({.globalPid = makeGlobalTid(1, 0)});
        builder.add(DeviceOpRow{.startNs = 5, .endNs = 10, .name = builder.intern("k"), .track = track});
        m_window->openFile(written("foreign.gapscope", *builder.snapshot()));
        QTRY_VERIFY(m_window->settled());
        m_window->session().select({.kind = Selection::Kind::Range, .range = {5, 8}});
        QTRY_VERIFY(m_window->settled());
        find<QAction>("compareDecodeAction")->trigger();
        QTRY_VERIFY(m_window->settled());
        QVERIFY(!m_window->comparing());
        QVERIFY(m_window->banners().sentences().join(QChar()).contains(QStringLiteral("no decode")));
    }

    void predictionStandsBesideFact() {
        m_window->openFile(written("eager.gapscope", *eagerRun().snapshot()));
        QTRY_VERIFY(m_window->settled());
        m_window->compareWith(written("fused.gapscope", *fusedRun().snapshot()));
        QTRY_VERIFY(m_window->comparing() && m_window->settled() && m_window->comparer().result());
        QVERIFY(comparison().prediction);
        auto* figures = find<DataTable>("compareFigures");
        QVERIFY(!figures->isColumnHidden(CompareFigureModel::kPredictedColumn));
        int told = 0;
        for (int row = 0; row < figures->model()->rowCount(); ++row) {
            const QModelIndex predicted = figures->model()->index(row, CompareFigureModel::kPredictedColumn);
            if (predicted.data().toString().isEmpty()) continue;
            ++told;
            QCOMPARE(figures->model()->index(row, 0).data().toString(), QStringLiteral("a token, median"));
            QCOMPARE(predicted.data(kSortRole).toDouble(), std::round(comparison().prediction->predictedNs));
            QVERIFY(predicted.data(Qt::ToolTipRole).toString().contains(QStringLiteral("Fused kernels")));
        }
        QCOMPARE(told, 1);
        QVERIFY(find<QLabel>("compareSentence")->text().contains(QStringLiteral("Predicted were")));
        find<QComboBox>("compareScope")->setCurrentIndex(2);  // of decode alone nothing was predicted
        for (int row = 0; row < figures->model()->rowCount(); ++row)
            QVERIFY(figures->model()->index(row, CompareFigureModel::kPredictedColumn).data().toString().isEmpty());
    }

    void culpritsLeadToTheirLongestGaps() {
        compareSamples();
        auto* tabs = find<QTabWidget>("compareTabs");
        tabs->setCurrentIndex(4);
        auto* table = find<DataTable>("compareCulprits");
        QCOMPARE(table->model()->rowCount(), static_cast<int>(comparison().culprits.size()));
        const CulpritDelta* both = nullptr;
        for (const CulpritDelta& culprit : comparison().culprits)
            if (!both && culprit.presence() == Presence::Both) both = &culprit;
        const CulpritDelta& first = both ? *both : comparison().culprits.front();
        const int row = rowWith(*table->model(), QString::fromStdString(first.name));
        QCOMPARE(table->model()->index(row, 2).data(kSortRole).toLongLong(), first.differenceNs());
        choose(table, QString::fromStdString(first.name));
        QCOMPARE(m_window->comparer().before().selection().range, first.before ? first.before->longest : TimeRange{});
        QCOMPARE(m_window->comparer().after().selection().range, first.after ? first.after->longest : TimeRange{});
    }

    // A number stands at the right edge of its column, and further from it where text follows.
    void textKeepsItsDistanceFromNumbers() {
        compareSamples();
        auto* table = find<DataTable>("compareFigures");
        const int row = rowWith(*table->model(), QStringLiteral("window"));
        const QImage picture = table->viewport()->grab().toImage();
        const double ratio = picture.devicePixelRatio();
        const auto roomRightOf = [&](int column) {
            const QRect cell = table->visualRect(table->model()->index(row, column));
            const QColor ground = picture.pixelColor((QPointF(cell.left() + 2, cell.center().y()) * ratio).toPoint());
            for (int x = cell.right() - 1; x > cell.left(); --x)
                for (int y = cell.top() + 3; y < cell.bottom() - 3; ++y)
                    if (qAbs(picture.pixelColor((QPointF(x, y) * ratio).toPoint()).lightness() - ground.lightness()) >
                        60)
                        return cell.right() - x;
            return -1;
        };
        const int beforeNumber = roomRightOf(4), beforeText = roomRightOf(5);
        QVERIFY2(beforeNumber > 0 && beforeText >= beforeNumber + 6,
                 qPrintable(QStringLiteral("%1 %2").arg(beforeNumber).arg(beforeText)));
    }

    void exchangedIsTheOtherWayRound() {
        compareSamples();
        const double difference = *comparison().find("windowNs")->difference();
        QTest::mouseClick(find<QToolButton>("exchangeButton"), Qt::LeftButton);
        QTRY_VERIFY(m_window->comparer().result());
        QCOMPARE(*comparison().find("windowNs")->difference(), -difference);
        QCOMPARE(m_window->comparer().nameBefore(), QStringLiteral("after.gapscope"));
    }

    void escapeAndTheButtonLeave() {
        compareSamples();
        QVERIFY(!find<TimelineWidget>("timeline")->isVisible());
        auto* before = find<TimelineWidget>("timelineBefore");
        before->setFocus();
        m_window->comparer().before().select({.kind = Selection::Kind::Category});
        QTest::keyClick(before, Qt::Key_Escape);
        QVERIFY(!m_window->comparing());
        QVERIFY(find<TimelineWidget>("timeline")->isVisible());
        QCOMPARE(m_window->comparer().before().trace()->eventCount(), size_t(0));  // let go of
        QCOMPARE(m_window->document().name(), QStringLiteral("before.gapscope"));
        compareSamples();
        QTest::mouseClick(find<QToolButton>("leaveCompareButton"), Qt::LeftButton);
        QVERIFY(!m_window->comparing());
    }

    void aFileThatCannotBeReadLeavesAllAsItWas() {
        auto* compare = find<QAction>("compareWithAction");
        QVERIFY(!compare->isEnabled());  // nothing is open
        m_window->openFile(written("before.gapscope", *sampleTrace(4)));
        QTRY_VERIFY(m_window->settled());
        QVERIFY(compare->isEnabled());
        m_window->compareWith(m_folder.filePath(QStringLiteral("missing")));
        QTRY_VERIFY(m_window->settled());
        QVERIFY(!m_window->comparing());
        QCOMPARE(m_window->banners().count(), 1);
        QVERIFY(compare->isEnabled());
    }

    void aTraceOfAnotherProgramHasNoTokens() {
        m_window->openFile(written("before.gapscope", *sampleTrace(4)));
        QTRY_VERIFY(m_window->settled());
        TraceBuilder builder;
        const TrackId track = builder.internTrack({.globalPid = makeGlobalTid(1, 0)});
        builder.add(DeviceOpRow{.startNs = 5, .endNs = 10, .name = builder.intern("k"), .track = track});
        m_window->compareWith(written("foreign.gapscope", *builder.snapshot()));
        QTRY_VERIFY(m_window->comparing() && m_window->settled());
        QCOMPARE(find<QComboBox>("alignAt")->count(), 1);
        QVERIFY(!find<QComboBox>("compareScope")->isVisible());
    }

    void modelsKeepTheRulesOfQt() {
        CompareCategoryModel categories;
        CompareFigureModel figures;
        CompareKernelModel kernels;
        CompareRoleModel roles;
        CompareTokenModel tokens;
        CompareCulpritModel culprits;
        SampleRun run;
        const ComparedPtr compared = compareSides({sampleTrace(4), {}, {}}, {run.whole(3, 2), {}, {}});
        for (CompareModel* model :
             std::initializer_list<CompareModel*>{&categories, &figures, &kernels, &roles, &tokens, &culprits}) {
            QAbstractItemModelTester tester(model, QAbstractItemModelTester::FailureReportingMode::QtTest);
            QCOMPARE(model->rowCount(), 0);
            model->show(compared);
            QVERIFY(model->rowCount() > 0);
            for (int row = 0; row < model->rowCount(); ++row)
                for (int column = 0; column < model->columnCount(); ++column)
                    model->index(row, column).data();
            model->show(nullptr);
            QCOMPARE(model->rowCount(), 0);
        }
        figures.show(compared);
        figures.setPhase(7);  // there is none: the window
        QVERIFY(figures.rowCount() > 0);
    }
};

QTEST_MAIN(ComparePageTest)
#include "compare_page_test.moc"

// The ladder in the window: one button climbs all rungs of the built-in model, shows them, opens and compares their
// sessions, and stops where it is told.
#include "app/gui/views/ladder_panel.h"

#include <qcustomplot.h>

#include <QAbstractItemModelTester>
#include <QAction>
#include <QHeaderView>
#include <QLabel>
#include <QPushButton>
#include <QScrollBar>
#include <QTabWidget>
#include <QTemporaryDir>
#include <QTest>

#include "app/gui/views/banner.h"
#include "app/gui/views/card.h"
#include "app/gui/views/data_table.h"
#include "app/gui/window/main_window.h"
#include "core/import/open_trace.h"
#include "tests/support/test_files.h"

using namespace gapscope;

class LadderPanelTest : public QObject {
    Q_OBJECT

private:
    QTemporaryDir m_folder;
    std::unique_ptr<AppSettings> m_settings;
    std::unique_ptr<MainWindow> m_window;

    template <class Widget>
    Widget& find(const char* name) {
        return *m_window->findChild<Widget*>(QLatin1String(name));
    }
    QAction& action(const char* name) { return find<QAction>(name); }
    void chooseTinyModel(int tokens) {
        RunChoices choices = m_window->runBar().choices();
        choices.modelPath = QString::fromStdString(test::repositoryFile("resources/tiny-random-gemma3.gguf").string());
        choices.device = QStringLiteral("cpu");
        choices.tokens = tokens;
        choices.warmup = 0;
        m_window->runBar().setChoices(choices);
    }
    void climb() {
        action("climbAction").trigger();
        QVERIFY(m_window->climber().running());
        QVERIFY(!action("runAction").isEnabled() && !action("openAction").isEnabled());
        QTRY_VERIFY_WITH_TIMEOUT(m_window->settled(), 60'000);
    }
    QString cell(int row, int column) {
        return find<DataTable>("ladderTable").model()->index(row, column).data().toString();
    }
    void chooseRow(int row) {
        auto& table = find<DataTable>("ladderTable");
        QTest::mouseClick(table.viewport(), Qt::LeftButton, {},
                          table.visualRect(table.model()->index(row, 0)).center());
    }

private Q_SLOTS:
    void init() {
        qputenv("XDG_STATE_HOME", m_folder.path().toLocal8Bit());
        QFile::remove(m_folder.filePath(QStringLiteral("settings.ini")));
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

    void climbsAllRungsAndShowsThem() {
        chooseTinyModel(24);
        auto& table = find<DataTable>("ladderTable");
        const QAbstractItemModelTester tester(table.model());
        climb();
        QCOMPARE(m_window->banners().sentences(), QStringList());
        const Ladder& ladder = m_window->climber().ladder();
        QCOMPARE(find<QTabWidget>("tabs").currentWidget(), m_window->findChild<LadderPanel*>());
        QCOMPARE(table.model()->rowCount(), 4);
        for (int row = 0; row < 4; ++row) {
            const LadderRung& rung = ladder.rungs[static_cast<size_t>(row)];
            QVERIFY(rung.ran());
            QVERIFY(cell(row, 0).startsWith(rungTitle(rung)));
            QCOMPARE(cell(row, 1), QString::number(rung.figures.tokensPerSecond, 'f', 1));
            // The tiny model's choices are near ties, which rounding of another mode may settle in another way.
            QCOMPARE(cell(row, 10).isEmpty(), rung.sameTokens);
            QCOMPARE(table.model()->index(row, 2).data(kSortRole).toDouble(), rung.prediction.tokensPerSecond);
            const auto opened = openTrace(rung.session);
            QVERIFY(opened);
            QCOMPARE(opened.value()->tokens().index.size(), size_t(24));
        }
        QVERIFY(cell(3, 9).contains(QStringLiteral(" of ")));
        // Bars where the table says, diamonds where something was predicted.
        auto& plot = find<QCustomPlot>("ladderPlot");
        const auto* bars = qobject_cast<QCPBars*>(plot.plottable(0));
        QCOMPARE(bars->data()->size(), 4);
        for (int row = 0; row < 4; ++row)
            QCOMPARE(bars->data()->at(row)->value, ladder.rungs[static_cast<size_t>(row)].figures.tokensPerSecond);
        QCOMPARE(qobject_cast<QCPGraph*>(plot.plottable(1))->data()->size(), 3);
        QVERIFY(ladder.floorTokensPerSecond > 0);
        const QString caption = find<ElidedLabel>("ladderCaption").fullText();
        // On a busy machine none may be faster than the first.
        QVERIFY2(ladder.fastest() == ladder.first() || caption.startsWith(rungTitle(*ladder.fastest())),
                 qPrintable(caption));
        // There was nothing open: now the fastest is.
        QCOMPARE(m_window->document().path(), QString::fromStdString(ladder.fastest()->session.string()));
        QVERIFY(!m_window->document().isModified());
    }

    void theRunBarsDraftModelIsARung() {
        chooseTinyModel(12);
        RunChoices choices = m_window->runBar().choices();
        choices.speculation = QStringLiteral("model");
        choices.draftModel = choices.modelPath;
        choices.draftTokens = 4;
        m_window->runBar().setChoices(choices);
        climb();
        QCOMPARE(m_window->banners().sentences(), QStringList());
        const Ladder& ladder = m_window->climber().ladder();
        QCOMPARE(ladder.rungs.size(), size_t(5));
        QVERIFY(ladder.rungs[4].ran());
        QVERIFY2(cell(4, 0).startsWith(QStringLiteral("Draft model, ")), qPrintable(cell(4, 0)));
        QCOMPARE(cell(4, 9), QStringLiteral("8 of 8"));  // 11 tokens after the first: 5 a step, the last one alone
        const QModelIndex predicted = find<DataTable>("ladderTable").model()->index(4, 2);
        QVERIFY(predicted.data(kSortRole).toDouble() > 0);
        const QString tip = predicted.data(Qt::ToolTipRole).toString().replace(QLatin1Char('\n'), QLatin1Char(' '));
        QVERIFY2(tip.contains(QStringLiteral("8 of 8 drafted tokens right")), qPrintable(tip));
    }

    void aRungOpensAndIsComparedWithTheFirst() {
        chooseTinyModel(12);
        climb();
        const Ladder& ladder = m_window->climber().ladder();
        auto &open = find<QPushButton>("openRung"), &compare = find<QPushButton>("compareRung");
        QVERIFY(!open.isEnabled() && !compare.isEnabled());
        chooseRow(0);
        QVERIFY(open.isEnabled() && !compare.isEnabled());
        open.click();
        QTRY_VERIFY(m_window->settled());
        QCOMPARE(m_window->document().path(), QString::fromStdString(ladder.rungs[0].session.string()));
        chooseRow(2);
        QVERIFY(compare.isEnabled());
        compare.click();
        QTRY_VERIFY(m_window->comparing() && m_window->settled() && m_window->comparer().result());
        QCOMPARE(m_window->comparer().before().trace()->run()->mode, std::string("eager"));
        QCOMPARE(m_window->comparer().after().trace()->run()->mode, std::string("graph"));
        m_window->leaveCompare();
        // With another session open: the first rung takes its place.
        chooseRow(1);
        open.click();
        QTRY_VERIFY(m_window->settled());
        QCOMPARE(m_window->session().trace()->run()->mode, std::string("fused"));
        compare.click();
        QTRY_VERIFY(m_window->comparing() && m_window->settled() && m_window->comparer().result());
        QCOMPARE(m_window->comparer().before().trace()->run()->mode, std::string("eager"));
        QCOMPARE(m_window->comparer().after().trace()->run()->mode, std::string("fused"));
    }

    void stopKeepsTheRungsThatEnded() {
        chooseTinyModel(1500);
        action("climbAction").trigger();
        const Ladder& ladder = m_window->climber().ladder();
        QTRY_VERIFY_WITH_TIMEOUT(m_window->climber().rung() == 1 && ladder.rungs[0].ran(), 240'000);
        QCOMPARE(cell(1, 10), QStringLiteral("to come"));
        action("stopAction").trigger();
        QVERIFY(!action("stopAction").isEnabled());
        QTRY_VERIFY_WITH_TIMEOUT(!m_window->climber().running(), 20'000);
        QVERIFY(ladder.cancelled && ladder.rungs[0].ran());
        QCOMPARE(cell(3, 10), QStringLiteral("Not run: Cancelled."));
        QCOMPARE(cell(3, 1), QStringLiteral("not run"));
        const QString caption = find<ElidedLabel>("ladderCaption").fullText();
        QVERIFY2(caption.startsWith(QStringLiteral("Stopped early. ")), qPrintable(caption));
        QTRY_VERIFY(m_window->settled());
        QVERIFY(action("runAction").isEnabled());
    }

    void whatIsWrongIsSaidAndNothingIsLost() {
        RunChoices choices = m_window->runBar().choices();
        choices.device = QStringLiteral("cpu");
        choices.modelPath = m_folder.filePath(QStringLiteral("missing.gguf"));
        m_window->runBar().setChoices(choices);
        climb();
        QCOMPARE(m_window->banners().count(), 1);
        QVERIFY(m_window->banners().sentences().first().contains(QStringLiteral("missing.gguf")));
        QCOMPARE(find<DataTable>("ladderTable").model()->rowCount(), 0);
    }

    void aRungThatCannotRunSaysSoWhereItsSpeedWouldBe() {
        chooseTinyModel(12);
        const QString notes = m_folder.filePath(QStringLiteral("notes.gguf"));
        QFile file(notes);
        QVERIFY(file.open(QIODevice::WriteOnly) && file.write("no model") > 0);
        file.close();
        RunChoices choices = m_window->runBar().choices();
        choices.speculation = QStringLiteral("model");
        choices.draftModel = notes;
        m_window->runBar().setChoices(choices);
        climb();
        QCOMPARE(cell(4, 1), QStringLiteral("not run"));
        const QModelIndex speed = find<DataTable>("ladderTable").model()->index(4, 1);
        QVERIFY(speed.data(Qt::ToolTipRole).toString().contains(QStringLiteral("notes.gguf")));
        const QString caption = find<ElidedLabel>("ladderCaption").fullText();
        QVERIFY2(caption.contains(QStringLiteral("1 rung did not run. ")), qPrintable(caption));
    }

    void aNarrowTableScrollsAndItsWidestColumnStaysReadable() {
        LadderModel model;
        DataTable table(model, QStringLiteral("Ladder"));
        table.setColumnCharacters({17, 8, 9, 8, 7, 19, 13, 11, 8, 8, 40}, 10);
        table.resize(400, 120);
        table.show();
        const int digit = table.fontMetrics().horizontalAdvance(QLatin1Char('0'));
        QVERIFY(table.columnWidth(10) >= 16 * digit);
        QVERIFY(table.horizontalScrollBar()->maximum() > 0);
        table.resize(2000, 120);
        QTRY_COMPARE(table.horizontalHeader()->length(), table.viewport()->width());
        const int wide = table.columnWidth(10);
        table.setColumnHidden(5, true);
        QCOMPARE(table.horizontalHeader()->length(), table.viewport()->width());
        QVERIFY(table.columnWidth(10) > wide);
    }

    void closingWhileItRunsStopsIt() {
        chooseTinyModel(1500);
        action("climbAction").trigger();
        QTRY_VERIFY(m_window->climber().running());
        m_window->close();
        QVERIFY(m_window->isVisible());
        QTRY_VERIFY_WITH_TIMEOUT(!m_window->isVisible(), 20'000);
    }
};

QTEST_MAIN(LadderPanelTest)
#include "ladder_panel_test.moc"

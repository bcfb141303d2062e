// The Launches tab: pairs of call and kernel, what stands out, and the queue over time.
#include <qcustomplot.h>

#include <QAbstractItemModelTester>
#include <QLabel>
#include <QTest>

#include "app/gui/views/data_table.h"
#include "app/gui/views/launch_panel.h"
#include "tests/gui/sample_trace.h"

using namespace gapscope;

class LaunchPanelTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void rowsArePairsOfCallAndKernel() {
        const TracePtr trace = sampleTrace();
        LaunchModel model;
        QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        model.show(trace, kernelExecutions(*trace, joinLaunches(*trace), trace->extent()).rows);
        QCOMPARE(model.rowCount(), 3);
        const auto raw = [&](int column) { return model.index(0, column).data(kSortRole).toLongLong(); };
        QCOMPARE(model.index(0, 0).data().toString(), QStringLiteral("prompt_gemm"));
        QCOMPARE(model.index(0, 1).data().toString(), QStringLiteral("cpuLaunchKernel"));
        QCOMPARE(raw(2), 1);
        QCOMPARE(raw(3), 410'000);  // called 10 us before the kernel of 400 us began
        QCOMPARE(raw(4), 5'000);
        QCOMPARE(raw(5), 5'000);
        QCOMPARE(raw(6), 400'000);
        model.show(trace, {});
        QCOMPARE(model.rowCount(), 0);
    }

    void choosingARowKeepsTheTable() {
        Session session;
        Analyst analyst(session);
        LaunchPanel panel(analyst);
        session.setTrace(sampleTrace());
        panel.resize(1000, 300);
        panel.show();
        auto* table = panel.findChild<DataTable*>(QStringLiteral("launchTable"));
        QTRY_COMPARE(table->model()->rowCount(), 3);
        const QString facts = panel.findChild<QLabel*>(QStringLiteral("launchFacts"))->text();
        QVERIFY2(facts.contains(QStringLiteral("p50 10.0 µs")), qPrintable(facts));
        QVERIFY2(facts.contains(QStringLiteral("at most 1 waiting")), qPrintable(facts));
        auto* plot = panel.findChild<QCustomPlot*>(QStringLiteral("queueDepthPlot"));
        bool found = false;
        QCOMPARE(plot->graph(0)->getValueRange(found).upper, 1.0);
        QVERIFY(found);
        // Where the plot is low, its labels stand apart.
        for (const int height : {100, 400}) {
            plot->setFixedHeight(height);
            plot->replot();
            const int labels = plot->yAxis->ticker()->tickCount() * QFontMetrics(plot->yAxis->tickLabelFont()).height();
            QVERIFY2(labels <= plot->axisRect()->height(), qPrintable(QString::number(height)));
        }
        QCOMPARE(plot->yAxis->ticker()->tickCount(), 5);

        const QModelIndex second = table->model()->index(1, 0);
        QTest::mouseClick(table->viewport(), Qt::LeftButton, {}, table->visualRect(second).center());
        QCOMPARE(session.selection().kind, Selection::Kind::KernelName);
        QTRY_VERIFY(analyst.settled());
        QTest::qWait(50);
        QCOMPARE(table->model()->rowCount(), 3);
        QCOMPARE(table->selectedSourceRows().size(), size_t(1));

        session.select({.kind = Selection::Kind::Token, .range = {1'410'000, 1'520'000}, .row = 0});
        QTRY_COMPARE(table->model()->rowCount(), 2);
    }
};

QTEST_MAIN(LaunchPanelTest)
#include "launch_panel_test.moc"

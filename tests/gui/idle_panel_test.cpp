// The panel of who left the device idle: it answers off the UI thread, and choosing a row keeps the table.
#include <QDoubleSpinBox>
#include <QTest>

#include "app/gui/views/data_table.h"
#include "app/gui/views/idle_panel.h"
#include "tests/gui/sample_trace.h"

using namespace gapscope;

class IdlePanelTest : public QObject {
    Q_OBJECT

    static qint64 sumOf(const QAbstractItemModel& model, int column) {
        qint64 sum = 0;
        for (int row = 0; row < model.rowCount(); ++row)
            sum += model.index(row, column).data(kSortRole).toLongLong();
        return sum;
    }

private Q_SLOTS:
    void answersForTheSelection() {
        Session session;
        Analyst analyst(session);
        IdlePanel panel(analyst);
        auto* culprits = panel.findChild<DataTable*>(QStringLiteral("culpritTable"));
        auto* streams = panel.findChild<DataTable*>(QStringLiteral("streamIdleTable"));
        session.setTrace(sampleTrace());
        QTRY_VERIFY(analyst.report() && analyst.settled());
        QCOMPARE(culprits->model()->rowCount(), 0);  // nobody sees it: nothing is computed
        panel.resize(900, 300);
        panel.show();
        QTRY_VERIFY(culprits->model()->rowCount() > 0);
        QCOMPARE(sumOf(*culprits->model(), 1), 90'000);
        QCOMPARE(sumOf(*streams->model(), 2), 80'000);

        const int rows = culprits->model()->rowCount();
        const QModelIndex first = culprits->model()->index(0, 0);
        QTest::mouseClick(culprits->viewport(), Qt::LeftButton, {}, culprits->visualRect(first).center());
        QCOMPARE(session.selection().kind, Selection::Kind::Gap);
        QVERIFY(!session.selection().range.empty());
        QTRY_VERIFY(analyst.report()->selection.kind == Selection::Kind::Gap && analyst.settled());
        QTest::qWait(50);
        QCOMPARE(culprits->model()->rowCount(), rows);

        session.select({.kind = Selection::Kind::Token, .range = {1'410'000, 1'520'000}, .row = 0});
        QTRY_COMPARE(sumOf(*culprits->model(), 1), 20'000);
    }

    void theThresholdMovesWaitsBetweenClasses() {
        Session session;
        Analyst analyst(session);
        // Queued while the kernel before runs: 2 us between the kernels.
        TraceBuilder builder;
        const uint64_t thread = makeGlobalTid(1, 1);
        const TrackId track = builder.internTrack({.globalPid = globalPidOf(thread), .streamId = 7});
        for (uint32_t i = 0; i < 4; ++i) {
            builder.add(ApiCallRow{.startNs = 100 + i * 10,
                                   .endNs = 105 + i * 10,
                                   .name = builder.intern("cudaLaunchKernel"),
                                   .globalTid = thread,
                                   .correlationId = i + 1});
            builder.add(DeviceOpRow{.startNs = 1'000 + i * 5'000,
                                    .endNs = 4'000 + i * 5'000,
                                    .name = builder.intern("k"),
                                    .track = track,
                                    .correlationId = i + 1});
        }
        session.setTrace(builder.snapshot());
        IdlePanel panel(analyst);
        panel.show();
        const auto* streams = panel.findChild<DataTable*>(QStringLiteral("streamIdleTable"))->model();
        auto* threshold = panel.findChild<QDoubleSpinBox*>(QStringLiteral("kernelWaitThreshold"));
        const auto waits = [&](int row) { return streams->index(row, 4).data(kSortRole).toLongLong(); };
        QTRY_COMPARE(streams->rowCount(), 3);
        QCOMPARE(threshold->value(), 30.0);
        QCOMPARE(waits(1), 3);
        threshold->setValue(2);  // 2 us are not below 2 us
        QTRY_COMPARE(waits(1), 0);
        QCOMPARE(waits(2), 3);
        threshold->setValue(2.001);
        QTRY_COMPARE(waits(1), 3);
    }
};

QTEST_MAIN(IdlePanelTest)
#include "idle_panel_test.moc"

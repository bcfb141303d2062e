// From numbers to rows: category rules, the roofline tab, evidence and tiles that lead somewhere, the pie by count.
#include <QAbstractItemModelTester>
#include <QComboBox>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>
#include <QToolButton>

#include "app/gui/views/card.h"
#include "app/gui/views/data_table.h"
#include "app/gui/views/insight_panel.h"
#include "app/gui/views/kernel_rules_dialog.h"
#include "app/gui/views/roofline_item.h"
#include "app/gui/views/roofline_panel.h"
#include "app/gui/views/rule_editor.h"
#include "core/import/open_trace.h"
#include "tests/gui/sample_trace.h"

using namespace gapscope;

namespace {

TracePtr foreignTrace() {
    TraceBuilder builder;
    const TrackId track = builder.internTrack({});
    const auto kernel = [&](int64_t start, int64_t end, const char* name, Category category) {
        builder.add(DeviceOpRow{
            .startNs = start, .endNs = end, .name = builder.intern(name), .track = track, .category = category});
    };
    kernel(0, 100, "void ns::odd_kernel<float>(float*)", Category::Other);
    kernel(200, 250, "sgemm", Category::Gemm);
    kernel(300, 400, "void ns::odd_kernel<int>(int*)", Category::Other);
    kernel(500, 530, "strange", Category::Other);
    return builder.snapshot();
}

// A run whose kernels have bytes and flops, on a device with the given peaks.
TracePtr plannedTrace(double bytesPerSecond, double flopsPerSecond) {
    TraceBuilder builder;
    builder.setDevice({.id = 0,
                       .kind = DeviceKind::Cpu,
                       .name = "test",
                       .peakBytesPerSecond = bytesPerSecond,
                       .peakFlopsPerSecond = flopsPerSecond});
    const TrackId track = builder.internTrack({});
    const OpId gemm = builder.internOp({.name = builder.intern("q_proj"), .layer = 0, .bytes = 1000, .flops = 2000});
    const OpId norm = builder.internOp({.name = builder.intern("norm"), .layer = 0, .bytes = 100, .flops = 0});
    for (int i = 0; i < 5; ++i) {
        builder.add(DeviceOpRow{.startNs = i * 1000,
                                .endNs = i * 1000 + 500,
                                .name = builder.intern("matmul"),
                                .track = track,
                                .category = Category::Gemm,
                                .op = gemm,
                                .token = i});
        builder.add(DeviceOpRow{.startNs = i * 1000 + 500,
                                .endNs = i * 1000 + 600,
                                .name = builder.intern("rms_norm"),
                                .track = track,
                                .category = Category::Norm,
                                .op = norm,
                                .token = i});
    }
    builder.setRun({.modelName = "m", .device = "cpu", .threads = 1});
    return builder.snapshot();
}

}  // namespace

class AnswersTest : public QObject {
    Q_OBJECT

    QTemporaryDir m_config;

private Q_SLOTS:
    void aLabelThatIsTooLongEndsInDotsWithinItsMargins() {
        ElidedLabel label(LabelRole::Body, QStringLiteral("first token after 10.3 ms, between tokens 3.46 ms"));
        label.setContentsMargins(30, 0, 30, 0);
        label.resize(160, 20);
        label.show();
        QVERIFY2(label.text().endsWith(QChar(0x2026)), qPrintable(label.text()));
        QVERIFY(label.fontMetrics().horizontalAdvance(label.text()) <= label.contentsRect().width());
        QCOMPARE(label.toolTip(), label.fullText());
    }

    void init() {
        QVERIFY(m_config.isValid());
        qputenv("XDG_CONFIG_HOME", m_config.path().toUtf8());
        QFile::remove(m_config.path() + QStringLiteral("/gapscope/kernel-rules.txt"));
    }

    void aRuleSortsTheOpenTraceAndCanBeTakenBack() {
        Session session;
        KernelRules rules(session);
        session.setTrace(foreignTrace());
        const Selection range{.kind = Selection::Kind::Range, .range = {0, 450}};
        session.select(range);
        session.setVisibleRange({10, 400});
        QTRY_COMPARE(rules.names()->unknown().size(), size_t(3));
        KernelRulesDialog dialog(rules);
        dialog.show();
        auto* unknown = dialog.findChild<DataTable*>(QStringLiteral("unknownNames"));
        auto* own = dialog.findChild<DataTable*>(QStringLiteral("ownRules"));
        QCOMPARE(unknown->model()->rowCount(), 3);

        // The chosen name is offered as a rule, tried on the names of the trace.
        unknown->selectRow(0);
        QTest::mouseClick(dialog.findChild<QPushButton*>(QStringLiteral("addRule")), Qt::LeftButton);
        auto* editor = dialog.findChild<RuleEditor*>();
        QVERIFY(editor);
        auto* parts = editor->findChild<QLineEdit*>(QStringLiteral("ruleParts"));
        QCOMPARE(parts->text(), QStringLiteral("odd_kernel"));
        auto* takes = editor->findChild<QLabel*>(QStringLiteral("ruleTakes"));
        QVERIFY2(takes->text().contains(QStringLiteral("2 names, 2 kernels, 200 ns")), qPrintable(takes->text()));
        auto* keep = editor->findChild<QPushButton*>(QStringLiteral("keepRule"));
        parts->setText(QStringLiteral("odd#"));
        QVERIFY(!keep->isEnabled());
        parts->setText(QStringLiteral("ODD_kernel"));
        editor->findChild<QComboBox*>(QStringLiteral("ruleCategory"))
            ->setCurrentIndex(static_cast<int>(Category::Norm));
        QTest::mouseClick(keep, Qt::LeftButton);
        QTRY_COMPARE(session.trace()->deviceOps().category[0], Category::Norm);
        QCOMPARE(session.trace()->deviceOps().category[2], Category::Norm);
        QCOMPARE(session.trace()->deviceOps().category[3], Category::Other);
        QCOMPARE(session.selection(), range);
        QCOMPARE(session.visibleRange(), (TimeRange{10, 400}));
        QTRY_COMPARE(unknown->model()->rowCount(), 1);
        QCOMPARE(own->model()->rowCount(), 1);
        QTRY_COMPARE(own->model()->index(0, 2).data(kSortRole).toLongLong(), 2);

        // Another program (or window) reads the same file.
        Session other;
        QCOMPARE(KernelRules(other).own(), rules.own());

        rules.addFirst({Category::Rope, {"int*"}});
        QTRY_COMPARE(session.trace()->deviceOps().category[2], Category::Rope);
        own->selectRow(0);
        QTest::mouseClick(dialog.findChild<QPushButton*>(QStringLiteral("ruleDown")), Qt::LeftButton);
        QTRY_COMPARE(session.trace()->deviceOps().category[2], Category::Norm);
        QCOMPARE(rules.own()[1].category, Category::Rope);
        own->selectRow(0);
        QTest::mouseClick(dialog.findChild<QPushButton*>(QStringLiteral("ruleDelete")), Qt::LeftButton);
        QTRY_COMPARE(session.trace()->deviceOps().category[0], Category::Other);
        QTest::mouseClick(dialog.findChild<QPushButton*>(QStringLiteral("ruleUndo")), Qt::LeftButton);
        QTRY_COMPARE(session.trace()->deviceOps().category[0], Category::Norm);
    }

    void aFileThatAnEditorChangedIsNotOverwritten() {
        Session session;
        KernelRules rules(session);
        rules.addFirst({Category::Norm, {"a"}});
        QFile file(rules.path());
        QVERIFY(file.open(QIODevice::Append));
        file.write("gemm b\nwrong c\n");
        file.close();
        QSignalSpy failed(&rules, &KernelRules::failed);
        rules.addFirst({Category::Rope, {"d"}});
        QCOMPARE(failed.count(), 1);
        QCOMPARE(rules.own().size(), size_t(2));
        QCOMPARE(rules.problems().size(), 1);
        rules.addFirst({Category::Rope, {"d"}});
        QVERIFY(file.open(QIODevice::ReadOnly));
        const QByteArray text = file.readAll();
        QVERIFY(text.contains("rope d\nnorm a\n") && text.contains("wrong c\n"));
    }

    void namesModelKeepsTheContract() {
        Session session;
        KernelRules rules(session);
        session.setTrace(foreignTrace());
        QTRY_COMPARE(rules.names()->names.size(), size_t(4));
        KernelNameModel names;
        RuleModel own;
        QAbstractItemModelTester nameTester(&names, QAbstractItemModelTester::FailureReportingMode::QtTest);
        QAbstractItemModelTester ruleTester(&own, QAbstractItemModelTester::FailureReportingMode::QtTest);
        names.show(rules.names(), rules.names()->unknown());
        own.show({{Category::Norm, {"a", "b"}}}, *rules.names());
        QCOMPARE(names.rowCount(), 3);
        QCOMPARE(own.index(0, 0).data().toString(), QStringLiteral("a b"));
    }

    void rooflineChoosesKernelsAndMeasuresPeaks() {
        Session session;
        Analyst analyst(session);
        RooflinePanel panel(analyst);
        bool fails = true;
        panel.setMeasure([&fails](const RunInfo& run) -> Result<DevicePeakRates> {
            if (fails) return fail("There is no " + run.deviceName + " here.");
            return DevicePeakRates{1e10 * static_cast<double>(run.threads), 1e11};
        });
        panel.resize(1000, 400);
        panel.show();
        session.setTrace(plannedTrace(0, 0));
        auto* table = panel.findChild<DataTable*>(QStringLiteral("rooflineTable"));
        QTRY_COMPARE(table->model()->rowCount(), 2);
        auto* measure = panel.findChild<QPushButton*>(QStringLiteral("measurePeaks"));
        QVERIFY(measure->isVisible());
        QCOMPARE(table->model()->index(0, 7).data().toString(), QStringLiteral("–"));
        // Of a device that is elsewhere it says so, and can be tried again.
        QTest::mouseClick(measure, Qt::LeftButton);
        const auto saysWhy = [&] {
            const auto captions = panel.findChildren<ElidedLabel*>();
            return std::any_of(captions.begin(), captions.end(), [](const ElidedLabel* label) {
                return label->fullText().startsWith(QStringLiteral("There is no "));
            });
        };
        QTRY_VERIFY(saysWhy());
        QVERIFY(measure->isVisible() && measure->isEnabled());
        QCOMPARE(table->model()->index(0, 7).data().toString(), QStringLiteral("–"));
        fails = false;
        QTest::mouseClick(measure, Qt::LeftButton);
        QTRY_VERIFY(!measure->isVisible());
        QVERIFY(!saysWhy());
        // 1000 bytes in 500 ns are 2 GB/s of 10 GB/s.
        QCOMPARE(table->model()->index(0, 7).data(kSortRole).toDouble(), 0.2);

        auto* plot = panel.findChild<QCustomPlot*>(QStringLiteral("rooflinePlot"));
        auto* item = qobject_cast<RooflineItem*>(plot->item(0));
        QCOMPARE(item->points().size(), size_t(1));  // the norm computes nothing
        plot->replot();
        const QPoint place = item->placeOf(item->points()[0]).toPoint();
        QVERIFY(plot->rect().contains(place));
        QTest::mouseClick(plot, Qt::LeftButton, {}, place);
        QCOMPARE(session.selection().kind, Selection::Kind::KernelName);
        QCOMPARE(session.trace()->string(session.selection().name), std::string_view("matmul"));
        QTRY_VERIFY(analyst.settled());
        QCOMPARE(table->selectedSourceRows().size(), size_t(1));

        panel.findChild<QComboBox*>(QStringLiteral("rooflineRows"))->setCurrentIndex(3);
        QCOMPARE(table->model()->rowCount(), 5);
        RooflineModel model;
        QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        for (const RooflineRows rows :
             {RooflineRows::ByOperation, RooflineRows::ByCategory, RooflineRows::ByLayer, RooflineRows::ByToken})
            model.show(analyst.report(), std::make_shared<Roofline>(roofline(*session.trace(), {0, 5000})), rows);
        QCOMPARE(model.title(2), QStringLiteral("token 2"));
    }

    // A GPU's session that tells its bandwidth alone gets the arithmetic; where there is little room, kernels' names
    // go.
    void rooflineMeasuresWhatIsMissingAndKeepsNamesWhole() {
        Session session;
        Analyst analyst(session);
        RooflinePanel panel(analyst);
        panel.setMeasure([](const RunInfo&) -> Result<DevicePeakRates> { return DevicePeakRates{2e10, 1e11}; });
        panel.resize(1400, 400);
        panel.show();
        session.setTrace(plannedTrace(1e10, 0));
        auto* table = panel.findChild<DataTable*>(QStringLiteral("rooflineTable"));
        QTRY_COMPARE(table->model()->rowCount(), 2);
        QVERIFY(!table->isColumnHidden(RooflineModel::kKernelColumn));
        auto* measure = panel.findChild<QPushButton*>(QStringLiteral("measurePeaks"));
        QTest::mouseClick(measure, Qt::LeftButton);
        QTRY_VERIFY(!measure->isVisible());
        // 1000 bytes in 500 ns are 2 GB/s of the 20 that were measured.
        QCOMPARE(table->model()->index(0, 7).data(kSortRole).toDouble(), 0.1);
        panel.resize(995, 300);
        QTRY_VERIFY(table->isColumnHidden(RooflineModel::kKernelColumn));
        QVERIFY(table->columnWidth(0) >= 150);
        panel.resize(1400, 400);
        QTRY_VERIFY(!table->isColumnHidden(RooflineModel::kKernelColumn));
    }

    void evidenceAndTilesLeadToRows() {
        Session session;
        Analyst analyst(session);
        InsightPanel panel(analyst);
        panel.resize(340, 900);
        panel.show();
        session.setTrace(sampleTrace());
        QTRY_VERIFY(analyst.report() && analyst.settled());
        QSignalSpy wanted(&panel, &InsightPanel::rowsWanted);
        auto* evidence = panel.findChild<QLabel*>(QStringLiteral("evidence"));
        QVERIFY2(evidence->text().contains(QStringLiteral("<a href=")), qPrintable(evidence->text()));
        Q_EMIT evidence->linkActivated(QString::number(static_cast<int>(Evidence::Cause)));
        QCOMPARE(wanted.count(), 1);
        QCOMPARE(session.selection().kind, Selection::Kind::GapCause);
        Q_EMIT evidence->linkActivated(QString::number(static_cast<int>(Evidence::Idle)));
        QCOMPARE(session.selection().kind, Selection::Kind::None);
        auto* tile = panel.findChild<QWidget*>(QStringLiteral("tileCard2"));
        QTest::mouseClick(tile, Qt::LeftButton);
        QCOMPARE(wanted.last().first().value<Evidence>(), Evidence::LaunchRows);
        QTest::keyClick(panel.findChild<QWidget*>(QStringLiteral("tileCard0")), Qt::Key_Return);
        QCOMPARE(wanted.last().first().value<Evidence>(), Evidence::TokenRows);
        QVERIFY(tile->accessibleName().startsWith(QStringLiteral("launches/token: ")));
        session.setTrace(foreignTrace());
        QTRY_VERIFY2(tile->accessibleName().startsWith(QStringLiteral("launches/step: ")),
                     qPrintable(tile->accessibleName()));
    }

    void thePieCountsToo() {
        Session session;
        Analyst analyst(session);
        InsightPanel panel(analyst);
        panel.resize(340, 900);
        panel.show();
        session.setTrace(sampleTrace());
        auto* legend = panel.findChild<DataTable*>(QStringLiteral("categoryLegend"));
        QTRY_COMPARE(legend->model()->rowCount(), 2);
        // gemm: 400 and four times 60 us; norm: four times 30 us.
        QCOMPARE(legend->model()->index(0, 1).data(kSortRole).toLongLong(), 640'000);
        panel.findChild<QComboBox*>(QStringLiteral("pieBy"))->setCurrentIndex(1);
        QCOMPARE(legend->model()->index(0, 1).data(kSortRole).toLongLong(), 5);
        QCOMPARE(legend->model()->index(1, 2).data(kSortRole).toDouble(), 4.0 / 9);
        session.select({.kind = Selection::Kind::Range, .range = {1'000'000, 1'410'001}});
        QTRY_COMPARE(legend->model()->rowCount(), 1);
        panel.showUnknownNames(2);
        QSignalSpy wanted(&panel, &InsightPanel::rulesWanted);
        auto* link = panel.findChild<QToolButton*>(QStringLiteral("unknownNamesLink"));
        QVERIFY(link->isVisible());
        QTest::mouseClick(link, Qt::LeftButton);
        QCOMPARE(wanted.count(), 1);
    }
};

QTEST_MAIN(AnswersTest)
#include "answers_test.moc"

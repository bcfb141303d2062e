// The tables: each model keeps Qt's contract, shows rounded, sorts raw, copies exactly.
#include <QAbstractItemModelTester>
#include <QClipboard>
#include <QGuiApplication>
#include <QTest>

#include "app/gui/models/category_model.h"
#include "app/gui/models/culprit_model.h"
#include "app/gui/models/details_model.h"
#include "app/gui/models/diagnostics_model.h"
#include "app/gui/models/event_model.h"
#include "app/gui/models/gap_model.h"
#include "app/gui/models/kernel_model.h"
#include "app/gui/models/layer_model.h"
#include "app/gui/models/stream_idle_model.h"
#include "app/gui/models/token_model.h"
#include "app/gui/session/report.h"
#include "app/gui/session/selection_text.h"
#include "app/gui/views/data_table.h"
#include "core/analysis/window.h"
#include "tests/core/testing/persistent_run.h"
#include "tests/gui/sample_trace.h"

using namespace gapscope;

class ModelsTest : public QObject {
    Q_OBJECT

private:
    ReportPtr m_report;

    static QString shown(const QAbstractItemModel& model, int row, int column) {
        return model.index(row, column).data().toString();
    }

private Q_SLOTS:
    void initTestCase() {
        const TracePtr trace = sampleTrace();
        m_report = makeReport(std::make_shared<const PreparedTrace>(trace), {}, defaultWindow(*trace));
    }

    void kernelsBySum() {
        KernelModel model;
        QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        model.show(m_report);
        QCOMPARE(model.rowCount(), 3);
        QCOMPARE(shown(model, 0, 0), QStringLiteral("prompt_gemm"));
        QCOMPARE(model.index(0, 3).data(kSortRole).toLongLong(), 400'000);
        QCOMPARE(model.index(0, 3).data(kExactRole).toString(), QStringLiteral("400000"));
        QVERIFY(model.index(0, 3).data(Qt::ToolTipRole).toString().contains(QStringLiteral("400,000 ns")));
        QCOMPARE(model.index(0, 3).data(Qt::TextAlignmentRole).toInt(), int(Qt::AlignRight | Qt::AlignVCenter));
        QCOMPARE(shown(model, 1, 4), QStringLiteral("4"));  // decode_gemm ran once a token
        model.show(m_report, Category::Norm);
        QCOMPARE(model.rowCount(), 1);
        QCOMPARE(shown(model, 0, 0), QStringLiteral("rms_norm"));
        model.show(nullptr);
        QCOMPARE(model.rowCount(), 0);
    }

    void gapsAddUpToTheIdleTime() {
        GapModel model;
        QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        const auto rows = [&](const GapFilter& filter) {
            return std::make_shared<const std::vector<uint32_t>>(
                gapsWanted(*m_report->trace, m_report->analysis.gaps.gaps, filter));
        };
        model.show(m_report, rows({}));
        QVERIFY(model.rowCount() > 0);
        int64_t idleNs = 0;
        for (int row = 0; row < model.rowCount(); ++row)
            idleNs += model.index(row, 1).data(kSortRole).toLongLong();
        // 9 operations, each 10 µs after its call began with nothing running meanwhile.
        QCOMPARE(idleNs, 90'000);
        QCOMPARE(model.rowOf(model.gap(2).range), 2);
        QCOMPARE(model.rowOf({-5, -1}), -1);
        // Longest first.
        const auto longest =
            orderOf(*m_report->trace, m_report->analysis.gaps.gaps, *model.rows(), GapModel::orderBy(1), true);
        model.setOrder(OrderedModel::orderOf(longest));
        for (int row = 0; row < model.rowCount(); ++row) {
            QCOMPARE(model.rowOf(model.gap(row).range), row);
            if (row > 0) QVERIFY(model.gap(row - 1).range.durationNs() >= model.gap(row).range.durationNs());
        }
        model.show(nullptr, rows({.cause = GapCause::Profiler}));
        QCOMPARE(model.rowCount(), 0);
    }

    void culpritsAddUpToTheIdleTime() {
        CulpritModel model;
        QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        model.show(culprits(*m_report->trace, m_report->analysis.gaps.gaps));
        QVERIFY(model.rowCount() > 1);
        int64_t idleNs = 0;
        double share = 0;
        for (int row = 0; row < model.rowCount(); ++row) {
            idleNs += model.index(row, 1).data(kSortRole).toLongLong();
            share += model.index(row, 2).data(kSortRole).toDouble();
            QVERIFY(!shown(model, row, 0).isEmpty());
        }
        QCOMPARE(idleNs, 90'000);
        QVERIFY(qAbs(share - 1) < 1e-12);
        QCOMPARE(culpritTitle({.kind = CulpritKind::Range, .name = "decode N", .call = "cudaStreamSynchronize"}),
                 std::string("cudaStreamSynchronize in decode N"));
        model.show({});
        QCOMPARE(model.rowCount(), 0);
    }

    void streamsInHtasClasses() {
        StreamIdleModel model;
        QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        const auto streams = streamIdle(*m_report->trace, m_report->prepared->join(), m_report->window);
        model.show(*m_report->trace, streams);
        QCOMPARE(model.rowCount(), static_cast<int>(streams.size()) * kStreamIdleClassCount);
        QCOMPARE(shown(model, 0, 0), QStringLiteral("Device 0, stream 7"));
        QCOMPARE(shown(model, 0, 1), QStringLiteral("host wait"));
        int64_t idleNs = 0;
        for (int row = 0; row < kStreamIdleClassCount; ++row)
            idleNs += model.index(row, 2).data(kSortRole).toLongLong();
        QCOMPARE(idleNs, 80'000);  // 9 operations: 8 waits of 10 us between them
    }

    void tokensWithThePromptFirst() {
        TokenModel model;
        QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        model.show(m_report);
        QCOMPARE(model.rowCount(), 5);
        QCOMPARE(shown(model, 0, 0), QStringLiteral("prompt"));
        QCOMPARE(shown(model, 1, 1), QStringLiteral("·upon"));
        QCOMPARE(model.index(1, 3).data(kSortRole).toLongLong(), 110'000);
        QCOMPARE(model.index(1, TokenModel::kShareColumn).data(kSortRole).toLongLong(), 110'000);
        QCOMPARE(model.index(1, 5).data(kSortRole).toLongLong(), 90'000);
        QCOMPARE(tokenRow(*m_report->trace, model.token(2)), size_t(1));
        QCOMPARE(model.rowOf({.kind = Selection::Kind::Token, .row = 1}), 2);
        QCOMPARE(model.rowOf({.kind = Selection::Kind::Token, .range = model.token(0).range, .row = 4}), 0);
    }

    void tokensOfABatchSayWhose() {
        QVERIFY(![&] {
            TokenModel alone;
            alone.show(m_report);
            return alone.isBatch();
        }());
        TraceBuilder builder;
        addSampleRun(builder, 3);
        builder.add(TokenRow{.emittedNs = 2'000'000, .index = 3, .id = 7, .place = 1, .sequence = 1});
        const TracePtr trace = builder.snapshot();
        TokenModel model;
        QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        model.show(makeReport(std::make_shared<const PreparedTrace>(trace), {}, trace->extent()));
        QVERIFY(model.isBatch());
        QVERIFY(!model.hasDrafts());
        QCOMPARE(model.token(4).range.durationNs(), 0);
        QCOMPARE(model.stepRange(4), model.token(3).range);
        QCOMPARE(model.stepRange(0), model.token(0).range);
        QCOMPARE(model.rowCount(), 5);
        QCOMPARE(shown(model, 3, TokenModel::kSequenceColumn), QStringLiteral("1"));
        QCOMPARE(shown(model, 4, TokenModel::kSequenceColumn), QStringLiteral("2"));
        QCOMPARE(shown(model, 4, TokenModel::kDraftsColumn), QStringLiteral("–"));
        QCOMPARE(model.index(3, TokenModel::kShareColumn).data(kSortRole).toLongLong(), 55'000);
        QCOMPARE(model.index(4, TokenModel::kShareColumn).data(kSortRole).toLongLong(), 55'000);
    }

    void categoriesAddUpToTheWhole() {
        CategoryModel model;
        QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        model.show(slicesOf(m_report->analysis.summary.categories));
        QCOMPARE(model.rowCount(), 2);
        QCOMPARE(shown(model, 0, 0), QStringLiteral("gemm"));
        QCOMPARE(model.index(0, 1).data(kSortRole).toLongLong(), 640'000);
        QCOMPARE(model.index(1, 1).data(kSortRole).toLongLong(), 120'000);
        double share = 0;
        for (const CategorySlice& slice : model.slices())
            share += slice.share;
        QVERIFY(qAbs(share - 1) < 1e-12);
        model.show(slicesOf(m_report->analysis.summary.categories));  // same rows: changed, not reset
        QCOMPARE(model.rowCount(), 2);
    }

    void detailsAnswerForEachKindOfSelection() {
        DetailsModel model;
        QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        const auto valueOf = [&](const Selection& selection, const QString& name) {
            model.show(detailsOf(*makeReport(m_report->prepared, selection, m_report->window)));
            for (int row = 0; row < model.rowCount(); ++row)
                if (shown(model, row, 0) == name) return model.index(row, 1).data(kExactRole).toString();
            return QString();
        };
        const auto& ops = m_report->trace->deviceOps();
        const Selection kernel{.kind = Selection::Kind::DeviceOp, .range = {ops.startNs[1], ops.endNs[1]}, .row = 1};
        QCOMPARE(valueOf(kernel, QStringLiteral("Name")), QStringLiteral("decode_gemm"));
        QCOMPARE(valueOf(kernel, QStringLiteral("Launch latency")), QStringLiteral("10000"));
        QCOMPARE(valueOf(kernel, QStringLiteral("Queue delay")), QStringLiteral("5000"));
        QCOMPARE(valueOf({}, QStringLiteral("Self GPU time")), QStringLiteral("760000"));
        QCOMPARE(valueOf({}, QStringLiteral("Launches")), QStringLiteral("9"));
        const Gap& gap = m_report->analysis.gaps.gaps[1];  // by the call that ended it, which is beyond its own range
        const Selection selected{.kind = Selection::Kind::Gap, .range = gap.range, .row = 1};
        QCOMPARE(valueOf(selected, QStringLiteral("Ended by")), QStringLiteral("decode_gemm"));
        QCOMPARE(valueOf(selected, QStringLiteral("Idle by launch call")), QStringLiteral("5000"));
        const Selection beyond{.kind = Selection::Kind::DeviceOp, .range = {0, 1}, .row = 999};
        QCOMPARE(valueOf(beyond, QStringLiteral("Name")), QString());
    }

    void detailsTellOfAKernelWhatItWasLaunchedWith() {
        TraceBuilder builder;
        builder.add(DeviceOpRow{.startNs = 0,
                                .endNs = 1000,
                                .name = builder.intern("k"),
                                .track = builder.internTrack({}),
                                .config = builder.internLaunchConfig({.grid = {4, 1, 1},
                                                                      .block = {32, 1, 1},
                                                                      .staticSharedBytes = 48,
                                                                      .dynamicSharedBytes = 4096,
                                                                      .occupancyPercent = 75})});
        const Selection kernel{.kind = Selection::Kind::DeviceOp, .range = {0, 1000}, .row = 0};
        QStringList told;
        const auto report = makeReport(std::make_shared<const PreparedTrace>(builder.snapshot()), kernel, {0, 1000});
        for (const DetailRow& row : detailsOf(*report))
            if (row.name.contains(QStringLiteral("shared")) || row.name.startsWith(QStringLiteral("Occupancy")))
                told.append(row.value.raw.toString());
        QCOMPARE(told, (QStringList{QStringLiteral("48"), QStringLiteral("4096"), QStringLiteral("75 %")}));
    }

    void layersAddUp() {
        LayerModel model;
        QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        model.show(m_report, LayerRows::Layers);
        const auto sum = [&] {
            qint64 ns = 0;
            for (int row = 0; row < model.rowCount(); ++row)
                ns += model.index(row, 2).data(kSortRole).toLongLong();
            return ns;
        };
        const qint64 byLayer = sum();
        QCOMPARE(byLayer + m_report->layers.unknownNs, 760'000);
        model.show(m_report, LayerRows::Operations);
        QCOMPARE(sum(), byLayer);
    }

    void eventsByStart() {
        EventModel model;
        QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        const auto events = [](std::vector<EventRow> rows) {
            return std::make_shared<const std::vector<EventRow>>(std::move(rows));
        };
        model.show(m_report->trace, events(eventList(*m_report->prepared, m_report->window)));
        QVERIFY(model.rowCount() > 18);  // nine operations and their calls
        for (int row = 1; row < model.rowCount(); ++row)
            QVERIFY(model.index(row - 1, 0).data(kSortRole).toLongLong() <=
                    model.index(row, 0).data(kSortRole).toLongLong());
        for (int row = 0; row < model.rowCount(); ++row)
            QCOMPARE(model.rowOf(model.selectionOf(row)), row);
        QCOMPARE(model.rowOf({}), -1);
        model.show(m_report->trace, events({}));
        QCOMPARE(model.rowCount(), 0);
    }

    void stagesAreEventsOfTheirStream() {
        const TracePtr trace = persistentTrace({.layers = 2, .tokens = 2});
        const auto prepared = std::make_shared<const PreparedTrace>(trace);
        EventModel model;
        model.show(trace, std::make_shared<const std::vector<EventRow>>(eventList(*prepared, trace->extent())));
        int stages = 0;
        for (int row = 0; row < model.rowCount(); ++row) {
            const Selection selection = model.selectionOf(row);
            QCOMPARE(model.rowOf(selection), row);
            if (selection.kind != Selection::Kind::Stage) continue;
            ++stages;
            QCOMPARE(shown(model, row, 2), QStringLiteral("stage"));
            QCOMPARE(shown(model, row, 3),
                     QString::fromUtf8(trace->string(trace->stages().name[selection.row]).data()));
            QCOMPARE(shown(model, row, 4), QStringLiteral("device 0, stream 7"));
            QCOMPARE(shown(model, row, 5), QString::number(trace->stages().correlationId[selection.row]));
            QCOMPARE(describe(*trace, selection),
                     QStringLiteral("stage %1, %2").arg(shown(model, row, 3), shown(model, row, 1)));
        }
        QCOMPARE(stages, 2 * (9 * 2 + 4));
        DataTable table(model, QStringLiteral("Events"));
        QVERIFY(table.copied(DataTable::CopyFormat::Csv, DataTable::CopyRows::All)
                    .contains(QStringLiteral(",3822,stage,gate_up_gelu,")));
        // Layers count the stages of roles that have no operation of their own.
        LayerModel layers;
        layers.show(makeReport(prepared, {}, trace->extent()), LayerRows::Layers);
        QCOMPARE(shown(layers, 1, 4), QStringLiteral("18"));
    }

    void tablesFilterAndCopyAsCsv() {
        KernelModel model;
        model.show(m_report);
        DataTable table(model, QStringLiteral("Kernels"));
        table.setFilterText(QStringLiteral("GEMM"));
        QCOMPARE(table.model()->rowCount(), 2);
        table.setColumnHidden(1, true);
        const QStringList lines =
            table.copied(DataTable::CopyFormat::Csv, DataTable::CopyRows::All).split(QLatin1Char('\n'));
        QCOMPARE(lines.size(), 3);
        QVERIFY(lines[0].startsWith(QStringLiteral("Kernel,Share,Total,Count")));
        QVERIFY(lines[1].startsWith(QStringLiteral("prompt_gemm,")));
        QCOMPARE(lines[1].split(QLatin1Char(',')).at(2), QStringLiteral("400000"));
        table.markSourceRow(2);  // filtered out
        QVERIFY(table.selectedSourceRows().empty());
        DiagnosticsModel diagnostics;
        diagnostics.show({{"a_name", Severity::Info, 3, "One, \"two\"."}});
        DataTable quoted(diagnostics, QStringLiteral("Diagnostics"));
        QVERIFY(quoted.copied(DataTable::CopyFormat::Csv, DataTable::CopyRows::All)
                    .endsWith(QStringLiteral("3,a_name,\"One, \"\"two\"\".\"")));
    }

    void diagnosticsAreListed() {
        DiagnosticsModel model;
        QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        model.show({{"orphan_kernel", Severity::Info, 3, "No launch."}});
        QCOMPARE(model.rowCount(), 1);
        QCOMPARE(shown(model, 0, 3), QStringLiteral("No launch."));
        model.show({});
        QCOMPARE(model.rowCount(), 0);
    }

    void tablesSortByValueAndCopyExactly() {
        KernelModel model;
        model.show(m_report);
        DataTable table(model, QStringLiteral("Kernels"));
        table.sortAtFirst(3, Qt::AscendingOrder);
        QCOMPARE(table.model()->index(0, 3).data(kSortRole).toLongLong(), 120'000);
        table.sortAtFirst(3, Qt::DescendingOrder);
        QCOMPARE(table.sourceRow(table.model()->index(0, 0)), 0);
        table.selectRow(1);
        QTest::keyClick(&table, Qt::Key_C, Qt::ControlModifier);
        const QStringList lines = QGuiApplication::clipboard()->text().split(QLatin1Char('\n'));
        QCOMPARE(lines.size(), 2);
        QCOMPARE(lines[1].split(QLatin1Char('\t')).at(3), QStringLiteral("240000"));
    }

    void everySelectionHasAName() {
        const Trace& trace = *m_report->trace;
        QCOMPARE(describe(trace, {}), QStringLiteral("the whole run"));
        QCOMPARE(describe(trace, {.kind = Selection::Kind::Token, .range = {0, 1'000'000}, .row = 2}),
                 QStringLiteral("token 2, 1.00 ms"));
        QCOMPARE(describe(trace, {.kind = Selection::Kind::Category, .category = Category::Norm}),
                 QStringLiteral("the whole run, with norm kernels marked"));
        QCOMPARE(
            describe(trace, {.kind = Selection::Kind::Category, .range = {0, 2'000'000}, .category = Category::Norm}),
            QStringLiteral("a range of 2.00 ms, with norm kernels marked"));
        QVERIFY(!describe(trace, {.kind = Selection::Kind::DeviceOp, .row = 12345}).isEmpty());
    }
};

QTEST_MAIN(ModelsTest)
#include "models_test.moc"

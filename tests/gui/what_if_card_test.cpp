// The what-if card over the recorded example: what it predicts, and what its button asks for.
#include "app/gui/views/what_if_card.h"

#include <QLabel>
#include <QPushButton>
#include <QSignalSpy>
#include <QTest>
#include <QVBoxLayout>

#include "core/import/open_trace.h"
#include "core/trace/trace_builder.h"
#include "tests/gui/sample_trace.h"
#include "tests/support/test_files.h"

using namespace gapscope;

class WhatIfCardTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void theExampleIsOfferedAsAGraph() {
        const auto trace = openTrace(test::repositoryFile("resources/example-eager.gapscope.gz"));
        QVERIFY(trace.has_value());
        Session session;
        Analyst analyst(session);
        QWidget window;
        auto* layout = new QVBoxLayout(&window);
        auto* card = new WhatIfCard(analyst, &window);
        layout->addWidget(card);
        window.show();
        session.setTrace(*trace);
        QTRY_VERIFY_WITH_TIMEOUT(card->isVisible(), 20'000);
        auto* button = card->findChild<QPushButton*>(QStringLiteral("runRemedyButton"));
        QVERIFY(button->isVisible());
        QVERIFY2(button->text().startsWith(QStringLiteral("Run again as graph: predicted")),
                 qPrintable(button->text()));
        const WhatIf expected = whatIf(**trace, analyst.report()->window);
        // A line each for what could be told, with its time and factor.
        int lines = 0;
        for (const Prediction& prediction : expected.predictions)
            lines += prediction.unavailable.empty();
        const QList<QLabel*> labels = card->findChildren<QLabel*>();
        QCOMPARE(labels.size(), 2 + 3 * lines);
        // The factor is that of the times beside it.
        const double factor = expected.recordedMedianNsPerToken / expected.best()->predictedMedianNsPerToken;
        QVERIFY2(button->text().endsWith(QString::number(factor, 'f', factor < 10 ? 2 : 1) + QChar(0xD7)),
                 qPrintable(button->text()));
        QSignalSpy wanted(card, &WhatIfCard::runWanted);
        QTest::mouseClick(button, Qt::LeftButton);
        QCOMPARE(wanted.size(), 1);
        QCOMPARE(wanted[0][0].toString(), QStringLiteral("graph"));
        QCOMPARE(wanted[0][1].toDouble(), expected.best()->predictedMedianNsPerToken);
    }

    void aBatchTellsItsSizesOnHover() {
        const auto trace = openTrace(test::repositoryFile("resources/example-graph.gapscope.gz"));
        QVERIFY(trace.has_value());
        Session session;
        Analyst analyst(session);
        WhatIfCard card(analyst);
        card.show();
        session.setTrace(*trace);
        QLabel* batch = nullptr;
        QTRY_VERIFY_WITH_TIMEOUT(
            [&] {
                for (QLabel* label : card.findChildren<QLabel*>())
                    if (label->text() == QStringLiteral("Batch of 8 prompts")) batch = label;
                return batch != nullptr;
            }(),
            20'000);
        for (const int sequences : kBatchSizes)
            QVERIFY2(batch->toolTip().contains(QStringLiteral("\n%1 prompts at once: ").arg(sequences)),
                     qPrintable(batch->toolTip()));
    }

    void aTraceWithoutDeviceWorkHasNothingToPredict() {
        Session session;
        Analyst analyst(session);
        QWidget window;
        WhatIfCard card(analyst, &window);
        window.show();
        TraceBuilder builder;
        builder.add(RangeRow{0, 10, builder.intern("range"), 1});
        session.setTrace(builder.snapshot());
        QTRY_VERIFY(analyst.settled() && analyst.report());
        QTest::qWait(50);
        QVERIFY(!card.isVisible());
    }
};

QTEST_MAIN(WhatIfCardTest)
#include "what_if_card_test.moc"

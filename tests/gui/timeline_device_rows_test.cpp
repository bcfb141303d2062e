// What a run on a GPU adds to the timeline: counters as plots, clock limits, waits, tracing cost, folding, and arrows
// from launches to what they launched.
#include <QHelpEvent>
#include <QScrollBar>
#include <QToolTip>

#include "tests/gui/timeline_window.h"

using namespace gapscope;

class TimelineDeviceRowsTest : public QObject {
    Q_OBJECT

private:
    // With rows enough for all that a GPU run has.
    struct Window : TimelineWindow {
        explicit Window(QSize size = {1000, 700}) : TimelineWindow(8, 18, size) {
            run.addDeviceRows();
            takeMore();
        }
        size_t rowNamed(const char* title) {
            const auto& rows = timeline.index().rows();
            for (size_t r = 0; r < rows.size(); ++r)
                if (rows[r]->title == title) return r;
            return SIZE_MAX;
        }
        bool has(const char* title) { return rowNamed(title) != SIZE_MAX; }
        QRect box(const char* title) {
            const RowPlace& place = timeline.frame().places[rowNamed(title)];
            const QRect rows = timeline.parts().rows;
            return QRect(rows.left(), rows.top() + place.y - timeline.frame().scrollY, rows.width(), place.height);
        }
        int xOf(int64_t timeNs) { return timeline.parts().rows.left() + static_cast<int>(scale().xOf(timeNs)); }
        void clickHeader(const char* title) {
            QTest::mouseClick(viewport(), Qt::LeftButton, {}, QPoint(30, box(title).center().y()));
        }
        QString tipAt(QPoint position) {
            QHelpEvent event(QEvent::ToolTip, position, viewport()->mapToGlobal(position));
            QApplication::sendEvent(viewport(), &event);
            const QString text = QToolTip::text();
            QToolTip::hideText();
            return text;
        }
        // How far up a plot is filled at a time, in px.
        int filled(const QImage& picture, const char* title, int64_t timeNs) {
            const QRect row = box(title);
            const QColor fill = Theme::of(timeline.palette()).counterFill;
            int height = 0;
            while (height < row.height() && nearColour(picture.pixelColor(xOf(timeNs), row.bottom() - height), fill))
                ++height;
            return height;
        }
        int pixelsOf(const QImage& picture, const QColor& color, const QRect& where) {
            int count = 0;
            for (int y = where.top(); y <= where.bottom(); ++y)
                for (int x = where.left(); x <= where.right(); ++x)
                    count += nearColour(picture.pixelColor(x, y), color, 12);
            return count;
        }
    };

private Q_SLOTS:
    void aPlotIsAsHighAsItsValue() {
        Window w;
        w.lookAt(w.trace->extent());
        const QImage picture = w.picture();
        // Memory goes from 0.61 to 2.61 of a scale of 5 GB, the clock from 1.98 to 1.755 of 2 GHz.
        const int64_t endNs = w.trace->extent().endNs;
        const int px = w.box("memory used").height() - 3;
        QVERIFY(std::abs(w.filled(picture, "memory used", 2'500'000) - px * 0.61 / 5) <= 2);
        QVERIFY(std::abs(w.filled(picture, "memory used", endNs * 8 / 10) - px * 2.612 / 5) <= 2);
        QVERIFY(w.filled(picture, "SM clock", endNs / 2) > w.filled(picture, "SM clock", endNs * 9 / 10));
        QCOMPARE(w.filled(picture, "memory used", endNs + 500'000), 0);  // nothing is known beyond the last sample
    }

    void plotsAnswerForThePointer() {
        Window w;
        w.lookAt(w.trace->extent());
        const int64_t late = w.trace->extent().endNs * 8 / 10;
        const QString memory = w.tipAt({w.xOf(late), w.box("memory used").center().y()});
        QVERIFY2(memory.contains(QStringLiteral("memory used: 2.61 GB")), qPrintable(memory));
        QVERIFY2(memory.contains(QStringLiteral("2,612,000,000 B")), qPrintable(memory));
        const QString power = w.tipAt({w.xOf(late), w.box("power").center().y()});
        QVERIFY2(power.contains(QStringLiteral("W")) && power.contains(QStringLiteral("sampled at")),
                 qPrintable(power));
        // Zoomed out, a pixel has many samples and says so.
        w.lookAt({-400'000'000, 600'000'000});
        const QString many = w.tipAt({w.xOf(late), w.box("power").center().y()});
        QVERIFY2(many.contains(QStringLiteral("in this pixel")) && many.contains(QStringLiteral("mean")),
                 qPrintable(many));
        const QString limit = [&] {
            w.lookAt(w.trace->extent());
            return w.tipAt({w.xOf(late), w.box("clock limits").center().y()});
        }();
        QVERIFY2(limit.contains(QStringLiteral("thermal (software), thermal (hardware)")), qPrintable(limit));
    }

    void clickingAPlotSelectsNothingAndALimitItsTime() {
        Window w;
        w.lookAt(w.trace->extent());
        const int64_t late = w.trace->extent().endNs * 8 / 10;
        w.session.select({.kind = Selection::Kind::Range, .range = {1, 2}});
        QTest::mouseClick(w.viewport(), Qt::LeftButton, {}, {w.xOf(late), w.box("power").center().y()});
        QCOMPARE(w.session.selection().kind, Selection::Kind::None);
        QTest::mouseDClick(w.viewport(), Qt::LeftButton, {}, {w.xOf(late), w.box("power").center().y()});
        QCOMPARE(w.session.visibleRange(), w.trace->extent());
        QTest::mouseClick(w.viewport(), Qt::LeftButton, {}, {w.xOf(late), w.box("clock limits").center().y()});
        QCOMPARE(w.session.selection().kind, Selection::Kind::Range);
        QVERIFY(w.session.selection().range.contains(late));
    }

    void waitsAndTracingCostCanBeChosen() {
        Window w;
        w.lookAt({1'900'000, 3'000'000});
        QTest::mouseClick(w.viewport(), Qt::LeftButton, {}, {w.xOf(2'100'000), w.box("waits").center().y()});
        QCOMPARE(w.session.selection().kind, Selection::Kind::UserRange);
        QCOMPARE(w.session.selection().range, (TimeRange{2'000'000, 2'240'000}));
        QVERIFY(w.tipAt({w.xOf(2'100'000), w.box("waits").center().y()}).contains(QStringLiteral("wait for stream 7")));
        QTest::mouseClick(w.viewport(), Qt::LeftButton, {}, {w.xOf(2'315'000), w.box("tracing cost").center().y()});
        QCOMPARE(w.session.selection().kind, Selection::Kind::Range);
        QCOMPARE(w.session.selection().range, (TimeRange{2'300'000, 2'330'000}));
    }

    void groupsFoldByTheirNameAndCountersByAKey() {
        Window w;
        QVERIFY(w.has("power"));
        w.clickHeader("counters");
        QVERIFY(!w.has("power") && w.has("counters") && w.has("copies"));
        w.clickHeader("counters");
        QVERIFY(w.has("power"));
        w.key(Qt::Key_C);
        QVERIFY(!w.has("power"));
        w.key(Qt::Key_C);
        QVERIFY(w.has("power"));
        w.clickHeader("GPU 0");
        QVERIFY(!w.has("copies") && !w.has("counters") && w.has("GPU 0"));
        w.run.step(8, 2, 1);
        w.takeMore();  // a growing run keeps what was folded
        QVERIFY(!w.has("copies"));
        w.clickHeader("GPU 0");
        w.clickHeader("generate");
        QVERIFY(!w.has("API calls") && !w.has("waits") && w.has("copies"));
        w.clickHeader("copies");  // nothing folds behind this one
        QVERIFY(w.has("copies"));
    }

    void rowsBeyondTheHeightCanBeScrolledTo() {
        Window w({1000, 300});
        QTRY_VERIFY(w.timeline.verticalScrollBar()->isVisible());
        w.clickHeader("generate");
        w.clickHeader("GPU 0");
        QTRY_VERIFY(!w.timeline.verticalScrollBar()->isVisible());
    }

    void aTraceWithoutCountersHasNoRowForThem() {
        TimelineWindow w;
        for (const TimelineRow* row : w.timeline.index().rows())
            QVERIFY(row->kind != RowKind::Counters &&
                    (row->kind != RowKind::Counter || row->figure != PlotFigure::Sampled) && row->kind != RowKind::Wait &&
                    row->kind != RowKind::Overhead);
    }

    void kernelsThatOverlapOnOneStreamCoverNothing() {
        Window w;
        w.lookAt({1'990'000, 2'300'000});
        const QImage picture = w.picture();
        const QColor color = Theme::of(w.timeline.palette()).category(Category::Attention);
        const QRect row = w.box("stream 13");
        for (int i = 0; i < 4; ++i) {  // 90 µs each, every 60 µs
            const int lane = i % 2;
            const int y = row.top() + lane * (kTrackHeight + kLaneSpacing) + 3;
            for (const int64_t at : {5'000, 85'000})
                QVERIFY(nearColour(picture.pixelColor(w.xOf(2'000'000 + i * 60'000 + at), y), color));
        }
    }

    void aGraphLaunchPointsAtItsFirstAndLastKernel() {
        Window w;
        const int64_t callNs = w.run.hostNs + 1'000'000;
        const uint32_t correlation = w.run.correlation++;
        const auto call = static_cast<uint32_t>(w.trace->apiCalls().startNs.size());
        w.run.builder.add(
            ApiCallRow{callNs, callNs + 20'000, w.run.builder.intern("cudaGraphLaunch"), SampleRun::kTid, correlation});
        for (int i = 0; i < 5; ++i)
            w.run.builder.add(DeviceOpRow{.startNs = callNs + 50'000 + i * 40'000,
                                          .endNs = callNs + 70'000 + i * 40'000,
                                          .name = w.run.builder.intern("node"),
                                          .track = w.run.stream,
                                          .category = Category::Norm,
                                          .correlationId = correlation});
        w.takeMore();
        w.lookAt({callNs - 20'000, callNs + 260'000});
        w.session.select({.kind = Selection::Kind::ApiCall, .range = {callNs, callNs + 20'000}, .row = call});
        QImage picture = w.picture();
        const QColor link = Theme::of(w.timeline.palette()).launchLink;
        // The arrow heads stand right above the kernels they point at.
        const auto head = [&](int kernel) {
            const int x = w.xOf(callNs + 50'000 + kernel * 40'000);
            return w.pixelsOf(picture, link, QRect(x - 5, w.box("stream 7").top() - 9, 11, 7));
        };
        QVERIFY(head(0) > 15);
        QVERIFY(head(4) > 15);
        for (const int between : {1, 2, 3})
            QVERIFY2(head(between) < 15, qPrintable(QString::number(between)));
        // To the last kernel and back; a selected kernel has the one arrow to itself.
        w.key(Qt::Key_BracketRight);
        QCOMPARE(w.session.selection().kind, Selection::Kind::DeviceOp);
        QCOMPARE(w.session.selection().range.startNs, callNs + 50'000);
        picture = w.picture();
        QVERIFY(head(0) > 15);
        QVERIFY(head(4) < 15);
        w.key(Qt::Key_BracketLeft);
        QCOMPARE(w.session.selection().kind, Selection::Kind::ApiCall);
        QCOMPARE(w.session.selection().row, size_t(call));
    }

    void aGapPointsAtTheLaunchThatEndedIt() {
        TimelineWindow w(8, 18, {1000, 700});
        const size_t op = 400;
        const TimeRange before{w.trace->deviceOps().endNs[op - 1], w.trace->deviceOps().startNs[op]};
        w.lookAt({before.startNs - 20'000, before.endNs + 20'000});
        const QColor link = Theme::of(w.timeline.palette()).launchLink;
        const auto linked = [&] {
            const QImage picture = w.picture();
            int count = 0;
            const int y = w.rowY(RowKind::Gap) - 3;  // between the calls and the kernels
            for (int x = w.timeline.parts().rows.left(); x < picture.width(); ++x)
                count += nearColour(picture.pixelColor(x, y), link, 40);
            return count;
        };
        QCOMPARE(linked(), 0);
        w.session.select({.kind = Selection::Kind::Gap, .range = before});
        QVERIFY(linked() >= 1);
        w.key(Qt::Key_BracketLeft);
        QCOMPARE(w.session.selection().kind, Selection::Kind::ApiCall);
        QCOMPARE(w.session.selection().row, op);
    }
};

QTEST_MAIN(TimelineDeviceRowsTest)
#include "timeline_device_rows_test.moc"

// Measuring on the timeline by pointer and keys, going from row to row, and what its frames took.
#include "tests/gui/timeline_window.h"

using namespace gapscope;

class TimelineMeasureTest : public QObject {
    Q_OBJECT

private:
    struct Window : TimelineWindow {
        Window() {
            session.setVisibleRange({opRange(0).startNs - 200'000, opRange(3).endNs + 200'000});
            settle();
        }
        void select(size_t op) { session.select({.kind = Selection::Kind::DeviceOp, .range = opRange(op), .row = op}); }
    };

private Q_SLOTS:
    void twoClicksMeasureBetweenEdges() {
        Window w;
        w.key(Qt::Key_X);
        QVERIFY(w.timeline.measuring());
        const auto near = [&](int64_t timeNs, int px) { return w.at(RowKind::Stream, timeNs) + QPoint(px, 0); };
        QTest::mouseClick(w.viewport(), Qt::LeftButton, {}, near(w.opRange(0).endNs, -1));
        w.moveTo(near(w.opRange(3).startNs, 1));
        QVERIFY(w.timeline.measured() == (TimeRange{w.opRange(0).endNs, w.opRange(3).startNs}));
        QTest::mouseClick(w.viewport(), Qt::LeftButton, {}, near(w.opRange(3).startNs, 1));
        w.moveTo(near(w.opRange(2).startNs, 0));  // both edges are chosen
        QVERIFY(w.timeline.measured() == (TimeRange{w.opRange(0).endNs, w.opRange(3).startNs}));
        QVERIFY2(w.timeline.measureText().contains(QStringLiteral("2 items")), qPrintable(w.timeline.measureText()));
        QVERIFY(w.session.selection().kind == Selection::Kind::None);  // it selects nothing
        w.key(Qt::Key_R);
        QVERIFY(w.session.selection().range == *w.timeline.measured());
        w.key(Qt::Key_Escape);
        QVERIFY(!w.timeline.measuring());
        QVERIFY(!w.timeline.measured());
        QVERIFY(w.session.selection().kind == Selection::Kind::Range);  // Esc ended the measuring only
    }

    void aDragMeasuresToo() {
        Window w;
        w.key(Qt::Key_X);
        w.drag(w.at(RowKind::Stream, w.opRange(1).startNs), w.at(RowKind::Stream, w.opRange(2).endNs));
        QVERIFY(w.timeline.measured() == (TimeRange{w.opRange(1).startNs, w.opRange(2).endNs}));
        QVERIFY(w.session.selection().kind == Selection::Kind::None);
        // The next press begins anew.
        w.drag(w.at(RowKind::Stream, w.opRange(2).startNs), w.at(RowKind::Stream, w.opRange(2).endNs));
        QVERIFY(w.timeline.measured() == w.opRange(2));
    }

    void keysAloneMeasureFromItemToItem() {
        Window w;
        w.select(1);
        w.key(Qt::Key_X);
        QVERIFY(w.timeline.measured() == w.opRange(1));
        w.key(Qt::Key_Period);
        QVERIFY(w.timeline.measured() == (TimeRange{w.opRange(1).startNs, w.opRange(2).endNs}));
        QVERIFY(w.timeline.accessibleDescription().contains(w.timeline.measureText()));
        w.key(Qt::Key_Comma);
        w.key(Qt::Key_Comma);
        QVERIFY(w.timeline.measured() == (TimeRange{w.opRange(0).startNs, w.opRange(1).startNs}));
    }

    // ---- Going from row to row and item to item

    void aRowThatTheKeysWentToIsEnteredAtTheSelectionsTime() {
        Window w;
        w.select(2);
        w.timeline.focusRow(w.timeline.index().rows()[w.rowOf(RowKind::ApiCall)]->key);
        w.key(Qt::Key_Period);
        QVERIFY(w.session.selection().kind == Selection::Kind::ApiCall);
        const size_t first = w.session.selection().row;
        w.key(Qt::Key_Period);
        QVERIFY(w.session.selection().kind == Selection::Kind::ApiCall);
        QVERIFY(w.session.selection().row != first);
    }

    void frameTimesAreKeptAndShownOnRequest() {
        Window w;
        w.picture();
        QVERIFY(w.timeline.frameTimes().count() > 0);
        QVERIFY(w.timeline.frameTimes().last().totalNs() > 0);
        const QImage before = w.picture();
        w.timeline.command("frameTimeAction")->trigger();
        QVERIFY(w.picture() != before);
        w.timeline.command("frameTimeAction")->trigger();
        QCOMPARE(w.picture(), before);
    }

    void percentilesOfFrameTimes() {
        FrameTimes times;
        const auto total = [](const FrameTimes::Frame& frame) { return frame.totalNs(); };
        QCOMPARE(times.percentile(0.5, total), int64_t(0));
        for (int64_t i = 1; i <= 100; ++i)
            times.add({.buildNs = i, .paintNs = 1000});
        QCOMPARE(times.percentile(0.5, total), int64_t(1050));
        QCOMPARE(times.percentile(0.99, total), int64_t(1099));
        QCOMPARE(times.percentile(1, total), int64_t(1100));
        for (size_t i = 0; i < FrameTimes::kKept; ++i)
            times.add({.buildNs = 7});
        QCOMPARE(times.count(), FrameTimes::kKept);
        QCOMPARE(times.percentile(1, total), int64_t(7));  // the older ones are gone
    }
};

QTEST_MAIN(TimelineMeasureTest)
#include "timeline_measure_test.moc"

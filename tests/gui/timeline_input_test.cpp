// Moving and selecting in the timeline with real wheel, key and pointer events, on the offscreen platform.
#include <QScrollBar>
#include <QSignalSpy>
#include <QTest>

#include "tests/gui/timeline_window.h"

using namespace gapscope;

namespace {

using Window = TimelineWindow;

}  // namespace

class TimelineInputTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    // Moving the view

    void ctrlWheelZoomsAtThePointer() {
        Window w;
        const QPoint pointer(600, 100);
        const double x = pointer.x() - w.timeline.parts().rows.left();
        const int64_t under = w.scale().timeAt(x);
        const TimeRange before = w.session.visibleRange();
        w.wheel(pointer, {0, 120}, Qt::ControlModifier);
        const TimeRange after = w.session.visibleRange();
        QCOMPARE(after.durationNs(), std::llround(static_cast<double>(before.durationNs()) * 0.8));
        QVERIFY(std::abs(w.scale().timeAt(x) - under) <= 2);
        w.wheel(pointer, {0, -120}, Qt::ControlModifier);
        QVERIFY(std::abs(w.session.visibleRange().startNs - before.startNs) <= 2);
        QVERIFY(std::abs(w.session.visibleRange().endNs - before.endNs) <= 2);
    }

    void aBurstOfNotchesIsOneStepToUndo() {
        Window w;
        const TimeRange before = w.session.visibleRange();
        for (int i = 0; i < 6; ++i)
            w.wheel({600, 100}, {0, 120}, Qt::ControlModifier);
        const TimeRange zoomed = w.session.visibleRange();
        QVERIFY(zoomed.durationNs() < before.durationNs() / 3);
        w.key(Qt::Key_Left, Qt::AltModifier);
        QCOMPARE(w.session.visibleRange(), before);
        w.key(Qt::Key_Right, Qt::AltModifier);
        QCOMPARE(w.session.visibleRange(), zoomed);
    }

    void plainWheelScrollsRowsAndShiftWheelPans() {
        Window w(8, 18, {1000, 170});
        const TimeRange before = w.session.visibleRange();
        QVERIFY(w.timeline.verticalScrollBar()->maximum() > 0);
        w.wheel({600, 100}, {0, -120}, Qt::NoModifier);
        QVERIFY(w.timeline.verticalScrollBar()->value() > 0);
        QCOMPARE(w.session.visibleRange(), before);
        w.wheel({600, 100}, {0, 120}, Qt::NoModifier);
        QCOMPARE(w.timeline.verticalScrollBar()->value(), 0);
        w.wheel({600, 100}, {0, -120}, Qt::ShiftModifier);
        QCOMPARE(w.session.visibleRange().durationNs(), before.durationNs());
        QVERIFY(std::abs(w.session.visibleRange().startNs - before.startNs - before.durationNs() / 10) < 5);
    }

    void touchpadPixelsPanAndZoomFinely() {
        Window w;
        const TimeRange before = w.session.visibleRange();
        const double nsPerPx = w.scale().nsPerPx();
        w.wheel({600, 100}, {-30, 0}, Qt::NoModifier, {-30, 0});
        QVERIFY(std::abs(w.session.visibleRange().startNs - before.startNs - std::llround(30 * nsPerPx)) <= 1);
        w.wheel({600, 100}, {0, 6}, Qt::ControlModifier, {0, 6});
        QVERIFY(w.session.visibleRange().durationNs() < before.durationNs());
        QVERIFY(w.session.visibleRange().durationNs() > before.durationNs() * 95 / 100);
    }

    void keysZoomPanAndGoHome() {
        Window w;
        const TimeRange whole = w.session.visibleRange();
        w.moveTo({600, 100});
        const double x = 600 - w.timeline.parts().rows.left();
        const int64_t under = w.scale().timeAt(x);
        w.key(Qt::Key_W);
        w.key(Qt::Key_W);
        QVERIFY(w.session.visibleRange().durationNs() < whole.durationNs() * 65 / 100);
        QVERIFY(std::abs(w.scale().timeAt(x) - under) <= 3);
        const TimeRange in = w.session.visibleRange();
        w.key(Qt::Key_D);
        QVERIFY(std::abs(w.session.visibleRange().startNs - in.startNs - in.durationNs() / 10) <= 2);
        w.key(Qt::Key_A);
        w.key(Qt::Key_Right);
        w.key(Qt::Key_Left);
        QVERIFY(std::abs(w.session.visibleRange().startNs - in.startNs) <= 4);
        w.key(Qt::Key_S);
        QVERIFY(w.session.visibleRange().durationNs() > in.durationNs());
        w.key(Qt::Key_0);
        QCOMPARE(w.session.visibleRange(), whole);
        w.key(Qt::Key_W);
        w.key(Qt::Key_Home);
        QCOMPARE(w.session.visibleRange(), whole);
    }

    void aDraggedRangeSnapsToEdges() {
        Window w;
        const TimeRange op = w.opRange(w.trace->deviceOps().startNs.size() / 2);
        w.lookAt({op.startNs - op.durationNs(), op.endNs + op.durationNs()});
        const auto beside = [&](int64_t timeNs, int px) { return w.at(RowKind::Stream, timeNs) + QPoint(px, 0); };
        w.drag(beside(op.startNs, 4), beside(op.endNs, -4));
        QVERIFY(w.session.selection().kind == Selection::Kind::Range);
        QCOMPARE(w.session.selection().range, op);
        // An end is taken hold of, and the other stays.
        w.drag(beside(op.endNs, 0), beside(op.startNs + op.durationNs() / 2, 0));
        QCOMPARE(w.session.selection().range.startNs, op.startNs);
        QVERIFY(std::abs(w.session.selection().range.endNs - op.startNs - op.durationNs() / 2) <=
                2 * static_cast<int64_t>(w.scale().nsPerPx()) + 1);
    }

    void altLeavesARangeWhereItIs() {
        Window w;
        const TimeRange op = w.opRange(w.trace->deviceOps().startNs.size() / 2);
        w.lookAt({op.startNs - op.durationNs(), op.endNs + op.durationNs()});
        const QPoint from = w.at(RowKind::Stream, op.startNs) + QPoint(4, 0);
        const QPoint to = w.at(RowKind::Stream, op.endNs) - QPoint(4, 0);
        QTest::mousePress(w.viewport(), Qt::LeftButton, Qt::AltModifier, from);
        QMouseEvent move(QEvent::MouseMove, QPointF(to), w.viewport()->mapToGlobal(QPointF(to)), Qt::NoButton,
                         Qt::LeftButton, Qt::AltModifier);
        QApplication::sendEvent(w.viewport(), &move);
        QTest::mouseRelease(w.viewport(), Qt::LeftButton, Qt::AltModifier, to);
        QVERIFY(w.session.selection().range.startNs > op.startNs);
        QVERIFY(w.session.selection().range.endNs < op.endNs);
    }

    void shiftClickExtendsAndRMakesARange() {
        Window w;
        const TimeRange op = w.opRange(4);
        const TimeRange later = w.opRange(8);
        w.lookAt({op.startNs - 1'000, later.endNs + 1'000});
        const auto middle = [](TimeRange range) { return range.startNs + range.durationNs() / 2; };
        QTest::mouseClick(w.viewport(), Qt::LeftButton, {}, w.at(RowKind::Stream, middle(op)));
        QVERIFY(w.session.selection().kind == Selection::Kind::DeviceOp);
        w.key(Qt::Key_R);
        QVERIFY(w.session.selection().kind == Selection::Kind::Range);
        QCOMPARE(w.session.selection().range, op);
        QTest::mouseClick(w.viewport(), Qt::LeftButton, Qt::ShiftModifier, w.at(RowKind::Stream, middle(later)));
        QCOMPARE(w.session.selection().range, (TimeRange{op.startNs, later.endNs}));
    }

    void middleDragPans() {
        Window w;
        w.session.setVisibleRange({5'000'000, 9'000'000});
        w.drag({500, 150}, {400, 160}, Qt::MiddleButton);
        const auto moved = std::llround(100 * 4e6 / static_cast<double>(w.timeline.parts().rows.width()));
        QVERIFY(std::abs(w.session.visibleRange().startNs - 5'000'000 - moved) <= 1);
        QCOMPARE(w.session.visibleRange().durationNs(), int64_t{4'000'000});
        QVERIFY(w.session.selection().kind == Selection::Kind::None);
    }

    void theOverviewHandleMovesAndResizesTheView() {
        Window w;
        const TimeRange whole = w.trace->extent();
        const int64_t quarter = whole.durationNs() / 4;
        w.session.setVisibleRange({whole.startNs + quarter, whole.startNs + 2 * quarter});
        const QRectF handle = w.timeline.overviewHandle();
        const QPoint middle = handle.center().toPoint();
        const int width = w.timeline.parts().overview.width();
        w.drag(middle, middle + QPoint(width / 4, 0));
        QVERIFY(std::abs(w.session.visibleRange().startNs - whole.startNs - 2 * quarter) < whole.durationNs() / 300);
        QCOMPARE(w.session.visibleRange().durationNs(), quarter);
        const QPoint edge(static_cast<int>(w.timeline.overviewHandle().right()), middle.y());
        w.drag(edge, edge + QPoint(width / 8, 0));
        QVERIFY(std::abs(w.session.visibleRange().durationNs() - quarter - quarter / 2) < whole.durationNs() / 300);
        QTest::mouseClick(w.viewport(), Qt::LeftButton, {},
                          {w.timeline.parts().overview.left() + width / 10, middle.y()});
        const TimeRange seen = w.session.visibleRange();
        const int64_t clicked = whole.startNs + whole.durationNs() / 10;
        QVERIFY(seen.contains(clicked));
    }

    void zoomEasesAndTheNextNotchInterruptsIt() {
        Window w;
        w.timeline.setAnimated(true);
        if (qEnvironmentVariableIsSet("GAPSCOPE_NO_ANIMATION")) QSKIP("animation is off in this environment");
        const TimeRange before = w.session.visibleRange();
        w.wheel({600, 100}, {0, 120}, Qt::ControlModifier);
        w.wheel({600, 100}, {0, 120}, Qt::ControlModifier);
        QVERIFY(w.session.visibleRange().durationNs() > before.durationNs() * 90 / 100);  // under way
        const int64_t goal = std::llround(static_cast<double>(before.durationNs()) * 0.64);
        QTRY_VERIFY(std::abs(w.session.visibleRange().durationNs() - goal) <= 2);  // both notches count
    }

    // Selecting

    void draggingSelectsARangeWithItsLength() {
        Window w;
        const QPoint from(400, 150);
        const QPoint to(700, 160);
        const TimeScale scale = w.scale();
        const int left = w.timeline.parts().rows.left();
        QTest::mousePress(w.viewport(), Qt::LeftButton, {}, from);
        w.moveTo(to, Qt::LeftButton);
        const QImage during = w.picture();
        QTest::mouseRelease(w.viewport(), Qt::LeftButton, {}, to);
        QCOMPARE(static_cast<int>(w.session.selection().kind), static_cast<int>(Selection::Kind::Range));
        // To the pointer, or to an edge near it.
        constexpr int kSnapPx = 6;
        const TimeRange range = w.session.selection().range;
        QVERIFY(std::abs(scale.xOf(range.startNs) - (400 - left)) <= kSnapPx);
        QVERIFY(std::abs(scale.xOf(range.endNs) - (700 - left)) <= kSnapPx);
        // Shaded below the last row, and a read-out on the ruler over its middle.
        const Theme& theme = Theme::of(w.timeline.palette());
        const int empty = w.timeline.parts().rows.bottom() - 20;
        QVERIFY(nearColour(during.pixelColor(300, empty), theme.background));
        QVERIFY(!nearColour(during.pixelColor(550, empty), theme.background));
        const int edge = left + static_cast<int>(std::lround(scale.xOf(range.startNs)));
        QVERIFY(nearColour(during.pixelColor(edge, empty), theme.accent));
        const QRect ruler = w.timeline.parts().ruler;
        QVERIFY(nearColour(during.pixelColor(525, ruler.top() + 4), theme.accent));
        w.key(Qt::Key_Escape);
        QVERIFY(w.session.selection().kind == Selection::Kind::None);
    }

    void clickingSelectsWhatLiesThere() {
        Window w;
        const size_t op = 300;
        const TimeRange range = w.opRange(op);
        w.session.setVisibleRange({range.startNs - 20'000, range.endNs + 40'000});
        QTest::mouseClick(w.viewport(), Qt::LeftButton, {}, w.at(RowKind::Stream, (range.startNs + range.endNs) / 2));
        QVERIFY(w.session.selection().kind == Selection::Kind::DeviceOp);
        QCOMPARE(w.session.selection().row, op);
        QCOMPARE(w.session.selection().range, range);

        QVERIFY(w.timeline.accessibleDescription().startsWith(QStringLiteral("Selected: ")));
        w.key(Qt::Key_BracketLeft);
        QVERIFY(w.session.selection().kind == Selection::Kind::ApiCall);
        const uint32_t correlation = w.trace->deviceOps().correlationId[op];
        QCOMPARE(w.trace->apiCalls().correlationId[w.session.selection().row], correlation);
        w.key(Qt::Key_BracketRight);
        QVERIFY(w.session.selection().kind == Selection::Kind::DeviceOp);
        QCOMPARE(w.session.selection().row, op);
        w.key(Qt::Key_Period);
        QCOMPARE(w.session.selection().row, op + 1);
        for (int i = 0; i < 12; ++i)
            w.key(Qt::Key_Comma);
        QCOMPARE(w.session.selection().row, op - 11);
        const TimeRange seen = w.session.visibleRange();
        QVERIFY(seen.startNs <= w.session.selection().range.startNs && seen.endNs >= w.session.selection().range.endNs);

        const TimeRange token = w.timeline.index().tokens()[2].range;
        w.session.setVisibleRange(w.trace->extent());
        QTest::mouseClick(w.viewport(), Qt::LeftButton, {}, w.at(RowKind::Token, (token.startNs + token.endNs) / 2));
        QVERIFY(w.session.selection().kind == Selection::Kind::Token);
        QCOMPARE(w.session.selection().range, token);
        QTest::mouseClick(w.viewport(), Qt::LeftButton, {}, {600, w.timeline.parts().rows.bottom() - 10});
        QVERIFY(w.session.selection().kind == Selection::Kind::None);
    }

    void clickingAGapSelectsIt() {
        Window w;
        const TimeRange before = w.opRange(300);
        const TimeRange after = w.opRange(301);
        w.session.setVisibleRange({before.startNs - 5'000, after.endNs + 5'000});
        QTest::mouseClick(w.viewport(), Qt::LeftButton, {}, w.at(RowKind::Gap, before.endNs + 500));
        QVERIFY(w.session.selection().kind == Selection::Kind::Gap);
        QCOMPARE(w.session.selection().range, (TimeRange{before.endNs, after.startNs}));
        w.key(Qt::Key_BracketLeft);
        QVERIFY(w.session.selection().kind == Selection::Kind::ApiCall);
        QCOMPARE(w.trace->apiCalls().correlationId[w.session.selection().row], w.trace->deviceOps().correlationId[301]);
    }

    void doubleClickAndFZoomToTheItemAndFAgainToTheWhole() {
        Window w;
        const TimeRange whole = w.session.visibleRange();
        const TimeRange range = w.opRange(200);
        const TimeRange close{range.startNs - 30'000, range.endNs + 30'000};
        w.session.setVisibleRange(close);
        QTest::mouseDClick(w.viewport(), Qt::LeftButton, {},
                           w.at(RowKind::Stream, range.startNs + range.durationNs() / 2));
        const TimeRange zoomed = w.session.visibleRange();
        QVERIFY(zoomed.startNs < range.startNs && zoomed.endNs > range.endNs);
        QVERIFY(zoomed.durationNs() < range.durationNs() * 2);
        w.key(Qt::Key_F);
        QCOMPARE(w.session.visibleRange(), whole);
        w.key(Qt::Key_Z);
        QCOMPARE(w.session.visibleRange(), zoomed);
    }
};

QTEST_MAIN(TimelineInputTest)
#include "timeline_input_test.moc"

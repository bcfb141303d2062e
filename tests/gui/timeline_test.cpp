// The timeline with real wheel, key and pointer events on the offscreen platform, and the pixels it draws.
#include "app/gui/timeline/timeline_widget.h"

#include <QApplication>
#include <QHelpEvent>
#include <QImage>
#include <QScrollBar>
#include <QSignalSpy>
#include <QTest>
#include <QToolButton>
#include <QToolTip>
#include <QWheelEvent>

#include "tests/gui/sample_run.h"

using namespace gapscope;

namespace {

struct Window {
    SampleRun run;
    TracePtr trace;
    Session session;
    TimelineWidget timeline{session};

    explicit Window(int tokens = 8, int layers = 18, QSize size = {1000, 400}) {
        trace = run.whole(tokens, layers);
        timeline.setAnimated(false);
        timeline.resize(size);
        timeline.show();
        session.setTrace(trace);
        [[maybe_unused]] const bool active = QTest::qWaitForWindowActive(&timeline);
        timeline.setFocus();
        [[maybe_unused]] const bool settled = QTest::qWaitFor([this] { return timeline.gapsSettled(); });
        QTest::qWait(1);
    }

    QWidget* viewport() { return timeline.viewport(); }
    TimeScale scale() { return timeline.frame().scale; }
    size_t rowOf(RowKind kind) {
        for (size_t r = 0; r < timeline.index().rows().size(); ++r)
            if (timeline.index().rows()[r]->kind == kind) return r;
        return SIZE_MAX;
    }
    int rowY(RowKind kind, int lane = 0) {
        const RowPlace& place = timeline.frame().places[rowOf(kind)];
        return timeline.parts().rows.top() + place.laneY(static_cast<size_t>(lane)) - timeline.frame().scrollY;
    }
    QPoint at(RowKind kind, int64_t timeNs, int lane = 0) {
        const int height = timeline.frame().places[rowOf(kind)].laneHeight;
        return {timeline.parts().rows.left() + static_cast<int>(std::floor(scale().xOf(timeNs))),
                rowY(kind, lane) + height / 2};
    }
    void wheel(QPoint position, QPoint angle, Qt::KeyboardModifiers modifiers, QPoint pixels = {}) {
        QWheelEvent event(position, viewport()->mapToGlobal(position), pixels, angle, Qt::NoButton, modifiers,
                          Qt::NoScrollPhase, false);
        QApplication::sendEvent(viewport(), &event);
    }
    void key(Qt::Key key, Qt::KeyboardModifiers modifiers = Qt::NoModifier) {
        QTest::keyClick(&timeline, key, modifiers);
    }
    void drag(QPoint from, QPoint to, Qt::MouseButton button = Qt::LeftButton) {
        QTest::mousePress(viewport(), button, {}, from);
        moveTo((from + to) / 2, button);
        moveTo(to, button);
        QTest::mouseRelease(viewport(), button, {}, to);
    }
    // QTest::mouseMove leaves the buttons out.
    void moveTo(QPoint to, Qt::MouseButton button = Qt::NoButton) {
        QMouseEvent event(QEvent::MouseMove, QPointF(to), viewport()->mapToGlobal(QPointF(to)), Qt::NoButton, button,
                          Qt::NoModifier);
        QApplication::sendEvent(viewport(), &event);
    }
    QImage picture() { return viewport()->grab().toImage(); }
    TimeRange opRange(size_t row) const { return {trace->deviceOps().startNs[row], trace->deviceOps().endNs[row]}; }
    // Far enough in that single kernels are wide boxes, and no focus frame or pointer over them.
    void lookAt(TimeRange range) {
        session.setVisibleRange(range);
        timeline.clearFocus();
        QEvent leave(QEvent::Leave);
        QApplication::sendEvent(viewport(), &leave);
    }
};

bool near(const QColor& a, const QColor& b, int slack = 3) {
    return std::abs(a.red() - b.red()) <= slack && std::abs(a.green() - b.green()) <= slack &&
           std::abs(a.blue() - b.blue()) <= slack;
}

}  // namespace

class TimelineTest : public QObject {
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
        QCOMPARE(w.session.selection().range, (TimeRange{scale.timeAt(400 - left), scale.timeAt(700 - left)}));
        // Shaded below the last row, and a read-out on the ruler over its middle.
        const Theme& theme = Theme::of(w.timeline.palette());
        const int empty = w.timeline.parts().rows.bottom() - 20;
        QVERIFY(near(during.pixelColor(300, empty), theme.background));
        QVERIFY(!near(during.pixelColor(550, empty), theme.background));
        QVERIFY(near(during.pixelColor(400, empty), theme.accent));
        const QRect ruler = w.timeline.parts().ruler;
        QVERIFY(near(during.pixelColor(525, ruler.top() + 4), theme.accent));
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

    // Pixels

    void kernelsAndGapsHaveTheirColours_data() {
        QTest::addColumn<bool>("dark");
        QTest::newRow("light") << false;
        QTest::newRow("dark") << true;
    }
    void kernelsAndGapsHaveTheirColours() {
        QFETCH(bool, dark);
        Window w;
        const Theme& theme = dark ? Theme::darkTheme() : Theme::light();
        QPalette palette = w.timeline.palette();
        palette.setColor(QPalette::Window, theme.headerBackground);
        w.timeline.setPalette(palette);
        const size_t op = 400;
        w.lookAt({w.opRange(op).startNs - 40'000, w.opRange(op + 4).endNs + 10'000});
        const QImage picture = w.picture();
        int seen = 0;
        int gaps = 0;
        for (size_t row = op; row <= op + 4; ++row) {
            const TimeRange range = w.opRange(row);
            const QPoint inside = w.at(RowKind::Stream, range.endNs) - QPoint(3, 9);  // right of any label, above it
            QVERIFY(near(picture.pixelColor(inside), theme.category(w.trace->deviceOps().category[row])));
            ++seen;
            // The gap before it: host until the call, then the call, then the device.
            const int64_t callNs = range.startNs - 2'500 - SampleRun::kLaunchNs;
            const int up = 6;
            if (w.opRange(row - 1).endNs > callNs - 1'000) continue;  // the call began while the one before still ran
            ++gaps;
            const QColor host = picture.pixelColor(w.at(RowKind::Gap, callNs) - QPoint(3, up));
            QVERIFY2(near(host, theme.gapCause(GapCause::HostOutside)), qPrintable(host.name()));
            QVERIFY(near(picture.pixelColor(w.at(RowKind::Gap, callNs + 2'000) - QPoint(0, up)),
                         theme.gapCause(GapCause::LaunchCall)));
            QVERIFY(near(picture.pixelColor(w.at(RowKind::Gap, range.startNs - 1'200) - QPoint(0, up)),
                         theme.gapCause(GapCause::DeviceLatency)));
            // No gap while it works.
            QVERIFY(
                near(picture.pixelColor(w.at(RowKind::Gap, range.startNs + range.durationNs() / 2)), theme.background));
        }
        QCOMPARE(seen, 5);
        QVERIFY(gaps >= 2);
        QVERIFY(near(picture.pixelColor(w.timeline.parts().headers.left() + 3, w.rowY(RowKind::Stream) + 4),
                     theme.headerBackground));
    }

    void mergedStretchesShowHowBusyTheyAre() {
        Window w(60, 26);
        w.lookAt(w.trace->extent());
        const QImage picture = w.picture();
        const Theme& theme = Theme::of(w.timeline.palette());
        const TimelineFrame& frame = w.timeline.frame();
        int checked = 0;
        for (const FrameLane& lane : frame.lanes) {
            if (w.timeline.index().rows()[lane.row]->kind != RowKind::Stream) continue;
            for (const LaneSpan& span : lane.spans) {
                if (span.count < 2 || span.x1 - span.x0 < 2) continue;
                const int x = w.timeline.parts().rows.left() + static_cast<int>(std::round(span.x0)) + 1;
                const int bottom = w.timeline.parts().rows.top() + lane.y + lane.height - 1;
                int bar = 0;
                // The bar is in full colours; above it only a pale ground.
                while (bar < lane.height && picture.pixelColor(x, bottom - bar).hslSaturationF() > 0.35F &&
                       picture.pixelColor(x, bottom - bar).lightnessF() < 0.8F)
                    ++bar;
                QVERIFY2(std::abs(bar -
                                  std::clamp(std::lround(lane.height * double(span.busy)), 2L, long(lane.height))) <= 1,
                         qPrintable(QStringLiteral("bar %1 busy %2").arg(bar).arg(double(span.busy))));
                QVERIFY(near(picture.pixelColor(x, bottom), theme.categories[span.tint]));
                ++checked;
            }
        }
        QVERIFY(checked > 100);
    }

    void anAllBusyStretchIsFullAndAnIdleOneIsEmpty() {
        Window w(4, 4);
        const TimeRange gemm = [&] {  // the one kernel of 61 µs
            for (size_t row = 0; row < w.trace->deviceOps().startNs.size(); ++row)
                if (w.opRange(row).durationNs() == 61'000) return w.opRange(row);
            return TimeRange{};
        }();
        w.lookAt({gemm.startNs - 50'000, gemm.endNs + 200'000});
        const QImage picture = w.picture();
        const Theme& theme = Theme::of(w.timeline.palette());
        const int top = w.rowY(RowKind::Stream);
        for (int y = 1; y < kTrackHeight - 1; ++y)
            QVERIFY(near(picture.pixelColor(w.at(RowKind::Stream, gemm.endNs).x() - 3, top + y),
                         theme.category(Category::Gemm)));
        QCOMPARE(picture.pixelColor(w.at(RowKind::Stream, gemm.endNs + 300).x(), top + 11), theme.backgroundBand);
    }

    void aSelectedCategoryDimsTheOthers() {
        Window w;
        w.lookAt({w.opRange(400).startNs - 10'000, w.opRange(406).endNs + 10'000});
        const QImage before = w.picture();
        w.session.select({.kind = Selection::Kind::Category, .category = Category::Gemm});
        const QImage after = w.picture();
        for (size_t row = 400; row <= 406; ++row) {
            const QPoint inside = w.at(RowKind::Stream, w.opRange(row).endNs) - QPoint(3, 9);
            const bool isGemm = w.trace->deviceOps().category[row] == Category::Gemm;
            QCOMPARE(before.pixelColor(inside) == after.pixelColor(inside), isGemm);
        }
    }

    void aSelectedKernelIsOutlinedAndLinkedToItsLaunch() {
        Window w;
        const size_t op = 400;
        w.lookAt({w.opRange(op).startNs - 40'000, w.opRange(op).endNs + 40'000});
        const QImage before = w.picture();
        w.session.select({.kind = Selection::Kind::DeviceOp, .range = w.opRange(op), .row = op});
        const QImage after = w.picture();
        const Theme& theme = Theme::of(w.timeline.palette());
        const QPoint box = w.at(RowKind::Stream, w.opRange(op).startNs);
        QVERIFY(near(after.pixelColor(box.x() + 4, w.rowY(RowKind::Stream) - 1), theme.accent));
        int linked = 0;
        const int from = w.rowY(RowKind::ApiCall) + kNarrowHeight + 2;
        for (int x = box.x() - 120; x < box.x() + 10; ++x)
            linked += near(after.pixelColor(x, from), theme.launchLink, 40);
        QVERIFY(linked >= 1);
        QVERIFY(before != after);
    }

    void textIsBlackOrWhiteByContrast() {
        for (const Theme* theme : {&Theme::light(), &Theme::darkTheme()}) {
            QList<QColor> grounds(theme->categories.begin(), theme->categories.end());
            for (const QColor& color : theme->gapCauses)
                grounds << color;
            for (const QColor& color : theme->range)
                grounds << color;
            for (const QColor& color : theme->token)
                grounds << color;
            grounds << theme->apiLaunch << theme->apiCopy << theme->apiWait << theme->apiOther << theme->prefill
                    << theme->accent;
            for (const QColor& ground : grounds)
                QVERIFY(contrastRatio(ground, textOn(ground)) >= 4.5);
            for (const QColor& ground : {theme->background, theme->headerBackground, theme->backgroundBand}) {
                QVERIFY(contrastRatio(ground, theme->text) >= 7);
                QVERIFY(contrastRatio(ground, theme->mutedText) >= 4.5);
                QVERIFY(contrastRatio(ground, theme->accent) >= 3);
            }
        }
        QVERIFY(std::abs(contrastRatio(Qt::black, Qt::white) - 21) < 0.01);
        for (size_t i = 0; i < kCategoryCount; ++i) {
            const QColor& light = Theme::light().categories[i];
            const QColor& dark = Theme::darkTheme().categories[i];
            if (light.hslSaturationF() > 0.05F) QVERIFY(std::abs(light.hslHueF() - dark.hslHueF()) < 0.01F);
            QVERIFY(dark.lightnessF() <= light.lightnessF() + 0.01F);
        }
    }

    // Cost

    void aFrameCostsItsPixelsAndHoverCostsNone() {
        Window w(400, 26, {1200, 400});  // 75,000 kernels and as many calls
        QVERIFY(w.trace->eventCount() > 150'000);
        w.lookAt(w.trace->extent());
        const size_t lanes = w.timeline.frame().lanes.size();
        const auto width = static_cast<size_t>(w.timeline.parts().rows.width());
        QVERIFY(w.timeline.frame().spanCount() < lanes * width);
        QVERIFY(w.timeline.frame().spanCount() > width / 4);
        w.picture();
        const int frames = w.timeline.frameCount();
        for (int x = 200; x < 1000; x += 7) {
            w.moveTo({x, w.rowY(RowKind::Stream) + 5});
            w.picture();
        }
        QCOMPARE(w.timeline.frameCount(), frames);
    }

    // A growing run

    void followsUntilThePersonPansAndResumesOnTheButton() {
        SampleRun run;
        Session session;
        TimelineWidget timeline(session);
        timeline.setAnimated(false);
        timeline.resize(1000, 400);
        timeline.show();
        auto* button = timeline.findChild<QToolButton*>(QStringLiteral("timelineFollow"));
        QVERIFY(button);
        timeline.setLive(true);
        session.setFollowing(true);
        run.step(-1, 4, 4);
        session.setTrace(run.builder.snapshot());
        for (int token = 0; token < 20; ++token) {
            run.step(token, 4, 1);
            session.setTrace(run.builder.snapshot());
            QCOMPARE(session.visibleRange().endNs, session.trace()->extent().endNs);
        }
        QVERIFY(!button->isVisible());
        const int64_t span = session.visibleRange().durationNs();
        QTest::keyClick(&timeline, Qt::Key_W);
        QVERIFY(session.following());  // zooming does not stop it
        session.setTrace(run.builder.snapshot());
        QCOMPARE(session.visibleRange().endNs, session.trace()->extent().endNs);
        QCOMPARE(session.visibleRange().durationNs(), std::llround(static_cast<double>(span) * 0.8));
        QTest::keyClick(&timeline, Qt::Key_A);
        QVERIFY(!session.following());
        QVERIFY(button->isVisible());
        const TimeRange held = session.visibleRange();
        run.step(20, 4, 1);
        session.setTrace(run.builder.snapshot());
        QCOMPARE(session.visibleRange(), held);
        QTest::mouseClick(button, Qt::LeftButton);
        QVERIFY(session.following());
        QVERIFY(!button->isVisible());
        QCOMPARE(session.visibleRange().endNs, session.trace()->extent().endNs);
        timeline.setLive(false);
    }

    void anotherTraceBringsItsOwnGaps() {
        Window w;
        SampleRun other;
        other.hostNs += 7'000'000;
        const TracePtr second = other.whole(2, 3);
        SampleRun former;
        w.session.setTrace(former.whole(60, 12));
        QCoreApplication::processEvents();  // its gaps are being looked for now
        w.session.setTrace(second);
        const TimelineRow& gaps = *w.timeline.index().rows()[w.rowOf(RowKind::Gap)];
        QTRY_VERIFY(gaps.lanes.itemCount() > 0);
        QVERIFY(gaps.lanes.lanes()[0].startNs(0) >= second->extent().startNs);
    }

    // Words

    void tooltipsSayWhatItIs() {
        Window w;
        const GapTable table = findGaps(*w.trace, w.trace->extent());
        const TimelineLabels labels(w.timeline.index(), std::make_shared<const GapTable>(table));
        const size_t stream = w.rowOf(RowKind::Stream);
        FrameHit hit{.row = stream, .span = {.first = 300, .count = 1}, .item = 300, .tableRow = 300};
        const QString kernel = labels.tooltip(hit);
        QVERIFY(kernel.contains(QStringLiteral("category")));
        QVERIFY(kernel.contains(QStringLiteral("launch latency")));
        QVERIFY(kernel.contains(QStringLiteral("&lt;")) || !kernel.contains(QStringLiteral("functor<")));  // escaped
        hit.span.count = 40;
        QVERIFY(labels.tooltip(hit).contains(QStringLiteral("40 device operations")));

        const auto gap = std::ranges::find_if(table.gaps, [](const Gap& g) {
            return g.causes.hostNs() > 0 && g.causes[GapCause::LaunchCall] > 0 && g.causes[GapCause::DeviceLatency] > 0;
        });
        QVERIFY(gap != table.gaps.end());
        const QString sentence = gapSentence(*w.trace, *gap);
        QVERIFY2(sentence.contains(QStringLiteral(" idle: ")) && sentence.contains(QStringLiteral(" host")) &&
                     sentence.contains(QStringLiteral("4.00 µs launch call")) &&
                     sentence.contains(QStringLiteral("2.50 µs device")),
                 qPrintable(sentence));
    }

    void hoveringShowsATooltip() {
        Window w;
        w.session.setVisibleRange({w.opRange(300).startNs - 10'000, w.opRange(300).endNs + 10'000});
        const QPoint over = w.at(RowKind::Stream, w.opRange(300).startNs + 1'000);
        QHelpEvent event(QEvent::ToolTip, over, w.viewport()->mapToGlobal(over));
        QApplication::sendEvent(w.viewport(), &event);
        QVERIFY(QToolTip::text().contains(QStringLiteral("launch latency")));
        const QPoint header(20, w.rowY(RowKind::Gap) + 4);
        QHelpEvent overHeader(QEvent::ToolTip, header, w.viewport()->mapToGlobal(header));
        QApplication::sendEvent(w.viewport(), &overHeader);
        QVERIFY(QToolTip::text().contains(QStringLiteral("NVIDIA H200")));
        QVERIFY(QToolTip::text().contains(QStringLiteral("of the visible time")));
        QToolTip::hideText();
    }

    void namesGiveUpTemplateArgumentsFirst() {
        const QFontMetricsF metrics(w11());
        const std::string_view name = "void at::native::elementwise_mul<float, 4>(float*)";
        const double bare = metrics.horizontalAdvance(QStringLiteral("elementwise_mul"));
        QCOMPARE(fittedName(name, metrics, bare + 1), QStringLiteral("elementwise_mul"));
        QCOMPARE(fittedName(name, metrics, 2000), QString::fromUtf8(name.data(), qsizetype(name.size())));
        QVERIFY(fittedName(name, metrics, bare * 0.6).contains(QChar(0x2026)));
        QVERIFY(fittedName(name, metrics, 5).isEmpty());
    }

    void canBeReachedByKeyboardAndNamed() {
        Window w;
        QVERIFY(!w.timeline.accessibleName().isEmpty());
        QVERIFY(w.timeline.focusPolicy() & Qt::TabFocus);
        w.timeline.activateWindow();
        w.timeline.setFocus();
        if (!w.timeline.hasFocus()) QSKIP("this platform gives no focus");
        const QImage focused = w.picture();
        QVERIFY(near(focused.pixelColor(0, focused.height() / 2), Theme::of(w.timeline.palette()).accent));
    }

    void anEmptyTraceSaysSo() {
        Session session;
        TimelineWidget timeline(session);
        timeline.resize(600, 300);
        timeline.show();
        const QImage picture = timeline.viewport()->grab().toImage();
        QVERIFY(!picture.isNull());
        for (const Qt::Key key : {Qt::Key_W, Qt::Key_F, Qt::Key_Home, Qt::Key_BracketLeft, Qt::Key_Period, Qt::Key_D})
            QTest::keyClick(&timeline, key);
        QTest::mouseClick(timeline.viewport(), Qt::LeftButton, {}, {300, 20});
        QTest::mouseDClick(timeline.viewport(), Qt::LeftButton, {}, {300, 200});
    }

private:
    static QFont w11() {
        QFont font;
        font.setPixelSize(11);
        return font;
    }
};

QTEST_MAIN(TimelineTest)
#include "timeline_test.moc"

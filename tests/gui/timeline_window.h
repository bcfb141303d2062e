// A timeline in a window of its own over a made-up run, with the pointer and keys of a person.
#pragma once

#include "app/gui/timeline/timeline_widget.h"

#include <QApplication>
#include <QImage>
#include <QMouseEvent>
#include <QTest>
#include <QWheelEvent>

#include "tests/gui/sample_run.h"

namespace gapscope {

struct TimelineWindow {
    SampleRun run;
    TracePtr trace;
    Session session;
    TimelineWidget timeline{session};

    explicit TimelineWindow(int tokens = 8, int layers = 18, QSize size = {1000, 400}) {
        trace = run.whole(tokens, layers);
        timeline.setAnimated(false);
        timeline.resize(size);
        timeline.show();
        session.setTrace(trace);
        [[maybe_unused]] const bool active = QTest::qWaitForWindowActive(&timeline);
        timeline.setFocus();
        settle();
    }
    // What was added to the run since.
    void takeMore() {
        trace = run.builder.snapshot();
        session.setTrace(trace);
        settle();
    }
    void settle() {
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

inline bool nearColour(const QColor& a, const QColor& b, int slack = 3) {
    return std::abs(a.red() - b.red()) <= slack && std::abs(a.green() - b.green()) <= slack &&
           std::abs(a.blue() - b.blue()) <= slack;
}

}  // namespace gapscope

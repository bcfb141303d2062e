// The session: zoom undo and redo, what survives a growing run, what the window answers for.
#include "app/gui/session/session.h"

#include <QSignalSpy>
#include <QTest>

#include "core/trace/trace_builder.h"

using namespace gapscope;

class SessionTest : public QObject {
    Q_OBJECT

private:
    static void addKernel(TraceBuilder& builder, int64_t startNs, int64_t endNs) {
        const TrackId track = builder.internTrack({.streamId = 7});
        builder.add(DeviceOpRow{.startNs = startNs, .endNs = endNs, .name = builder.intern("k"), .track = track});
    }

private Q_SLOTS:
    void showsTheWholeTraceUntilSomebodyZooms() {
        Session session;
        TraceBuilder builder;
        addKernel(builder, 0, 1000);
        session.setTrace(builder.snapshot());
        QCOMPARE(session.visibleRange(), (TimeRange{0, 1000}));
        addKernel(builder, 2000, 3000);
        session.setTrace(builder.snapshot());
        QCOMPARE(session.visibleRange(), (TimeRange{0, 3000}));
    }

    void undoAndRedoGoThroughRecordedStepsOnly() {
        Session session;
        TraceBuilder builder;
        addKernel(builder, 0, 10000);
        session.setTrace(builder.snapshot());
        session.setVisibleRange({1000, 9000}, ZoomStep::Transient);
        session.setVisibleRange({2000, 8000}, ZoomStep::Transient);
        session.setVisibleRange({3000, 7000});
        session.setVisibleRange({4000, 6000});
        session.undoView();
        QCOMPARE(session.visibleRange(), (TimeRange{3000, 7000}));
        session.undoView();
        QCOMPARE(session.visibleRange(), (TimeRange{0, 10000}));
        session.undoView();
        QCOMPARE(session.visibleRange(), (TimeRange{0, 10000}));
        session.redoView();
        session.redoView();
        QCOMPARE(session.visibleRange(), (TimeRange{4000, 6000}));
        session.undoView();
        session.setVisibleRange({100, 5000});
        QVERIFY(!session.canRedoView());
    }

    void selectionAndZoomSurviveAGrowingRunButNotAnother() {
        Session session;
        TraceBuilder builder;
        addKernel(builder, 0, 1000);
        session.setTrace(builder.snapshot());
        session.setVisibleRange({100, 600});
        session.select({.kind = Selection::Kind::DeviceOp, .range = {0, 1000}, .row = 0});
        addKernel(builder, 2000, 3000);
        session.setTrace(builder.snapshot());
        QCOMPARE(session.visibleRange(), (TimeRange{100, 600}));
        QCOMPARE(session.selection().kind, Selection::Kind::DeviceOp);
        QCOMPARE(session.window(), (TimeRange{0, 1000}));

        TraceBuilder other;
        addKernel(other, 50, 70);
        QSignalSpy selectionChanges(&session, &Session::selectionChanged);
        session.setTrace(other.snapshot());
        QCOMPARE(session.visibleRange(), (TimeRange{50, 70}));
        QCOMPARE(session.selection().kind, Selection::Kind::None);
        QCOMPARE(selectionChanges.count(), 1);
        QVERIFY(!session.canUndoView());
    }

    void followingKeepsTheNewestAtTheRightEdge() {
        Session session;
        TraceBuilder builder;
        addKernel(builder, 0, 1000);
        session.setFollowing(true);
        session.setTrace(builder.snapshot());
        QCOMPARE(session.visibleRange().endNs, 1000);
        session.setVisibleRange({500, 1000});
        addKernel(builder, 2000, 3000);
        session.setTrace(builder.snapshot());
        QCOMPARE(session.visibleRange(), (TimeRange{2500, 3000}));
        session.setFollowing(false);
        addKernel(builder, 4000, 5000);
        session.setTrace(builder.snapshot());
        QCOMPARE(session.visibleRange(), (TimeRange{2500, 3000}));
    }

    void aRangeTooThinToDrawIsWidened() {
        Session session;
        session.setVisibleRange({500, 500});
        QVERIFY(session.visibleRange().contains(500));
        QVERIFY(session.visibleRange().durationNs() >= 100);
    }
};

QTEST_GUILESS_MAIN(SessionTest)
#include "session_test.moc"

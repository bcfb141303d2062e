// Arranging the timeline's rows as a person does: by pointer, keys, menu and dialog; undone, remembered, recalled.
#include <QAbstractItemModelTester>
#include <QLineEdit>
#include <QMenu>
#include <QPushButton>
#include <QScrollBar>
#include <QTemporaryDir>
#include <QTreeView>

#include "app/gui/timeline/row_memory.h"
#include "app/gui/timeline/rows_dialog.h"
#include "tests/gui/timeline_window.h"

using namespace gapscope;

class TimelineRowsTest : public QObject {
    Q_OBJECT

private:
    struct Window : TimelineWindow {
        explicit Window(QSize size = {1000, 700}) : TimelineWindow(8, 18, size) {
            run.addDeviceRows();
            takeMore();
        }
        QStringList titles() {
            QStringList all;
            for (const TimelineRow* row : timeline.index().rows())
                all.append(QString::fromStdString(row->title));
            return all;
        }
        size_t row(const char* title) { return static_cast<size_t>(titles().indexOf(QString::fromUtf8(title))); }
        bool has(const char* title) { return titles().contains(QString::fromUtf8(title)); }
        QPoint header(const char* title) { return QPoint(60, timeline.headerBox(row(title)).center().y()); }
        std::string keyOf(const char* title) { return timeline.index().rows()[row(title)]->key; }
        void choose(const char* title, const char* action) {
            std::unique_ptr<QMenu> menu(timeline.rowMenu(keyOf(title)));
            auto* found = menu->findChild<QAction*>(QLatin1String(action));
            QVERIFY2(found, action);
            found->trigger();
        }
        QString focused() {
            for (const TimelineRow* shown : timeline.index().rows())
                if (shown->key == timeline.focusedRow()) return QString::fromStdString(shown->title);
            return {};
        }
    };

private Q_SLOTS:
    void keysGoFromRowToRowWithAFrame() {
        Window w;
        w.timeline.setFocus();
        w.key(Qt::Key_Down);
        QCOMPARE(w.focused(), QStringLiteral("Tokens"));
        w.key(Qt::Key_Down);
        QCOMPARE(w.focused(), QStringLiteral("Layers"));
        w.key(Qt::Key_Down);
        w.key(Qt::Key_Down);
        QCOMPARE(w.focused(), QStringLiteral("API calls"));
        QVERIFY(w.timeline.accessibleDescription().contains(QStringLiteral("generate: API calls, 4 of")));
        const QRect box = w.timeline.headerBox(w.row("API calls"));
        const QColor accent = Theme::of(w.timeline.palette()).accent;
        const QImage picture = w.picture();
        QVERIFY(nearColour(picture.pixelColor(box.left() + 3, box.center().y()), accent, 12));
        QVERIFY(!nearColour(picture.pixelColor(box.left() + 3, box.center().y() + 40), accent, 12));
        w.key(Qt::Key_Up);
        QCOMPARE(w.focused(), QStringLiteral("generate"));
        for (int i = 0; i < 50; ++i)
            w.key(Qt::Key_Down);
        QCOMPARE(w.focused(), w.titles().last());
        w.timeline.clearFocus();
    }

    void theRowWithTheFocusIsBroughtIntoSight() {
        Window w({1000, 240});
        QVERIFY(w.timeline.verticalScrollBar()->isVisible());
        for (int i = 0; i < 50; ++i) {
            w.key(Qt::Key_Down);
            const QRect box = w.timeline.headerBox(static_cast<size_t>(std::max(0, int(w.row(w.focused().toUtf8())))));
            QVERIFY(w.timeline.parts().headers.contains(QPoint(5, box.center().y())));
        }
    }

    void keysHideFoldPinAndSize() {
        Window w;
        w.timeline.focusRow(w.keyOf("API calls"));
        w.key(Qt::Key_H);
        QVERIFY(!w.has("API calls"));
        QCOMPARE(w.focused(), QStringLiteral("waits"));  // the keys go on with the next
        w.key(Qt::Key_H, Qt::ShiftModifier);
        QVERIFY(w.has("API calls"));
        w.key(Qt::Key_Space);  // folds the group that it is in
        QVERIFY(!w.has("waits"));
        QCOMPARE(w.focused(), QStringLiteral("generate"));
        w.key(Qt::Key_Space);
        QVERIFY(w.has("waits"));
        w.timeline.focusRow(w.keyOf("stream 7"));
        w.key(Qt::Key_P);
        QCOMPARE(w.titles().first(), QStringLiteral("GPU 0 · stream 7"));
        QCOMPARE(w.focused(), QStringLiteral("GPU 0 · stream 7"));
        w.key(Qt::Key_P);
        QVERIFY(w.has("stream 7"));
        const int usual = w.timeline.headerBox(w.row("stream 7")).height();
        w.key(Qt::Key_T);
        QCOMPARE(w.timeline.headerBox(w.row("stream 7")).height(), 2 * usual);
        w.key(Qt::Key_T);
        QCOMPARE(w.timeline.headerBox(w.row("stream 7")).height(), kLowestRow);
        w.key(Qt::Key_T);
        QCOMPARE(w.timeline.headerBox(w.row("stream 7")).height(), usual);
        w.key(Qt::Key_Up, Qt::ShiftModifier);  // to before the gaps
        QCOMPARE(w.titles().at(int(w.row("GPU 0 · stream 7")) + 1), QStringLiteral("gaps"));
        w.session.undoView();
        QVERIFY(w.has("stream 7"));
    }

    void aRowIsMovedByItsName() {
        Window w;
        const QStringList before = w.titles();
        w.drag(w.header("copies"), w.header("stream 7") - QPoint(0, 6));
        QVERIFY(w.row("copies") + 1 == w.row("stream 7"));
        // It stays in its group: beyond it is at its end.
        w.drag(w.header("waits"), w.header("power"));
        QVERIFY(w.row("waits") < w.row("GPU 0"));
        // A heading takes its group along.
        w.drag(w.header("GPU 0"), w.header("Tokens") - QPoint(0, 8));
        QCOMPARE(w.titles().first(), QStringLiteral("GPU 0"));
        QCOMPARE(w.row("copies"), size_t(1));
        while (w.session.canUndoView())
            w.session.undoView();
        QCOMPARE(w.titles(), before);
    }

    void escapeGivesAMoveUp() {
        Window w;
        const QStringList before = w.titles();
        QTest::mousePress(w.viewport(), Qt::LeftButton, {}, w.header("copies"));
        w.moveTo(w.header("stream 7"), Qt::LeftButton);
        const QColor accent = Theme::of(w.timeline.palette()).accent;
        const QRect first = w.timeline.headerBox(w.row("stream 7"));
        int lines = 0;
        const QImage picture = w.picture();
        for (int y = first.top() - 8; y < first.bottom() + 8; ++y)
            lines += nearColour(picture.pixelColor(first.left() + 100, y), accent, 12);
        QVERIFY(lines >= 2);  // where it would go
        w.key(Qt::Key_Escape);
        QTest::mouseRelease(w.viewport(), Qt::LeftButton, {}, w.header("stream 7"));
        QCOMPARE(w.titles(), before);
    }

    void aRowsLowerEdgeIsDragged() {
        Window w;
        const QRect box = w.timeline.headerBox(w.row("stream 7"));
        const QPoint edge(60, box.bottom() + 1);
        QTest::mouseMove(w.viewport(), edge);
        w.moveTo(edge);
        QCOMPARE(w.viewport()->cursor().shape(), Qt::SizeVerCursor);
        w.drag(edge, edge + QPoint(0, 31));
        QCOMPARE(w.timeline.headerBox(w.row("stream 7")).height(), box.height() + 31);
        w.drag(QPoint(60, w.timeline.headerBox(w.row("stream 7")).bottom() + 1), QPoint(60, 0));
        QCOMPARE(w.timeline.headerBox(w.row("stream 7")).height(), kLowestRow);
        w.session.undoView();
        w.session.undoView();
        QCOMPARE(w.timeline.headerBox(w.row("stream 7")).height(), box.height());
        QVERIFY(!w.session.canUndoView());  // a drag is one step
    }

    void aClickFoldsAndADragDoesNot() {
        Window w;
        QTest::mouseClick(w.viewport(), Qt::LeftButton, {}, w.header("GPU 0"));
        QVERIFY(!w.has("stream 7"));
        w.drag(w.header("GPU 0"), w.header("GPU 0") + QPoint(0, 6));
        QVERIFY(!w.has("stream 7"));
        QTest::mouseClick(w.viewport(), Qt::LeftButton, {}, w.header("GPU 0"));
        QVERIFY(w.has("stream 7"));
    }

    void pinnedRowsStayWhileTheOthersScroll() {
        Window w({1000, 300});
        w.choose("stream 7", "pinRow");
        const QRect before = w.timeline.headerBox(0);
        QCOMPARE(before.top(), w.timeline.parts().headers.top());
        w.timeline.verticalScrollBar()->setValue(60);
        QCOMPARE(w.timeline.headerBox(0), before);
        w.lookAt({2'000'000, 2'200'000});
        // A click there selects a kernel of it, whatever lies beneath.
        const TimeRange op = w.opRange(3);
        const QPoint at(
            w.timeline.parts().rows.left() + static_cast<int>(w.scale().xOf(op.startNs + op.durationNs() / 2)),
            before.center().y());
        QTest::mouseClick(w.viewport(), Qt::LeftButton, {}, at);
        QCOMPARE(w.session.selection().kind, Selection::Kind::DeviceOp);
        QCOMPARE(w.session.selection().range, op);
        const QColor kernel = w.picture().pixelColor(at);
        QVERIFY(kernel != Theme::of(w.timeline.palette()).background);
        w.timeline.verticalScrollBar()->setValue(0);
        QCOMPARE(w.picture().pixelColor(at), kernel);
    }

    void theMenuDoesWhatItSays() {
        Window w;
        const QStringList before = w.titles();
        w.choose("waits", "hideRow");
        QVERIFY(!w.has("waits"));
        w.choose("power", "hideGroup");
        QVERIFY(!w.has("counters") && !w.has("power"));
        w.choose("GPU 0", "foldRow");
        QVERIFY(!w.has("copies"));
        w.choose("GPU 0", "unfoldAllRows");
        QVERIFY(w.has("copies"));
        w.choose("GPU 0", "foldAllRows");
        QVERIFY(!w.has("copies") && !w.has("API calls"));
        w.choose("GPU 0", "unfoldAllRows");
        w.choose("copies", "moveRowUp");
        QVERIFY(w.row("copies") < w.row("stream 13"));
        w.choose("copies", "moveRowDown");
        w.choose("copies", "rowTall");
        QCOMPARE(w.timeline.headerBox(w.row("copies")).height(), 2 * kTrackHeight);
        w.choose("copies", "showHiddenRows");
        QVERIFY(w.has("waits") && w.has("power"));
        w.choose("copies", "resetRows");
        QCOMPARE(w.titles(), before);
        QVERIFY(w.session.rowArrangement().empty());
    }

    void theDialogShowsAllRowsAndTakesEffectAtOnce() {
        Window w;
        w.timeline.showRowsDialog();
        auto* dialog = w.timeline.findChild<RowsDialog*>();
        QVERIFY(dialog);
        const QAbstractItemModelTester tester(&dialog->model(), QAbstractItemModelTester::FailureReportingMode::QtTest);
        QStandardItem* thread = dialog->model().item(2);
        QCOMPARE(thread->text(), QStringLiteral("generate"));
        QCOMPARE(thread->child(1)->text(), QStringLiteral("API calls"));
        thread->child(1)->setCheckState(Qt::Unchecked);
        QVERIFY(!w.has("API calls"));
        thread->setCheckState(Qt::Unchecked);
        QVERIFY(!w.has("generate"));
        w.session.undoView();
        QCOMPARE(thread->checkState(), Qt::Checked);
        QCOMPARE(thread->child(1)->checkState(), Qt::Unchecked);
        thread->child(2, 1)->setCheckState(Qt::Checked);
        QCOMPARE(w.titles().first(), QStringLiteral("generate · waits"));
        dialog->findChild<QPushButton*>(QStringLiteral("rowsShowAll"))->click();
        QVERIFY(w.has("API calls"));
        dialog->findChild<QPushButton*>(QStringLiteral("rowsReset"))->click();
        QVERIFY(w.session.rowArrangement().empty());
        dialog->findChild<QLineEdit*>(QStringLiteral("rowsFilter"))->setText(QStringLiteral("STREAM"));
        const QAbstractItemModel* shown = dialog->findChild<QTreeView*>()->model();
        QCOMPARE(shown->rowCount(), 1);
        QCOMPARE(shown->rowCount(shown->index(0, 0)), 2);
        delete dialog;
    }

    void anArrangementIsWrittenAndReadAsItIs() {
        const RowArrangement rows{.folded = {"a", "b/ü \" \n"},
                                  .hidden = {"c"},
                                  .pinned = {"z", "a"},
                                  .order = {"2", "1"},
                                  .laneHeights = {{"d", 12}}};
        QCOMPARE(rowArrangementFrom(toJson(rows)) == rows, true);
        QVERIFY(rowArrangementFrom("nonsense").empty());
        QVERIFY(rowArrangementFrom(R"({"hidden": 5, "laneHeights": {"x": "y"}, "pinned": [1, null]})").empty());
        QCOMPARE(rowArrangementFrom(R"({"laneHeights": {"x": 100000}})").laneHeights.at("x"), kHighestLane);
    }

    void theSameRowsAreArrangedAgainAndOthersAreNot() {
        const QTemporaryDir folder;
        AppSettings settings(folder.filePath(QStringLiteral("s.ini")));
        {
            Window w;
            RowMemory memory(settings, w.session, w.timeline);
            w.choose("waits", "hideRow");
            w.choose("stream 7", "pinRow");
        }
        Window again;
        RowMemory memory(settings, again.session, again.timeline);
        QVERIFY(again.has("waits"));
        SampleRun same;
        same.whole(3, 5);
        same.addDeviceRows();
        again.session.setTrace(same.builder.snapshot());
        again.settle();
        QVERIFY(!again.has("waits"));
        QCOMPARE(again.titles().first(), QStringLiteral("GPU 0 · stream 7"));
        QVERIFY(!again.session.canUndoView());  // nobody did it just now
        SampleRun bare;
        again.session.setTrace(bare.whole(3, 5));
        again.settle();
        QCOMPARE(again.titles().join(QLatin1Char('|')),
                 QStringLiteral("Tokens|Layers|generate|API calls|GPU 0|stream 7|ranges on 7|copies|busy|queue depth"));
        again.session.setTrace(same.builder.snapshot());
        again.settle();
        QVERIFY(!again.has("waits"));
        again.timeline.resetRows();
        again.session.setTrace(bare.builder.snapshot());
        again.session.setTrace(same.builder.snapshot());
        again.settle();
        QVERIFY(again.has("waits"));
    }
};

QTEST_MAIN(TimelineRowsTest)
#include "timeline_rows_test.moc"

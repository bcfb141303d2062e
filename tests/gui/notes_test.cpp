// Marks and notes as a person makes them: by keys and pointer on the timeline, in their tab; undone, saved, opened
// again.
#include <QAbstractItemModelTester>
#include <QAction>
#include <QDateTime>
#include <QFile>
#include <QHelpEvent>
#include <QMenu>
#include <QMessageBox>
#include <QPushButton>
#include <QTabWidget>
#include <QTemporaryDir>
#include <QToolTip>

#include "app/gui/timeline/note_editor.h"
#include "app/gui/views/data_table.h"
#include "app/gui/views/note_panel.h"
#include "app/gui/window/main_window.h"
#include "core/export/chrome_json.h"
#include "core/export/session_writer.h"
#include "core/import/open_trace.h"
#include "tests/gui/sample_trace.h"
#include "tests/gui/timeline_window.h"

using namespace gapscope;

namespace {

struct Window : TimelineWindow {
    Window() { session.select({.kind = Selection::Kind::DeviceOp, .range = opRange(3), .row = 3}); }
    NoteEditor& editor() { return *timeline.findChild<NoteEditor*>(); }
    QPoint flag(size_t at) { return timeline.noteFlags()[at].box.center().toPoint(); }
    void type(const char* text) {
        QTest::keyClicks(&editor(), QLatin1String(text));
        QTest::keyClick(&editor(), Qt::Key_Return);
    }
    QString tipAt(QPoint position) {
        QHelpEvent event(QEvent::ToolTip, position, viewport()->mapToGlobal(position));
        QApplication::sendEvent(viewport(), &event);
        return QToolTip::text();
    }
};

}  // namespace

class NotesTest : public QObject {
    Q_OBJECT

private:
    QTemporaryDir m_folder;
    std::unique_ptr<AppSettings> m_settings;
    std::unique_ptr<MainWindow> m_window;

    QString path(const char* name) const { return m_folder.filePath(QLatin1String(name)); }
    void openWindow(const char* settings = "settings.ini") {
        m_window.reset();
        m_settings = std::make_unique<AppSettings>(path(settings));
        m_window = std::make_unique<MainWindow>(*m_settings);
        m_window->resize(1366, 768);
        m_window->show();
        QTRY_VERIFY(m_window->settled());
    }
    void open(const QString& file) {
        m_window->openFile(file);
        QTRY_VERIFY(m_window->settled());
    }
    QString written(const char* name) const {
        return saveSession(*sampleTrace(4), path(name).toStdString()) ? path(name) : QString();
    }
    Annotations inFile(const QString& file) const {
        const auto trace = openTrace(file.toStdString());
        return trace ? (*trace)->annotations() : Annotations();
    }
    Session& session() { return m_window->session(); }
    QAction& action(const char* name) { return *m_window->findChild<QAction*>(QLatin1String(name)); }
    QMessageBox* unsavedBox() const { return m_window->findChild<QMessageBox*>(QStringLiteral("unsavedBox")); }
    QString tabText() const {
        const auto* tabs = m_window->findChild<QTabWidget*>(QStringLiteral("tabs"));
        return tabs->tabText(tabs->indexOf(m_window->findChild<NotePanel*>()));
    }

private Q_SLOTS:
    void init() { qputenv("XDG_STATE_HOME", m_folder.path().toLocal8Bit()); }
    void cleanup() {
        if (m_window) m_window->document().discard();
        m_window.reset();
    }

    void aMarkLastsUntilTheNext() {
        Window w;
        QVERIFY(w.timeline.parts().notes.isEmpty());
        w.key(Qt::Key_M);
        QCOMPARE(w.timeline.mark(), std::optional(w.opRange(3)));
        QVERIFY(w.timeline.parts().notes.height() > 0);
        QVERIFY(w.timeline.accessibleDescription().startsWith(QStringLiteral("Marked: ")));
        w.session.select({.kind = Selection::Kind::DeviceOp, .range = w.opRange(5), .row = 5});
        w.key(Qt::Key_M);
        QCOMPARE(w.timeline.mark(), std::optional(w.opRange(5)));
        w.key(Qt::Key_M);  // where it is already
        QVERIFY(!w.timeline.mark());
        QVERIFY(w.timeline.parts().notes.isEmpty());
        QVERIFY(w.session.notes().empty());
        QVERIFY(!w.session.hasUnsavedNotes());
    }

    void aKeptMarkIsANoteAndCanBeUndone() {
        Window w;
        w.key(Qt::Key_M);
        w.key(Qt::Key_M, Qt::ShiftModifier);
        QVERIFY(!w.timeline.mark());
        QCOMPARE(w.session.notes(), (std::vector<Note>{{w.opRange(3), ""}}));
        QVERIFY(w.session.hasUnsavedNotes());
        w.key(Qt::Key_M, Qt::ShiftModifier);  // not twice
        QCOMPARE(w.session.notes().size(), size_t(1));
        w.session.undoView();
        QVERIFY(w.session.notes().empty());
        QVERIFY(!w.session.hasUnsavedNotes());
        w.session.redoView();
        QCOMPARE(w.session.notes().size(), size_t(1));
    }

    void aNoteIsWrittenAtTheSelectionAndWrittenAnew() {
        Window w;
        w.key(Qt::Key_N);
        QVERIFY(w.editor().isVisible());
        QVERIFY(w.editor().hasFocus());
        QVERIFY(w.timeline.parts().notes.height() > 0);
        w.type("why so long?");
        QVERIFY(!w.editor().isVisible());
        QVERIFY(w.timeline.hasFocus());
        QCOMPARE(w.session.notes(), (std::vector<Note>{{w.opRange(3), "why so long?"}}));
        QVERIFY(w.timeline.accessibleDescription().startsWith(QStringLiteral("Note: why so long?, ")));
        w.key(Qt::Key_N);  // the same, not a second
        QCOMPARE(w.editor().text(), QStringLiteral("why so long?"));
        w.type("found: page fault");
        QCOMPARE(w.session.notes(), (std::vector<Note>{{w.opRange(3), "found: page fault"}}));
        w.session.undoView();
        QCOMPARE(w.session.notes().front().text, std::string("why so long?"));
        w.session.undoView();
        QVERIFY(w.session.notes().empty());
    }

    void escapeGivesUpAndLeavingKeeps() {
        Window w;
        w.key(Qt::Key_N);
        QTest::keyClicks(&w.editor(), QStringLiteral("no"));
        QTest::keyClick(&w.editor(), Qt::Key_Escape);
        QVERIFY(!w.editor().isVisible());
        QVERIFY(w.session.notes().empty());
        QVERIFY(w.timeline.parts().notes.isEmpty());
        QCOMPARE(w.session.selection().kind, Selection::Kind::DeviceOp);
        w.key(Qt::Key_N);
        QTest::keyClicks(&w.editor(), QStringLiteral("yes"));
        w.timeline.setFocus(Qt::TabFocusReason);
        QVERIFY(!w.editor().isVisible());
        QCOMPARE(w.session.notes().size(), size_t(1));
        w.session.clearSelection();
        w.key(Qt::Key_N);
        w.type("");  // nothing is no note
        QCOMPARE(w.session.notes().size(), size_t(1));
    }

    void withoutASelectionAMomentAtThePointerIsNoted() {
        Window w;
        w.session.clearSelection();
        const QRect rows = w.timeline.parts().rows;
        w.moveTo({rows.left() + rows.width() / 4, rows.center().y()});
        const int64_t timeNs = w.scale().timeAt(rows.width() / 4);
        w.key(Qt::Key_M, Qt::ShiftModifier);
        QCOMPARE(w.session.notes(), (std::vector<Note>{{{timeNs, timeNs}, ""}}));
    }

    void whatWasMeasuredIsNoted() {
        Window w;
        w.timeline.setMeasuring(true);
        QVERIFY(w.timeline.measured());
        const TimeRange measured = *w.timeline.measured();
        w.session.clearSelection();
        w.key(Qt::Key_M, Qt::ShiftModifier);
        QCOMPARE(w.session.notes().front().range, measured);
    }

    void flagsAreDrawnToldAndGoneTo() {
        Window w;
        w.key(Qt::Key_N);
        w.type("first");
        w.session.clearSelection();
        const QPoint flag = w.flag(0);
        const QImage picture = w.picture();
        const QColor expected = Theme::of(w.timeline.palette()).note;
        const QRectF box = w.timeline.noteFlags()[0].box;
        int edge = 0;
        for (int x = int(box.left()); x < int(box.right()); ++x)
            edge += nearColour(picture.pixelColor(x, int(box.top())), expected, 40) ? 1 : 0;
        QVERIFY2(edge > box.width() / 2, qPrintable(QString::number(edge)));
        QVERIFY(w.tipAt(flag).startsWith(QStringLiteral("first\n")));
        QTest::mouseClick(w.viewport(), Qt::LeftButton, {}, flag);
        QCOMPARE(w.session.selection().kind, Selection::Kind::Range);
        QCOMPARE(w.session.selection().range, w.opRange(3));
        QTest::mouseDClick(w.viewport(), Qt::LeftButton, {}, flag);
        QVERIFY(w.editor().isVisible());
        w.type("second");
        QCOMPARE(w.session.notes().front().text, std::string("second"));
        std::unique_ptr<QMenu> menu(w.timeline.noteMenu(0));
        menu->findChild<QAction*>(QStringLiteral("removeNote"))->trigger();
        QVERIFY(w.session.notes().empty());
        QVERIFY(w.timeline.noteFlags().empty());
    }

    void flagsThatBeginTogetherAreOneAndSayHowMany() {
        Window w;
        const TimeRange whole = w.trace->extent();
        w.session.setVisibleRange(whole);
        w.session.addNote({{whole.startNs + 1000, whole.startNs + 1000}, "a"});
        w.session.addNote({{whole.startNs + 1001, whole.startNs + 1001}, "b"});
        w.session.addNote({{whole.startNs + whole.durationNs() / 2, whole.endNs}, "c"});
        const auto flags = w.timeline.noteFlags();
        QCOMPARE(flags.size(), size_t(2));
        QCOMPARE(flags[0].places, (std::vector<size_t>{0, 1}));
        QVERIFY(flags[0].box.right() < flags[1].box.left());
        const QString both = w.tipAt(w.flag(0));
        QCOMPARE(both.count(QLatin1Char('\n')), 1);
        QVERIFY2(both.startsWith(QStringLiteral("a (at ")) && both.contains(QStringLiteral("\nb (at ")),
                 qPrintable(both));
        // Of very many the first, and how many the rest are.
        for (int i = 0; i < 10; ++i)
            w.session.addNote({{whole.startNs + 1002 + i, whole.startNs + 1002 + i}, std::string(300, 'z')});
        const QString many = w.tipAt(w.flag(0));
        QCOMPARE(many.count(QLatin1Char('\n')), 8);
        QVERIFY2(many.endsWith(QStringLiteral("\nand 4 more here: zoom in, or see Notes")), qPrintable(many));
        QVERIFY(!many.contains(QString(100, QLatin1Char('z'))));
        // One that began before what is seen and lasts into it stands at the left edge.
        w.session.setVisibleRange({whole.endNs - 5000, whole.endNs});
        QCOMPARE(w.timeline.noteFlags().size(), size_t(1));
        QCOMPARE(int(w.timeline.noteFlags()[0].box.left()), w.timeline.parts().notes.left());
    }

    void wordsThatLookLikeTagsAreShownAsTheyAre() {
        Window w;
        const TimeRange whole = w.trace->extent();
        w.session.setVisibleRange(whole);
        const int64_t middle = whole.startNs + whole.durationNs() / 2;
        w.session.addNote({{middle, middle}, "<b>bold</b> & 1 < 2"});
        QVERIFY2(w.tipAt(w.flag(0)).contains(QStringLiteral("&lt;b&gt;bold&lt;/b&gt; &amp; 1 &lt; 2")),
                 qPrintable(QToolTip::text()));
        const NoteModel model(w.session);
        const QModelIndex cell = model.index(0, NoteModel::kTextColumn);
        QCOMPARE(cell.data().toString(), QStringLiteral("<b>bold</b> & 1 < 2"));
        QVERIFY(cell.data(Qt::ToolTipRole).toString().contains(QStringLiteral("&lt;b&gt;bold")));
    }

    void edgesOfASelectionReachTheLowestRowBelowTheStrip() {
        Window w;
        const TimeRange whole = w.trace->extent();
        w.session.setVisibleRange(whole);
        w.session.addNote({{whole.startNs, whole.startNs}, "a"});
        const TimeRange middle{whole.startNs + whole.durationNs() / 4, whole.startNs + whole.durationNs() / 2};
        w.session.select({.kind = Selection::Kind::Range, .range = middle});
        const QRect rows = w.timeline.parts().rows;
        const int x =
            rows.left() + static_cast<int>(std::lround(TimeScale{whole, double(rows.width())}.xOf(middle.startNs)));
        const QColor accent = Theme::of(w.timeline.palette()).accent;
        const QImage picture = w.picture();
        for (const int y : {rows.top() + 1, rows.bottom()})
            QVERIFY2(nearColour(picture.pixelColor(x, y), accent), qPrintable(picture.pixelColor(x, y).name()));
    }

    void aFlagWithoutRoomForItsWordsIsAPennant() {
        Window w;
        const TimeRange whole = w.trace->extent();
        w.session.setVisibleRange(whole);
        const int64_t late = whole.endNs - whole.durationNs() / 100;
        w.session.addNote({{late, late}, "words that would go on beyond the edge"});
        QCOMPARE(w.timeline.noteFlags().size(), size_t(1));
        const QRectF box = w.timeline.noteFlags()[0].box;
        QVERIFY2(box.width() < 20, qPrintable(QString::number(box.width())));
        QVERIFY(w.tipAt(w.flag(0)).startsWith(QStringLiteral("words that")));
    }

    void whereNothingSavesThemNotesAreShownOnly() {
        Window w;
        w.session.addNote({w.opRange(3), "kept elsewhere"});
        w.timeline.setNotesKept(false);
        w.key(Qt::Key_M, Qt::ShiftModifier);
        w.key(Qt::Key_N);
        QVERIFY(!w.editor().isVisible());
        QTest::mouseDClick(w.viewport(), Qt::LeftButton, {}, w.flag(0));
        QVERIFY(!w.editor().isVisible());
        QCOMPARE(w.session.notes().size(), size_t(1));
        std::unique_ptr<QMenu> menu(w.timeline.noteMenu(0));
        QCOMPARE(menu->actions().size(), 1);
    }

    void theTabListsRenamesAndRemoves() {
        Session session;
        session.setTrace(sampleTrace(4));
        NotePanel panel(session);
        panel.resize(600, 200);
        panel.show();
        QVERIFY(QTest::qWaitForWindowActive(&panel));
        auto& table = *panel.findChild<DataTable*>(QStringLiteral("noteTable"));
        QCOMPARE(table.accessibleName(), QStringLiteral("Notes"));
        QAbstractItemModelTester tester(table.model(), QAbstractItemModelTester::FailureReportingMode::QtTest);
        const int64_t endNs = session.trace()->extent().endNs;
        session.addNote({{endNs - 200, endNs}, "late"});
        session.addNote({{100, 200}, "early"});
        session.addNote({{150, 150}, ""});
        QCOMPARE(table.model()->rowCount(), 3);
        QCOMPARE(table.model()->index(0, 2).data().toString(), QStringLiteral("early"));  // by time
        QCOMPARE(table.model()->index(1, 2).data().toString(), QStringLiteral("mark"));
        session.setVisibleRange({0, 1000});
        table.setFocus();
        table.selectRow(2);
        QTest::keyClick(&table, Qt::Key_Return);
        QCOMPARE(session.selection().range, (TimeRange{endNs - 200, endNs}));
        QVERIFY(session.visibleRange().contains(endNs - 100));
        QTest::keyClick(&table, Qt::Key_F2);
        auto* editor = table.findChild<QLineEdit*>();
        QVERIFY(editor);
        QCOMPARE(editor->text(), QStringLiteral("late"));
        editor->setText(QStringLiteral("  too\tlate "));
        QTest::keyClick(editor, Qt::Key_Return);
        QTRY_COMPARE(session.notes()[0].text, std::string("too late"));
        QTRY_VERIFY(!table.findChild<QLineEdit*>());
        table.selectRow(0);
        QTest::keyClick(&table, Qt::Key_Delete);
        QCOMPARE(session.notes().size(), size_t(2));
        QTest::keyClick(&table, Qt::Key_Delete);  // the row that came in its place
        QCOMPARE(session.notes(), (std::vector<Note>{{{endNs - 200, endNs}, "too late"}}));
        session.undoView();
        session.undoView();
        QCOMPARE(session.notes().size(), size_t(3));
    }

    void notesAreSavedAndOpenedWithTheSession() {
        openWindow();
        const QString file = written("noted.gapscope");
        open(file);
        QVERIFY(!action("saveAction").isEnabled());
        session().addNote({{100, 200}, "here"});
        QVERIFY(m_window->isWindowModified());
        QCOMPARE(tabText(), QStringLiteral("Notes (1)"));
        session().undoView();
        QVERIFY(!m_window->isWindowModified());
        session().redoView();
        action("saveAction").trigger();
        QTRY_VERIFY(m_window->settled());
        QVERIFY(!m_window->isWindowModified());
        QCOMPARE(inFile(file).notes, (std::vector<Note>{{{100, 200}, "here"}}));
        open(written("other.gapscope"));
        QCOMPARE(tabText(), QStringLiteral("Notes"));
        open(file);
        QCOMPARE(session().notes(), (std::vector<Note>{{{100, 200}, "here"}}));
        QVERIFY(!m_window->isWindowModified());
        QVERIFY(!session().canUndoView() || session().notes().size() == 1);
    }

    void closingAsksAboutNotes() {
        openWindow();
        open(written("asked.gapscope"));
        session().addNote({{1, 2}, "x"});
        m_window->close();
        QTRY_VERIFY(unsavedBox());
        unsavedBox()->button(QMessageBox::Cancel)->click();
        QTRY_VERIFY(!unsavedBox());
        QVERIFY(m_window->isVisible());
        m_window->close();
        QTRY_VERIFY(unsavedBox());
        unsavedBox()->button(QMessageBox::Save)->click();
        QTRY_VERIFY(!m_window->isVisible());
        QCOMPARE(inFile(path("asked.gapscope")).notes.size(), size_t(1));
    }

    void comparingShowsTheNotesOfBothAsTheyAreNow() {
        openWindow();
        open(written("before.gapscope"));
        const std::vector<Note> notes{{{1, 2}, "just written"}};
        session().addNote(notes[0]);
        m_window->compareWith(written("after.gapscope"));
        QTRY_VERIFY(m_window->comparing() && m_window->settled());
        QCOMPARE(m_window->comparer().before().notes(), notes);
        QVERIFY(m_window->comparer().after().notes().empty());
    }

    void aNoteInWritingGoesWithItsTrace() {
        openWindow();
        open(written("first.gapscope"));
        auto* timeline = m_window->findChild<TimelineWidget*>(QStringLiteral("timeline"));
        timeline->command("addNoteAction")->trigger();
        auto* editor = timeline->findChild<NoteEditor*>();
        QVERIFY(editor->isVisible());
        QTest::keyClicks(editor, QStringLiteral("of the first"));
        m_window->openFile(written("second.gapscope"));
        QTRY_VERIFY(unsavedBox());  // what was written so far is a note, and not lost unasked
        QVERIFY(!editor->isVisible());
        QCOMPARE(session().notes().size(), size_t(1));
        unsavedBox()->button(QMessageBox::Discard)->click();
        QTRY_VERIFY(m_window->settled() && m_window->document().name() == QStringLiteral("second.gapscope"));
        QTest::keyClick(editor, Qt::Key_Return);
        QVERIFY(session().notes().empty());
        QVERIFY(!m_window->isWindowModified());
    }

    void savingTakesTheNoteThatIsBeingWritten() {
        openWindow();
        const QString file = written("writing.gapscope");
        open(file);
        auto* timeline = m_window->findChild<TimelineWidget*>(QStringLiteral("timeline"));
        QVERIFY(!action("saveAction").isEnabled());
        timeline->command("addNoteAction")->trigger();
        auto* editor = timeline->findChild<NoteEditor*>();
        QTest::keyClicks(editor, QStringLiteral("half a th"));
        QVERIFY(action("saveAction").isEnabled());
        QTest::keyClick(editor, Qt::Key_S, Qt::ControlModifier);
        QTRY_VERIFY(m_window->settled() && !m_window->isWindowModified());
        QCOMPARE(inFile(file).notes.size(), size_t(1));
        QCOMPARE(inFile(file).notes[0].text, std::string("half a th"));
        QVERIFY(!editor->isVisible());
        QVERIFY(!action("saveAction").isEnabled());

        // In the table as well.
        auto* notes = m_window->findChild<NotePanel*>();
        m_window->findChild<QTabWidget*>(QStringLiteral("tabs"))->setCurrentWidget(notes);
        auto* table = notes->findChild<DataTable*>(QStringLiteral("noteTable"));
        table->setFocus();
        table->setCurrentIndex(table->model()->index(0, NoteModel::kTextColumn));
        QTest::keyClick(table, Qt::Key_F2);
        auto* cell = table->findChild<QLineEdit*>();
        QVERIFY(cell);
        QVERIFY(action("saveAction").isEnabled());
        cell->setText(QStringLiteral("a whole thought"));
        action("saveAction").trigger();
        QTRY_VERIFY(m_window->settled() && !m_window->isWindowModified());
        QCOMPARE(inFile(file).notes[0].text, std::string("a whole thought"));
    }

    void closingAsksAboutTheNoteThatIsBeingWritten() {
        openWindow();
        open(written("closing.gapscope"));
        auto* timeline = m_window->findChild<TimelineWidget*>(QStringLiteral("timeline"));
        timeline->command("addNoteAction")->trigger();
        QTest::keyClicks(timeline->findChild<NoteEditor*>(), QStringLiteral("wait"));
        m_window->close();
        QTRY_VERIFY(unsavedBox());
        unsavedBox()->button(QMessageBox::Save)->click();
        QTRY_VERIFY(!m_window->isVisible());
        QCOMPARE(inFile(path("closing.gapscope")).notes.size(), size_t(1));
    }

    // Saving writes a session: never over a trace of another program, nor over what something else wrote meanwhile.
    void onlyTheSessionThatWasOpenedIsReplaced() {
        openWindow();
        QVERIFY(exportChromeJson(*sampleTrace(4), path("trace.json").toStdString()).has_value());
        open(path("trace.json"));
        session().addNote({{1, 2}, "x"});
        QVERIFY(m_window->isWindowModified());
        QVERIFY(!m_window->document().canSaveInPlace());
        m_window->document().discard();
        open(written("mine.gapscope"));
        QVERIFY(m_window->document().canSaveInPlace());
        QFile file(path("mine.gapscope"));
        // One that is write-protected stays as it is, also where its folder would take a new file.
        const QFile::Permissions permissions = file.permissions();
        QVERIFY(file.setPermissions(QFile::ReadOwner | QFile::ReadUser));
        QVERIFY(!m_window->document().canSaveInPlace());
        QVERIFY(file.setPermissions(permissions));
        QVERIFY(m_window->document().canSaveInPlace());
        QVERIFY(file.open(QIODevice::ReadWrite));
        QVERIFY(file.setFileTime(QDateTime::currentDateTime().addSecs(-100), QFileDevice::FileModificationTime));
        QVERIFY(!m_window->document().canSaveInPlace());
    }

    void aSessionKeepsHowItsRowsStand() {
        const QString file = written("rows.gapscope");
        openWindow();
        open(file);
        auto* timeline = m_window->findChild<TimelineWidget*>(QStringLiteral("timeline"));
        const auto all = timeline->index().rows().size();
        const std::string key = timeline->index().rows().back()->key;
        QVERIFY(!action("saveAction").isEnabled());
        timeline->actOnRow(key, TimelineWidget::RowAct::Hide);
        QVERIFY(action("saveAction").isEnabled());
        action("saveAction").trigger();
        QTRY_VERIFY(m_window->settled());
        QVERIFY(!action("saveAction").isEnabled());
        QCOMPARE(inFile(file).rows.hidden, std::set<std::string>{key});

        // Somebody else, whose settings have other rows hidden in traces like this.
        openWindow("colleague.ini");
        open(written("plain.gapscope"));
        timeline = m_window->findChild<TimelineWidget*>(QStringLiteral("timeline"));
        const std::string other = timeline->index().rows()[0]->key;
        timeline->actOnRow(other, TimelineWidget::RowAct::Hide);
        m_window->document().discard();
        open(file);
        QCOMPARE(session().rowArrangement().hidden, std::set<std::string>{key});
        QCOMPARE(timeline->index().rows().size(), all - 1);
        QVERIFY(!m_window->isWindowModified());
        // That is the session's, not a new habit of theirs.
        open(path("plain.gapscope"));
        QCOMPARE(session().rowArrangement().hidden, std::set<std::string>{other});
        QVERIFY(!m_window->isWindowModified());
    }

    // How one looks at a session is no work that could be lost: it is saved along, and nobody is asked.
    void howRowsStandAsksNothing() {
        using Act = TimelineWidget::RowAct;
        for (const Act act : {Act::Hide, Act::TogglePin, Act::ToggleFold, Act::NextHeight, Act::MoveDown}) {
            openWindow(qPrintable(QStringLiteral("asks%1.ini").arg(int(act))));
            open(written("asks.gapscope"));
            auto* timeline = m_window->findChild<TimelineWidget*>(QStringLiteral("timeline"));
            const auto arranges = [&](const auto& row) {
                timeline->actOnRow(row->key, act);
                return !session().rowArrangement().empty();
            };
            const auto rows = timeline->index().rows();
            QVERIFY2(std::ranges::any_of(rows, arranges), qPrintable(QString::number(int(act))));
            QVERIFY(!m_window->isWindowModified());
            QVERIFY(action("saveAction").isEnabled());
            m_window->close();
            QVERIFY(!unsavedBox());
            QVERIFY(!m_window->isVisible());
        }
    }

    // Settings keep the rows of traces of other programs, which have no place for them.
    void rowsOfOtherProgramsTracesAskNothing() {
        openWindow();
        QVERIFY(exportChromeJson(*sampleTrace(4), path("rows.json").toStdString()).has_value());
        open(path("rows.json"));
        auto* timeline = m_window->findChild<TimelineWidget*>(QStringLiteral("timeline"));
        timeline->actOnRow(timeline->index().rows()[0]->key, TimelineWidget::RowAct::Hide);
        QVERIFY(!m_window->isWindowModified());
    }

    void theirCommandsAreInTheTimelineMenu() {
        openWindow();
        open(written("menu.gapscope"));
        auto* timeline = m_window->findChild<TimelineWidget*>(QStringLiteral("timeline"));
        for (const char* name : {"addNoteAction", "markAction", "keepMarkAction"}) {
            QAction* command = timeline->command(name);
            QVERIFY2(command && !command->shortcuts().isEmpty(), name);
            bool inMenu = false;
            for (const QMenu* menu : m_window->findChildren<QMenu*>())
                inMenu |= menu->actions().contains(command);
            QVERIFY2(inMenu, name);
        }
    }
};

QTEST_MAIN(NotesTest)
#include "notes_test.moc"

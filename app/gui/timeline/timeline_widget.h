// The timeline: overview strip, ruler, row names and rows over one Session. It shows the session's trace, visible range
// and selection, and turns wheel, keys and pointer into changes of the latter two.
#pragma once

#include <QAbstractScrollArea>
#include <QImage>
#include <QTimer>
#include <QVariantAnimation>
#include <memory>
#include <optional>
#include <set>

#include "app/gui/session/finder.h"
#include "app/gui/session/session.h"
#include "app/gui/timeline/frame_times.h"
#include "app/gui/timeline/gap_feed.h"
#include "app/gui/timeline/legend.h"
#include "app/gui/timeline/timeline_labels.h"
#include "app/gui/timeline/timeline_painter.h"
#include "core/layout/row_moves.h"

class QAction;
class QMenu;
class QToolButton;

namespace gapscope {

class NoteEditor;

class TimelineWidget : public QAbstractScrollArea {
    Q_OBJECT

public:
    explicit TimelineWidget(Session& session, QWidget* parent = nullptr);
    ~TimelineWidget() override;

    // A run is under way: where the view does not follow it, a button offers to.
    void setLive(bool live);
    // Zoom eases unless this is off, the desktop asks for no motion, or GAPSCOPE_NO_ANIMATION is set.
    void setAnimated(bool animated) { m_animated = animated; }

    // What the colours of device operations tell. Of a large trace the rows are built anew off the UI thread.
    void setColourBy(ColourBy colourBy);
    ColourBy colourBy() const { return m_colourBy; }

    // The rows of a trace, made ready for Session::setTrace(): for who reads traces off the UI thread.
    static std::shared_ptr<TimelineIndex> layOut(TracePtr trace, ColourBy colourBy);

    // Nothing is being worked out: rows and gaps are those of the session's trace.
    bool gapsSettled() const {
        return m_gapFeed.settled() && !m_indexJobs.running() && !m_index->isBehind() && !m_overviewTurn.isActive();
    }

    // What its keys do, as actions that menus and the palette share; the timeline owns them.
    const QList<QAction*>& commands() const { return m_commands; }
    QAction* command(const char* objectName) const;  // null: none of that name

    void zoomToSelection();  // when already there: the whole trace
    void zoomToWhole();
    void selectLaunch();    // from a kernel to the call that launched it
    void selectLaunched();  // from a call to its first kernel
    enum class Neighbour { Previous, Next };
    // On the selection's row; in a row that the keys went to since, the item nearest to where the selection was.
    void selectNeighbour(Neighbour which);
    void selectRangeOfItem();  // the selected item's time, or what was measured, as a range
    void toggleCounters();     // folds those of all devices, or shows them all

    // Rows: all of these can be undone with the session's undoView().
    enum class RowAct { Hide, ShowHidden, TogglePin, ToggleFold, NextHeight, MoveUp, MoveDown };
    void actOnRow(const std::string& key, RowAct act);
    enum class RowHeight { Compact, Normal, Tall };
    void setRowHeight(const std::string& key, RowHeight height);
    void foldAll(bool folded);
    void resetRows();
    void focusRow(const std::string& key);  // that keys act on; brought into sight
    const std::string& focusedRow() const { return m_focusedRow; }
    QMenu* rowMenu(const std::string& key);  // what can be done with a row; the caller deletes it
    void showRowsDialog();

    void setMeasuring(bool measuring);
    bool measuring() const { return m_measuring; }
    std::optional<TimeRange> measured() const;
    QString measureText() const;  // "1.20 ms · 14 items, 800 µs (66.7 %) of it in stream 7"

    // Marks and notes: at what was measured, else the selection, else the pointer.
    void setNotesKept(bool kept);  // false: nothing saves this session; notes are shown only
    void toggleMark();             // one that lasts until the next, and is not saved
    std::optional<TimeRange> mark() const { return m_mark; }
    void keepMark();              // a note without words
    void writeNote();             // opens a line to write in; where one is already, that one
    void editNote(size_t place);  // of the session's notes
    bool isWritingNote() const;
    void finishNote();  // what is being written is taken as it stands
    QMenu* noteMenu(size_t place);
    // A flag, as seen. It stands for all notes that begin within its width, the first of which it shows.
    struct NoteFlag {
        std::vector<size_t> places;
        QRectF box;
    };
    std::vector<NoteFlag> noteFlags() const;

    void setFrameTimeShown(bool shown);
    const FrameTimes& frameTimes() const { return m_frameTimes; }

    // Marked until others are: rows of the session's trace, and places of its notes. `current` is one of them.
    void setFound(FoundEvents found, std::optional<size_t> current);
    // What is seen, without pointer and hover, at the viewport's size: for pictures and paper.
    void paintPicture(QPainter& painter);
    // Ends a zoom or pan that is still easing or not yet recorded for undo.
    void settle();

    // Where things are and what they cost: for tests and for who wants to look closely.
    TimelineParts parts() const;
    const TimelineIndex& index() const { return *m_index; }
    const TimelineFrame& frame();
    QRectF overviewHandle() const;
    int frameCount() const { return m_frameCount; }
    QRect headerBox(size_t row);  // as seen, in the viewport
    std::optional<size_t> rowOfKey(const std::string& key) const;

    // In words
    std::optional<size_t> selectedRow() const;  // where the selection lies
    QString rowName(size_t row) const;
    QString rowValue(size_t row);  // what of it is selected, its busy share, how many items
    QString visibleText() const;   // "1.20 ms seen, from 3.40 s"

    QSize sizeHint() const override { return {900, 420}; }
    QSize minimumSizeHint() const override { return {320, 160}; }

Q_SIGNALS:
    // Other rows are there, shown or hidden, than before.
    void rowsChanged();
    void noteWritingChanged();  // it began or ended

protected:
    bool event(QEvent* event) override;
    bool viewportEvent(QEvent* event) override;
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void scrollContentsBy(int dx, int dy) override;
    void changeEvent(QEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;
    void contextMenuEvent(QContextMenuEvent* event) override;
    void focusInEvent(QFocusEvent* event) override;
    void focusOutEvent(QFocusEvent* event) override;

private:
    enum class Drag {
        None,
        Click,
        Range,
        Pan,
        OverviewPan,
        OverviewLeft,
        OverviewRight,
        Header,     // pressed: a click if nothing follows
        RowMove,    // a row's name on its way to another place
        RowHeight,  // its lower edge
        Measure,
    };
    enum class Motion { Eased, Direct };

    // Keeping up with the session
    void takeTrace();
    void buildIndex();
    void takeIndex(std::shared_ptr<TimelineIndex> index);
    void layRows(const TracePtr& trace);
    void layMoreRows();
    void takeRows();
    void takePendingGaps();
    void takeGaps(TraceGapsPtr gaps);
    TimeRange whole() const { return m_session.trace()->extent(); }
    void takeVisibleRange();
    void takeSelection();
    void markDirty();
    void updateScrollBar();
    void placeFollowButton();
    void ensureFrame();
    void makeOverview();
    void ensureCache();
    void paintStill(QPainter& painter);

    // Painting
    TimelineLabels labels();
    TimelinePainter painterFor(const TimelineLabels& labels) const;
    void paintMarks(QPainter& painter, const TimelinePainter& painting);
    void paintFound(QPainter& painter, const TimelinePainter& painting);
    void paintSnap(QPainter& painter);
    void paintSelected(QPainter& painter, const TimelinePainter& painting);
    void paintLaunch(QPainter& painter, const TimelinePainter& painting);
    std::optional<QRectF> boxOf(const TimelineIndex::Place& place) const;
    const Theme& theme() const { return Theme::of(palette()); }
    QFont rowFont() const;

    // Moving the view
    TimeScale scale() const;
    TimeScale wholeScale() const;  // of the overview
    TimeRange target() const { return m_target.value_or(m_session.visibleRange()); }
    void moveTo(TimeRange range, Motion motion);
    void zoomBy(double factor, double x, Motion motion);
    void panBy(double px, Motion motion);
    void scrollRows(int px);
    double anchorX() const;  // the pointer over the rows, else their middle
    void reveal(TimeRange range);

    // Selecting
    std::optional<FrameHit> hitAt(QPoint position);
    std::optional<size_t> headerRowAt(QPoint position);

    // Rows
    void arrange(RowArrangement rows);
    void takeArrangement(const RowArrangement& rows);
    void noteRows();
    std::optional<size_t> rowEdgeAt(QPoint position);
    bool pressHeader(QPoint position);
    void dragHeader(QPoint position);
    void releaseHeader(Drag ended);
    void cancelHeaderDrag();
    void moveRowFocus(int steps);
    void tellRowFocus();
    void paintRowMarks(QPainter& painter, const TimelinePainter& painting);
    void selectItem(RowKind kind, uint32_t tableRow);
    void selectInRow(const TimelineRow& row);
    void selectHit(const FrameHit& hit);
    TimelineIndex::Place selectedPlace() const;
    void findLaunch();
    void setHover(std::optional<FrameHit> hover, std::optional<QPoint> pointer);
    int64_t snapTime(QPoint position, Qt::KeyboardModifiers modifiers);
    std::optional<int64_t> oppositeEdgeAt(QPoint position) const;
    void extendSelection(QPoint position, Qt::KeyboardModifiers modifiers);
    Drag overviewDragAt(QPoint position) const;
    void moveOverview(QPoint position);

    // Commands
    void makeCommands();
    QAction* commandOf(const QKeyEvent& event) const;

    // Measuring
    std::string measuredRow() const;
    bool pressMeasure(QPoint position, Qt::KeyboardModifiers modifiers);
    void dragMeasure(QPoint position, Qt::KeyboardModifiers modifiers);
    void releaseMeasure(QPoint position);
    void measureToSelection();
    void sayMeasure();
    void paintMeasure(QPainter& painter);

    // Marks and notes
    void takeNotes();
    void takeNoteStrip();
    TimeRange timeToNote() const;
    void openNoteEditor(TimeRange range, const QString& text);
    void takeNoteText(const QString& written);
    void leaveNoteEditor();
    void sayTooManyNotes();
    std::optional<NoteFlag> noteAt(QPoint position) const;
    QString noteTip(const NoteFlag& flag) const;
    bool pressNote(QPoint position);
    void paintNotes(QPainter& painter);

    void paintFrameTimes(QPainter& painter);

    Session& m_session;
    std::shared_ptr<TimelineIndex> m_index;
    ColourBy m_colourBy = ColourBy::Category;
    JobTracker m_indexJobs;
    QTimer m_moreRows;        // of a snapshot that is too large for one turn
    QTimer m_overviewTurn;    // of a large trace: a turn after its rows
    TracePtr m_indexedTrace;  // that the running job reads
    GapFeed m_gapFeed;
    TraceGapsPtr m_gaps;
    // The launch that the selection is about.
    struct Launched {
        uint32_t call = kNoRow;
        uint32_t target = kNoRow;          // the operation that the selection is about; kNoRow: a call is selected
        std::vector<uint32_t> operations;  // all that it launched, by start
    };
    std::optional<Launched> m_launch;
    FoundEvents m_found;
    std::set<size_t> m_foundNotes;        // places of those found
    std::optional<size_t> m_currentNote;  // the one that the search is at
    TimelineFrame m_frame;
    std::vector<RulerTick> m_ticks;
    std::vector<std::vector<DensityColumn>> m_overview;
    std::vector<LegendEntry> m_legend;
    std::unique_ptr<LabelCache> m_labelCache;
    QImage m_cache;
    bool m_frameDirty = true;
    bool m_overviewDirty = true;
    bool m_cacheDirty = true;
    int m_frameCount = 0;

    bool m_animated = true;
    bool m_live = false;
    QVariantAnimation m_animation;
    TimeRange m_animationStart;
    std::optional<TimeRange> m_target;  // where the running animation goes
    QTimer m_settleTimer;               // a burst of wheel notches or keys is one undo step
    bool m_unsettled = false;
    bool m_moving = false;  // the change of the visible range is our own

    std::vector<std::string> m_rowKeys;  // sorted, as last announced
    std::string m_focusedRow;
    bool m_rowFocusMoved = false;  // since the selection changed
    size_t m_pressedRow = 0;
    std::optional<RowSiblings> m_rowMove;
    size_t m_slot = 0;  // where the moving row goes

    Drag m_drag = Drag::None;
    QPoint m_pressed;
    TimeRange m_pressedRange;
    TimeRange m_dragged;               // the range being drawn
    int64_t m_anchorNs = 0;            // where it was begun
    std::optional<int64_t> m_snapped;  // the edge of an item that its moving end is at
    std::optional<FrameHit> m_hover;
    std::optional<QPoint> m_pointer;

    QList<QAction*> m_commands;
    QAction* m_measureCommand = nullptr;
    QAction* m_frameTimeCommand = nullptr;

    struct Measured {
        int64_t fromNs = 0;
        int64_t toNs = 0;
        std::string row;     // that it was begun in
        bool fixed = false;  // both edges are chosen
    };
    bool m_measuring = false;
    std::optional<Measured> m_measure;

    std::vector<size_t> m_noteOrder;  // places of notes, by start
    std::optional<TimeRange> m_mark;
    bool m_notesKept = true;
    NoteEditor* m_noteEditor;
    std::optional<size_t> m_editedNote;  // none: a new one is written
    TimeRange m_editedRange;

    FrameTimes m_frameTimes;
    bool m_frameTimeShown = false;
    double m_rowScrollRest = 0;  // of touchpad deltas below a pixel
    QToolButton* m_follow;
};

}  // namespace gapscope

// What the whole window looks at: the trace, the visible range, the arrangement of rows, the notes and the selection,
// with undo for all but the last. Views hold a Session& and know no other view. Lives on the UI thread.
#pragma once

#include <QObject>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "core/trace/annotations.h"
#include "core/trace/trace.h"

namespace gapscope {

class TimelineIndex;

// One thing is selected, or nothing. `range` is the time that every panel then answers for; where it is empty the
// default window counts. `row` is the index in the table of its kind.
struct Selection {
    enum class Kind { None, Range, DeviceOp, Stage, ApiCall, UserRange, Token, Gap, KernelName, Category, GapCause };
    Kind kind = Kind::None;
    TimeRange range;
    size_t row = 0;
    StringId name;                        // KernelName
    Category category = Category::Other;  // Category
    int cause = 0;                        // GapCause

    bool operator==(const Selection&) const = default;
};

// Whether a change of the visible range is one that undoView() goes back to, or a step of a gesture or animation.
enum class ZoomStep { Record, Transient };
// Who arranged the rows: undo goes back behind what the person did only.
enum class RowStep { Record, Restored };

class Session : public QObject {
    Q_OBJECT

public:
    explicit Session(QObject* parent = nullptr);

    TracePtr trace() const { return m_trace; }  // never null
    // A later snapshot of the same run keeps zoom and selection; any other trace starts afresh. `laidOut`: the rows of
    // its timeline where whoever read it has made them ready.
    void setTrace(TracePtr trace, std::shared_ptr<TimelineIndex> laidOut = nullptr);
    // Those, for one timeline, while traceChanged() is told; null: there are none, or they were taken.
    std::shared_ptr<TimelineIndex> takeLaidOut() { return std::exchange(m_laidOut, nullptr); }
    // The same rows told otherwise (their categories): zoom and selection stay.
    void replaceTrace(TracePtr trace);

    TimeRange visibleRange() const { return m_visible; }
    void setVisibleRange(TimeRange range, ZoomStep step = ZoomStep::Record);
    const RowArrangement& rowArrangement() const { return m_rows; }
    void setRowArrangement(RowArrangement rows, RowStep step = RowStep::Record);

    // Marks and notes, in the order in which they were made. Places are those of the list.
    const std::vector<Note>& notes() const { return *m_notes; }
    bool addNote(Note note);  // false: a trace keeps no more
    void setNoteText(size_t place, std::string text);
    void removeNotes(const std::vector<size_t>& places);

    // What is kept with the trace when it is saved.
    Annotations annotations() const { return {.notes = *m_notes, .rows = m_rows}; }
    TracePtr annotatedTrace() const;
    // Others than were opened or saved last. Rows that were arranged by settings count as they were opened.
    bool hasUnsavedNotes() const { return *m_notes != m_savedNotes; }
    bool hasUnsavedRows() const { return m_rows != m_savedRows; }
    void setSaved(Annotations saved);

    // Back and forth through visible ranges, arrangements of rows and notes, in the order in which they were made.
    void undoView();
    void redoView();
    bool canUndoView() const { return !m_undo.empty(); }
    bool canRedoView() const { return !m_redo.empty(); }

    // Selects it, unless it is empty, and brings it into sight.
    void goTo(TimeRange range);

    const Selection& selection() const { return m_selection; }
    void select(const Selection& selection);
    void clearSelection();

    // While following, each new snapshot moves the visible range so that the newest is at its right edge.
    bool following() const { return m_following; }
    void setFollowing(bool following);

    // What every panel answers for: the selection's range, else the default window of the trace.
    TimeRange window() const;

Q_SIGNALS:
    void traceChanged();
    void visibleRangeChanged();
    void rowArrangementChanged();
    void notesChanged();
    void undoChanged();
    void selectionChanged();
    void followingChanged();

private:
    struct View {
        enum class Change { Range, Rows, Notes };
        Change change;  // what the step changed; the rest stays when it is undone
        TimeRange range;
        RowArrangement rows;
        std::shared_ptr<const std::vector<Note>> notes;
    };
    void moveToNewest();
    void setVisible(TimeRange range);
    void setRows(RowArrangement rows);
    void changeNotes(std::vector<Note> notes);
    void setNotes(std::shared_ptr<const std::vector<Note>> notes);
    void note(View::Change change);
    void step(std::vector<View>& from, std::vector<View>& to);

    TracePtr m_trace;
    std::shared_ptr<TimelineIndex> m_laidOut;
    TimeRange m_visible;
    TimeRange m_settled;    // the last recorded range: what the next Record step can be undone to
    bool m_zoomed = false;  // the person chose the visible range; until then it is the whole trace
    RowArrangement m_rows;
    RowArrangement m_savedRows;
    std::shared_ptr<const std::vector<Note>> m_notes = std::make_shared<const std::vector<Note>>();
    std::vector<Note> m_savedNotes;
    std::vector<View> m_undo;
    std::vector<View> m_redo;
    Selection m_selection;
    bool m_following = false;
    mutable std::optional<TimeRange> m_defaultWindow;  // of m_trace
};

}  // namespace gapscope

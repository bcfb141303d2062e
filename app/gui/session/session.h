// What the whole window looks at: the trace, the visible range, the arrangement of rows and the selection, with undo
// for range and rows. Views hold a Session& and know no other view. Lives on the UI thread.
#pragma once

#include <QObject>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "core/layout/row_arrangement.h"
#include "core/trace/trace.h"

namespace gapscope {

class TimelineIndex;

// One thing is selected, or nothing. `range` is the time that every panel then answers for; where it is empty the
// default window counts. `row` is the index in the table of its kind.
struct Selection {
    enum class Kind { None, Range, DeviceOp, ApiCall, UserRange, Token, Gap, KernelName, Category, GapCause };
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

    // Back and forth through visible ranges and arrangements of rows, in the order in which they were made.
    void undoView();
    void redoView();
    bool canUndoView() const { return !m_undo.empty(); }
    bool canRedoView() const { return !m_redo.empty(); }

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
    void undoChanged();
    void selectionChanged();
    void followingChanged();

private:
    struct View {
        enum class Change { Range, Rows };
        Change change;  // what the step changed; the rest stays when it is undone
        TimeRange range;
        RowArrangement rows;
    };
    void moveToNewest();
    void setVisible(TimeRange range);
    void setRows(RowArrangement rows);
    void note(View::Change change);
    void step(std::vector<View>& from, std::vector<View>& to);

    TracePtr m_trace;
    std::shared_ptr<TimelineIndex> m_laidOut;
    TimeRange m_visible;
    TimeRange m_settled;    // the last recorded range: what the next Record step can be undone to
    bool m_zoomed = false;  // the person chose the visible range; until then it is the whole trace
    RowArrangement m_rows;
    std::vector<View> m_undo;
    std::vector<View> m_redo;
    Selection m_selection;
    bool m_following = false;
    mutable std::optional<TimeRange> m_defaultWindow;  // of m_trace
};

}  // namespace gapscope

#include "app/gui/session/session.h"

#include <algorithm>

#include "core/analysis/window.h"
#include "core/trace/trace_builder.h"

namespace gapscope {
namespace {

constexpr int64_t kMinVisibleNs = 100;            // below this a pixel is less than a tenth of a nanosecond
constexpr int64_t kFollowSpanNs = 2'000'000'000;  // shown behind the newest while a run goes on
constexpr size_t kMaxUndoSteps = 200;

}  // namespace

Session::Session(QObject* parent) : QObject(parent), m_trace(TraceBuilder().snapshot()) {}

void Session::setTrace(TracePtr trace, std::shared_ptr<TimelineIndex> laidOut) {
    if (!trace) trace = TraceBuilder().snapshot();
    const bool grown = isLaterSnapshot(*m_trace, *trace);
    m_trace = std::move(trace);
    m_defaultWindow.reset();
    const RowArrangement formerRows = m_rows;
    const bool hasOtherNotes = !grown && (!m_notes->empty() || !m_trace->annotations().notes.empty());
    const bool hadSelection = m_selection.kind != Selection::Kind::None;
    if (!grown) {
        m_undo.clear();
        m_redo.clear();
        m_zoomed = false;
        m_selection = {};
        m_rows = m_savedRows = m_trace->annotations().rows;
        m_savedNotes = m_trace->annotations().notes;
        m_notes = std::make_shared<const std::vector<Note>>(m_savedNotes);
        Q_EMIT undoChanged();
    }
    m_laidOut = std::move(laidOut);
    Q_EMIT traceChanged();
    m_laidOut.reset();
    if (!grown && hadSelection) Q_EMIT selectionChanged();
    if (hasOtherNotes) Q_EMIT notesChanged();
    // Unless they were arranged once more while that was told.
    if (!grown && m_rows != formerRows && m_rows == m_trace->annotations().rows) Q_EMIT rowArrangementChanged();
    if (m_following) {
        moveToNewest();
    } else if (!m_zoomed) {
        m_settled = m_trace->extent();
        setVisible(m_settled);
    }
}

void Session::replaceTrace(TracePtr trace) {
    m_trace = std::move(trace);
    m_defaultWindow.reset();
    Q_EMIT traceChanged();
}

void Session::setVisibleRange(TimeRange range, ZoomStep step) {
    if (range.durationNs() < kMinVisibleNs) {
        const int64_t middle = range.startNs + range.durationNs() / 2;
        range = {middle - kMinVisibleNs / 2, middle + kMinVisibleNs / 2};
    }
    m_zoomed = true;
    if (step == ZoomStep::Record && range != m_settled) {
        note(View::Change::Range);
        m_settled = range;
    }
    setVisible(range);
}

void Session::setRowArrangement(RowArrangement rows, RowStep step) {
    if (step == RowStep::Restored) m_savedRows = rows;
    if (rows == m_rows) return;
    if (step == RowStep::Record) note(View::Change::Rows);
    setRows(std::move(rows));
}

bool Session::addNote(Note note) {
    if (m_notes->size() >= kMostNotes) return false;
    std::vector<Note> notes = *m_notes;
    notes.push_back(std::move(note));
    changeNotes(std::move(notes));
    return true;
}

void Session::setNoteText(size_t place, std::string text) {
    if (place >= m_notes->size()) return;
    std::vector<Note> notes = *m_notes;
    notes[place].text = std::move(text);
    changeNotes(std::move(notes));
}

void Session::removeNotes(const std::vector<size_t>& places) {
    std::vector<Note> kept;
    for (size_t place = 0; place < m_notes->size(); ++place)
        if (std::ranges::find(places, place) == places.end()) kept.push_back((*m_notes)[place]);
    changeNotes(std::move(kept));
}

void Session::changeNotes(std::vector<Note> notes) {
    if (notes == *m_notes) return;
    note(View::Change::Notes);
    setNotes(std::make_shared<const std::vector<Note>>(std::move(notes)));
}

TracePtr Session::annotatedTrace() const {
    return m_trace->withAnnotations(annotations());
}

void Session::setSaved(Annotations saved) {
    m_savedNotes = std::move(saved.notes);
    m_savedRows = std::move(saved.rows);
}

void Session::note(View::Change change) {
    m_undo.push_back({change, m_settled, m_rows, m_notes});
    if (m_undo.size() > kMaxUndoSteps) m_undo.erase(m_undo.begin());
    m_redo.clear();
    Q_EMIT undoChanged();
}

void Session::step(std::vector<View>& from, std::vector<View>& to) {
    if (from.empty()) return;
    View view = std::move(from.back());
    from.pop_back();
    to.push_back({view.change, m_settled, m_rows, m_notes});
    if (view.change == View::Change::Rows) {
        setRows(std::move(view.rows));
    } else if (view.change == View::Change::Notes) {
        setNotes(std::move(view.notes));
    } else {
        setFollowing(false);
        m_settled = view.range;
        setVisible(m_settled);
    }
    Q_EMIT undoChanged();
}

void Session::undoView() {
    step(m_undo, m_redo);
}

void Session::redoView() {
    step(m_redo, m_undo);
}

void Session::select(const Selection& selection) {
    if (selection == m_selection) return;
    m_selection = selection;
    Q_EMIT selectionChanged();
}

void Session::goTo(TimeRange range) {
    if (!range.empty()) select({.kind = Selection::Kind::Range, .range = range});
    const bool inSight = range.empty() ? m_visible.contains(range.startNs) : range.overlaps(m_visible);
    if (inSight) return;
    setFollowing(false);
    const int64_t startNs = range.startNs + range.durationNs() / 2 - m_visible.durationNs() / 2;
    setVisibleRange({startNs, startNs + m_visible.durationNs()});
}

void Session::clearSelection() {
    select({});
}

void Session::setFollowing(bool following) {
    if (following == m_following) return;
    m_following = following;
    Q_EMIT followingChanged();
    if (m_following) moveToNewest();
}

TimeRange Session::window() const {
    if (!m_selection.range.empty()) return m_selection.range;
    if (!m_defaultWindow) m_defaultWindow = defaultWindow(*m_trace);
    return *m_defaultWindow;
}

void Session::moveToNewest() {
    const int64_t newest = m_trace->extent().endNs;
    const int64_t span = m_zoomed && !m_visible.empty() ? m_visible.durationNs() : kFollowSpanNs;
    m_settled = {newest - span, newest};
    setVisible(m_settled);
}

void Session::setVisible(TimeRange range) {
    if (range == m_visible) return;
    m_visible = range;
    Q_EMIT visibleRangeChanged();
}

void Session::setRows(RowArrangement rows) {
    if (rows == m_rows) return;
    m_rows = std::move(rows);
    Q_EMIT rowArrangementChanged();
}

void Session::setNotes(std::shared_ptr<const std::vector<Note>> notes) {
    m_notes = std::move(notes);
    Q_EMIT notesChanged();
}

}  // namespace gapscope

#include "app/gui/session/session.h"

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
    const bool hadRows = !m_rows.empty();
    const bool hadSelection = m_selection.kind != Selection::Kind::None;
    if (!grown) {
        m_undo.clear();
        m_redo.clear();
        m_zoomed = false;
        m_selection = {};
        m_rows = {};
        Q_EMIT undoChanged();
    }
    m_laidOut = std::move(laidOut);
    Q_EMIT traceChanged();
    m_laidOut.reset();
    if (!grown && hadSelection) Q_EMIT selectionChanged();
    if (hadRows && m_rows.empty()) Q_EMIT rowArrangementChanged();
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
    if (rows == m_rows) return;
    if (step == RowStep::Record) note(View::Change::Rows);
    setRows(std::move(rows));
}

void Session::note(View::Change change) {
    m_undo.push_back({change, m_settled, m_rows});
    if (m_undo.size() > kMaxUndoSteps) m_undo.erase(m_undo.begin());
    m_redo.clear();
    Q_EMIT undoChanged();
}

void Session::step(std::vector<View>& from, std::vector<View>& to) {
    if (from.empty()) return;
    View view = std::move(from.back());
    from.pop_back();
    to.push_back({view.change, m_settled, m_rows});
    if (view.change == View::Change::Rows) {
        setRows(std::move(view.rows));
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

}  // namespace gapscope

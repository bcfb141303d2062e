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

void Session::setTrace(TracePtr trace) {
    if (!trace) trace = TraceBuilder().snapshot();
    const bool grown = isLaterSnapshot(*m_trace, *trace);
    m_trace = std::move(trace);
    m_defaultWindow.reset();
    const bool hadSelection = m_selection.kind != Selection::Kind::None;
    if (!grown) {
        m_undo.clear();
        m_redo.clear();
        m_zoomed = false;
        m_selection = {};
    }
    Q_EMIT traceChanged();
    if (!grown && hadSelection) Q_EMIT selectionChanged();
    if (m_following) {
        moveToNewest();
    } else if (!m_zoomed) {
        m_settled = m_trace->extent();
        setVisible(m_settled);
    }
}

void Session::setVisibleRange(TimeRange range, ZoomStep step) {
    if (range.durationNs() < kMinVisibleNs) {
        const int64_t middle = range.startNs + range.durationNs() / 2;
        range = {middle - kMinVisibleNs / 2, middle + kMinVisibleNs / 2};
    }
    m_zoomed = true;
    if (step == ZoomStep::Record && range != m_settled) {
        m_undo.push_back(m_settled);
        if (m_undo.size() > kMaxUndoSteps) m_undo.erase(m_undo.begin());
        m_redo.clear();
        m_settled = range;
    }
    setVisible(range);
}

void Session::undoZoom() {
    if (m_undo.empty()) return;
    setFollowing(false);
    m_redo.push_back(m_settled);
    m_settled = m_undo.back();
    m_undo.pop_back();
    setVisible(m_settled);
}

void Session::redoZoom() {
    if (m_redo.empty()) return;
    setFollowing(false);
    m_undo.push_back(m_settled);
    m_settled = m_redo.back();
    m_redo.pop_back();
    setVisible(m_settled);
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

}  // namespace gapscope

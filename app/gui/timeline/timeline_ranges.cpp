// Ranges of the timeline: what their ends snap to, taking hold of an end, extending them.
#include <QPainter>
#include <algorithm>
#include <cmath>

#include "app/gui/timeline/timeline_widget.h"
#include "core/layout/snap.h"

namespace gapscope {

namespace {

constexpr double kSnapPx = 6;
constexpr int kEdgeGripPx = 3;
constexpr double kSnapMarkPx = 4;

}  // namespace

// The edge of an item near the pointer: in the lane under it, else in any lane in sight. With Alt the bare time.
int64_t TimelineWidget::snapTime(QPoint position, Qt::KeyboardModifiers modifiers) {
    ensureFrame();
    m_snapped.reset();
    const QRect rows = parts().rows;
    const int x = std::clamp(position.x() - rows.left(), 0, rows.width());
    const int64_t timeNs = m_frame.scale.timeAt(x);
    if (modifiers.testFlag(Qt::AltModifier)) return timeNs;
    const auto withinNs = static_cast<int64_t>(kSnapPx * m_frame.scale.nsPerPx());
    const int y = position.y() - rows.top();
    for (const FrameLane& shown : m_frame.lanes) {
        const std::optional<int64_t> edgeNs =
            nearestEdge(m_index->rows()[shown.row]->lanes.lanes()[shown.lane], timeNs, withinNs);
        if (!edgeNs) continue;
        if (y >= shown.y && y < shown.y + shown.height) {
            m_snapped = edgeNs;
            break;
        }
        if (!m_snapped || std::abs(*edgeNs - timeNs) < std::abs(*m_snapped - timeNs)) m_snapped = edgeNs;
    }
    return m_snapped.value_or(timeNs);
}

// Over an end of the selected range: its other end.
std::optional<int64_t> TimelineWidget::oppositeEdgeAt(QPoint position) const {
    const Selection& selection = m_session.selection();
    const TimelineParts where = parts();
    if (selection.kind != Selection::Kind::Range || selection.range.empty() ||
        !where.rows.united(where.ruler).contains(position))
        return std::nullopt;
    const double x = position.x() - where.rows.left();
    const double toStart = std::abs(x - scale().xOf(selection.range.startNs));
    const double toEnd = std::abs(x - scale().xOf(selection.range.endNs));
    if (std::min(toStart, toEnd) > kEdgeGripPx) return std::nullopt;
    return toStart < toEnd ? selection.range.endNs : selection.range.startNs;
}

// Shift+click: the selection's time grows to hold what was clicked; inside it, its nearer end comes to the pointer.
void TimelineWidget::extendSelection(QPoint position, Qt::KeyboardModifiers modifiers) {
    TimeRange range = m_session.selection().range;
    const std::optional<FrameHit> hit = hitAt(position);
    const bool isItem = hit && hit->span.count > 0 && m_index->rows()[hit->row]->kind != RowKind::Counter;
    if (range.empty()) {
        if (isItem) selectHit(*hit);
        return;
    }
    const int64_t timeNs = snapTime(position, modifiers);
    m_snapped.reset();
    TimeRange added{timeNs, timeNs};
    if (isItem) {
        const LaneItem item = m_index->rows()[hit->row]->lanes.lanes()[hit->lane][hit->item];
        added = {item.startNs, item.endNs};
    }
    const bool inside = added.startNs >= range.startNs && added.endNs <= range.endNs;
    if (!inside)
        range = {std::min(range.startNs, added.startNs), std::max(range.endNs, added.endNs)};
    else if (timeNs - range.startNs < range.endNs - timeNs)
        range.startNs = timeNs;
    else
        range.endNs = timeNs;
    if (!range.empty()) m_session.select({.kind = Selection::Kind::Range, .range = range});
}

void TimelineWidget::selectRangeOfItem() {
    const TimeRange range = measured().value_or(m_session.selection().range);
    if (!range.empty()) m_session.select({.kind = Selection::Kind::Range, .range = range});
}

// A small mark on the ruler says that the end of the range is exactly at an edge.
void TimelineWidget::paintSnap(QPainter& painter) {
    const TimelineParts where = parts();
    const double x = where.rows.left() + m_frame.scale.xOf(*m_snapped);
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setClipRect(where.rows.united(where.ruler));
    painter.setPen(Qt::NoPen);
    painter.setBrush(theme().accent);
    const double tip = where.rows.top() + 2 * kSnapMarkPx;
    painter.drawPolygon(
        QPolygonF({{x, tip}, {x - kSnapMarkPx, where.rows.top() + 0.0}, {x + kSnapMarkPx, where.rows.top() + 0.0}}));
    painter.restore();
}

}  // namespace gapscope

// What a search found, on the timeline: a tick on ruler and overview for each pixel that has any, outlines of the few
// that can be told apart.
#include <algorithm>

#include "app/gui/timeline/timeline_widget.h"

namespace gapscope {

namespace {

// Calls use(x) for each column of a px in which something begins. Costs a binary search a column, not a step an event.
template <class Use>
void forEachColumn(const std::vector<FoundEvent>& found, const TimeScale& scale, Use use) {
    auto at = std::ranges::lower_bound(found, scale.range.startNs, {}, &FoundEvent::startNs);
    while (at != found.end() && at->startNs < scale.range.endNs) {
        const double x = std::floor(scale.xOf(at->startNs));
        use(x);
        at = std::ranges::lower_bound(at + 1, found.end(), scale.timeAt(x + 1), {}, &FoundEvent::startNs);
    }
}

RowKind rowKindOf(FoundEvent::Kind kind) {
    switch (kind) {
        case FoundEvent::Kind::DeviceOp:
            return RowKind::Stream;
        case FoundEvent::Kind::Stage:
            return RowKind::Stage;
        case FoundEvent::Kind::ApiCall:
            return RowKind::ApiCall;
        case FoundEvent::Kind::Range:
        case FoundEvent::Kind::Token:
        case FoundEvent::Kind::Note:
            break;
    }
    return RowKind::Range;
}

}  // namespace

void TimelineWidget::setFound(FoundEvents found, std::optional<size_t> current) {
    m_found = std::move(found);
    m_currentNote.reset();
    if (current && (*m_found)[*current].kind == FoundEvent::Kind::Note) m_currentNote = (*m_found)[*current].row;
    m_foundNotes.clear();
    for (const FoundEvent& event : *m_found)
        if (event.kind == FoundEvent::Kind::Note) m_foundNotes.insert(event.row);
    viewport()->update();
}

void TimelineWidget::paintFound(QPainter& painter, const TimelinePainter& painting) {
    if (!m_found || m_found->empty()) return;
    const TimelineParts where = parts();
    const QColor color = theme().found;
    painter.save();
    painter.setClipRect(where.ruler);
    forEachColumn(*m_found, m_frame.scale, [&](double x) {
        painter.fillRect(QRectF(where.ruler.left() + x, where.ruler.bottom() - 4, 2, 4), color);
    });
    painter.setClipRect(where.overview);
    forEachColumn(*m_found, wholeScale(), [&](double x) {
        painter.fillRect(QRectF(where.overview.left() + x, where.overview.top(), 2, 4), color);
    });
    painter.setClipRect(where.rows);
    constexpr ptrdiff_t kMostOutlined = 300;
    const auto first = std::ranges::lower_bound(*m_found, m_frame.scale.range.startNs, {}, &FoundEvent::startNs);
    const auto end =
        std::ranges::lower_bound(first, m_found->end(), m_frame.scale.range.endNs, {}, &FoundEvent::startNs);
    if (end - first <= kMostOutlined)
        for (auto event = first; event != end; ++event)
            if (event->kind != FoundEvent::Kind::Token && event->kind != FoundEvent::Kind::Note)
                if (const std::optional<QRectF> box = boxOf(m_index->placeOf(rowKindOf(event->kind), event->row)))
                    painting.paintOutline(painter, *box, color, 1);
    painter.setClipRect(where.notes);
    if (!m_foundNotes.empty())
        for (const NoteFlag& flag : noteFlags())
            if (const auto isFound = [&](size_t place) { return m_foundNotes.contains(place); };
                std::ranges::any_of(flag.places, isFound)) {
                const bool isCurrent = m_currentNote && std::ranges::count(flag.places, *m_currentNote) > 0;
                painting.paintOutline(painter, flag.box, color, isCurrent ? 2 : 1);
            }
    painter.restore();
}

void TimelineWidget::paintPicture(QPainter& painter) {
    ensureFrame();
    paintStill(painter);
    const TimelineLabels labels = this->labels();
    const std::optional<QPoint> pointer = std::exchange(m_pointer, std::nullopt);
    const std::optional<FrameHit> hover = std::exchange(m_hover, std::nullopt);
    paintMarks(painter, painterFor(labels));
    m_pointer = pointer;
    m_hover = hover;
}

}  // namespace gapscope

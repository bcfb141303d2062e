// Wheel, keys and pointer of the timeline: what they do to the visible range and the selection.
#include <QAction>
#include <QApplication>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QScrollBar>
#include <QStyle>
#include <QWheelEvent>
#include <algorithm>
#include <cmath>

#include "app/gui/timeline/timeline_widget.h"

namespace gapscope {

namespace {

constexpr double kNotchZoom = 0.8;      // of the visible time, a wheel notch closer
constexpr double kKeyPanShare = 0.1;    // of the width, a notch
constexpr double kPixelsPerNotch = 60;  // of a touchpad
constexpr int kDragThresholdPx = 4;
constexpr int kGripPx = 5;            // at the edges of the overview's handle
constexpr double kItemMargin = 0.25;  // of its duration, on both sides of an item zoomed to
constexpr double kRangeMargin = 0.02;

std::optional<RowKind> rowKindOf(Selection::Kind kind) {
    switch (kind) {
        case Selection::Kind::DeviceOp:
            return RowKind::Stream;
        case Selection::Kind::Stage:
            return RowKind::Stage;
        case Selection::Kind::ApiCall:
            return RowKind::ApiCall;
        case Selection::Kind::UserRange:
            return RowKind::Range;
        default:
            return std::nullopt;
    }
}

}  // namespace

// Moving the view

void TimelineWidget::moveTo(TimeRange range, Motion motion) {
    static const bool kStill = qEnvironmentVariableIsSet("GAPSCOPE_NO_ANIMATION");
    // While a run is followed each snapshot moves the view, and an easing zoom would be cut short by it.
    const bool eased = motion == Motion::Eased && m_animated && !m_session.following() && !kStill && isVisible() &&
                       style()->styleHint(QStyle::SH_Widget_Animation_Duration, nullptr, this) > 0;
    m_animation.stop();
    m_unsettled = true;
    m_settleTimer.start();
    if (eased) {
        m_animationStart = m_session.visibleRange();
        m_target = range;
        m_animation.start();
        return;
    }
    m_target.reset();
    m_moving = true;
    m_session.setVisibleRange(range, ZoomStep::Transient);
    m_moving = false;
}

void TimelineWidget::settle() {
    m_settleTimer.stop();
    if (!m_unsettled) return;
    m_unsettled = false;
    m_animation.stop();
    const TimeRange range = target();
    m_target.reset();
    m_moving = true;
    m_session.setVisibleRange(range, ZoomStep::Record);
    m_moving = false;
}

void TimelineWidget::zoomBy(double factor, double x, Motion motion) {
    // From where the running animation goes: notches add up instead of being lost to one another.
    moveTo(zoomedAt({target(), scale().width}, x, factor, whole()), motion);
}

void TimelineWidget::panBy(double px, Motion motion) {
    if (px == 0) return;
    m_session.setFollowing(false);
    const TimeRange from = target();
    const auto deltaNs = std::llround(px * static_cast<double>(from.durationNs()) / scale().width);
    moveTo(panned(from, deltaNs, whole()), motion);
}

void TimelineWidget::scrollRows(int px) {
    verticalScrollBar()->setValue(verticalScrollBar()->value() + px);
}

double TimelineWidget::anchorX() const {
    const QRect rows = parts().rows;
    if (m_pointer && m_pointer->x() >= rows.left() && m_pointer->x() <= rows.right())
        return m_pointer->x() - rows.left();
    return rows.width() / 2.0;
}

void TimelineWidget::reveal(TimeRange range) {
    const TimeRange visible = target();
    if (range.startNs >= visible.startNs && range.endNs <= visible.endNs) return;
    m_session.setFollowing(false);
    const int64_t middle = range.startNs + range.durationNs() / 2;
    const int64_t delta = middle - (visible.startNs + visible.durationNs() / 2);
    if (range.durationNs() > visible.durationNs()) {
        if (range.overlaps(visible)) return;  // part of it is seen, and no more fits
        moveTo(panned(visible, range.startNs - visible.startNs, whole()), Motion::Eased);
    } else {
        moveTo(panned(visible, delta, whole()), Motion::Eased);
    }
}

void TimelineWidget::zoomToWhole() {
    if (!whole().empty()) moveTo(whole(), Motion::Eased);
}

void TimelineWidget::zoomToSelection() {
    const Selection& selection = m_session.selection();
    if (selection.range.empty()) return zoomToWhole();
    const bool isRange = selection.kind == Selection::Kind::Range || selection.kind == Selection::Kind::Token;
    const TimeRange goal = withMargin(selection.range, isRange ? kRangeMargin : kItemMargin);
    if (target() == goal || (goal.durationNs() < kMinVisibleNs && target().durationNs() == kMinVisibleNs))
        return zoomToWhole();
    m_session.setFollowing(false);
    moveTo(goal, Motion::Eased);
}

void TimelineWidget::wheelEvent(QWheelEvent* event) {
    const QPointF position = event->position();
    const QPoint pixels = event->pixelDelta();
    const QPoint angle = event->angleDelta();
    const bool fine = !pixels.isNull();
    // Some platforms turn Shift+wheel into a horizontal wheel by themselves.
    const double notches = (angle.y() != 0 ? angle.y() : angle.x()) / 120.0;
    event->accept();
    if (event->modifiers().testFlag(Qt::ControlModifier)) {
        const double x = std::clamp(position.x() - parts().rows.left(), 0.0, scale().width);
        const double steps = fine ? pixels.y() / kPixelsPerNotch : notches;
        if (steps != 0) zoomBy(std::pow(kNotchZoom, steps), x, fine ? Motion::Direct : Motion::Eased);
    } else if (event->modifiers().testFlag(Qt::ShiftModifier)) {
        if (fine)
            panBy(-(pixels.y() != 0 ? pixels.y() : pixels.x()), Motion::Direct);
        else
            panBy(-notches * kKeyPanShare * scale().width, Motion::Eased);
    } else {
        if (fine) {
            panBy(-pixels.x(), Motion::Direct);
            m_rowScrollRest += -pixels.y();
        } else {
            if (angle.x() != 0) panBy(-angle.x() / 120.0 * kKeyPanShare * scale().width, Motion::Eased);
            m_rowScrollRest += -angle.y() / 120.0 * 3 * kTrackHeight;
        }
        const int whole = static_cast<int>(m_rowScrollRest);
        m_rowScrollRest -= whole;
        scrollRows(whole);
    }
}

void TimelineWidget::keyPressEvent(QKeyEvent* event) {
    const Qt::KeyboardModifiers modifiers = event->modifiers() & ~Qt::KeypadModifier;
    if (modifiers == Qt::AltModifier && (event->key() == Qt::Key_Left || event->key() == Qt::Key_Right)) {
        settle();
        if (event->key() == Qt::Key_Left)
            m_session.undoView();
        else
            m_session.redoView();
        return;
    }
    if (modifiers == Qt::NoModifier && event->key() == Qt::Key_Escape) {
        if (m_drag == Drag::Range) {
            m_drag = Drag::None;
            viewport()->update();
        } else if (m_drag == Drag::RowMove || m_drag == Drag::RowHeight) {
            cancelHeaderDrag();
        } else if (m_measuring) {
            setMeasuring(false);
        } else {
            m_session.clearSelection();
        }
        return;
    }
    if (QAction* command = commandOf(*event)) return command->trigger();
    QAbstractScrollArea::keyPressEvent(event);
}

// Pointer

std::optional<FrameHit> TimelineWidget::hitAt(QPoint position) {
    const QRect rows = parts().rows;
    if (!rows.contains(position)) return std::nullopt;
    ensureFrame();
    return hitTest(*m_index, m_frame, position.x() - rows.left() + 0.5, position.y() - rows.top());
}

void TimelineWidget::setHover(std::optional<FrameHit> hover, std::optional<QPoint> pointer) {
    if (hover && hover->span.count == 0) hover.reset();
    if (hover == m_hover && pointer == m_pointer) return;
    m_hover = std::move(hover);
    m_pointer = pointer;
    viewport()->update();  // the rows come from the cache
}

TimelineWidget::Drag TimelineWidget::overviewDragAt(QPoint position) const {
    if (!parts().overview.contains(position) || m_index->rows().empty()) return Drag::None;
    const QRectF handle = overviewHandle();
    if (handle.width() > 3 * kGripPx) {
        if (std::abs(position.x() - handle.left()) <= kGripPx) return Drag::OverviewLeft;
        if (std::abs(position.x() - handle.right()) <= kGripPx) return Drag::OverviewRight;
    }
    return Drag::OverviewPan;
}

void TimelineWidget::moveOverview(QPoint position) {
    const TimeScale whole = wholeScale();
    const int64_t deltaNs = static_cast<int64_t>(static_cast<double>(position.x() - m_pressed.x()) * whole.nsPerPx());
    TimeRange range = m_pressedRange;
    if (m_drag == Drag::OverviewPan) range = panned(range, deltaNs, whole.range);
    if (m_drag == Drag::OverviewLeft) range.startNs = std::min(range.startNs + deltaNs, range.endNs - kMinVisibleNs);
    if (m_drag == Drag::OverviewRight) range.endNs = std::max(range.endNs + deltaNs, range.startNs + kMinVisibleNs);
    m_session.setFollowing(false);
    moveTo(range, Motion::Direct);
}

void TimelineWidget::mousePressEvent(QMouseEvent* event) {
    const QPoint position = event->position().toPoint();
    const TimelineParts where = parts();
    m_pressed = position;
    if (m_drag != Drag::None) return;
    if (event->button() == Qt::LeftButton && pressNote(position)) return;
    if (event->button() == Qt::LeftButton && pressMeasure(position, event->modifiers())) return;
    if (event->button() == Qt::MiddleButton && where.rows.united(where.ruler).contains(position)) {
        m_pressedRange = target();
        m_drag = Drag::Pan;
        viewport()->setCursor(Qt::ClosedHandCursor);
    } else if (event->button() == Qt::LeftButton && where.overview.contains(position)) {
        m_drag = overviewDragAt(position);
        if (m_drag == Drag::None) return;
        const QRectF handle = overviewHandle();
        if (m_drag == Drag::OverviewPan && (position.x() < handle.left() || position.x() > handle.right())) {
            // Beside the handle: it comes to the pointer.
            const int64_t middle = wholeScale().timeAt(position.x() - where.overview.left());
            const TimeRange visible = target();
            m_session.setFollowing(false);
            moveTo(panned(visible, middle - (visible.startNs + visible.durationNs() / 2), wholeScale().range),
                   Motion::Direct);
        }
        m_pressedRange = target();
    } else if (event->button() == Qt::LeftButton && where.rows.united(where.ruler).contains(position)) {
        m_drag = Drag::Click;
    } else if (event->button() == Qt::LeftButton) {
        pressHeader(position);
    }
}

void TimelineWidget::mouseMoveEvent(QMouseEvent* event) {
    const QPoint position = event->position().toPoint();
    const TimelineParts where = parts();
    switch (m_drag) {
        case Drag::Measure:
            dragMeasure(position, event->modifiers());
            return;
        case Drag::None: {
            if (m_measuring && where.rows.united(where.ruler).contains(position)) {
                viewport()->setCursor(Qt::CrossCursor);
                setHover(hitAt(position), position);
                dragMeasure(position, event->modifiers());
                return;
            }
            const Drag over = overviewDragAt(position);
            const bool edge = over == Drag::OverviewLeft || over == Drag::OverviewRight || oppositeEdgeAt(position);
            const std::optional<size_t> header = headerRowAt(position);
            const bool foldable = header && !m_index->rows()[*header]->folds.empty();
            viewport()->setCursor(noteAt(position)      ? Qt::PointingHandCursor
                                  : edge                ? Qt::SizeHorCursor
                                  : rowEdgeAt(position) ? Qt::SizeVerCursor
                                  : foldable            ? Qt::PointingHandCursor
                                                        : Qt::ArrowCursor);
            setHover(hitAt(position), position);
            return;
        }
        case Drag::Click:
            if (std::abs(position.x() - m_pressed.x()) < kDragThresholdPx) return;
            m_drag = Drag::Range;
            // The edge that was taken hold of moves, the other stays.
            m_anchorNs = oppositeEdgeAt(m_pressed).value_or(snapTime(m_pressed, event->modifiers()));
            m_hover.reset();
            [[fallthrough]];
        case Drag::Range: {
            const int64_t toNs = snapTime(position, event->modifiers());
            m_dragged = {std::min(m_anchorNs, toNs), std::max(m_anchorNs, toNs)};
            viewport()->update();
            return;
        }
        case Drag::Pan: {
            const auto deltaNs = std::llround((m_pressed.x() - position.x()) * scale().nsPerPx());
            m_session.setFollowing(false);
            moveTo(panned(m_pressedRange, deltaNs, whole()), Motion::Direct);
            return;
        }
        case Drag::OverviewPan:
        case Drag::OverviewLeft:
        case Drag::OverviewRight:
            moveOverview(position);
            return;
        case Drag::Header:
        case Drag::RowMove:
        case Drag::RowHeight:
            dragHeader(position);
            return;
    }
}

void TimelineWidget::mouseReleaseEvent(QMouseEvent* event) {
    const Drag ended = std::exchange(m_drag, Drag::None);
    viewport()->setCursor(m_measuring ? Qt::CrossCursor : Qt::ArrowCursor);
    switch (ended) {
        case Drag::Measure:
            releaseMeasure(event->position().toPoint());
            break;
        case Drag::Click: {
            if (event->modifiers().testFlag(Qt::ShiftModifier)) {
                extendSelection(event->position().toPoint(), event->modifiers());
                break;
            }
            const std::optional<FrameHit> hit = hitAt(event->position().toPoint());
            if (hit && hit->span.count > 0)
                selectHit(*hit);
            else
                m_session.clearSelection();
            break;
        }
        case Drag::Range:
            if (!m_dragged.empty()) m_session.select({.kind = Selection::Kind::Range, .range = m_dragged});
            break;
        case Drag::Pan:
        case Drag::OverviewPan:
        case Drag::OverviewLeft:
        case Drag::OverviewRight:
            settle();
            break;
        case Drag::Header:
        case Drag::RowMove:
        case Drag::RowHeight:
            releaseHeader(ended);
            break;
        case Drag::None:
            break;
    }
    viewport()->update();
}

void TimelineWidget::mouseDoubleClickEvent(QMouseEvent* event) {
    if (event->button() != Qt::LeftButton) return;
    const QPoint position = event->position().toPoint();
    if (parts().overview.contains(position)) return zoomToWhole();
    if (const std::optional<NoteFlag> flag = noteAt(position)) return editNote(flag->places.front());
    if (m_measuring && parts().rows.united(parts().ruler).contains(position)) return;
    const std::optional<FrameHit> hit = hitAt(position);
    if (!hit || hit->span.count == 0 || m_index->rows()[hit->row]->kind == RowKind::Counter) return;
    if (hit->span.count > 1) {
        // Of a merged stretch the whole of it is what was pointed at.
        const Lane& lane = m_index->rows()[hit->row]->lanes.lanes()[hit->lane];
        const TimeRange stretch{lane.startNs(hit->span.first), lane.endNs(hit->span.first + hit->span.count - 1)};
        m_session.setFollowing(false);
        moveTo(withMargin(stretch, kItemMargin), Motion::Eased);
        return;
    }
    selectHit(*hit);
    if (target() != withMargin(m_session.selection().range, kItemMargin)) zoomToSelection();
}

void TimelineWidget::focusInEvent(QFocusEvent* event) {
    viewport()->update();
    QAbstractScrollArea::focusInEvent(event);
}

void TimelineWidget::focusOutEvent(QFocusEvent* event) {
    viewport()->update();
    QAbstractScrollArea::focusOutEvent(event);
}

// Selecting

void TimelineWidget::selectItem(RowKind kind, uint32_t tableRow) {
    const Trace& trace = m_index->trace();
    const auto select = [&](Selection::Kind what, TimeRange range, size_t row) {
        m_session.select({.kind = what, .range = range, .row = row});
    };
    switch (kind) {
        case RowKind::Stream:
        case RowKind::Copy:
            return select(Selection::Kind::DeviceOp,
                          {trace.deviceOps().startNs[tableRow], trace.deviceOps().endNs[tableRow]}, tableRow);
        case RowKind::Stage:
            return select(Selection::Kind::Stage, {trace.stages().startNs[tableRow], trace.stages().endNs[tableRow]},
                          tableRow);
        case RowKind::ApiCall:
            return select(Selection::Kind::ApiCall,
                          {trace.apiCalls().startNs[tableRow], trace.apiCalls().endNs[tableRow]}, tableRow);
        case RowKind::Range:
        case RowKind::Projection:  // stands for the range itself
        case RowKind::Wait:
            return select(Selection::Kind::UserRange,
                          {trace.ranges().startNs[tableRow], trace.ranges().endNs[tableRow]}, tableRow);
        case RowKind::Gap:
            if (m_gaps && tableRow < m_gaps->gaps.size())
                select(Selection::Kind::Gap, m_gaps->gaps.range(tableRow), tableRow);
            return;
        case RowKind::Layer:
            return select(Selection::Kind::Range, m_index->layers()[tableRow].range, 0);
        case RowKind::Overhead:  // no thing of the run: its time is what can be asked about
            return select(Selection::Kind::Range,
                          {trace.overheads().startNs[tableRow], trace.overheads().endNs[tableRow]}, 0);
        case RowKind::Token: {
            const TokenSpan& token = m_index->tokens()[tableRow];
            return select(Selection::Kind::Token, token.range, static_cast<size_t>(token.tokenRow));
        }
        case RowKind::Step:  // has no row of tokens(): known by its range
            return select(Selection::Kind::Token, m_index->steps()[tableRow].range, trace.tokens().index.size());
        case RowKind::Counters:
        case RowKind::Counter:
        case RowKind::ClockLimit:
            return;
    }
}

void TimelineWidget::selectHit(const FrameHit& hit) {
    const TimelineRow& row = *m_index->rows()[hit.row];
    if (row.kind == RowKind::Counter) return m_session.clearSelection();
    if (row.kind != RowKind::ClockLimit) return selectItem(row.kind, hit.tableRow);
    const LaneItem item = row.lanes.lanes()[hit.lane][hit.item];
    m_session.select({.kind = Selection::Kind::Range, .range = {item.startNs, item.endNs}});
}

TimelineIndex::Place TimelineWidget::selectedPlace() const {
    const Selection& selection = m_session.selection();
    if (const std::optional<RowKind> kind = rowKindOf(selection.kind))
        return m_index->placeOf(*kind, static_cast<uint32_t>(selection.row));
    if (selection.kind == Selection::Kind::Token) {
        // Tokens of a batch's step share its time, each in the row of its sequence.
        const std::vector<TokenSpan>& tokens = m_index->tokens();
        auto found = std::ranges::find_if(tokens, [&](const TokenSpan& token) {
            return token.range == selection.range && token.tokenRow == static_cast<int64_t>(selection.row);
        });
        if (found == tokens.end()) found = std::ranges::find(tokens, selection.range, &TokenSpan::range);
        if (found != tokens.end())
            return m_index->placeOf(RowKind::Token, static_cast<uint32_t>(found - tokens.begin()));
        for (size_t i = 0; i < m_index->steps().size(); ++i)
            if (m_index->steps()[i].range == selection.range)
                return m_index->placeOf(RowKind::Step, static_cast<uint32_t>(i));
    }
    return {};
}

// Of a call, of an operation, or of what ended a gap.
void TimelineWidget::findLaunch() {
    m_launch.reset();
    const Selection& selection = m_session.selection();
    const Trace& trace = m_index->trace();
    const auto row = static_cast<uint32_t>(selection.row);
    Launched launch;
    if (selection.kind == Selection::Kind::ApiCall && row < trace.apiCalls().startNs.size()) {
        launch.call = row;
    } else if (selection.kind == Selection::Kind::DeviceOp && row < trace.deviceOps().startNs.size()) {
        const std::optional<uint32_t> call = m_index->correlations().callOf(trace, row);
        if (!call) return;
        launch.call = *call;
        launch.target = row;
    } else if (selection.kind == Selection::Kind::Gap && m_gaps) {
        const std::optional<size_t> found = m_gaps->gaps.find(selection.range);
        if (!found) return;
        const Gap gap = m_gaps->gaps[*found];
        if (gap.call == kNoRow) return;
        launch.call = gap.call;
        launch.target = gap.nextOp;
    } else {
        return;
    }
    launch.operations = m_index->correlations().operationsOf(trace, launch.call);
    m_launch = std::move(launch);
}

void TimelineWidget::selectLaunch() {
    if (!m_launch || m_session.selection().kind == Selection::Kind::ApiCall) return;
    selectItem(RowKind::ApiCall, m_launch->call);
    reveal(m_session.selection().range);
}

void TimelineWidget::selectLaunched() {
    if (!m_launch || m_session.selection().kind != Selection::Kind::ApiCall || m_launch->operations.empty()) return;
    selectItem(RowKind::Stream, m_launch->operations.front());
    reveal(m_session.selection().range);
}

void TimelineWidget::selectNeighbour(Neighbour which) {
    const TimelineIndex::Place place = selectedPlace();
    const std::optional<size_t> focused = rowOfKey(m_focusedRow);
    if (focused && (place.row < 0 || (m_rowFocusMoved && static_cast<size_t>(place.row) != *focused)))
        return selectInRow(*m_index->rows()[*focused]);
    if (place.row < 0) return;
    const TimelineRow& row = *m_index->rows()[static_cast<size_t>(place.row)];
    const Lane& lane = row.lanes.lanes()[place.lane];
    if (which == Neighbour::Previous ? place.item == 0 : place.item + 1 >= lane.size()) return;
    selectItem(row.kind, lane[which == Neighbour::Previous ? place.item - 1 : place.item + 1].row);
    reveal(m_session.selection().range);
    measureToSelection();
}

// The item that holds the middle of the selection or view, else the next after it, else the last.
void TimelineWidget::selectInRow(const TimelineRow& row) {
    if (row.kind == RowKind::Counter || row.lanes.lanes().empty() || row.lanes.lanes().front().empty()) return;
    const Lane& lane = row.lanes.lanes().front();
    const TimeRange around = m_session.selection().range.empty() ? target() : m_session.selection().range;
    const size_t at = std::min(lane.firstReaching(around.startNs + around.durationNs() / 2), lane.size() - 1);
    if (row.kind == RowKind::ClockLimit)
        m_session.select({.kind = Selection::Kind::Range, .range = {lane.startNs(at), lane.endNs(at)}});
    else
        selectItem(row.kind, lane[at].row);
    reveal(m_session.selection().range);
    measureToSelection();
}

}  // namespace gapscope

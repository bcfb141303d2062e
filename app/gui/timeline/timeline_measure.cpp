// Measuring: the time between any two edges, and what one row did in it. A click or press takes the first edge, the
// next click or the release the second.
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <algorithm>

#include "app/gui/session/selection_text.h"
#include "app/gui/timeline/timeline_widget.h"
#include "core/base/format.h"
#include "core/layout/measure.h"

namespace gapscope {

namespace {

constexpr int kDragThresholdPx = 4;
constexpr int kBoxHeight = 20;

}  // namespace

void TimelineWidget::setMeasuring(bool measuring) {
    if (measuring == m_measuring) return;
    m_measuring = measuring;
    m_measureCommand->setChecked(measuring);
    m_measure.reset();
    m_snapped.reset();
    if (m_drag == Drag::Measure) m_drag = Drag::None;
    viewport()->setCursor(measuring ? Qt::CrossCursor : Qt::ArrowCursor);
    // With the keys alone: from the selected item on.
    const TimeRange range = m_session.selection().range;
    if (measuring && !range.empty()) {
        m_measure = Measured{.fromNs = range.startNs, .toNs = range.endNs, .row = measuredRow(), .fixed = true};
        sayMeasure();
    }
    viewport()->update();
}

// Where the selection lies, else the row that the keys act on.
std::string TimelineWidget::measuredRow() const {
    const TimelineIndex::Place place = selectedPlace();
    return place.row >= 0 ? m_index->rows()[static_cast<size_t>(place.row)]->key : m_focusedRow;
}

bool TimelineWidget::pressMeasure(QPoint position, Qt::KeyboardModifiers modifiers) {
    const TimelineParts where = parts();
    if (!m_measuring || !where.rows.united(where.ruler).contains(position)) return false;
    const int64_t timeNs = snapTime(position, modifiers);
    if (m_measure && !m_measure->fixed) {
        m_measure->toNs = timeNs;
        m_measure->fixed = true;
        sayMeasure();
    } else {
        const std::optional<size_t> row =
            where.rows.contains(position) ? m_frame.rowAt(position.y() - where.rows.top()) : std::nullopt;
        m_measure = Measured{.fromNs = timeNs, .toNs = timeNs, .row = row ? m_index->rows()[*row]->key : std::string()};
        m_drag = Drag::Measure;
    }
    viewport()->update();
    return true;
}

void TimelineWidget::dragMeasure(QPoint position, Qt::KeyboardModifiers modifiers) {
    const int64_t timeNs = snapTime(position, modifiers);
    if (m_measure && !m_measure->fixed) m_measure->toNs = timeNs;
    viewport()->update();
}

// A press that moved has both edges; one that did not waits for a second click.
void TimelineWidget::releaseMeasure(QPoint position) {
    if (!m_measure || std::abs(position.x() - m_pressed.x()) < kDragThresholdPx) return;
    m_measure->fixed = true;
    sayMeasure();
}

// The newly selected item's end becomes the measure's.
void TimelineWidget::measureToSelection() {
    const TimeRange range = m_session.selection().range;
    if (!m_measuring || range.empty()) return;
    if (!m_measure) m_measure = Measured{.fromNs = range.startNs, .row = measuredRow()};
    m_measure->toNs = range.startNs < m_measure->fromNs ? range.startNs : range.endNs;
    m_measure->fixed = true;
    sayMeasure();
}

std::optional<TimeRange> TimelineWidget::measured() const {
    if (!m_measure) return std::nullopt;
    return TimeRange{std::min(m_measure->fromNs, m_measure->toNs), std::max(m_measure->fromNs, m_measure->toNs)};
}

QString TimelineWidget::measureText() const {
    const std::optional<TimeRange> range = measured();
    if (!range) return {};
    QString reading = gapscope::text(formatDuration(range->durationNs()));
    const std::optional<size_t> at = rowOfKey(m_measure->row);
    if (!at || range->empty()) return reading;
    const TimelineRow& row = *m_index->rows()[*at];
    if (row.lanes.lanes().empty()) return reading;
    const RowMeasure measure = measureRow(row, *range);
    const double share = static_cast<double>(measure.busyNs) / static_cast<double>(range->durationNs());
    return tr("%1 · %2, %3 (%4) of it in %5")
        .arg(reading, counted(measure.count, tr("%1 item"), tr("%1 items")),
             gapscope::text(formatDuration(measure.busyNs)), gapscope::text(formatPercent(share)),
             gapscope::text(row.title));
}

void TimelineWidget::sayMeasure() {
    setAccessibleDescription(tr("Measured: %1").arg(measureText()));
}

void TimelineWidget::paintMeasure(QPainter& painter) {
    if (!m_measuring) return;
    const TimelineParts where = parts();
    const QColor color = theme().launchLink;
    painter.save();
    painter.setFont(rowFont());
    painter.setClipRect(where.rows.united(where.ruler));
    const double pixel = 1.0 / painter.device()->devicePixelRatioF();
    const auto line = [&](int64_t timeNs) {
        const double x = std::round((where.rows.left() + m_frame.scale.xOf(timeNs)) / pixel) * pixel;
        painter.fillRect(QRectF(x, where.ruler.top(), pixel, where.rows.bottom() + 1 - where.ruler.top()), color);
        return x;
    };
    const auto box = [&](QPointF centre, const QString& text) {
        const double width = QFontMetricsF(rowFont()).horizontalAdvance(text) + 14;
        const double x = std::clamp(centre.x() - width / 2, where.rows.left() + 2.0,
                                    std::max(where.rows.left() + 2.0, where.rows.right() - 2 - width));
        const QRectF ground(std::round(x), std::round(centre.y() - kBoxHeight / 2.0), std::ceil(width), kBoxHeight);
        painter.setRenderHint(QPainter::Antialiasing);
        painter.setPen(QPen(color, 1));
        painter.setBrush(theme().headerBackground);
        painter.drawRoundedRect(ground.adjusted(0.5, 0.5, -0.5, -0.5), 3, 3);
        painter.setPen(theme().text);
        painter.drawText(ground, Qt::AlignCenter, text);
    };
    if (m_measure) {
        const double x0 = line(m_measure->fromNs), x1 = line(m_measure->toNs);
        const std::optional<size_t> at = rowOfKey(m_measure->row);
        const int half = at && *at < m_frame.places.size() ? m_frame.places[*at].height / 2 : 0;
        const double y =
            std::clamp(where.rows.top() + (at ? m_frame.rowY(*at) + half : 0.0), where.rows.top() + kBoxHeight + 4.0,
                       std::max(where.rows.top() + kBoxHeight + 4.0, where.rows.bottom() - kBoxHeight - 4.0));
        painter.fillRect(QRectF(std::min(x0, x1), y - 0.5, std::abs(x1 - x0), 1.5), color);
        const double left = std::max<double>(std::min(x0, x1), where.rows.left());
        const double right = std::min<double>(std::max(x0, x1), where.rows.right());
        box({(left + right) / 2, y - kBoxHeight / 2.0 - 4}, measureText());
    } else {
        box({where.rows.left() + 0.0, where.rows.bottom() - kBoxHeight / 2.0 - 6},
            tr("Measure: click two edges, or drag. Alt: not to edges. R: as a range. Esc ends."));
    }
    painter.restore();
    if (m_snapped && (!m_measure || !m_measure->fixed)) paintSnap(painter);
}

}  // namespace gapscope

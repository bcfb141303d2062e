#include "app/gui/timeline/timeline_painter.h"

#include <QPainterPath>
#include <algorithm>
#include <array>
#include <cmath>

#include "app/gui/session/selection_text.h"
#include "app/gui/timeline/span_painter.h"
#include "core/base/format.h"

namespace gapscope {

namespace {

constexpr int kOverviewHeight = 36;
constexpr int kRulerHeight = 24;
constexpr int kNotesHeight = 20;
constexpr int kLegendHeight = 20;
constexpr int kLowestWithLegend = 220;  // below, rows need the room more
constexpr int kWidestHeader = 176;
constexpr int kHeaderIndent = 18;  // px before a name: room for the fold mark

// To whole device pixels, so that edges are sharp at any scale factor.
double snapped(const QPainter& painter, double x) {
    const double ratio = painter.device()->devicePixelRatioF();
    return std::round(x * ratio) / ratio;
}

double devicePixel(const QPainter& painter) {
    return 1.0 / painter.device()->devicePixelRatioF();
}

double counterY(const FrameCounter& shown, const QRect& rows, double value) {
    const double share = std::clamp(value / shown.top, 0.0, 1.0);
    return rows.top() + shown.y + shown.height - share * (shown.height - 3);
}

}  // namespace

TimelineParts timelineParts(QSize viewport, NoteStrip notes) {
    const int header = std::min(kWidestHeader, viewport.width() / 3);
    const int strip = notes == NoteStrip::Shown ? kNotesHeight : 0;
    const int top = kOverviewHeight + kRulerHeight + strip;
    const int legend = viewport.height() >= kLowestWithLegend ? kLegendHeight : 0;
    const int height = std::max(0, viewport.height() - top - legend);
    return {.overview = QRect(header, 0, viewport.width() - header, kOverviewHeight),
            .ruler = QRect(header, kOverviewHeight, viewport.width() - header, kRulerHeight),
            .notes = QRect(header, top - strip, viewport.width() - header, strip),
            .headers = QRect(0, top, header, height),
            .rows = QRect(header, top, viewport.width() - header, height),
            .legend = QRect(0, top + height, viewport.width(), legend)};
}

TimelinePainter::TimelinePainter(const Theme& theme, const TimelineIndex& index, const TimelineLabels& labels)
    : m_theme(theme),
      m_index(index),
      m_labels(labels),
      m_font(labels.cache().font()),
      m_metrics(labels.cache().metrics()) {}

void TimelinePainter::paintRows(QPainter& painter, const TimelineFrame& frame, const QRect& rows,
                                const Selection& selection) const {
    painter.save();
    painter.setFont(m_font);
    painter.fillRect(rows, m_theme.background);
    SpanPainter spans(painter, m_theme, m_index, m_labels, rows, selection);
    paintArea(painter, frame, rows, false, spans);
    if (frame.pinnedHeight > 0) paintArea(painter, frame, rows, true, spans);
    painter.restore();
}

QRect TimelinePainter::areaOf(const TimelineFrame& frame, const QRect& rows, bool pinned) {
    return pinned ? QRect(rows.left(), rows.top(), rows.width(), std::min(rows.height(), frame.pinnedHeight))
                  : rows.adjusted(0, frame.pinnedHeight, 0, 0);
}

void TimelinePainter::paintArea(QPainter& painter, const TimelineFrame& frame, const QRect& rows, bool pinned,
                                SpanPainter& spans) const {
    const QRect area = areaOf(frame, rows, pinned);
    spans.setArea(area);
    for (const FrameLane& lane : frame.lanes) {
        if (lane.pinned != pinned) continue;
        const TimelineRow& row = *m_index.rows()[lane.row];
        const QRect band(rows.left(), rows.top() + lane.y, rows.width(), lane.height);
        if (row.kind == RowKind::Stream || row.kind == RowKind::Token) painter.fillRect(band, m_theme.backgroundBand);
        painter.fillRect(QRect(band.left(), band.bottom() + 1, band.width(), 1), m_theme.line);
    }
    for (size_t r = 1; r < frame.places.size(); ++r) {
        const int y = frame.rowY(r);
        if (frame.places[r].pinned != pinned || y < 0 || y > frame.height || !m_index.rows()[r]->startsGroup) continue;
        painter.fillRect(QRect(rows.left(), rows.top() + y - kGroupSpacing / 2 - 1, rows.width(), 1),
                         m_theme.lineStrong);
    }
    BoxFiller plots(painter);
    plots.setClip(area);
    for (const FrameCounter& shown : frame.counters)
        if (shown.pinned == pinned) paintCounter(painter, plots, shown, rows);
    for (const FrameLane& shown : frame.lanes)
        if (shown.pinned == pinned) spans.paintLane(shown);
    if (pinned) painter.fillRect(QRect(area.left(), area.bottom() - 1, area.width(), 2), m_theme.lineStrong);
}

void TimelinePainter::paintCounter(QPainter& painter, const BoxFiller& boxes, const FrameCounter& shown,
                                   const QRect& rows) const {
    const double ratio = painter.device()->devicePixelRatioF();
    const auto edge = [ratio](double at) { return static_cast<int>(std::floor(at * ratio + 0.5)); };
    const int thick = std::max(1, edge(1.25));
    const int bottom = edge(rows.top() + shown.y + shown.height);
    painter.fillRect(QRectF(rows.left(), rows.top() + shown.y + shown.height, rows.width(), 1), m_theme.line);
    const QRgb line = m_theme.counterLine.rgb(), fill = m_theme.counterFill.rgb();
    const QRgb span = mixed(m_theme.counterLine, m_theme.background, 0.45).rgb();
    const auto yOf = [&](double value) { return edge(counterY(shown, rows, value)); };
    bool isJoined = false;  // to a column before
    int former = 0;         // its mean
    for (size_t x = 0; x < shown.columns.size();) {
        const CounterColumn& column = shown.columns[x];
        size_t end = x + 1;
        if (!column.known) {
            isJoined = false;
            x = end;
            continue;
        }
        // Columns that say the same are one box.
        if (column.least == column.greatest)
            while (end < shown.columns.size() && shown.columns[end].known && shown.columns[end].least == column.least &&
                   shown.columns[end].greatest == column.greatest)
                ++end;
        const int left = edge(rows.left() + static_cast<double>(x));
        const int right = edge(rows.left() + static_cast<double>(end));
        const int mean = yOf(column.mean);
        boxes.fill(left, mean, right, bottom, fill);
        if (column.least < column.greatest)
            boxes.fill(left, yOf(column.greatest), right, yOf(column.least) + thick, span);
        boxes.fill(left, mean, right, mean + thick, line);
        // A step between two columns is no hole in the line.
        if (isJoined && former != mean)
            boxes.fill(left, std::min(former, mean), std::min(right, left + thick), std::max(former, mean) + thick,
                       line);
        isJoined = true;
        former = mean;
        x = end;
    }
}

void TimelinePainter::paintHeaders(QPainter& painter, const TimelineFrame& frame, const QRect& headers) const {
    painter.save();
    painter.setClipRect(headers);
    painter.fillRect(headers, m_theme.headerBackground);
    for (const bool pinned : {false, true}) {
        const QRect area = areaOf(frame, headers, pinned);
        painter.setClipRect(area);
        for (size_t r = 0; r < frame.places.size(); ++r) {
            const int y = headers.top() + frame.rowY(r);
            if (frame.places[r].pinned != pinned || y + frame.places[r].height < area.top() || y > area.bottom())
                continue;
            paintHeader(painter, frame, r, QRect(headers.left(), y, headers.width(), frame.places[r].height));
        }
        if (pinned && frame.pinnedHeight > 0)
            painter.fillRect(QRect(area.left(), area.bottom() - 1, area.width(), 2), m_theme.lineStrong);
    }
    painter.setClipRect(headers);
    painter.fillRect(QRect(headers.right(), headers.top(), 1, headers.height()), m_theme.lineStrong);
    painter.restore();
}

void TimelinePainter::paintHeader(QPainter& painter, const TimelineFrame& frame, size_t r, const QRect& box) const {
    const TimelineRow& row = *m_index.rows()[r];
    QFont bold = m_font;
    bold.setWeight(QFont::DemiBold);
    if (r > 0 && row.startsGroup)
        painter.fillRect(QRect(box.left(), box.top() - kGroupSpacing / 2 - 1, box.width(), 1), m_theme.lineStrong);
    const int lineHeight = std::min(box.height(), std::max(frame.places[r].laneHeight, kNarrowHeight));
    QRect line(box.left() + kHeaderIndent, box.top(), box.width() - kHeaderIndent - 6, lineHeight);
    if (!row.pinned &&
        (row.kind == RowKind::Counters || row.kind == RowKind::Counter || row.kind == RowKind::ClockLimit))
        line.setLeft(line.left() + (row.kind == RowKind::Counters ? 0 : kHeaderIndent / 2));
    if (!row.folds.empty()) paintFold(painter, QPointF(line.left() - 9, line.center().y() + 0.5), row.folded);
    if (row.pinned) paintPin(painter, QPointF(line.left() - 9, line.center().y() + 0.5));
    if (row.kind == RowKind::Counter) paintAxis(painter, row, line);
    if (r < frame.busy.size() && frame.busy[r]) {
        const QString share =
            *frame.busy[r] > 0 ? gapscope::text(formatPercent(*frame.busy[r])) : QStringLiteral("0 %");
        QString busy = row.kind == RowKind::Gap ? QObject::tr("busy %1").arg(share) : share;
        // Where both do not fit, the row's name goes before the figure, which the tooltip has too.
        const double room = line.width() - 8 -
                            QFontMetricsF(row.startsGroup ? bold : m_font).horizontalAdvance(gapscope::text(row.title));
        if (m_metrics.horizontalAdvance(busy) > room)
            busy = m_metrics.horizontalAdvance(share) > room ? QString() : share;
        painter.setFont(m_font);
        painter.setPen(m_theme.mutedText);
        painter.drawText(line, Qt::AlignVCenter | Qt::AlignRight, busy);
        if (!busy.isEmpty()) line.setRight(line.right() - static_cast<int>(m_metrics.horizontalAdvance(busy)) - 8);
    }
    painter.setFont(row.startsGroup ? bold : m_font);
    painter.setPen(row.startsGroup ? m_theme.text : m_theme.mutedText);
    const QString title =
        QFontMetrics(painter.font()).elidedText(gapscope::text(row.title), Qt::ElideRight, line.width());
    painter.drawText(line, Qt::AlignVCenter | Qt::AlignLeft, title);
}

// A pin's head and needle before the name of a row that does not scroll.
void TimelinePainter::paintPin(QPainter& painter, QPointF centre) const {
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    painter.setBrush(m_theme.accent);
    painter.drawEllipse(centre + QPointF(0, -2), 2.5, 2.5);
    painter.drawRect(QRectF(centre.x() - 0.6, centre.y(), 1.2, 5));
    painter.restore();
}

void TimelinePainter::paintDropLine(QPainter& painter, const QRect& headers, const QRect& rows, int y) const {
    painter.fillRect(QRect(headers.left(), headers.top() + y - 1, headers.width() + rows.width(), 2), m_theme.accent);
}

void TimelinePainter::paintRowFocus(QPainter& painter, const QRect& header, const QRect& row) const {
    painter.save();
    QColor line = m_theme.accent;
    painter.setPen(QPen(line, 2));
    painter.setBrush(Qt::NoBrush);
    painter.drawRect(QRectF(header).adjusted(3, 0, -2, 0));
    line.setAlpha(110);
    painter.fillRect(QRect(row.left(), row.top() - 1, row.width(), 1), line);
    painter.fillRect(QRect(row.left(), row.bottom() + 1, row.width(), 1), line);
    painter.restore();
}

// The little triangle before a name behind which rows are folded away.
void TimelinePainter::paintFold(QPainter& painter, QPointF centre, bool folded) const {
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    painter.setBrush(m_theme.mutedText);
    painter.translate(centre);
    if (folded) painter.rotate(-90);
    painter.drawPolygon(QPolygonF({{-4, -2}, {4, -2}, {0, 3}}));
    painter.restore();
}

// What the edges of a plot stand for. Takes its room from the right of `line`.
void TimelinePainter::paintAxis(QPainter& painter, const TimelineRow& row, QRect& line) const {
    QFont small = m_font;
    small.setPixelSize(10);
    painter.setFont(small);
    painter.setPen(m_theme.mutedText);
    const QString top = plotAxisText(row, plotTop(row));
    painter.drawText(line.adjusted(0, 1, 0, 0), Qt::AlignTop | Qt::AlignRight, top);
    painter.drawText(line, Qt::AlignBottom | Qt::AlignRight, QStringLiteral("0"));
    line.setRight(line.right() - QFontMetrics(small).horizontalAdvance(top) - 8);
}

void TimelinePainter::paintRuler(QPainter& painter, const std::vector<RulerTick>& ticks, const QRect& ruler,
                                 int headerWidth) const {
    painter.save();
    painter.setFont(m_font);
    painter.fillRect(ruler.adjusted(-headerWidth, 0, 0, 0), m_theme.headerBackground);
    painter.setClipRect(ruler);
    const double pixel = devicePixel(painter);
    for (const RulerTick& tick : ticks) {
        const double x = snapped(painter, ruler.left() + tick.x);
        const int height = tick.major ? 9 : 4;
        painter.fillRect(QRectF(x, ruler.bottom() + 1 - height, pixel, height),
                         tick.major ? m_theme.mutedText : m_theme.lineStrong);
        if (!tick.major) continue;
        // A label cut at the edge reads as another number.
        if (x + 4 + m_metrics.horizontalAdvance(gapscope::text(tick.label)) > ruler.right()) continue;
        painter.setPen(m_theme.mutedText);
        painter.drawText(QRectF(x + 4, ruler.top(), 200, ruler.height() - 5), Qt::AlignLeft | Qt::AlignVCenter,
                         gapscope::text(tick.label));
    }
    painter.setClipping(false);
    painter.fillRect(QRect(ruler.left() - headerWidth, ruler.bottom(), ruler.width() + headerWidth, 1),
                     m_theme.lineStrong);
    painter.restore();
}

void TimelinePainter::paintOverview(QPainter& painter, const std::vector<std::vector<DensityColumn>>& devices,
                                    const QRect& overview) const {
    painter.fillRect(QRect(0, overview.top(), overview.right() + 1, overview.height()), m_theme.headerBackground);
    const QRect inner = overview.adjusted(0, 4, 0, -4);
    painter.fillRect(inner, m_theme.background);
    if (devices.empty()) return;
    BoxFiller boxes(painter);
    boxes.setClip(overview);
    const double ratio = painter.device()->devicePixelRatioF();
    const auto edge = [ratio](double at) { return static_cast<int>(std::floor(at * ratio + 0.5)); };
    std::array<QRgb, kTintCount> colors;
    for (uint8_t tint = 0; tint < kTintCount; ++tint)
        colors[tint] = deviceColor(m_theme, tint, m_index.colourBy()).rgb();
    // One strip a device, as long as they can be told apart.
    const size_t strips = std::min<size_t>(devices.size(), 4);
    const double stripHeight = static_cast<double>(inner.height()) / static_cast<double>(strips);
    for (size_t d = 0; d < strips; ++d) {
        const double bottom = inner.top() + stripHeight * static_cast<double>(d + 1);
        for (size_t c = 0; c < devices[d].size(); ++c) {
            const DensityColumn& column = devices[d][c];
            if (column.busy <= 0) continue;
            const double height = std::clamp(stripHeight * static_cast<double>(column.busy), 1.0, stripHeight);
            const int left = overview.left() + static_cast<int>(c) * 2;
            boxes.fill(edge(left), edge(bottom - height), edge(left + 2), edge(bottom), colors[column.tint]);
        }
    }
}

void TimelinePainter::paintOverviewHandle(QPainter& painter, const QRectF& handle, const QRect& overview) const {
    painter.save();
    painter.setClipRect(overview);
    QColor veil = m_theme.headerBackground;
    veil.setAlpha(165);
    const QRectF whole(overview.adjusted(0, 4, 0, -4));
    painter.fillRect(QRectF(whole.left(), whole.top(), handle.left() - whole.left(), whole.height()), veil);
    painter.fillRect(QRectF(handle.right(), whole.top(), whole.right() - handle.right(), whole.height()), veil);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(m_theme.accent, 1.5));
    painter.drawRoundedRect(handle.adjusted(0.75, 2.5, -0.75, -2.5), 2, 2);
    // Grips: the edges can be dragged.
    painter.setPen(Qt::NoPen);
    painter.setBrush(m_theme.accent);
    if (handle.width() > 14)
        for (const double x : {handle.left(), handle.right() - 3})
            painter.drawRoundedRect(QRectF(x, handle.center().y() - 7, 3, 14), 1.5, 1.5);
    painter.restore();
}

// On the ruler over the range's middle, kept in sight.
QRectF TimelinePainter::readoutBox(double x0, double x1, const QRect& ruler, const QString& readout) const {
    const double width = m_metrics.horizontalAdvance(readout) + 12;
    const double middle = ruler.left() + (std::max(x0, 0.0) + std::min(x1, ruler.width() - 1.0)) / 2;
    const double x =
        std::clamp(middle - width / 2, double(ruler.left()), std::max(double(ruler.left()), ruler.right() - width));
    return {std::round(x), ruler.top() + 2.0, width, ruler.height() - 5.0};
}

void TimelinePainter::paintRange(QPainter& painter, double x0, double x1, const QRect& rows, const QRect& ruler,
                                 const QString& readout) const {
    painter.save();
    painter.setFont(m_font);
    const double left = snapped(painter, rows.left() + x0);
    const double right = std::max(snapped(painter, rows.left() + x1), left + devicePixel(painter));
    painter.setClipRect(rows.united(ruler));
    painter.fillRect(QRectF(left, rows.top(), right - left, rows.height()), m_theme.selectionFill);
    for (const double x : {left, right - devicePixel(painter)})
        painter.fillRect(QRectF(x, ruler.top(), devicePixel(painter), rows.bottom() + 1 - ruler.top()), m_theme.accent);
    if (!readout.isEmpty()) {
        const QRectF box = readoutBox(x0, x1, ruler, readout);
        painter.setRenderHint(QPainter::Antialiasing);
        painter.setPen(Qt::NoPen);
        painter.setBrush(m_theme.accent);
        painter.drawRoundedRect(box, 3, 3);
        painter.setPen(textOn(m_theme.accent));
        painter.drawText(box, Qt::AlignCenter, readout);
    }
    painter.restore();
}

void TimelinePainter::paintOutline(QPainter& painter, const QRectF& box, const QColor& color, double width) const {
    const double left = snapped(painter, box.left());
    const double right = std::max(snapped(painter, box.right()), left + 3 * devicePixel(painter));
    const QRectF frame(left, box.top(), right - left, box.height());
    // Four filled edges: sharp at every scale, where a stroked rectangle would lie across pixels.
    painter.fillRect(QRectF(frame.left() - width, frame.top() - width, frame.width() + 2 * width, width), color);
    painter.fillRect(QRectF(frame.left() - width, frame.bottom(), frame.width() + 2 * width, width), color);
    painter.fillRect(QRectF(frame.left() - width, frame.top(), width, frame.height()), color);
    painter.fillRect(QRectF(frame.right(), frame.top(), width, frame.height()), color);
}

void TimelinePainter::paintLink(QPainter& painter, QPointF from, QPointF to) const {
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    const double bend = std::max(12.0, std::abs(to.y() - from.y()) * 0.5);
    const double sign = to.y() >= from.y() ? 1 : -1;
    QPainterPath path(from);
    path.cubicTo(from + QPointF(0, sign * bend), to - QPointF(0, sign * bend), to - QPointF(0, sign * 5));
    // A pale edge keeps the line readable over boxes of any colour.
    painter.setBrush(Qt::NoBrush);
    painter.setPen(QPen(m_theme.background, 4));
    painter.drawPath(path);
    painter.setPen(QPen(m_theme.launchLink, 2));
    painter.drawPath(path);
    painter.setPen(QPen(m_theme.background, 1));
    painter.setBrush(m_theme.launchLink);
    painter.drawPolygon(QPolygonF({to, to + QPointF(-4.5, -sign * 8), to + QPointF(4.5, -sign * 8)}));
    painter.restore();
}

void TimelinePainter::paintReading(QPainter& painter, const FrameCounter& shown, const QRect& rows, double x,
                                   double value, const QString& text) const {
    painter.save();
    painter.setClipRect(rows);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setFont(m_font);
    painter.setPen(QPen(m_theme.background, 1.5));
    painter.setBrush(m_theme.counterLine);
    painter.drawEllipse(QPointF(rows.left() + x, counterY(shown, rows, value)), 4, 4);
    // To the right of the pointer, or to its left where there is no room; on a ground of its own.
    const double width = m_metrics.horizontalAdvance(text) + 10;
    const bool fits = x + 9 + width <= rows.width();
    const QRectF box(rows.left() + (fits ? x + 9 : x - 9 - width), rows.top() + shown.y + (shown.height - 18) / 2.0,
                     width, 18);
    painter.setPen(m_theme.lineStrong);
    painter.setBrush(m_theme.background);
    painter.drawRoundedRect(box, 3, 3);
    painter.setPen(m_theme.text);
    painter.drawText(box, Qt::AlignCenter, text);
    painter.restore();
}

void TimelinePainter::paintPointer(QPainter& painter, double x, const QRect& rows, const QRect& ruler,
                                   const QString& time, const QRectF& readout) const {
    painter.save();
    painter.setFont(m_font);
    QColor line = m_theme.mutedText;
    line.setAlpha(110);
    const double left = snapped(painter, x);
    painter.fillRect(QRectF(left, ruler.top(), devicePixel(painter), rows.bottom() + 1 - ruler.top()), line);
    const double width = m_metrics.horizontalAdvance(time) + 8;
    const double labelX = std::min(left + 1, ruler.right() + 1 - width);
    QRectF box(labelX, ruler.top() + 2, width, ruler.height() - 12);
    if (box.intersects(readout)) {
        box.moveLeft(readout.right() + 1);
        if (box.right() > ruler.right() + 1) box.moveRight(readout.left() - 1);
    }
    painter.fillRect(box.adjusted(0, -1, 0, 3), m_theme.headerBackground);
    painter.setPen(m_theme.text);
    painter.drawText(box, Qt::AlignCenter, time);
    painter.restore();
}

}  // namespace gapscope

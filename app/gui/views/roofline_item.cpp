#include "app/gui/views/roofline_item.h"

#include <algorithm>
#include <cmath>

#include "app/gui/session/selection_text.h"
#include "app/gui/settings/appearance.h"
#include "core/base/format.h"

namespace gapscope {
namespace {

constexpr double kSmallest = 3.5;  // px
constexpr double kLargest = 14;
constexpr double kReach = 4;  // px beside a point that still hit it

}  // namespace

RooflineItem::RooflineItem(QCustomPlot* plot) : QCPAbstractItem(plot) {
    setClipToAxisRect(true);
}

void RooflineItem::setRoofs(double bytesPerSecond, double flopsPerSecond) {
    m_bytesPerSecond = bytesPerSecond;
    m_flopsPerSecond = flopsPerSecond;
}

void RooflineItem::setPoints(std::vector<Point> points) {
    m_points = std::move(points);
    std::ranges::stable_sort(m_points, std::ranges::greater{}, &Point::timeShare);
}

void RooflineItem::setMarked(int row) {
    m_marked = row;
}
void RooflineItem::setHovered(int row) {
    m_hovered = row;
}

double RooflineItem::radiusOf(const Point& point) {
    return kSmallest + (kLargest - kSmallest) * std::sqrt(std::clamp(point.timeShare, 0.0, 1.0));
}

QPointF RooflineItem::placeOf(const Point& point) const {
    return {mParentPlot->xAxis->coordToPixel(point.intensity), mParentPlot->yAxis->coordToPixel(point.flopsPerSecond)};
}

int RooflineItem::rowAt(const QPointF& place) const {
    for (auto point = m_points.rbegin(); point != m_points.rend(); ++point) {
        const QPointF offset = place - placeOf(*point);
        if (std::hypot(offset.x(), offset.y()) <= radiusOf(*point) + kReach) return point->row;
    }
    return -1;
}

double RooflineItem::selectTest(const QPointF& place, bool onlySelectable, QVariant*) const {
    if (onlySelectable && !mSelectable) return -1;
    return rowAt(place) >= 0 ? 0 : -1;
}

void RooflineItem::drawRoofs(QCPPainter* painter) {
    const Theme& theme = appTheme();
    const QCPAxis* x = mParentPlot->xAxis;
    const QCPAxis* y = mParentPlot->yAxis;
    const double left = x->range().lower, right = x->range().upper;
    const double ridge = m_bytesPerSecond > 0 && m_flopsPerSecond > 0 ? m_flopsPerSecond / m_bytesPerSecond : 0;
    QFont small = mParentPlot->font();
    small.setPointSizeF(small.pointSizeF() * 0.85);
    painter->setFont(small);
    const QFontMetricsF metrics(small);
    const QRect area = mParentPlot->axisRect()->rect();
    painter->setPen(QPen(theme.mutedText, 1.4));
    if (m_bytesPerSecond > 0) {
        const double end = ridge > 0 ? std::min(ridge, right) : right;
        if (end > left) {
            const QPointF from(x->coordToPixel(left), y->coordToPixel(left * m_bytesPerSecond));
            const QPointF to(x->coordToPixel(end), y->coordToPixel(end * m_bytesPerSecond));
            painter->drawLine(from, to);
            // Its name where it enters the picture.
            const double shownFrom = std::max(left, y->range().lower / m_bytesPerSecond);
            const QPointF at(x->coordToPixel(shownFrom), y->coordToPixel(shownFrom * m_bytesPerSecond));
            painter->save();
            painter->translate(at);
            painter->rotate(std::atan2(to.y() - from.y(), to.x() - from.x()) * 180 / 3.14159265358979);
            painter->drawText(QPointF(8, -4), tr("memory %1").arg(text(formatRate(m_bytesPerSecond, "B/s"))));
            painter->restore();
        }
    }
    if (m_flopsPerSecond > 0) {
        const double height = y->coordToPixel(m_flopsPerSecond);
        const double begin = ridge > 0 ? x->coordToPixel(std::clamp(ridge, left, right)) : area.left();
        painter->drawLine(QPointF(begin, height), QPointF(area.right(), height));
        const QString name = tr("arithmetic %1").arg(text(formatRate(m_flopsPerSecond, "FLOP/s")));
        painter->drawText(QPointF(area.right() - metrics.horizontalAdvance(name) - 6, height - 4), name);
    }
}

void RooflineItem::draw(QCPPainter* painter) {
    const Theme& theme = appTheme();
    painter->setAntialiasing(true);
    drawRoofs(painter);
    for (const Point& point : m_points) {
        const bool stands = point.row == m_marked || point.row == m_hovered;
        QColor color = point.color;
        if (m_marked >= 0 && !stands) color.setAlphaF(0.4F);
        painter->setBrush(point.ring ? Qt::NoBrush : QBrush(color));
        painter->setPen(stands       ? QPen(theme.text, 2)
                        : point.ring ? QPen(color, 2)
                                     : QPen(mParentPlot->palette().color(QPalette::Base), 1));
        const double radius = radiusOf(point);
        painter->drawEllipse(placeOf(point), radius, radius);
    }
}

}  // namespace gapscope

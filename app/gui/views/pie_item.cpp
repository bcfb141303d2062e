#include "app/gui/views/pie_item.h"

#include <cmath>

#include "app/gui/settings/appearance.h"

namespace gapscope {
namespace {

constexpr double kHoleShare = 0.66;  // of the radius
constexpr double kMargin = 7;        // room for a lifted slice
constexpr double kLift = 5;
constexpr double kPi = 3.14159265358979323846;

// The font, made smaller where `text` would be wider than `width`: the ring must not touch its own total.
QFont fitted(QFont font, const QString& text, double width) {
    const double needed = QFontMetricsF(font).horizontalAdvance(text);
    if (needed > width && width > 0) font.setPointSizeF(font.pointSizeF() * width / needed);
    return font;
}

// Angles run clockwise from the top, as shares of a turn.
QPointF direction(double turn) {
    return {std::sin(turn * 2 * kPi), -std::cos(turn * 2 * kPi)};
}

}  // namespace

PieItem::PieItem(QCustomPlot* plot) : QCPAbstractItem(plot), centre(createPosition(QStringLiteral("centre"))) {
    centre->setType(QCPItemPosition::ptViewportRatio);
    centre->setCoords(0.5, 0.5);
    setClipToAxisRect(false);
}

void PieItem::setSlices(std::vector<Slice> slices) {
    m_slices = std::move(slices);
}

void PieItem::setCentreText(const QString& value, const QString& caption) {
    m_value = value;
    m_caption = caption;
}

void PieItem::setLifted(int slice) {
    m_lifted = slice;
}
void PieItem::setHovered(int slice) {
    m_hovered = slice;
}

double PieItem::radius() const {
    return std::max(10.0, std::min(mParentPlot->width(), mParentPlot->height()) / 2.0 - kMargin);
}

double PieItem::total() const {
    double sum = 0;
    for (const Slice& slice : m_slices)
        sum += slice.value;
    return sum;
}

int PieItem::sliceAt(const QPointF& point) const {
    const QPointF offset = point - centre->pixelPosition();
    const double distance = std::hypot(offset.x(), offset.y());
    const double sum = total();
    if (sum <= 0 || distance > radius() + kLift || distance < radius() * kHoleShare) return -1;
    double turn = std::atan2(offset.x(), -offset.y()) / (2 * kPi);
    if (turn < 0) turn += 1;
    double end = 0;
    for (size_t i = 0; i < m_slices.size(); ++i) {
        end += m_slices[i].value / sum;
        if (turn < end) return static_cast<int>(i);
    }
    return static_cast<int>(m_slices.size()) - 1;  // rounding at the very end of the turn
}

QPointF PieItem::middleOf(int slice) const {
    double before = 0;
    for (int i = 0; i < slice; ++i)
        before += m_slices[static_cast<size_t>(i)].value;
    const double turn = (before + m_slices[static_cast<size_t>(slice)].value / 2) / total();
    return centre->pixelPosition() + direction(turn) * radius() * (1 + kHoleShare) / 2;
}

double PieItem::selectTest(const QPointF& point, bool onlySelectable, QVariant* details) const {
    if (onlySelectable && !mSelectable) return -1;
    const int slice = sliceAt(point);
    if (slice < 0) return -1;
    if (details) details->setValue(slice);
    return 0;
}

void PieItem::draw(QCPPainter* painter) {
    const Theme& theme = appTheme();
    const QPointF middle = centre->pixelPosition();
    const double outer = radius();
    const double sum = total();
    painter->setAntialiasing(true);
    if (sum <= 0) {
        painter->setPen(QPen(theme.line, outer * (1 - kHoleShare)));
        painter->setBrush(Qt::NoBrush);
        const double ring = outer * (1 + kHoleShare) / 2;
        painter->drawEllipse(middle, ring, ring);
    }
    double begin = 0;
    for (size_t i = 0; i < m_slices.size() && sum > 0; ++i) {
        const double share = m_slices[i].value / sum;
        const bool lifted = static_cast<int>(i) == m_lifted;
        const double stretch = lifted || static_cast<int>(i) == m_hovered ? kLift : 0;
        const QRectF outerBox(middle.x() - outer - stretch, middle.y() - outer - stretch, 2 * (outer + stretch),
                              2 * (outer + stretch));
        const double hole = outer * kHoleShare;
        const QRectF innerBox(middle.x() - hole, middle.y() - hole, 2 * hole, 2 * hole);
        // Qt counts degrees anticlockwise from the right.
        const double from = 90 - begin * 360;
        const double sweep = -share * 360;
        QPainterPath path;
        path.arcMoveTo(outerBox, from);
        path.arcTo(outerBox, from, sweep);
        path.arcTo(innerBox, from + sweep, -sweep);
        path.closeSubpath();
        QColor color = m_slices[i].color;
        if (m_lifted >= 0 && !lifted) color.setAlphaF(0.35F);
        painter->setBrush(color);
        // A seam in the card's colour keeps neighbours apart; a single slice needs none.
        painter->setPen(m_slices.size() > 1 ? QPen(mParentPlot->palette().color(QPalette::Base), 1.2)
                                            : QPen(Qt::NoPen));
        painter->drawPath(path);
        begin += share;
    }
    // Both lines stand half a line off the centre, where the hole is narrower than its diameter.
    const double hole = outer * kHoleShare;
    const double reach = std::min(16.0, hole);
    const double textWidth = 2 * std::sqrt(hole * hole - reach * reach) * 0.92;
    QFont font = mParentPlot->font();
    font.setBold(true);
    font.setPointSizeF(font.pointSizeF() * 1.15);
    painter->setFont(fitted(font, m_value, textWidth));
    painter->setPen(theme.text);
    painter->drawText(QRectF(middle.x() - hole, middle.y() - 18, 2 * hole, 18), Qt::AlignCenter, m_value);
    font = mParentPlot->font();
    font.setPointSizeF(font.pointSizeF() * 0.85);
    painter->setFont(fitted(font, m_caption, textWidth));
    painter->setPen(theme.mutedText);
    painter->drawText(QRectF(middle.x() - hole, middle.y(), 2 * hole, 16), Qt::AlignCenter, m_caption);
}

}  // namespace gapscope

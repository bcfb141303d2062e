#include "app/gui/timeline/box_filler.h"

#include <algorithm>
#include <cmath>

namespace gapscope {

BoxFiller::BoxFiller(QPainter& painter, const QRect& clip) : m_painter(painter) {
    auto* const image = dynamic_cast<QImage*>(painter.device());
    const bool isPlain =
        image && painter.transform().isIdentity() &&
        (image->format() == QImage::Format_RGB32 || image->format() == QImage::Format_ARGB32_Premultiplied);
    if (!isPlain) return;
    m_image = image;
    m_ratio = image->devicePixelRatio();
    const QRectF wanted(clip.x() * m_ratio, clip.y() * m_ratio, clip.width() * m_ratio, clip.height() * m_ratio);
    m_clip = wanted.toRect().intersected(image->rect());
}

void BoxFiller::fill(const QRectF& box, const QColor& color) const {
    if (!m_image || color.alpha() != 255) {
        m_painter.fillRect(box, color);
        return;
    }
    const auto edge = [this](double at) { return static_cast<int>(std::lround(at * m_ratio)); };
    const int left = std::max(edge(box.left()), m_clip.left());
    const int right = std::min(edge(box.right()), m_clip.right() + 1);
    const int top = std::max(edge(box.top()), m_clip.top());
    const int bottom = std::min(edge(box.bottom()), m_clip.bottom() + 1);
    if (left >= right) return;
    const QRgb pixel = color.rgb();
    const qsizetype step = m_image->bytesPerLine() / static_cast<qsizetype>(sizeof(QRgb));
    if (top >= bottom) return;
    auto* line = reinterpret_cast<QRgb*>(m_image->scanLine(top));
    for (int y = top; y < bottom; ++y, line += step)
        std::fill(line + left, line + right, pixel);
}

}  // namespace gapscope

#include "app/gui/timeline/box_filler.h"

#include <algorithm>

namespace gapscope {

BoxFiller::BoxFiller(QPainter& painter, const QRect& clip) : m_painter(painter) {
    auto* const image = dynamic_cast<QImage*>(painter.device());
    const bool isPlain =
        image && painter.transform().isIdentity() &&
        (image->format() == QImage::Format_RGB32 || image->format() == QImage::Format_ARGB32_Premultiplied);
    m_ratio = painter.device()->devicePixelRatioF();
    if (!isPlain) return;
    m_pixels = reinterpret_cast<QRgb*>(image->bits());
    m_step = image->bytesPerLine() / static_cast<qsizetype>(sizeof(QRgb));
    const QRectF wanted(clip.x() * m_ratio, clip.y() * m_ratio, clip.width() * m_ratio, clip.height() * m_ratio);
    m_clip = wanted.toRect().intersected(image->rect());
}

void BoxFiller::fill(int left, int top, int right, int bottom, const QColor& color) const {
    if (!m_pixels || color.alpha() != 255) {
        m_painter.fillRect(QRectF(left / m_ratio, top / m_ratio, (right - left) / m_ratio, (bottom - top) / m_ratio),
                           color);
        return;
    }
    left = std::max(left, m_clip.left());
    right = std::min(right, m_clip.right() + 1);
    top = std::max(top, m_clip.top());
    bottom = std::min(bottom, m_clip.bottom() + 1);
    if (left >= right || top >= bottom) return;
    const QRgb pixel = color.rgb();
    QRgb* line = m_pixels + top * m_step;
    for (int y = top; y < bottom; ++y, line += m_step)
        std::fill(line + left, line + right, pixel);
}

}  // namespace gapscope

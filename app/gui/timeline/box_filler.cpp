#include "app/gui/timeline/box_filler.h"

#include <algorithm>

namespace gapscope {

BoxFiller::BoxFiller(QPainter& painter) : m_painter(painter) {
    auto* const image = dynamic_cast<QImage*>(painter.device());
    const bool isPlain =
        image && painter.transform().isIdentity() &&
        (image->format() == QImage::Format_RGB32 || image->format() == QImage::Format_ARGB32_Premultiplied);
    m_ratio = painter.device()->devicePixelRatioF();
    if (!isPlain) return;
    m_pixels = reinterpret_cast<QRgb*>(image->bits());
    m_step = image->bytesPerLine() / static_cast<qsizetype>(sizeof(QRgb));
    m_image = image->rect();
}

void BoxFiller::setClip(const QRect& clip) {
    const QRectF wanted(clip.x() * m_ratio, clip.y() * m_ratio, clip.width() * m_ratio, clip.height() * m_ratio);
    m_clip = wanted.toRect().intersected(m_image);
}

namespace {

template <int kWidth>
void fillNarrow(QRgb* at, qsizetype step, int height, QRgb pixel) {
    for (; height > 0; --height, at += step)
        for (int x = 0; x < kWidth; ++x)
            at[x] = pixel;
}

}  // namespace

void BoxFiller::fill(int left, int top, int right, int bottom, QRgb color) const {
    if (!m_pixels || qAlpha(color) != 255) {
        m_painter.fillRect(QRectF(left / m_ratio, top / m_ratio, (right - left) / m_ratio, (bottom - top) / m_ratio),
                           QColor::fromRgba(color));
        return;
    }
    left = std::max(left, m_clip.left());
    right = std::min(right, m_clip.right() + 1);
    top = std::max(top, m_clip.top());
    bottom = std::min(bottom, m_clip.bottom() + 1);
    if (left >= right || top >= bottom) return;
    QRgb* line = m_pixels + top * m_step + left;
    // Most boxes of a full view are this narrow; a general fill takes longer to set up than to run.
    switch (right - left) {
        case 1:
            return fillNarrow<1>(line, m_step, bottom - top, color);
        case 2:
            return fillNarrow<2>(line, m_step, bottom - top, color);
        case 3:
            return fillNarrow<3>(line, m_step, bottom - top, color);
        case 4:
            return fillNarrow<4>(line, m_step, bottom - top, color);
        default:
            for (int y = top; y < bottom; ++y, line += m_step)
                std::fill(line, line + (right - left), color);
    }
}

}  // namespace gapscope

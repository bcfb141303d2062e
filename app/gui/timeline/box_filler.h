// Fills boxes of one colour, tens of thousands a frame: straight into the pixels where the device is a picture in
// memory, which takes a fraction of QPainter's way; by the painter elsewhere (SVG, paper).
#pragma once

#include <QImage>
#include <QPainter>

namespace gapscope {

class BoxFiller {
public:
    // Nothing of the painter's state but its scale and offset is asked for.
    explicit BoxFiller(QPainter& painter);

    // Boxes are cut to it, in logical coordinates; the painter's own clip must be the same. Until it is set, nothing is
    // drawn.
    void setClip(const QRect& clip);

    // In device px; `right` and `bottom` behind the last.
    void fill(int left, int top, int right, int bottom, QRgb color) const;

private:
    QPainter& m_painter;
    QRgb* m_pixels = nullptr;  // null: by the painter
    qsizetype m_step = 0;      // pixels a line
    double m_ratio = 1;
    QRect m_image;  // device px
    QRect m_clip;
};

}  // namespace gapscope

// The timeline as it is seen, for other programs and for paper: with a line that says of which file and time it is.
#pragma once

#include <QImage>
#include <QString>

#include "core/base/result.h"

class QPagedPaintDevice;

namespace gapscope {

class TimelineWidget;

// `caption`: "run.gapscope, 1.20 ms to 3.40 ms"
QImage viewImage(TimelineWidget& timeline, const QString& caption, double scale);
// By the path's end: .svg (vectors and text) or .png (twice the screen's pixels).
Status exportView(TimelineWidget& timeline, const QString& caption, const QString& path);
// On one page, as large as it allows.
Status printView(TimelineWidget& timeline, const QString& caption, QPagedPaintDevice& device);

}  // namespace gapscope

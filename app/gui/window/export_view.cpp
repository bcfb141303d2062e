#include "app/gui/window/export_view.h"

#include <QPagedPaintDevice>
#include <QPainter>
#include <QSaveFile>
#include <QSvgGenerator>

#include "app/gui/settings/appearance.h"
#include "app/gui/timeline/timeline_widget.h"

namespace gapscope {

namespace {

constexpr int kCaptionHeight = 24;

QSize pictureSize(const TimelineWidget& timeline) {
    return timeline.viewport()->size() + QSize(0, kCaptionHeight);
}

void paint(QPainter& painter, TimelineWidget& timeline, const QString& caption) {
    const QSize size = pictureSize(timeline);
    painter.fillRect(QRect(QPoint(), size), appTheme().background);
    timeline.paintPicture(painter);
    painter.setClipping(false);
    painter.setFont(timeline.font());
    painter.setPen(appTheme().mutedText);
    painter.drawText(QRect(8, size.height() - kCaptionHeight, size.width() - 16, kCaptionHeight),
                     Qt::AlignVCenter | Qt::AlignLeft, caption);
}

}  // namespace

QImage viewImage(TimelineWidget& timeline, const QString& caption, double scale) {
    QImage image(pictureSize(timeline) * scale, QImage::Format_RGB32);
    image.setDevicePixelRatio(scale);
    QPainter painter(&image);
    paint(painter, timeline, caption);
    return image;
}

Status exportView(TimelineWidget& timeline, const QString& caption, const QString& path) {
    QSaveFile file(path);
    const auto cannot = [&] {
        return fail(path.toStdString() + " cannot be written: " + file.errorString().toStdString() + ".");
    };
    if (!file.open(QIODevice::WriteOnly)) return cannot();
    if (path.endsWith(QStringLiteral(".svg"), Qt::CaseInsensitive)) {
        QSvgGenerator svg;
        svg.setOutputDevice(&file);
        svg.setSize(pictureSize(timeline));
        svg.setViewBox(QRect(QPoint(), pictureSize(timeline)));
        svg.setTitle(QObject::tr("Timeline"));
        svg.setDescription(caption.toHtmlEscaped());  // Qt writes it as it is
        QPainter painter(&svg);
        paint(painter, timeline, caption);
    } else if (!viewImage(timeline, caption, 2).save(&file, "PNG")) {
        return cannot();
    }
    return file.commit() ? Status() : cannot();
}

Status printView(TimelineWidget& timeline, const QString& caption, QPagedPaintDevice& device) {
    QPainter painter;
    if (!painter.begin(&device)) return fail("The page could not be begun: the printer takes no work.");
    const QSizeF page(device.width(), device.height());
    const QSizeF picture = pictureSize(timeline);
    const double scale = std::min(page.width() / picture.width(), page.height() / picture.height());
    painter.scale(scale, scale);
    painter.setClipRect(QRectF(QPointF(), picture));
    paint(painter, timeline, caption);
    return painter.end() ? Status() : fail("The page could not be ended: the printer takes no work.");
}

}  // namespace gapscope

// Draws what a TimelineFrame says: boxes, labels, row names, ruler, overview, and the marks over them.
#pragma once

#include <QFont>
#include <QPainter>
#include <vector>

#include "app/gui/session/session.h"
#include "app/gui/theme.h"
#include "app/gui/timeline/timeline_labels.h"
#include "core/layout/density.h"
#include "core/layout/ruler.h"
#include "core/layout/timeline_frame.h"

namespace gapscope {

class BoxFiller;
class SpanPainter;

// The parts of the viewport, in logical px.
struct TimelineParts {
    QRect overview;
    QRect ruler;
    QRect notes;  // under the ruler; empty without any
    QRect headers;
    QRect rows;
    QRect legend;  // empty where the viewport is low
};
enum class NoteStrip { Shown, Hidden };
TimelineParts timelineParts(QSize viewport, NoteStrip notes);

class TimelinePainter {
public:
    TimelinePainter(const Theme& theme, const TimelineIndex& index, const TimelineLabels& labels);

    // Everything but the overview's handle and the marks; what a cache can hold. `selection` dims what it leaves out.
    void paintRows(QPainter& painter, const TimelineFrame& frame, const QRect& rows, const Selection& selection) const;
    void paintHeaders(QPainter& painter, const TimelineFrame& frame, const QRect& headers) const;
    void paintRuler(QPainter& painter, const std::vector<RulerTick>& ticks, const QRect& ruler, int headerWidth) const;
    void paintOverview(QPainter& painter, const std::vector<std::vector<DensityColumn>>& devices,
                       const QRect& overview) const;

    // Marks
    void paintOverviewHandle(QPainter& painter, const QRectF& handle, const QRect& overview) const;
    void paintRange(QPainter& painter, double x0, double x1, const QRect& rows, const QRect& ruler,
                    const QString& readout) const;
    QRectF readoutBox(double x0, double x1, const QRect& ruler, const QString& readout) const;
    void paintOutline(QPainter& painter, const QRectF& box, const QColor& color, double width) const;
    void paintLink(QPainter& painter, QPointF from, QPointF to) const;
    // The value of a plot at the pointer.
    void paintReading(QPainter& painter, const FrameCounter& shown, const QRect& rows, double x, double value,
                      const QString& text) const;
    // The time goes beside the readout of a range; empty: there is none.
    void paintPointer(QPainter& painter, double x, const QRect& rows, const QRect& ruler, const QString& time,
                      const QRectF& readout) const;
    // Where a dragged row would go; y from the top of the rows.
    void paintDropLine(QPainter& painter, const QRect& headers, const QRect& rows, int y) const;
    // Around the row that the keys act on.
    void paintRowFocus(QPainter& painter, const QRect& header, const QRect& row) const;

    // Of rows or headers: where the pinned ones are seen, or those that scroll.
    static QRect areaOf(const TimelineFrame& frame, const QRect& rows, bool pinned);

private:
    void paintArea(QPainter& painter, const TimelineFrame& frame, const QRect& rows, bool pinned,
                   SpanPainter& spans) const;
    void paintHeader(QPainter& painter, const TimelineFrame& frame, size_t row, const QRect& box) const;
    void paintPin(QPainter& painter, QPointF centre) const;
    void paintCounter(QPainter& painter, const BoxFiller& boxes, const FrameCounter& shown, const QRect& rows) const;
    void paintFold(QPainter& painter, QPointF centre, bool folded) const;
    void paintAxis(QPainter& painter, const TimelineRow& row, QRect& line) const;

    const Theme& m_theme;
    const TimelineIndex& m_index;
    const TimelineLabels& m_labels;
    QFont m_font;
    QFontMetricsF m_metrics;
};

}  // namespace gapscope

// Roofs and points of a roofline as an item of a QCustomPlot with logarithmic axes: flops a byte to the right, flops a
// second upwards. A point's area is its time; prompt processing is a ring. Points can be hit and chosen.
#pragma once

#include <qcustomplot.h>

#include <vector>

namespace gapscope {

class RooflineItem : public QCPAbstractItem {
    Q_OBJECT

public:
    struct Point {
        double intensity = 0;  // both above 0
        double flopsPerSecond = 0;
        double timeShare = 0;  // of all points
        bool ring = false;
        QColor color;
        int row = 0;  // of the table
    };

    explicit RooflineItem(QCustomPlot* plot);

    // 0: unknown, no roof.
    void setRoofs(double bytesPerSecond, double flopsPerSecond);
    void setPoints(std::vector<Point> points);
    void setMarked(int row);   // -1: none
    void setHovered(int row);  // -1: none

    // The table row of the point under a place of the widget, the smallest where several are; -1: none.
    int rowAt(const QPointF& place) const;
    QPointF placeOf(const Point& point) const;
    const std::vector<Point>& points() const { return m_points; }

    double selectTest(const QPointF& place, bool onlySelectable, QVariant* details = nullptr) const override;

protected:
    void draw(QCPPainter* painter) override;
    QPointF anchorPixelPosition(int) const override { return {}; }

private:
    static double radiusOf(const Point& point);
    void drawRoofs(QCPPainter* painter);

    std::vector<Point> m_points;  // largest first, so that small ones lie on top
    double m_bytesPerSecond = 0;
    double m_flopsPerSecond = 0;
    int m_marked = -1;
    int m_hovered = -1;
};

}  // namespace gapscope

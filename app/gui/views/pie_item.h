// The category pie as an item of a QCustomPlot: a ring with the total in its middle. Slices can be hit and lifted.
#pragma once

#include <qcustomplot.h>

#include <vector>

namespace gapscope {

class PieItem : public QCPAbstractItem {
    Q_OBJECT

public:
    struct Slice {
        double value = 0;
        QColor color;
        QString label;
    };

    explicit PieItem(QCustomPlot* plot);

    void setSlices(std::vector<Slice> slices);
    void setCentreText(const QString& value, const QString& caption);
    void setLifted(int slice);   // -1: none; the others step back
    void setHovered(int slice);  // -1: none

    // The slice under a point of the widget; -1: none. The hole counts as none.
    int sliceAt(const QPointF& point) const;
    // The middle of a slice, for tests and for the keyboard.
    QPointF middleOf(int slice) const;

    double selectTest(const QPointF& point, bool onlySelectable, QVariant* details = nullptr) const override;

    QCPItemPosition* const centre;

protected:
    void draw(QCPPainter* painter) override;
    QPointF anchorPixelPosition(int) const override { return centre->pixelPosition(); }

private:
    double radius() const;
    double total() const;

    std::vector<Slice> m_slices;
    QString m_value;
    QString m_caption;
    int m_lifted = -1;
    int m_hovered = -1;
};

}  // namespace gapscope

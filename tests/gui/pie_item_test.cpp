// The pie: which slice a point hits, and that it is drawn where it is hit.
#include "app/gui/views/pie_item.h"

#include <QTest>

using namespace gapscope;

class PieItemTest : public QObject {
    Q_OBJECT

private:
    static constexpr QRgb kFirst = 0xff0072b2;
    static constexpr QRgb kSecond = 0xffe69f00;
    static constexpr QRgb kThird = 0xff009e73;

    static PieItem* makePie(QCustomPlot& plot) {
        plot.resize(200, 200);
        plot.show();  // only then does the plot learn its size
        auto* pie = new PieItem(&plot);
        pie->setSlices({{50, QColor(kFirst), {}}, {25, QColor(kSecond), {}}, {25, QColor(kThird), {}}});
        return pie;
    }

private Q_SLOTS:
    void slicesRunClockwiseFromTheTop() {
        QCustomPlot plot;
        const PieItem* pie = makePie(plot);
        plot.replot();
        QCOMPARE(pie->sliceAt({180, 100}), 0);   // right: within the first half
        QCOMPARE(pie->sliceAt({40, 160}), 1);    // bottom left
        QCOMPARE(pie->sliceAt({40, 40}), 2);     // top left
        QCOMPARE(pie->sliceAt({100, 100}), -1);  // the hole
        QCOMPARE(pie->sliceAt({1, 1}), -1);      // outside
        QVariant details;
        QVERIFY(pie->selectTest({40, 40}, false, &details) >= 0);
        QCOMPARE(details.toInt(), 2);
        QVERIFY(pie->selectTest({100, 100}, false) < 0);
    }

    void eachSliceIsHitInItsMiddleAndDrawnThere() {
        QCustomPlot plot;
        const PieItem* pie = makePie(plot);
        plot.replot();
        const QImage image = plot.toPixmap(200, 200).toImage();
        const QList<QRgb> colors = {kFirst, kSecond, kThird};
        for (int slice = 0; slice < 3; ++slice) {
            const QPointF middle = pie->middleOf(slice);
            QCOMPARE(pie->sliceAt(middle), slice);
            QCOMPARE(image.pixel(middle.toPoint()), colors[slice]);
        }
    }

    void anEmptyPieIsHitNowhere() {
        QCustomPlot plot;
        plot.resize(200, 200);
        plot.show();  // only then does the plot learn its size
        auto* pie = new PieItem(&plot);
        plot.replot();
        QCOMPARE(pie->sliceAt({180, 100}), -1);
    }
};

QTEST_MAIN(PieItemTest)
#include "pie_item_test.moc"

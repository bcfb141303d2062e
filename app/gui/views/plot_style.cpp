#include "app/gui/views/plot_style.h"

#include <qcustomplot.h>

#include "app/gui/settings/appearance.h"

namespace gapscope {

void styleAxes(QCustomPlot& plot, const QWidget& panel) {
    const Theme& theme = appTheme();
    QFont small = panel.font();
    small.setPointSizeF(small.pointSizeF() * 0.85);
    plot.setBackground(panel.palette().color(QPalette::Base));
    for (QCPAxis* axis : {plot.xAxis, plot.yAxis}) {
        axis->setBasePen(theme.line);
        axis->setTickPen(theme.line);
        axis->setSubTickPen(theme.line);
        axis->setTickLabelColor(theme.mutedText);
        axis->setLabelColor(theme.mutedText);
        axis->setTickLabelFont(small);
        axis->setLabelFont(small);
        axis->grid()->setPen(QPen(theme.line, 1, Qt::DotLine));
    }
}

}  // namespace gapscope

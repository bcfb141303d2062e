// What the axes of every plot look like in the theme in use.
#pragma once

class QCustomPlot;
class QWidget;

namespace gapscope {

// Left and bottom axis: quiet lines, numbers a little smaller than the panel's font, on the ground that tables have.
void styleAxes(QCustomPlot& plot, const QWidget& panel);

}  // namespace gapscope

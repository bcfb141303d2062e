// What the colours of the rows mean, in one line: of which rows they tell what, then the colours that the trace has,
// the most used first.
#pragma once

#include <QFont>
#include <QFontMetrics>
#include <QPainter>
#include <QString>
#include <vector>

#include "app/gui/theme.h"
#include "core/layout/timeline_index.h"

namespace gapscope {

struct LegendEntry {
    uint8_t tint = 0;
    QString text;
    size_t others = 0;  // names that share the colour
};
// "gemm and 3 more"; where that does not fit the width, in the middle of the name: "long_…name +3".
QString legendText(const LegendEntry& entry, const QFontMetrics& metrics, int width);
std::vector<LegendEntry> legendOf(const TimelineIndex& index);
QString legendTitle(ColourBy colourBy);

// What does not fit is counted at the end.
void paintLegend(QPainter& painter, const Theme& theme, const std::vector<LegendEntry>& entries, ColourBy colourBy,
                 const QFont& font, const QRect& where);

}  // namespace gapscope

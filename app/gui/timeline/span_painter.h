// Draws the boxes of a frame, tens of thousands of them, with their labels. Lives for one frame: colours are worked out
// once a kind of row, edges once in device px.
#pragma once

#include <QPainter>
#include <array>
#include <map>

#include "app/gui/session/session.h"
#include "app/gui/theme.h"
#include "app/gui/timeline/box_filler.h"
#include "app/gui/timeline/timeline_labels.h"
#include "core/layout/timeline_frame.h"

namespace gapscope {

class SpanPainter {
public:
    // `rows`: where the frame's rows stand, in logical px. `selection` pales what it leaves out.
    SpanPainter(QPainter& painter, const Theme& theme, const TimelineIndex& index, const TimelineLabels& labels,
                const QRect& rows, const Selection& selection);

    // Only what lies in it is drawn from now on; also the painter's.
    void setArea(const QRect& area);

    void paintLane(const FrameLane& shown);

private:
    struct ItemColors {
        QRgb full = 0;
        QRgb sparse = 0;  // behind a merged stretch
        QRgb edge = 0;    // between neighbours
        QRgb ink = 0;     // of a label
    };
    struct Palette {
        std::array<ItemColors, kTintCount> plain;
        std::array<ItemColors, kTintCount> paled;
    };
    const Palette& paletteOf(RowKind kind);
    bool leftOut(const TimelineRow& row, const Lane& lane, const LaneSpan& span) const;
    // Edges in device px; `right` and `bottom` behind the last.
    void paintMerged(const LaneSpan& span, const std::array<ItemColors, kTintCount>& colors, int left, int right);
    void paintSingle(const TimelineRow& row, const Lane& lane, const FrameLane& shown, const LaneSpan& span,
                     const ItemColors& colors, int left, int right);

    QPainter& m_painter;
    const Theme& m_theme;
    const TimelineIndex& m_index;
    const TimelineLabels& m_labels;
    const QRect m_rows;
    const Selection& m_selection;
    BoxFiller m_boxes;
    double m_ratio;
    int m_top = 0, m_bottom = 0;  // of the lane
    std::map<RowKind, Palette> m_palettes;
};

}  // namespace gapscope

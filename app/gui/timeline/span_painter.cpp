#include "app/gui/timeline/span_painter.h"

#include <algorithm>
#include <cmath>

namespace gapscope {

namespace {

constexpr double kDimming = 0.72;     // share of background in what a selection leaves out
constexpr double kSparseTint = 0.16;  // of the colour behind a merged stretch
constexpr double kPalest = 0.45;      // share of its colour that an item of no width keeps

// Of a merged stretch the first few tell; looking at all would cost events, not pixels.
template <class Fits>
bool noneOf(const Lane& lane, const LaneSpan& span, Fits fits) {
    const size_t looked = std::min<size_t>(span.count, 16);
    for (size_t i = span.first; i < span.first + looked; ++i)
        if (fits(lane[i].row)) return false;
    return true;
}

}  // namespace

SpanPainter::SpanPainter(QPainter& painter, const Theme& theme, const TimelineIndex& index,
                         const TimelineLabels& labels, const QRect& rows, const Selection& selection)
    : m_painter(painter),
      m_theme(theme),
      m_index(index),
      m_labels(labels),
      m_rows(rows),
      m_selection(selection),
      m_boxes(painter),
      m_ratio(painter.device()->devicePixelRatioF()) {}

void SpanPainter::setArea(const QRect& area) {
    m_painter.setClipRect(area);
    m_boxes.setClip(area);
}

const SpanPainter::Palette& SpanPainter::paletteOf(RowKind kind) {
    const auto [found, isNew] = m_palettes.try_emplace(kind);
    if (!isNew) return found->second;
    const auto colorsOf = [this](const QColor& full) {
        return ItemColors{.full = full.rgb(),
                          .sparse = mixed(full, m_theme.background, 1 - kSparseTint).rgb(),
                          .edge = full.darker(m_theme.dark ? 150 : 125).rgb(),
                          .ink = textOn(full).rgb()};
    };
    for (uint8_t tint = 0; tint < kTintCount; ++tint) {
        const QColor color = itemColor(m_theme, kind, tint, m_index.colourBy());
        found->second.plain[tint] = colorsOf(color);
        ItemColors& paled = found->second.paled[tint] = colorsOf(mixed(color, m_theme.background, kDimming));
        paled.ink = mixed(paled.ink, paled.full, 0.35).rgb();
    }
    return found->second;
}

bool SpanPainter::leftOut(const TimelineRow& row, const Lane& lane, const LaneSpan& span) const {
    const bool isDevice = row.kind == RowKind::Stream || row.kind == RowKind::Copy;
    switch (m_selection.kind) {
        case Selection::Kind::Category:
            if (row.kind == RowKind::Stage) return span.tint != static_cast<uint8_t>(m_selection.category);
            if (!isDevice) return false;
            if (m_index.colourBy() == ColourBy::Category)
                return span.tint != static_cast<uint8_t>(m_selection.category);
            return noneOf(lane, span, [&](uint32_t op) {
                return m_index.trace().deviceOps().category[op] == m_selection.category;
            });
        case Selection::Kind::GapCause:
            return row.kind == RowKind::Gap && span.tint != m_selection.cause;
        case Selection::Kind::KernelName:
            return isDevice && noneOf(lane, span, [&](uint32_t op) {
                       return m_index.trace().deviceOps().name[op] == m_selection.name;
                   });
        default:
            return false;
    }
}

void SpanPainter::paintLane(const FrameLane& shown) {
    const TimelineRow& row = *m_index.rows()[shown.row];
    const Lane& lane = row.lanes.lanes()[shown.lane];
    const Palette& palette = paletteOf(row.kind);
    // Rounded down: nothing here lies a thousand pixels outside, and a call of floor() would be a good part of the
    // work.
    constexpr int kBeyond = 1 << 12;
    const auto edge = [this](double at) { return static_cast<int>(at * m_ratio + (kBeyond + 0.5)) - kBeyond; };
    m_top = edge(m_rows.top() + shown.y);
    m_bottom = edge(m_rows.top() + shown.y + shown.height);
    for (const LaneSpan& span : shown.spans) {
        const int left = edge(m_rows.left() + std::max(span.x0, -4.0));
        const int right = std::max(edge(m_rows.left() + std::min(span.x1, m_rows.width() + 4.0)), left + 1);
        const auto& colors = leftOut(row, lane, span) ? palette.paled : palette.plain;
        if (span.count > 1)
            paintMerged(span, colors, left, right);
        else
            paintSingle(row, lane, shown, span, colors[span.tint % kTintCount], left, right);
    }
}

// How busy the stretch is, as height over a pale ground: a full box would claim that it is all work. The bar is stacked
// by tint, the largest share at the bottom.
void SpanPainter::paintMerged(const LaneSpan& span, const std::array<ItemColors, kTintCount>& colors, int left,
                              int right) {
    const int height = m_bottom - m_top;
    const int least = static_cast<int>(std::lround(2 * m_ratio));
    const int bar = std::clamp(static_cast<int>(static_cast<float>(height) * span.busy + 0.5F), least, height);
    if (bar < height) m_boxes.fill(left, m_top, right, m_bottom - bar, colors[span.tint].sparse);
    // Each a share and its tint, put in place as they come: a handful, sooner done than a sort is set up.
    std::array<int, kTintCount> shares;
    size_t count = 0;
    int total = 0;
    for (int tint = 0; tint < kTintCount; ++tint) {
        const int share = span.shares[static_cast<size_t>(tint)];
        if (share == 0) continue;
        size_t at = count++;
        for (; at > 0 && shares[at - 1] / kTintCount <= share; --at)
            shares[at] = shares[at - 1];
        shares[at] = share * kTintCount + tint;
        total += share;
    }
    if (count <= 1) return m_boxes.fill(left, m_bottom - bar, right, m_bottom, colors[span.tint].full);
    int below = 0;
    int sum = 0;
    for (size_t i = 0; i < count; ++i) {
        sum += shares[i] / kTintCount;
        const int upTo = (bar * sum * 2 + total) / (2 * total);
        if (upTo <= below) continue;
        m_boxes.fill(left, m_bottom - upTo, right, m_bottom - below,
                     colors[static_cast<size_t>(shares[i] % kTintCount)].full);
        below = upTo;
    }
}

void SpanPainter::paintSingle(const TimelineRow& row, const Lane& lane, const FrameLane& shown, const LaneSpan& span,
                              const ItemColors& colors, int left, int right) {
    QRgb color = colors.full;
    const double shownPx = (span.x1 - span.x0) * m_ratio;
    // Thinner than a pixel: as pale as its share of it, but always there.
    if (shownPx < 1) color = mixed(color, m_theme.background, 1 - std::max(shownPx, kPalest)).rgb();
    if (row.kind == RowKind::Gap && span.tint == static_cast<uint8_t>(GapCause::Unknown)) {
        const QRectF box(left / m_ratio, m_top / m_ratio, (right - left) / m_ratio, (m_bottom - m_top) / m_ratio);
        m_painter.fillRect(box, mixed(color, m_theme.background, 0.7));
        m_painter.fillRect(box, QBrush(QColor(color), Qt::BDiagPattern));
    } else {
        m_boxes.fill(left, m_top, right, m_bottom, color);
    }
    // A darker edge tells neighbours of one colour apart without a hole that would read as idle time.
    if (right - left >= 4) m_boxes.fill(left, m_top, left + 1, m_bottom, colors.edge);

    constexpr double kPadding = 4;
    constexpr int kLowestLabel = 11;  // a lane below has no room for a name
    if ((right - left) / m_ratio < 2 * kPadding + 8 || shown.height < kLowestLabel) return;
    // The label stands in what is seen of the item.
    const double textLeft = std::max(left / m_ratio, static_cast<double>(m_rows.left())) + kPadding;
    const double textWidth = std::min(right / m_ratio, static_cast<double>(m_rows.right() + 1)) - kPadding - textLeft;
    const QString text = m_labels.fitting(row, lane[span.first], textWidth);
    if (text.isEmpty()) return;
    m_painter.setPen(QColor(colors.ink));
    m_labels.cache().draw(m_painter, textLeft, m_rows.top() + shown.y, shown.height, text);
}

}  // namespace gapscope

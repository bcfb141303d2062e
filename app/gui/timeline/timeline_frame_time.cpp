// The timeline's own frame time, shown over its rows on request.
#include <QAction>
#include <QPainter>
#include <algorithm>
#include <array>

#include "app/gui/timeline/timeline_widget.h"

namespace gapscope {

namespace {

constexpr int kLineHeight = 15;
constexpr int kNameWidth = 44;
constexpr int kValueWidth = 52;
constexpr int kPadding = 8;

QString milliseconds(int64_t ns) {
    return QString::number(static_cast<double>(ns) / 1e6, 'f', ns < 100'000'000 ? 2 : 0);
}

}  // namespace

void TimelineWidget::setFrameTimeShown(bool shown) {
    if (shown == m_frameTimeShown) return;
    m_frameTimeShown = shown;
    m_frameTimeCommand->setChecked(shown);
    m_frameTimes.clear();
    viewport()->update();
}

void TimelineWidget::paintFrameTimes(QPainter& painter) {
    const TimelineParts where = parts();
    using Frame = FrameTimes::Frame;
    const auto build = [](const Frame& frame) { return frame.buildNs; };
    const auto paint = [](const Frame& frame) { return frame.paintNs; };
    const auto total = [](const Frame& frame) { return frame.totalNs(); };
    const Frame last = m_frameTimes.last();
    const auto line = [&](const QString& name, auto of) {
        return std::array{name, milliseconds(of(last)), milliseconds(m_frameTimes.percentile(0.5, of)),
                          milliseconds(m_frameTimes.percentile(0.99, of))};
    };
    const std::array lines = {std::array{tr("ms"), tr("last"), tr("p50"), tr("p99")}, line(tr("build"), build),
                              line(tr("paint"), paint), line(tr("frame"), total)};
    const int width = kNameWidth + 3 * kValueWidth + 2 * kPadding;
    const int height = static_cast<int>(lines.size() + 1) * kLineHeight + 2 * kPadding;
    const QRect box(std::max(where.rows.left(), where.rows.right() - width - 8), where.rows.top() + 40, width, height);
    painter.save();
    painter.setFont(rowFont());
    painter.setClipRect(where.rows);
    painter.setPen(theme().lineStrong);
    painter.setBrush(theme().headerBackground);
    painter.drawRect(box.adjusted(0, 0, -1, -1));
    int y = box.top() + kPadding;
    for (const auto& cells : lines) {
        painter.setPen(&cells == &lines.front() ? theme().mutedText : theme().text);
        painter.drawText(QRect(box.left() + kPadding, y, kNameWidth, kLineHeight), Qt::AlignLeft | Qt::AlignVCenter,
                         cells[0]);
        for (int column = 1; column < 4; ++column)
            painter.drawText(
                QRect(box.left() + kPadding + kNameWidth + (column - 1) * kValueWidth, y, kValueWidth, kLineHeight),
                Qt::AlignRight | Qt::AlignVCenter, cells[static_cast<size_t>(column)]);
        y += kLineHeight;
    }
    painter.setPen(theme().mutedText);
    painter.drawText(QRect(box.left() + kPadding, y, width - 2 * kPadding, kLineHeight),
                     Qt::AlignLeft | Qt::AlignVCenter,
                     tr("of the last %1 frames").arg(static_cast<qulonglong>(m_frameTimes.count())));
    painter.restore();
}

}  // namespace gapscope

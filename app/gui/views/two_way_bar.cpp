#include "app/gui/views/two_way_bar.h"

#include <QPainter>
#include <QPainterPath>

#include "app/gui/models/table_model.h"
#include "app/gui/session/selection_text.h"
#include "app/gui/settings/appearance.h"
#include "core/base/format.h"

namespace gapscope {
namespace {

constexpr int kBarHeight = 16;

}  // namespace

TwoWayBar::TwoWayBar(QWidget* parent) : QWidget(parent) {
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    show({});
}

void TwoWayBar::show(const std::array<int64_t, 3>& values, const std::array<QString, 3>& amounts) {
    m_values = values;
    const auto amount = [&](size_t part) { return amounts[part].isEmpty() ? exactNs(values[part]) : amounts[part]; };
    const QString description = tr("gemm %1, elementwise %2, other %3").arg(amount(0), amount(1), amount(2));
    setToolTip(description + QLatin1Char('\n') +
               tr("Elementwise: attention, elementwise, norm, rope, quantize, embedding, reduction and sampling. "
                  "Other: copies, sets, communication and unknown."));
    setAccessibleName(tr("Two-way view: %1").arg(description));
    update();
}

QSize TwoWayBar::sizeHint() const {
    return {200, kBarHeight + fontMetrics().height() + 6};
}
QSize TwoWayBar::minimumSizeHint() const {
    return {120, sizeHint().height()};
}

void TwoWayBar::paintEvent(QPaintEvent*) {
    const Theme& theme = appTheme();
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const QRectF bar(0, 0, width(), kBarHeight);
    QPainterPath rounded;
    rounded.addRoundedRect(bar, 3, 3);
    painter.fillPath(rounded, theme.line);
    const int64_t total = m_values[0] + m_values[1] + m_values[2];
    const std::array<QColor, 3> colors = {theme.category(Category::Gemm), theme.category(Category::Elementwise),
                                          theme.category(Category::Other)};
    const std::array<QString, 3> names = {tr("gemm"), tr("elementwise"), tr("other")};
    QFont small = font();
    small.setPointSizeF(small.pointSizeF() * 0.85);
    painter.setFont(small);
    double x = 0;
    double labelX = 0;
    for (size_t part = 0; part < 3; ++part) {
        const double share = total > 0 ? static_cast<double>(m_values[part]) / static_cast<double>(total) : 0;
        if (share > 0) {
            painter.save();
            painter.setClipPath(rounded);
            painter.fillRect(QRectF(x, 0, share * width(), kBarHeight), colors[part]);
            painter.restore();
            x += share * width();
        }
        const QRectF swatch(labelX, kBarHeight + 8 + (painter.fontMetrics().height() - 8) / 2.0 - 1, 8, 8);
        painter.fillRect(swatch, colors[part]);
        const QString label =
            names[part] + QLatin1Char(' ') + (total > 0 ? text(formatPercent(share)) : QStringLiteral("–"));
        painter.setPen(theme.mutedText);
        painter.drawText(QPointF(labelX + 11, kBarHeight + 6 + painter.fontMetrics().ascent() + 1), label);
        labelX += 11 + painter.fontMetrics().horizontalAdvance(label) + 8;
    }
}

}  // namespace gapscope

#include "app/gui/views/card.h"

#include <QEvent>
#include <QPainter>

#include "app/gui/plain_tip.h"
#include "app/gui/settings/appearance.h"

namespace gapscope {

Card::Card(QWidget* parent) : QFrame(parent) {
    setFrameShape(QFrame::NoFrame);
}

void Card::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(appTheme().line);
    painter.setBrush(palette().color(QPalette::Base));
    painter.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6);
}

Label::Label(LabelRole role, const QString& text, QWidget* parent) : QLabel(text, parent), m_role(role) {
    setTextFormat(Qt::PlainText);
    QFont f = font();
    const qreal size = f.pointSizeF();
    switch (role) {
        case LabelRole::Title:
            f.setPointSizeF(size * 1.8);
            f.setBold(true);
            break;
        case LabelRole::Heading:
            f.setBold(true);
            break;
        case LabelRole::Value:
            f.setPointSizeF(size * 1.45);
            f.setBold(true);
            break;
        case LabelRole::Body:
            break;
        case LabelRole::Quiet:
            f.setPointSizeF(size * 0.9);
            break;
    }
    setFont(f);
    restyle();
}

void Label::changeEvent(QEvent* event) {
    QLabel::changeEvent(event);
    // The application's palette, not ours: setPalette() below would call back for ours.
    if (event->type() == QEvent::ApplicationPaletteChange) restyle();
}

void Label::restyle() {
    if (m_role != LabelRole::Quiet) return;
    QPalette quiet;
    quiet.setColor(QPalette::WindowText, appTheme().mutedText);
    setPalette(quiet);
}

ElidedLabel::ElidedLabel(LabelRole role, const QString& text, QWidget* parent) : Label(role, {}, parent) {
    setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    setFullText(text);
}

void ElidedLabel::setFullText(const QString& text) {
    m_full = text;
    setAccessibleName(text);
    elide();
}

void ElidedLabel::setDetails(const QString& details) {
    m_details = details;
    elide();
}

QSize ElidedLabel::minimumSizeHint() const {
    return {fontMetrics().averageCharWidth() * 6, fontMetrics().height()};
}

void ElidedLabel::resizeEvent(QResizeEvent* event) {
    Label::resizeEvent(event);
    elide();
}

void ElidedLabel::elide() {
    const QString shown = fontMetrics().elidedText(m_full, Qt::ElideRight, std::max(contentsRect().width(), 10));
    if (shown != text()) setText(shown);
    QStringList tip;
    if (shown != m_full) tip << m_full;
    if (!m_details.isEmpty()) tip << m_details;
    setToolTip(wrappedTip(tip.join(QLatin1Char('\n'))));
}

}  // namespace gapscope

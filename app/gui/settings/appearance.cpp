#include "app/gui/settings/appearance.h"

#include <QAbstractScrollArea>
#include <QApplication>
#include <QFile>
#include <QIconEngine>
#include <QPainter>
#include <QProxyStyle>
#include <QStyleOption>
#include <QSvgRenderer>

namespace gapscope {
namespace {

class LineIconEngine : public QIconEngine {
public:
    explicit LineIconEngine(QByteArray svg) : m_svg(std::move(svg)) {}

    void paint(QPainter* painter, const QRect& rect, QIcon::Mode mode, QIcon::State) override {
        const auto group = mode == QIcon::Disabled ? QPalette::Disabled : QPalette::Active;
        const auto role = mode == QIcon::Selected ? QPalette::HighlightedText : QPalette::ButtonText;
        const QByteArray colour = QApplication::palette().color(group, role).name().toLatin1();
        QSvgRenderer renderer(QByteArray(m_svg).replace("currentColor", colour));
        renderer.render(painter, QRectF(rect));
    }

    QPixmap pixmap(const QSize& size, QIcon::Mode mode, QIcon::State state) override {
        QPixmap pixmap(size);
        pixmap.fill(Qt::transparent);
        QPainter painter(&pixmap);
        paint(&painter, QRect(QPoint(), size), mode, state);
        return pixmap;
    }

    QIconEngine* clone() const override { return new LineIconEngine(m_svg); }

private:
    QByteArray m_svg;
};

void paintFrame(QPainter& painter, const QRectF& box, const QColor& line) {
    for (const QRectF& edge :
         {QRectF(box.left(), box.top(), box.width(), 1), QRectF(box.left(), box.bottom() - 1, box.width(), 1),
          QRectF(box.left(), box.top(), 1, box.height()), QRectF(box.right() - 1, box.top(), 1, box.height())})
        painter.fillRect(edge, line);
}

// Fusion strokes frames around pixels' middles: at 1.5 the right and the lower edge lie half under what they frame.
// Its empty check boxes are dark on dark.
class FramedStyle : public QProxyStyle {
public:
    FramedStyle() : QProxyStyle(QStringLiteral("Fusion")) {}

    void drawPrimitive(PrimitiveElement element, const QStyleOption* option, QPainter* painter,
                       const QWidget* widget) const override {
        // As high as a row: apart from those above and below.
        if (const auto* item = qstyleoption_cast<const QStyleOptionViewItem*>(option);
            item && element == PE_IndicatorItemViewItemCheck) {
            QStyleOptionViewItem smaller(*item);
            smaller.rect.adjust(1, 1, -1, -1);
            return QProxyStyle::drawPrimitive(element, &smaller, painter, widget);
        }
        const bool isField = qobject_cast<const QAbstractScrollArea*>(widget) != nullptr;
        if (element != PE_Frame || !isField) QProxyStyle::drawPrimitive(element, option, painter, widget);
        const QPalette& palette = option->palette;
        if (element == PE_IndicatorCheckBox && !hasKeyboardFocus(*option)) {
            QColor line = palette.color(QPalette::Text);
            line.setAlpha(option->state.testFlag(State_Enabled) ? 140 : 70);
            paintFrame(*painter, option->rect, line);
        }
        if (element != PE_Frame || !isField) return;
        const QColor line = option->state.testFlag(State_HasFocus)
                                ? palette.color(QPalette::Highlight)
                                : palette.color(QPalette::Window).darker(140).lighter(108);
        paintFrame(*painter, option->rect, line);
    }

    void drawControl(ControlElement element, const QStyleOption* option, QPainter* painter,
                     const QWidget* widget) const override {
        const auto* const box = qstyleoption_cast<const QStyleOptionComboBox*>(option);
        if (element != CE_ComboBoxLabel || !box || box->editable)
            return QProxyStyle::drawControl(element, option, painter, widget);
        constexpr int kTextMargin = 1;  // on either side, as Qt paints it
        constexpr int kIconMargin = 4;
        const int icon = box->currentIcon.isNull() ? 0 : box->iconSize.width() + kIconMargin;
        const int room =
            subControlRect(CC_ComboBox, box, SC_ComboBoxEditField, widget).width() - 2 * kTextMargin - icon;
        QStyleOptionComboBox shorter(*box);
        shorter.currentText = box->fontMetrics.elidedText(box->currentText, Qt::ElideRight, room);
        QProxyStyle::drawControl(element, &shorter, painter, widget);
    }

private:
    static bool hasKeyboardFocus(const QStyleOption& option) {
        return option.state.testFlag(State_HasFocus) && option.state.testFlag(State_KeyboardFocusChange);
    }
};

QPalette makePalette(QColor window, QColor base, QColor alternate, QColor button, QColor text, QColor disabled,
                     QColor highlight, QColor link) {
    QPalette palette;
    palette.setColor(QPalette::Window, window);
    palette.setColor(QPalette::WindowText, text);
    palette.setColor(QPalette::Base, base);
    palette.setColor(QPalette::AlternateBase, alternate);
    palette.setColor(QPalette::ToolTipBase, base);
    palette.setColor(QPalette::ToolTipText, text);
    palette.setColor(QPalette::PlaceholderText, disabled);
    palette.setColor(QPalette::Text, text);
    palette.setColor(QPalette::Button, button);
    palette.setColor(QPalette::ButtonText, text);
    palette.setColor(QPalette::BrightText, Qt::white);
    palette.setColor(QPalette::Link, link);
    palette.setColor(QPalette::Highlight, highlight);
    palette.setColor(QPalette::HighlightedText, Qt::white);
    palette.setColor(QPalette::Light, button.lighter(120));
    palette.setColor(QPalette::Midlight, button.lighter(108));
    palette.setColor(QPalette::Mid, button.darker(125));
    palette.setColor(QPalette::Dark, button.darker(150));
    palette.setColor(QPalette::Shadow, QColor(0, 0, 0, 160));
    for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText})
        palette.setColor(QPalette::Disabled, role, disabled);
    palette.setColor(QPalette::Disabled, QPalette::Highlight, disabled);
    return palette;
}

}  // namespace

QPalette lightPalette() {
    return makePalette(QColor(0xf4, 0xf5, 0xf7), Qt::white, QColor(0xf7, 0xf8, 0xfa), QColor(0xf0, 0xf1, 0xf4),
                       QColor(0x1b, 0x1f, 0x24), QColor(0x9a, 0xa0, 0xa8), QColor(0x1f, 0x6f, 0xb5),
                       QColor(0x0b, 0x5c, 0xa8));
}

QPalette darkPalette() {
    // Fields must stand out from the window: the style outlines them in a darker window colour only.
    return makePalette(QColor(0x2a, 0x2e, 0x35), QColor(0x1a, 0x1d, 0x21), QColor(0x1f, 0x23, 0x28),
                       QColor(0x3a, 0x40, 0x49), QColor(0xe4, 0xe7, 0xeb), QColor(0x82, 0x8a, 0x95),
                       QColor(0x2a, 0x6c, 0xaa), QColor(0x7c, 0xb8, 0xf0));
}

QStyle* makeStyle() {
    return new FramedStyle;
}

void applyTheme(ThemeChoice choice) {
    static const QPalette desktop = QApplication::palette();
    const bool dark = choice == ThemeChoice::Dark ||
                      (choice == ThemeChoice::System && desktop.color(QPalette::Window).lightness() < 128);
    QApplication::setPalette(dark ? darkPalette() : lightPalette());
}

const Theme& appTheme() {
    return Theme::of(QGuiApplication::palette());
}

QIcon lineIcon(const QString& name) {
    QFile file(QStringLiteral(":/icons/%1.svg").arg(name));
    if (!file.open(QIODevice::ReadOnly)) return {};
    return QIcon(new LineIconEngine(file.readAll()));
}

}  // namespace gapscope

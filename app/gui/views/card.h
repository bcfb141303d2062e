// Small pieces that all panels are made of: a framed card and the labels in it. They follow the palette by themselves.
#pragma once

#include <QFrame>
#include <QLabel>

namespace gapscope {

// A rounded, lightly framed surface.
class Card : public QFrame {
    Q_OBJECT

public:
    explicit Card(QWidget* parent = nullptr);

protected:
    void paintEvent(QPaintEvent* event) override;
};

enum class LabelRole {
    Title,    // of the window's first screen
    Heading,  // of a card
    Value,    // the number of a tile
    Body,
    Quiet,  // captions, hints
};

class Label : public QLabel {
    Q_OBJECT

public:
    Label(LabelRole role, const QString& text = {}, QWidget* parent = nullptr);

protected:
    void changeEvent(QEvent* event) override;

private:
    void restyle();

    LabelRole m_role;
};

// One line that gives up its end, not its neighbours' room; the whole text is in the tooltip.
class ElidedLabel : public Label {
    Q_OBJECT

public:
    explicit ElidedLabel(LabelRole role, const QString& text = {}, QWidget* parent = nullptr);

    void setFullText(const QString& text);
    QString fullText() const { return m_full; }
    void setDetails(const QString& details);  // plain text, in the tooltip
    QSize minimumSizeHint() const override;

protected:
    void resizeEvent(QResizeEvent* event) override;

private:
    void elide();

    QString m_full, m_details;
};

}  // namespace gapscope

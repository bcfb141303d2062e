#include "app/gui/views/folding_row.h"

#include <QFrame>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QScreen>
#include <QToolButton>
#include <algorithm>

#include "app/gui/views/card.h"

namespace gapscope {

namespace {

constexpr int kSpacing = 8;

class Popup : public QFrame {
public:
    explicit Popup(QWidget* parent) : QFrame(parent, Qt::Popup) { setFrameShape(QFrame::StyledPanel); }

protected:
    void keyPressEvent(QKeyEvent* event) override {
        if (event->key() == Qt::Key_Escape)
            close();
        else
            QFrame::keyPressEvent(event);
    }
};

}  // namespace

FoldingRow::FoldingRow(int fieldHeight, QWidget* parent)
    : QWidget(parent),
      m_fieldHeight(fieldHeight),
      m_row(new QHBoxLayout(this)),
      m_more(new QToolButton(this)),
      m_rest(new Popup(this)),
      m_restRow(new QHBoxLayout(m_rest)) {
    m_row->setContentsMargins(0, 0, 0, 0);
    m_row->setSpacing(kSpacing);
    m_restRow->setContentsMargins(10, 6, 10, 8);
    m_restRow->setSpacing(kSpacing);
    m_rest->setObjectName(QStringLiteral("moreFields"));
    m_more->setObjectName(QStringLiteral("moreFieldsButton"));
    m_more->setAccessibleName(tr("More choices"));
    m_more->setFocusPolicy(Qt::TabFocus);
    m_more->setFixedWidth(m_more->fontMetrics().horizontalAdvance(tr("%1 set").arg(9)) + 14);
    connect(m_more, &QToolButton::clicked, this, &FoldingRow::openRest);
    m_moreColumn = columnOf(tr("More"), {}, m_more);
    m_moreColumn->hide();
    m_row->addWidget(m_moreColumn);
}

QWidget* FoldingRow::columnOf(const QString& caption, const QString& tip, QWidget* field) {
    auto* widget = new QWidget(this);
    auto* label = new Label(LabelRole::Quiet, caption, widget);
    label->setBuddy(field);
    label->setToolTip(tip);
    field->setFixedHeight(m_fieldHeight);
    auto* column = new QVBoxLayout(widget);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(1);
    column->addWidget(label);
    column->addWidget(field);
    return widget;
}

void FoldingRow::add(const QString& caption, QWidget* field, int stretch, int fold, std::function<bool()> isSet) {
    m_columns.push_back({columnOf(caption, field->toolTip(), field), caption, stretch, fold, std::move(isSet)});
    m_deepest = std::max(m_deepest, fold);
    m_row->insertWidget(static_cast<int>(m_columns.size()) - 1, m_columns.back().widget, stretch);
}

bool FoldingRow::isFolded(const QWidget* field) const {
    return m_rest->isAncestorOf(field);
}

int FoldingRow::widthAt(int level) const {
    int width = level > 0 ? m_moreColumn->minimumSizeHint().width() + kSpacing : 0;
    for (const Column& column : m_columns)
        if (!isFolded(column, level)) width += column.widget->minimumSizeHint().width() + kSpacing;
    return width - kSpacing;
}

QSize FoldingRow::minimumSizeHint() const {
    int height = 0;
    for (const Column& column : m_columns)
        height = std::max(height, column.widget->minimumSizeHint().height());
    return {widthAt(m_deepest), height};
}

QSize FoldingRow::sizeHint() const {
    int width = -kSpacing;
    for (const Column& column : m_columns)
        width += column.widget->sizeHint().width() + kSpacing;
    return {width, minimumSizeHint().height()};
}

bool FoldingRow::event(QEvent* event) {
    if (event->type() == QEvent::LayoutRequest) arrange();
    return QWidget::event(event);
}

void FoldingRow::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    arrange();
}

void FoldingRow::arrange() {
    int level = 0;
    while (level < m_deepest && widthAt(level) > width())
        ++level;
    if (level == m_level) return;
    m_level = level;
    place();
}

void FoldingRow::place() {
    m_rest->close();
    for (const Column& column : m_columns) {
        m_row->removeWidget(column.widget);
        m_restRow->removeWidget(column.widget);
    }
    int at = 0;
    for (const Column& column : m_columns) {
        if (isFolded(column, m_level))
            m_restRow->addWidget(column.widget);
        else
            m_row->insertWidget(at++, column.widget, column.stretch);
    }
    m_moreColumn->setVisible(m_level > 0);
    updateMore();
}

void FoldingRow::updateMore() {
    QStringList captions;
    int set = 0;
    for (const Column& column : m_columns)
        if (isFolded(column, m_level)) {
            captions << column.caption;
            set += column.isSet();
        }
    m_more->setText(set > 0 ? tr("%1 set").arg(set) : QString(QChar(0x2026)));
    m_more->setToolTip(captions.join(QStringLiteral(", ")));
}

void FoldingRow::openRest() {
    m_rest->adjustSize();
    QPoint place = m_more->mapToGlobal(QPoint(0, m_more->height() + 2));
    const QRect screenRect = screen()->availableGeometry();
    const int right = std::min(screenRect.right(), window()->mapToGlobal(window()->rect().topRight()).x());
    place.setX(std::max(screenRect.left(), std::min(place.x(), right - m_rest->width())));
    m_rest->move(place);
    m_rest->show();
    for (const Column& column : m_columns)
        if (isFolded(column, m_level)) {
            column.widget->layout()->itemAt(1)->widget()->setFocus(Qt::PopupFocusReason);
            break;
        }
}

}  // namespace gapscope

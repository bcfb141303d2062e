#include "app/gui/views/welcome.h"

#include <QAction>
#include <QFileInfo>
#include <QIcon>
#include <QPushButton>
#include <QVBoxLayout>

#include "app/gui/settings/appearance.h"
#include "app/gui/views/card.h"

namespace gapscope {
namespace {

constexpr int kRecentShown = 5;
constexpr int kCardWidth = 760;

// A button of its own size and text that follows its action.
QPushButton* actionButton(QAction* action, const QString& text, QWidget* parent) {
    auto* button = new QPushButton(action->icon(), text, parent);
    button->setToolTip(action->toolTip());
    button->setEnabled(action->isEnabled());
    QObject::connect(button, &QPushButton::clicked, action, &QAction::trigger);
    QObject::connect(action, &QAction::changed, button, [action, button] { button->setEnabled(action->isEnabled()); });
    return button;
}

}  // namespace

Welcome::Welcome(QAction* run, QAction* open, const QList<QAction*>& examples, QWidget* parent) : QWidget(parent) {
    setObjectName(QStringLiteral("welcome"));
    m_card = new Card(this);
    Card* const card = m_card;
    card->setFixedWidth(kCardWidth);
    auto* columns = new QHBoxLayout(card);
    columns->setContentsMargins(32, 28, 32, 28);
    columns->setSpacing(32);

    auto* left = new QVBoxLayout;
    left->setSpacing(4);
    auto* headline = new QHBoxLayout;
    auto* mark = new QLabel(card);
    mark->setFixedSize(44, 44);
    mark->setPixmap(
        QIcon(QStringLiteral(":/icons/io.github.gapscope.Gapscope.svg")).pixmap(QSize(44, 44), devicePixelRatioF()));
    headline->addWidget(mark);
    headline->addSpacing(8);
    headline->addWidget(new Label(LabelRole::Title, tr("Gapscope"), card), 1);
    left->addLayout(headline);
    auto* what = new Label(LabelRole::Body,
                           tr("Run a language model on this machine and see why it takes the time it takes."), card);
    what->setWordWrap(true);
    left->addSpacing(6);
    left->addWidget(what);
    left->addSpacing(14);
    left->addWidget(new Label(LabelRole::Quiet, tr("Model"), card));
    m_model = new ElidedLabel(LabelRole::Heading, tr("Looking…"), card);
    left->addWidget(m_model);
    m_modelHint = new Label(LabelRole::Quiet, {}, card);
    m_modelHint->setWordWrap(true);
    left->addWidget(m_modelHint);
    left->addSpacing(8);
    left->addWidget(new Label(LabelRole::Quiet, tr("Device"), card));
    m_device = new ElidedLabel(LabelRole::Heading, tr("Looking…"), card);
    left->addWidget(m_device);
    m_deviceHint = new Label(LabelRole::Quiet, {}, card);
    m_deviceHint->setWordWrap(true);
    m_deviceHint->hide();
    left->addWidget(m_deviceHint);
    left->addSpacing(18);
    QPushButton* runButton = actionButton(run, tr("Run"), card);
    runButton->setObjectName(QStringLiteral("welcomeRun"));
    runButton->setAccessibleName(tr("Run the model"));
    runButton->setMinimumHeight(48);
    runButton->setIconSize({20, 20});
    QFont large = runButton->font();
    large.setPointSizeF(large.pointSizeF() * 1.4);
    large.setBold(true);
    runButton->setFont(large);
    runButton->setDefault(true);
    left->addWidget(runButton);
    left->addStretch(1);
    columns->addLayout(left, 5);

    auto* line = new QFrame(card);
    line->setFrameShape(QFrame::VLine);
    line->setFrameShadow(QFrame::Plain);
    line->setForegroundRole(QPalette::Mid);
    columns->addWidget(line);

    auto* right = new QVBoxLayout;
    right->setSpacing(6);
    right->addWidget(new Label(LabelRole::Heading, tr("Look at a trace"), card));
    QPushButton* openButton = actionButton(open, tr("Open trace…"), card);
    openButton->setObjectName(QStringLiteral("welcomeOpen"));
    right->addWidget(openButton);
    auto* hint = new Label(
        LabelRole::Quiet,
        tr("Sessions, and traces of Nsight Systems, PyTorch and Perfetto. Files can also be dropped here."), card);
    hint->setWordWrap(true);
    right->addWidget(hint);
    right->addSpacing(6);
    for (QAction* example : examples) {
        if (!example->isVisible()) continue;
        QPushButton* button = actionButton(example, example->text().remove(QLatin1Char('&')), card);
        button->setObjectName(example->objectName() + QStringLiteral("Button"));
        right->addWidget(button);
    }
    right->addSpacing(12);
    m_recentTitle = new Label(LabelRole::Heading, tr("Recent"), card);
    right->addWidget(m_recentTitle);
    m_recent = new QVBoxLayout;
    m_recent->setSpacing(2);
    right->addLayout(m_recent);
    right->addStretch(1);
    columns->addLayout(right, 4);

    auto* outer = new QVBoxLayout(this);
    outer->addStretch(2);
    outer->addWidget(card, 0, Qt::AlignHCenter);
    outer->addStretch(3);
    showRecent({});
}

void Welcome::showFound(const QString& model, const QString& modelHint, const QString& device,
                        const QString& deviceHint) {
    m_model->setFullText(model);
    m_modelHint->setText(modelHint);
    m_modelHint->setVisible(!modelHint.isEmpty());
    m_device->setFullText(device);
    m_deviceHint->setText(deviceHint);
    m_deviceHint->setVisible(!deviceHint.isEmpty());
    fitCard();
}

// Wrapped lines need the height that goes with the width, which a centred widget is not asked for.
void Welcome::fitCard() {
    m_card->setFixedHeight(m_card->layout()->totalHeightForWidth(kCardWidth));
}

void Welcome::showRecent(const QStringList& files) {
    while (QLayoutItem* item = m_recent->takeAt(0)) {
        if (item->widget()) item->widget()->deleteLater();
        delete item;
    }
    m_recentTitle->setVisible(!files.isEmpty());
    for (const QString& path : files.mid(0, kRecentShown)) {
        auto* button = new QPushButton(this);
        button->setFlat(true);
        button->setText(button->fontMetrics().elidedText(QFileInfo(path).fileName(), Qt::ElideMiddle, 240));
        button->setStyleSheet(QStringLiteral("text-align: left; padding: 3px 4px;"));
        button->setToolTip(path);
        button->setAccessibleName(tr("Open %1").arg(path));
        connect(button, &QPushButton::clicked, this, [this, path] { Q_EMIT openRequested(path); });
        m_recent->addWidget(button);
    }
    fitCard();
}

}  // namespace gapscope

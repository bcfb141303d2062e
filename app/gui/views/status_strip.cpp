#include "app/gui/views/status_strip.h"

#include <QHBoxLayout>
#include <QProgressBar>
#include <QToolButton>
#include <algorithm>

#include "app/gui/plain_tip.h"
#include "app/gui/settings/appearance.h"
#include "app/gui/views/card.h"

namespace gapscope {

namespace {
constexpr int kNarrowestText = 160;  // px
}  // namespace

StatusStrip::StatusStrip(QWidget* parent)
    : QWidget(parent),
      m_facts(new ElidedLabel(LabelRole::Quiet, {}, this)),
      m_what(new Label(LabelRole::Quiet, {}, this)),
      m_bar(new QProgressBar(this)),
      m_cancel(new QToolButton(this)) {
    setObjectName(QStringLiteral("statusStrip"));
    m_facts->setObjectName(QStringLiteral("statusFacts"));
    m_bar->setFixedSize(140, 8);
    m_bar->setTextVisible(false);
    m_bar->setAccessibleName(tr("Progress"));
    m_cancel->setAutoRaise(true);
    m_cancel->setIcon(lineIcon(QStringLiteral("close")));
    m_cancel->setIconSize({12, 12});
    m_cancel->setToolTip(tr("Cancel"));
    m_cancel->setAccessibleName(tr("Cancel"));
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(8, 2, 8, 2);
    layout->setSpacing(8);
    layout->addWidget(m_facts, 1);
    layout->addWidget(m_what);
    layout->addWidget(m_bar);
    layout->addWidget(m_cancel);
    setFixedHeight(std::max(24, fontMetrics().height() + 8));
    connect(m_cancel, &QToolButton::clicked, this, &StatusStrip::cancelled);
    hideProgress();
}

void StatusStrip::showFacts(const QString& facts) {
    if (facts != m_facts->fullText()) m_facts->setFullText(facts);
}

void StatusStrip::showProgress(const QString& what, double share) {
    // The name of a file may be as long as it likes.
    m_what->setText(fontMetrics().elidedText(what, Qt::ElideMiddle, std::max(kNarrowestText, width() / 2)));
    m_what->setToolTip(plainTip(what));
    m_bar->setRange(0, share < 0 ? 0 : 1000);
    if (share >= 0) m_bar->setValue(static_cast<int>(share * 1000));
    m_what->show();
    m_bar->show();
    m_cancel->show();
}

void StatusStrip::hideProgress() {
    m_what->hide();
    m_bar->hide();
    m_cancel->hide();
}

bool StatusStrip::busy() const {
    return !m_bar->isHidden();
}

}  // namespace gapscope

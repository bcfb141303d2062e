#include "app/gui/views/banner.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QPainter>
#include <QPushButton>
#include <QToolButton>
#include <QVBoxLayout>

#include "app/gui/plain_tip.h"
#include "app/gui/settings/appearance.h"
#include "app/gui/views/card.h"

namespace gapscope {
namespace {

constexpr int kMaxBanners = 3;  // older ones go: a window full of banners shows nothing

class Banner : public QWidget {
public:
    Banner(BannerKind kind, const QString& sentence, QWidget* parent)
        : QWidget(parent), m_kind(kind), m_sentence(sentence) {
        setAccessibleName(sentence);
    }
    const QString& sentence() const { return m_sentence; }

protected:
    void paintEvent(QPaintEvent*) override {
        const QColor mark = m_kind == BannerKind::Error ? QColor(0xd5, 0x5e, 0x00) : appTheme().accent;
        QColor ground = mark;
        ground.setAlpha(appTheme().dark ? 56 : 32);
        QPainter painter(this);
        painter.fillRect(rect(), ground);
        painter.fillRect(QRect(0, 0, 4, height()), mark);
    }

private:
    BannerKind m_kind;
    QString m_sentence;
};

// Wraps; of a word that is wider than the label, such as a long file name, the middle is left out.
class Sentence : public Label {
public:
    Sentence(const QString& sentence, QWidget* parent) : Label(LabelRole::Body, sentence, parent), m_words(sentence) {
        setWordWrap(true);
        setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
        setAccessibleName(sentence);
    }
    QSize minimumSizeHint() const override {
        return {fontMetrics().averageCharWidth() * kNarrowest, fontMetrics().height()};
    }

protected:
    void resizeEvent(QResizeEvent* event) override {
        Label::resizeEvent(event);
        QStringList words = m_words.split(QLatin1Char(' '));
        for (QString& word : words)
            word = fontMetrics().elidedText(word, Qt::ElideMiddle, width());
        const QString shown = words.join(QLatin1Char(' '));
        if (shown == text()) return;
        setText(shown);
        setToolTip(shown == m_words ? QString() : plainTip(m_words));
    }

private:
    static constexpr int kNarrowest = 20;  // characters
    const QString m_words;
};

}  // namespace

BannerArea::BannerArea(QWidget* parent) : QWidget(parent), m_layout(new QVBoxLayout(this)) {
    setObjectName(QStringLiteral("bannerArea"));
    m_layout->setContentsMargins(0, 0, 0, 0);
    m_layout->setSpacing(1);
    setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Maximum);
}

void BannerArea::show(BannerKind kind, const QString& sentence, std::vector<BannerAction> actions) {
    for (int i = m_layout->count() - 1; i >= 0; --i) {
        auto* old = static_cast<Banner*>(m_layout->itemAt(i)->widget());
        if (old->sentence() == sentence || i >= kMaxBanners - 1) {
            m_layout->removeWidget(old);
            old->hide();
            old->deleteLater();
        }
    }
    auto* banner = new Banner(kind, sentence, this);
    banner->setObjectName(QStringLiteral("banner"));
    auto* row = new QHBoxLayout(banner);
    row->setContentsMargins(14, 5, 6, 5);
    row->setSpacing(10);
    auto* icon = new QLabel(banner);
    icon->setPixmap(lineIcon(kind == BannerKind::Error ? QStringLiteral("warning") : QStringLiteral("info"))
                        .pixmap(QSize(16, 16), devicePixelRatioF()));
    row->addWidget(icon, 0, Qt::AlignVCenter);
    row->addWidget(new Sentence(sentence, banner), 1);
    const auto remove = [this, banner] {
        m_layout->removeWidget(banner);
        banner->hide();
        banner->deleteLater();
    };
    for (BannerAction& action : actions) {
        auto* button = new QPushButton(action.text, banner);
        button->setObjectName(QStringLiteral("bannerButton"));
        connect(button, &QPushButton::clicked, this, [remove, then = std::move(action.then)] {
            remove();
            then();
        });
        row->addWidget(button, 0, Qt::AlignVCenter);
    }
    auto* close = new QToolButton(banner);
    close->setAutoRaise(true);
    close->setIcon(lineIcon(QStringLiteral("close")));
    close->setIconSize({14, 14});
    close->setToolTip(tr("Close this message"));
    close->setAccessibleName(tr("Close this message"));
    connect(close, &QToolButton::clicked, this, remove);
    row->addWidget(close, 0, Qt::AlignVCenter);
    m_layout->insertWidget(0, banner);
}

void BannerArea::close(const QString& sentence) {
    for (int i = m_layout->count() - 1; i >= 0; --i) {
        auto* banner = static_cast<Banner*>(m_layout->itemAt(i)->widget());
        if (banner->sentence() != sentence) continue;
        m_layout->removeWidget(banner);
        banner->hide();
        banner->deleteLater();
    }
}

void BannerArea::closeAll() {
    while (QLayoutItem* item = m_layout->takeAt(0)) {
        item->widget()->hide();
        item->widget()->deleteLater();
        delete item;
    }
}

int BannerArea::count() const {
    return m_layout->count();
}

QStringList BannerArea::sentences() const {
    QStringList sentences;
    for (int i = 0; i < m_layout->count(); ++i)
        sentences.append(static_cast<Banner*>(m_layout->itemAt(i)->widget())->sentence());
    return sentences;
}

}  // namespace gapscope

// A sentence across the window that stays until closed: errors, offers, notices. Never modal. Newest on top.
#pragma once

#include <QWidget>
#include <functional>

class QVBoxLayout;

namespace gapscope {

enum class BannerKind { Error, Offer, Notice };

class BannerArea : public QWidget {
    Q_OBJECT

public:
    explicit BannerArea(QWidget* parent = nullptr);

    // `action` may be empty; choosing it closes the banner. A second banner with the same text replaces the first.
    void show(BannerKind kind, const QString& sentence, const QString& action = {}, std::function<void()> then = {});
    void closeAll();
    int count() const;
    QStringList sentences() const;

private:
    QVBoxLayout* m_layout;
};

}  // namespace gapscope

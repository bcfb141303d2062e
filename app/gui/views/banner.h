// A sentence across the window that stays until closed: errors, offers, notices. Never modal. Newest on top.
#pragma once

#include <QWidget>
#include <functional>
#include <vector>

class QVBoxLayout;

namespace gapscope {

enum class BannerKind { Error, Offer, Notice };

struct BannerAction {
    QString text;
    std::function<void()> then;
};

class BannerArea : public QWidget {
    Q_OBJECT

public:
    explicit BannerArea(QWidget* parent = nullptr);

    // Choosing an action closes the banner. A second banner with the same text replaces the first.
    void show(BannerKind kind, const QString& sentence, std::vector<BannerAction> actions = {});
    void close(const QString& sentence);  // the banner that says this, if it is still there
    void closeAll();
    int count() const;
    QStringList sentences() const;

private:
    QVBoxLayout* m_layout;
};

}  // namespace gapscope

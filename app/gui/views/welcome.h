// What a first start shows: what was found, one large Run, and beside it how to open something.
#pragma once

#include <QWidget>

class QAction;
class QPushButton;
class QVBoxLayout;

namespace gapscope {

class Card;
class ElidedLabel;
class Label;

class Welcome : public QWidget {
    Q_OBJECT

public:
    // The buttons do what their actions do. Of the examples those are offered whose actions are visible.
    Welcome(QAction* run, QAction* open, const QList<QAction*>& examples, QWidget* parent = nullptr);

    // Hints may be empty.
    void showFound(const QString& model, const QString& modelHint, const QString& device, const QString& deviceHint);
    void showRecent(const QStringList& files);

Q_SIGNALS:
    void openRequested(const QString& path);

private:
    void fitCard();

    Card* m_card;
    ElidedLabel* m_model;
    Label* m_modelHint;
    ElidedLabel* m_device;
    Label* m_deviceHint;
    QVBoxLayout* m_recent;
    Label* m_recentTitle;
};

}  // namespace gapscope

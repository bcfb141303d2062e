// The status line: what is going on (with cancel), and what the open trace holds.
#pragma once

#include <QWidget>

class QProgressBar;
class QToolButton;

namespace gapscope {

class ElidedLabel;
class Label;

class StatusStrip : public QWidget {
    Q_OBJECT

public:
    explicit StatusStrip(QWidget* parent = nullptr);

    void showFacts(const QString& facts);
    void showProgress(const QString& what, double share);  // share < 0: unknown
    void hideProgress();
    bool busy() const;

Q_SIGNALS:
    void cancelled();

private:
    ElidedLabel* m_facts;
    Label* m_what;
    QProgressBar* m_bar;
    QToolButton* m_cancel;
};

}  // namespace gapscope

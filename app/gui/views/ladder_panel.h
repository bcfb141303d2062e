// The Ladder tab: runs all remedies one after the other on the model and device of the run bar, and shows what each
// brought beside what was predicted of it, as bars and as a table. A rung's session opens from its row.
#pragma once

#include <QWidget>

#include "app/gui/models/ladder_model.h"
#include "app/gui/session/ladder_climber.h"

class QCPBars;
class QCPGraph;
class QCPItemStraightLine;
class QCustomPlot;
class QPushButton;

namespace gapscope {

class DataTable;
class ElidedLabel;

class LadderPanel : public QWidget {
    Q_OBJECT

public:
    // `climb` is the action that starts a ladder.
    LadderPanel(LadderClimber& climber, QAction* climb, QWidget* parent = nullptr);

Q_SIGNALS:
    void openWanted(const QString& session);
    void compareWanted(const QString& before, const QString& after);
    void folderWanted(const QString& folder);

protected:
    void changeEvent(QEvent* event) override;

private:
    void makePlot();
    void restyle();
    void show();
    void showPlot();
    void showCaption();
    void showButtons();
    const LadderRung* chosen() const;  // that has a session; null: none

    LadderClimber& m_climber;
    LadderModel m_model;
    ElidedLabel* m_caption;
    QPushButton* m_open;
    QPushButton* m_compare;
    QPushButton* m_folder;
    DataTable* m_table;
    QCustomPlot* m_plot;
    QCPBars* m_bars = nullptr;
    QCPGraph* m_predicted = nullptr;
    QCPItemStraightLine* m_floor = nullptr;
};

}  // namespace gapscope

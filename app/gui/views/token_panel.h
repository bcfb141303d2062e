// The Tokens tab: table and, beside it, time per token split into busy and idle.
#pragma once

#include <QWidget>

#include "app/gui/models/token_model.h"
#include "app/gui/session/analyst.h"

class QCPBars;
class QCustomPlot;

namespace gapscope {

class DataTable;
class ElidedLabel;

class TokenPanel : public QWidget {
    Q_OBJECT

public:
    explicit TokenPanel(Analyst& analyst, QWidget* parent = nullptr);

protected:
    void changeEvent(QEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

private:
    void makePlot();
    void showReport();
    void showPlot();
    void shareWidth();
    void restyle();
    void choose(std::vector<int> rows);

    Analyst& m_analyst;
    TokenModel m_model;
    ElidedLabel* m_caption;
    ElidedLabel* m_phases = nullptr;
    DataTable* m_table;
    QCustomPlot* m_plot;
    QCPBars* m_busy = nullptr;
    QCPBars* m_idle = nullptr;
    std::vector<int> m_plotted;  // model rows, by position in the plot
};

}  // namespace gapscope

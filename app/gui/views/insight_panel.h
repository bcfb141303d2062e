// The right side: the verdict, four numbers, the pie with its legend and the two-way bar, for what is selected.
#pragma once

#include <QWidget>
#include <array>

#include "app/gui/models/category_model.h"
#include "app/gui/session/analyst.h"

class QComboBox;
class QCustomPlot;
class QToolButton;
class QVBoxLayout;

namespace gapscope {

class DataTable;
class ElidedLabel;
class Label;
class PieItem;
class TwoWayBar;
class WhatIfCard;

class InsightPanel : public QWidget {
    Q_OBJECT

public:
    explicit InsightPanel(Analyst& analyst, QWidget* parent = nullptr);

    QSize sizeHint() const override { return {340, 600}; }
    WhatIfCard& whatIf() { return *m_whatIf; }
    // Kernel names of the open trace that no rule knows.
    void showUnknownNames(int64_t count);

Q_SIGNALS:
    // The rows behind a number were asked for; where it is of a part of them, that is selected.
    void rowsWanted(Evidence evidence);
    void rulesWanted();

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;
    void changeEvent(QEvent* event) override;

private:
    struct Tile {
        Label* value = nullptr;
        Label* caption = nullptr;
        QWidget* card = nullptr;
        Evidence evidence = Evidence::None;
    };

    QWidget* makeScope();
    QWidget* makeVerdict();
    QWidget* makeTiles();
    QWidget* makePie();
    void showReport();
    void showPie();
    void chooseSlice(int slice);
    void showEvidence();
    void follow(Evidence evidence);
    void fitLegend();

    Analyst& m_analyst;
    ElidedLabel* m_scope = nullptr;
    QToolButton* m_whole = nullptr;
    QComboBox* m_pieBy = nullptr;
    QToolButton* m_unknown = nullptr;
    Label* m_figures = nullptr;  // of a selected token
    Label* m_verdict = nullptr;
    Label* m_evidence = nullptr;
    std::array<Tile, 4> m_tiles;
    QCustomPlot* m_plot = nullptr;
    PieItem* m_pie = nullptr;
    CategoryModel m_categories;
    DataTable* m_legend = nullptr;
    TwoWayBar* m_twoWay = nullptr;
    WhatIfCard* m_whatIf = nullptr;
};

}  // namespace gapscope

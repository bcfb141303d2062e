// The right side: the verdict, four numbers, the pie with its legend and the two-way bar, for what is selected.
#pragma once

#include <QWidget>
#include <array>

#include "app/gui/models/category_model.h"
#include "app/gui/session/analyst.h"

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

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;
    void changeEvent(QEvent* event) override;

private:
    struct Tile {
        Label* value = nullptr;
        Label* caption = nullptr;
    };

    QWidget* makeScope();
    QWidget* makeVerdict();
    QWidget* makeTiles();
    QWidget* makePie();
    void showReport();
    void showPie();
    void chooseSlice(int slice);

    Analyst& m_analyst;
    ElidedLabel* m_scope = nullptr;
    QToolButton* m_whole = nullptr;
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

// Two runs, or two windows of one, compared: what changed in a sentence, both timelines above each other with one zoom,
// both pies, tables of differences. Takes the workspace's place until it is left.
#pragma once

#include <QWidget>
#include <array>

#include "app/gui/models/compare_models.h"
#include "app/gui/session/comparer.h"

class QComboBox;
class QCustomPlot;
class QSplitter;
class QTabWidget;
class QToolButton;

namespace gapscope {

class DataTable;
class ElidedLabel;
class Label;
class PieItem;
class TimelineWidget;
class TwoWayBar;

class ComparePage : public QWidget {
    Q_OBJECT

public:
    explicit ComparePage(Comparer& comparer, QWidget* parent = nullptr);

    bool settled() const;
    QTabWidget& tabs() { return *m_tabs; }

Q_SIGNALS:
    void leaveWanted();

protected:
    void changeEvent(QEvent* event) override;

private:
    struct Side {
        ElidedLabel* name = nullptr;
        QComboBox* window = nullptr;
        QToolButton* selected = nullptr;  // compares what is selected in the timeline
        TimelineWidget* timeline = nullptr;
        Label* pieName = nullptr;
        QCustomPlot* plot = nullptr;
        PieItem* pie = nullptr;
        TwoWayBar* twoWay = nullptr;
    };

    QWidget* makeHead();
    QWidget* makeTimeline(Side& side, Session& session, const QString& objectName);
    QWidget* makePies();
    QWidget* makePie(Side& side, const QString& objectName);
    QWidget* makeTables();
    DataTable* addTable(CompareModel& model, const QString& title, const QString& objectName);
    void showResult();
    void showWindows(Side& side, const ComparedSide& of, const std::vector<WindowChoice>* choices);
    void chooseCulprit(int row);
    void showPie(Side& side, const WindowFacts* facts);
    void chooseFigure(int row);
    void chooseKernel(int row);
    void chooseToken(int row);

    Comparer& m_comparer;
    Label* m_sentence = nullptr;
    QComboBox* m_align = nullptr;
    QComboBox* m_scope = nullptr;
    std::array<Side, 2> m_sides;  // before, after
    QSplitter* m_middle = nullptr;
    QTabWidget* m_tabs = nullptr;
    DataTable* m_figuresTable = nullptr;
    CompareCategoryModel m_categories;
    CompareFigureModel m_figures;
    CompareKernelModel m_kernels;
    CompareRoleModel m_roles;
    CompareTokenModel m_tokens;
    CompareCulpritModel m_culprits;
};

}  // namespace gapscope

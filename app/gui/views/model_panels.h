// The tabs Layers and Events.
#pragma once

#include "app/gui/jobs/job_tracker.h"
#include "app/gui/models/event_model.h"
#include "app/gui/models/layer_model.h"
#include "app/gui/views/table_panels.h"

class QComboBox;

namespace gapscope {

class LayerPanel : public TablePanel {
    Q_OBJECT

public:
    explicit LayerPanel(Analyst& analyst, QWidget* parent = nullptr);

private:
    void showReport(const ReportPtr& report) override;
    void showRows();

    LayerModel m_model;
    QComboBox* m_rows;
};

// All events of the window, by start or as the header is clicked. While one event is selected its neighbours stay
// listed. Lists and orders are made off the UI thread; until a new one is there the table shows the old one and says
// so.
class EventPanel : public TablePanel {
    Q_OBJECT

public:
    explicit EventPanel(Analyst& analyst, QWidget* parent = nullptr);

protected:
    void showEvent(QShowEvent* event) override;
    void filterChanged(const QString& text) override;

private:
    void showReport(const ReportPtr& report) override;
    void request();
    void order();
    void showCaption();

    EventModel m_model;
    JobTracker m_jobs;
    JobTracker m_orderJobs;
    int m_column = 0;
    Qt::SortOrder m_direction = Qt::AscendingOrder;
    QComboBox* m_kinds;
    ReportPtr m_shown;
    QString m_shownText;
    int m_shownKind = -1;
};

}  // namespace gapscope

// The Launches tab: calls and kernels by name, what stands out among them, and how many launches waited in the queue of
// the stream that had most. Computed off the UI thread, and only while it can be seen.
#pragma once

#include <QVector>
#include <QWidget>

#include "app/gui/jobs/job_tracker.h"
#include "app/gui/models/launch_model.h"
#include "app/gui/session/analyst.h"
#include "core/analysis/launch_statistics.h"
#include "core/analysis/queue_depth.h"

class QCustomPlot;
class QCPGraph;

namespace gapscope {

class DataTable;
class ElidedLabel;
class Label;

class LaunchPanel : public QWidget {
    Q_OBJECT

public:
    explicit LaunchPanel(Analyst& analyst, QWidget* parent = nullptr);

protected:
    void showEvent(QShowEvent* event) override;
    void changeEvent(QEvent* event) override;

private:
    struct Answer {
        ReportPtr report;
        std::vector<KernelExecutionRow> rows;
        LaunchTable launches;
        LaunchStatistics statistics;
        QueueDepth queue;  // its points are left out
        QString stream;
        QVector<double> milliseconds, depths;  // of the plot
    };
    static Answer ask(const ReportPtr& report, std::stop_token stop);
    void makePlot();
    void restyle();
    void request();
    void take(Answer answer);

    Analyst& m_analyst;
    JobTracker m_jobs;
    TracePtr m_trace;  // what the tables are of
    TimeRange m_window;
    LaunchModel m_model;
    ElidedLabel* m_caption;
    DataTable* m_table;
    Label* m_facts;
    QCustomPlot* m_plot;
    QCPGraph* m_depth = nullptr;
};

}  // namespace gapscope

// The Roofline tab: what operations, categories, layers or tokens of the selection move and compute a second, against
// the device's measured peaks, as a plot and a table. Choosing a point or a row selects its kernels or token.
#pragma once

#include <QWidget>

#include "app/gui/jobs/job_tracker.h"
#include "app/gui/models/roofline_model.h"
#include "app/gui/session/analyst.h"
#include "core/runner/device_peaks.h"

class QComboBox;
class QCustomPlot;
class QPushButton;

namespace gapscope {

class DataTable;
class ElidedLabel;
class RooflineItem;

class RooflinePanel : public QWidget {
    Q_OBJECT

public:
    explicit RooflinePanel(Analyst& analyst, QWidget* parent = nullptr);

    // Measures the peaks of what a run was recorded on, for tests in another way.
    using Measure = std::function<Result<DevicePeakRates>(const RunInfo& run)>;
    void setMeasure(Measure measure) { m_measure = std::move(measure); }

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;
    void changeEvent(QEvent* event) override;
    void showEvent(QShowEvent* event) override;

private:
    void makePlot();
    void restyle();
    void request();
    void showRows();
    void shareWidth();
    void showPlot();
    void choose(int row);
    int rowOf(const Selection& selection) const;
    void measure();

    Analyst& m_analyst;
    RooflineModel m_model;
    ElidedLabel* m_caption;
    QComboBox* m_rows;
    QPushButton* m_measureButton;
    DataTable* m_table;
    QCustomPlot* m_plot;
    RooflineItem* m_item = nullptr;
    JobTracker m_jobs;
    JobTracker m_measuring;
    Measure m_measure;
    ReportPtr m_shown;
    std::shared_ptr<Roofline> m_roofline;
    DevicePeakRates m_measured;  // of m_measuredFor's device, by the button
    QString m_measureProblem;    // why they were not
    TracePtr m_measuredFor;
};

}  // namespace gapscope

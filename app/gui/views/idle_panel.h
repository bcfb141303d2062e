// Who left the devices idle, and beside it the idle time of streams as HTA classes it, with its threshold. Both are
// computed off the UI thread, and only while they can be seen.
#pragma once

#include <QWidget>

#include "app/gui/jobs/job_tracker.h"
#include "app/gui/models/culprit_model.h"
#include "app/gui/models/stream_idle_model.h"
#include "app/gui/session/analyst.h"

class QDoubleSpinBox;

namespace gapscope {

class DataTable;
class ElidedLabel;

class IdlePanel : public QWidget {
    Q_OBJECT

public:
    explicit IdlePanel(Analyst& analyst, QWidget* parent = nullptr);

protected:
    void showEvent(QShowEvent* event) override;

private:
    struct Answer {
        ReportPtr report;
        std::vector<Culprit> culprits;
        std::vector<StreamIdle> streams;
    };
    QWidget* makeCulprits();
    QWidget* makeStreams();
    void request();
    void take(Answer answer);
    int rowOf(TimeRange longestGap) const;

    Analyst& m_analyst;
    JobTracker m_jobs;
    ReportPtr m_shown;  // what the tables are of
    int64_t m_shownThresholdNs = 0;
    CulpritModel m_culprits;
    StreamIdleModel m_streams;
    ElidedLabel* m_caption = nullptr;
    DataTable* m_culpritTable = nullptr;
    DataTable* m_streamTable = nullptr;
    QDoubleSpinBox* m_threshold = nullptr;
};

}  // namespace gapscope

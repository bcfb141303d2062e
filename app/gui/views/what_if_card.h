// What a remedy would bring, by replaying the window: a line each with the time of a token and how much faster it is,
// and a button for the best one that this program can run. Computed off the UI thread, and only while it can be seen.
#pragma once

#include "app/gui/jobs/job_tracker.h"
#include "app/gui/session/analyst.h"
#include "app/gui/views/card.h"
#include "core/analysis/what_if.h"

class QGridLayout;
class QPushButton;

namespace gapscope {

class WhatIfCard : public Card {
    Q_OBJECT

public:
    explicit WhatIfCard(Analyst& analyst, QWidget* parent = nullptr);

Q_SIGNALS:
    // Run again in this mode; what is predicted of a token, by the median.
    void runWanted(const QString& mode, double nsPerToken);

protected:
    void showEvent(QShowEvent* event) override;

private:
    struct Answer {
        ReportPtr report;
        WhatIf whatIf;
    };
    void request();
    void take(Answer answer);

    Analyst& m_analyst;
    JobTracker m_jobs;
    ReportPtr m_shown;
    Label* m_recorded;
    QGridLayout* m_grid;
    QPushButton* m_run;
    QString m_mode;
    double m_nsPerToken = 0;
};

}  // namespace gapscope

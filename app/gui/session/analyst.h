// Keeps the report in step with the session: computes it off the UI thread when the selection changes, and while a run
// grows at most four times a second. Panels listen to reportChanged() and show report().
#pragma once

#include <QElapsedTimer>
#include <QObject>
#include <QTimer>

#include "app/gui/jobs/job_tracker.h"
#include "app/gui/session/report.h"

namespace gapscope {

class Analyst : public QObject {
    Q_OBJECT

public:
    explicit Analyst(Session& session, QObject* parent = nullptr);

    Session& session() { return m_session; }
    ReportPtr report() const { return m_report; }  // null before the first
    // Nothing newer is being computed or waits to be.
    bool settled() const { return !m_jobs.running() && !m_wanted; }

Q_SIGNALS:
    void reportChanged();

private:
    void request();
    void start();

    Session& m_session;
    JobTracker m_jobs;
    QTimer m_throttle;
    QElapsedTimer m_sinceStart;
    bool m_wanted = false;  // the trace has grown since the running job began
    ReportPtr m_report;
};

}  // namespace gapscope

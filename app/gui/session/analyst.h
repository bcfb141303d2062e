// Keeps the report in step with the session, off the UI thread: each snapshot is prepared once, while a run grows at
// most four times a second; a new selection is then answered from what is prepared. Panels listen to reportChanged()
// and show report().
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
    bool settled() const { return !m_preparing.running() && !m_answering.running() && !m_wanted; }

Q_SIGNALS:
    void reportChanged();

private:
    struct Prepared {
        PreparedTracePtr trace;
        TimeRange whole;  // the window without a selection
    };

    void request();
    void prepare();
    void answer();

    Session& m_session;
    JobTracker m_preparing;
    JobTracker m_answering;
    QTimer m_throttle;
    QElapsedTimer m_sinceStart;
    TracePtr m_beingPrepared;
    Prepared m_prepared;
    bool m_wanted = false;  // the trace has grown since its preparing began
    ReportPtr m_report;
};

}  // namespace gapscope

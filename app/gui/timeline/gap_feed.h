// Gaps of the whole trace for the timeline's gap rows, and its tokens' figures: computed off the UI thread, and while a
// run grows no more often than a few times a second.
#pragma once

#include <QObject>
#include <QTimer>
#include <memory>

#include "app/gui/jobs/job_tracker.h"
#include "core/analysis/token_table.h"
#include "core/layout/packed_gaps.h"
#include "core/layout/timeline_index.h"

namespace gapscope {

struct TraceGaps {
    PackedGaps gaps;
    GapLanes lanes;  // moved out by who shows them
    TokenTable tokens;
    DerivedRows derived;  // moved out likewise
    bool taken = false;   // they are moved out
};
using TraceGapsPtr = std::shared_ptr<TraceGaps>;

class GapFeed : public QObject {
    Q_OBJECT

public:
    explicit GapFeed(QObject* parent = nullptr);

    // `another`: not a later snapshot of the former trace, whose gaps are then no longer wanted.
    void setTrace(TracePtr trace, bool another);
    bool settled() const { return !m_jobs.running() && !m_timer.isActive(); }

Q_SIGNALS:
    void gapsReady(gapscope::TraceGapsPtr gaps);

private:
    void start();

    JobTracker m_jobs;
    QTimer m_timer;
    TracePtr m_trace;
    bool m_stale = false;
};

}  // namespace gapscope

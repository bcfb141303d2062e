// Two traces side by side: a session for each, whose zooms go together, and the comparison of their default windows,
// worked out off the UI thread. Lives on the UI thread.
#pragma once

#include <QObject>
#include <QString>
#include <optional>
#include <vector>

#include "app/gui/jobs/job_tracker.h"
#include "app/gui/session/session.h"
#include "core/analysis/compare.h"

namespace gapscope {

// A moment of each trace that are put above each other.
struct AlignPoint {
    QString name;  // "Start of the run", "Decode", "Token 3"
    int64_t beforeNs = 0;
    int64_t afterNs = 0;
};

struct Compared {
    TracePtr traceBefore, traceAfter;
    Comparison comparison;
    std::vector<AlignPoint> points;  // the start first
    // Of each of the comparison's kernels the first operation in the window.
    std::vector<std::optional<TimeRange>> firstBefore, firstAfter;
    RowArrangement rowsBefore, rowsAfter;  // devices first, threads folded: two timelines have half the room each
};
using ComparedPtr = std::shared_ptr<const Compared>;

// Of the default windows; null if stopped.
ComparedPtr compareTraces(const TracePtr& before, const TracePtr& after, std::stop_token stop = {});

class Comparer : public QObject {
    Q_OBJECT

public:
    explicit Comparer(QObject* parent = nullptr);

    Session& before() { return m_before; }
    Session& after() { return m_after; }
    const QString& nameBefore() const { return m_nameBefore; }
    const QString& nameAfter() const { return m_nameAfter; }
    ComparedPtr result() const { return m_result; }  // null while it is worked out
    bool settled() const { return !m_jobs.running(); }

    void show(TracePtr before, const QString& nameBefore, TracePtr after, const QString& nameAfter);
    void exchange();  // before becomes after
    void clear();     // lets go of both traces

    // Puts the moments above each other; the trace before stays where it is.
    void alignAt(int64_t beforeNs, int64_t afterNs);
    int64_t offsetNs() const { return m_offsetNs; }  // a moment of before, seen at this plus it of after
    // Both show what is given, a little around it, and begin together; what one of them lacks it is not moved for.
    void goTo(std::optional<TimeRange> before, std::optional<TimeRange> after);

Q_SIGNALS:
    void changed();  // names, or the result came or went

private:
    void request();
    void follow(Session& leader, Session& follower, int64_t offsetNs);

    Session m_before, m_after;
    QString m_nameBefore, m_nameAfter;
    JobTracker m_jobs;
    ComparedPtr m_result;
    int64_t m_offsetNs = 0;
    bool m_following = false;
};

}  // namespace gapscope

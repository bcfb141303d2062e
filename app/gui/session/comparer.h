// Two traces side by side, or two windows of one: a session for each, whose zooms go together, and the comparison of
// their windows, worked out off the UI thread. Lives on the UI thread.
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

// A stretch of a trace that can be compared with another.
struct WindowChoice {
    QString name;  // "whole run", "decode", "token 3"
    TimeRange range;
    bool operator==(const WindowChoice&) const = default;
};

// One of the two that are compared.
struct ComparedSide {
    TracePtr trace;
    QString name;                        // of the file
    std::optional<WindowChoice> window;  // none: the default window
};

struct Compared {
    PreparedTracePtr preparedBefore, preparedAfter;  // one and the same for two windows of one trace
    Comparison comparison;
    std::vector<AlignPoint> points;                         // the start first
    std::vector<WindowChoice> choicesBefore, choicesAfter;  // of each trace: the whole run first
    // Of each of the comparison's kernels the first operation in the window.
    std::vector<std::optional<TimeRange>> firstBefore, firstAfter;
    RowArrangement rowsBefore, rowsAfter;  // devices first, threads folded: two timelines have half the room each
};
using ComparedPtr = std::shared_ptr<const Compared>;

// Null if stopped. What `earlier` prepared of the same traces is taken over.
ComparedPtr compareSides(const ComparedSide& before, const ComparedSide& after, const ComparedPtr& earlier = {},
                         std::stop_token stop = {});

// The whole run, its phases and its tokens or found steps, of the repeat that the default window shows.
std::vector<WindowChoice> windowChoices(const PreparedTrace& prepared);

class Comparer : public QObject {
    Q_OBJECT

public:
    explicit Comparer(QObject* parent = nullptr);

    Session& before() { return m_before; }
    Session& after() { return m_after; }
    const ComparedSide& sideBefore() const { return m_sideBefore; }
    const ComparedSide& sideAfter() const { return m_sideAfter; }
    const QString& nameBefore() const { return m_sideBefore.name; }
    const QString& nameAfter() const { return m_sideAfter.name; }
    ComparedPtr result() const { return m_result; }  // null while it is worked out
    bool settled() const { return !m_jobs.running(); }

    void show(ComparedSide before, ComparedSide after);
    // Another window of one of them; the other stays.
    void setWindowBefore(const WindowChoice& window);
    void setWindowAfter(const WindowChoice& window);
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
    ComparedSide m_sideBefore, m_sideAfter;
    JobTracker m_jobs;
    ComparedPtr m_result;
    ComparedPtr m_earlier;  // the result before, whose prepared traces are of use
    int64_t m_offsetNs = 0;
    bool m_following = false;
    bool m_freshTraces = false;  // their rows are not arranged yet
};

}  // namespace gapscope

// A search over the session's trace and notes: what was found, which of it is at hand, and the way to the next. The
// search runs off the UI thread; typing on makes the one before it stale. A growing trace is searched again as it
// grows, and with other notes.
#pragma once

#include <QObject>
#include <memory>
#include <optional>
#include <vector>

#include "app/gui/jobs/job_tracker.h"
#include "app/gui/session/session.h"
#include "core/analysis/find_events.h"

namespace gapscope {

using FoundEvents = std::shared_ptr<const std::vector<FoundEvent>>;

class Finder : public QObject {
    Q_OBJECT

public:
    explicit Finder(Session& session, QObject* parent = nullptr);

    const QString& text() const { return m_text; }
    void setText(const QString& text);  // empty: nothing is looked for
    bool running() const { return m_jobs.running(); }
    const QString& problem() const { return m_problem; }  // why the text finds nothing; empty: no reason

    const FoundEvents& found() const { return m_found; }  // never null, by start
    TracePtr trace() const { return m_searched; }         // that they are rows of
    std::optional<size_t> current() const { return m_current; }
    QString name(const FoundEvent& event) const;

    // Selects what was found and moves the view to it where it is out of sight. Beyond an end they go on at the other.
    void show(size_t index);
    void next();
    void previous();

Q_SIGNALS:
    void changed();

private:
    TimeRange rangeOf(const FoundEvent& event) const;
    void start();
    void step(bool forward);

    Session& m_session;
    JobTracker m_jobs;
    QString m_text;
    QString m_problem;
    FoundEvents m_found;
    TracePtr m_searched;
    std::vector<Note> m_searchedNotes;
    std::optional<size_t> m_current;
    bool m_again = false;  // the trace or the notes changed during the search
};

}  // namespace gapscope

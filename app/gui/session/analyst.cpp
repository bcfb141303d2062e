#include "app/gui/session/analyst.h"

#include <algorithm>

namespace gapscope {
namespace {

constexpr int kMinIntervalMs = 250;

}  // namespace

Analyst::Analyst(Session& session, QObject* parent) : QObject(parent), m_session(session) {
    m_throttle.setSingleShot(true);
    connect(&m_throttle, &QTimer::timeout, this, &Analyst::start);
    connect(&session, &Session::traceChanged, this, &Analyst::request);
    // A person waits for this one: no throttle, and what was being computed is no longer wanted.
    connect(&session, &Session::selectionChanged, this, &Analyst::start);
}

// A growing trace must not cancel the job that is under way, or a slow analysis would never end.
void Analyst::request() {
    m_wanted = true;
    if (m_jobs.running() || m_throttle.isActive()) return;
    const qint64 since = m_sinceStart.isValid() ? m_sinceStart.elapsed() : kMinIntervalMs;
    m_throttle.start(static_cast<int>(std::max<qint64>(0, kMinIntervalMs - since)));
}

void Analyst::start() {
    m_throttle.stop();
    m_wanted = false;
    m_sinceStart.start();
    m_jobs.start([trace = m_session.trace(), selection = m_session.selection(), window = m_session.window()](
                     std::stop_token stop) { return makeReport(trace, selection, window, stop); },
                 [this](ReportPtr report) {
                     m_report = std::move(report);
                     if (m_wanted) request();
                     Q_EMIT reportChanged();
                 });
}

}  // namespace gapscope

#include "app/gui/session/analyst.h"

#include <algorithm>

#include "core/analysis/window.h"

namespace gapscope {
namespace {

constexpr int kMinIntervalMs = 250;

bool isOfSameRun(const TracePtr& before, const TracePtr& now) {
    return before && (before == now || isLaterSnapshot(*before, *now));
}

}  // namespace

Analyst::Analyst(Session& session, QObject* parent) : QObject(parent), m_session(session) {
    m_throttle.setSingleShot(true);
    connect(&m_throttle, &QTimer::timeout, this, &Analyst::prepare);
    connect(&session, &Session::traceChanged, this, &Analyst::request);
    // A person waits for this one: no throttle, and what was being computed is no longer wanted.
    connect(&session, &Session::selectionChanged, this, &Analyst::answer);
}

// A growing trace must not cancel the job that is under way, or a slow one would never end.
void Analyst::request() {
    m_wanted = true;
    const bool grows = isOfSameRun(m_beingPrepared, m_session.trace());
    if (!grows) {
        m_prepared = {};
        m_answering.cancel();
    }
    if (grows && (m_preparing.running() || m_throttle.isActive())) return;
    const qint64 since = m_sinceStart.isValid() ? m_sinceStart.elapsed() : kMinIntervalMs;
    m_throttle.start(static_cast<int>(grows ? std::max<qint64>(0, kMinIntervalMs - since) : 0));
}

void Analyst::prepare() {
    m_throttle.stop();
    m_wanted = false;
    m_sinceStart.start();
    m_beingPrepared = m_session.trace();
    m_preparing.start(
        [trace = m_beingPrepared](std::stop_token stop) {
            return Prepared{std::make_shared<const PreparedTrace>(trace, stop), defaultWindow(*trace)};
        },
        [this](Prepared prepared) {
            m_prepared = std::move(prepared);
            answer();
            if (m_wanted) request();
        });
}

void Analyst::answer() {
    if (!m_prepared.trace) return;  // comes when it is
    m_answering.start([prepared = m_prepared, selection = m_session.selection()](
                          std::stop_token stop) { return makeReport(prepared.trace, selection, prepared.whole, stop); },
                      [this](ReportPtr report) {
                          m_report = std::move(report);
                          Q_EMIT reportChanged();
                      });
}

}  // namespace gapscope

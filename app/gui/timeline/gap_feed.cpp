#include "app/gui/timeline/gap_feed.h"

#include "core/analysis/window.h"
#include "core/layout/gap_pieces.h"

namespace gapscope {

namespace {

constexpr int kMinIntervalMs = 300;

}  // namespace

GapFeed::GapFeed(QObject* parent) : QObject(parent) {
    m_timer.setSingleShot(true);
    connect(&m_timer, &QTimer::timeout, this, &GapFeed::start);
}

void GapFeed::setTrace(TracePtr trace, bool another) {
    m_trace = std::move(trace);
    m_stale = true;
    if (another) m_jobs.cancel();
    // A growing trace must not stop the job that is under way, or a slow one would never end.
    if (!m_jobs.running() && !m_timer.isActive()) m_timer.start(0);
}

void GapFeed::start() {
    m_stale = false;
    m_jobs.start(
        [trace = m_trace](std::stop_token stop) {
            auto gaps = std::make_shared<TraceGaps>();
            const LaunchJoin join = joinLaunches(*trace, stop);
            if (stop.stop_requested()) return gaps;
            {
                const GapTable table = findGaps(*trace, join, deviceExtent(*trace), stop);
                gaps->gaps = PackedGaps(table.gaps);
                gaps->lanes = gapLanesOf(piecesOf(table));
            }
            const FoundSteps steps = findSteps(*trace, join, stop);
            gaps->derived = deriveRows(*trace, join, steps, stop);
            gaps->tokens = tokenTable(*trace, join, steps, trace->extent(), stop);
            return gaps;
        },
        [this](TraceGapsPtr gaps) {
            if (m_stale) m_timer.start(kMinIntervalMs);
            Q_EMIT gapsReady(std::move(gaps));
        });
}

}  // namespace gapscope

#include "app/gui/session/finder.h"

#include <algorithm>

#include "app/gui/session/selection_text.h"

namespace gapscope {

Finder::Finder(Session& session, QObject* parent)
    : QObject(parent),
      m_session(session),
      m_found(std::make_shared<const std::vector<FoundEvent>>()),
      m_searched(session.trace()) {
    const auto again = [this] {
        if (m_jobs.running())
            m_again = true;
        else
            start();
    };
    connect(&session, &Session::traceChanged, this, [this, again] {
        if (!isLaterSnapshot(*m_searched, *m_session.trace())) m_current.reset();
        again();
    });
    connect(&session, &Session::notesChanged, this, [this, again] {
        if (!m_text.isEmpty()) again();
    });
}

void Finder::setText(const QString& text) {
    if (text == m_text) return;
    m_text = text;
    m_current.reset();
    m_again = false;
    start();
}

void Finder::start() {
    m_jobs.cancel();
    const TracePtr trace = m_session.trace();
    if (m_text.isEmpty()) {
        m_searched = trace;
        m_problem.clear();
        if (!m_found->empty()) m_found = std::make_shared<const std::vector<FoundEvent>>();
        Q_EMIT changed();
        return;
    }
    struct Answer {
        TracePtr trace;
        std::vector<Note> notes;
        Result<std::vector<FoundEvent>> found;
    };
    m_jobs.start(
        [trace, notes = m_session.notes(), text = m_text.toStdString()](std::stop_token stop) {
            return Answer{trace, notes, findEvents(*trace, text, stop, notes)};
        },
        [this](Answer answer) {
            m_searched = std::move(answer.trace);
            m_searchedNotes = std::move(answer.notes);
            m_problem.clear();
            if (!answer.found) m_problem = gapscope::text(answer.found.error().message);
            m_found = std::make_shared<const std::vector<FoundEvent>>(answer.found ? std::move(*answer.found)
                                                                                   : std::vector<FoundEvent>());
            if (m_current && *m_current >= m_found->size()) m_current.reset();
            Q_EMIT changed();
            if (std::exchange(m_again, false)) start();
        });
    Q_EMIT changed();
}

QString Finder::name(const FoundEvent& event) const {
    const Trace& trace = *m_searched;
    switch (event.kind) {
        case FoundEvent::Kind::DeviceOp:
            return gapscope::text(trace.string(trace.deviceOps().name[event.row]));
        case FoundEvent::Kind::Stage:
            return gapscope::text(trace.string(trace.stages().name[event.row]));
        case FoundEvent::Kind::ApiCall:
            return gapscope::text(trace.string(trace.apiCalls().name[event.row]));
        case FoundEvent::Kind::Range:
            return gapscope::text(trace.string(trace.ranges().name[event.row]));
        case FoundEvent::Kind::Token:
            return gapscope::text(trace.string(trace.tokens().text[event.row]));
        case FoundEvent::Kind::Note:
            return gapscope::text(m_searchedNotes[event.row].text);
    }
    return {};
}

// A token's own moment has no length: it is shown from where the one before was there.
TimeRange Finder::rangeOf(const FoundEvent& event) const {
    TimeRange range{event.startNs, event.endNs};
    const Tokens& tokens = m_searched->tokens();
    if (event.kind == FoundEvent::Kind::Token && event.row > 0 &&
        tokens.repeat[event.row - 1] == tokens.repeat[event.row])
        range.startNs = std::min(range.startNs, tokens.emittedNs[event.row - 1]);
    return range;
}

void Finder::show(size_t index) {
    if (index >= m_found->size()) return;
    m_current = index;
    const FoundEvent& event = (*m_found)[index];
    const TimeRange range = rangeOf(event);
    const TimeRange visible = m_session.visibleRange();
    if (range.startNs < visible.startNs || range.endNs > visible.endNs) {
        m_session.setFollowing(false);
        // As close as before, unless it would not fit.
        const int64_t width = std::max(visible.durationNs(), 2 * range.durationNs());
        const int64_t middle = range.startNs + range.durationNs() / 2;
        m_session.setVisibleRange({middle - width / 2, middle - width / 2 + width});
    }
    Selection selection{.range = range, .row = event.row};
    switch (event.kind) {
        case FoundEvent::Kind::DeviceOp:
            selection.kind = Selection::Kind::DeviceOp;
            break;
        case FoundEvent::Kind::Stage:
            selection.kind = Selection::Kind::Stage;
            break;
        case FoundEvent::Kind::ApiCall:
            selection.kind = Selection::Kind::ApiCall;
            break;
        case FoundEvent::Kind::Range:
            selection.kind = Selection::Kind::UserRange;
            break;
        case FoundEvent::Kind::Token:
            selection.kind = Selection::Kind::Token;
            break;
        case FoundEvent::Kind::Note:  // a moment is no selection
            selection = range.empty() ? Selection{} : Selection{.kind = Selection::Kind::Range, .range = range};
            break;
    }
    m_session.select(selection);
    Q_EMIT changed();
}

void Finder::next() {
    step(true);
}

void Finder::previous() {
    step(false);
}

void Finder::step(bool forward) {
    const size_t count = m_found->size();
    if (count == 0) return;
    if (m_current) return show(forward ? (*m_current + 1) % count : (*m_current + count - 1) % count);
    // From what is looked at, not from the beginning of the trace.
    const auto from = static_cast<size_t>(
        std::ranges::lower_bound(*m_found, m_session.visibleRange().startNs, {}, &FoundEvent::startNs) -
        m_found->begin());
    show(forward ? from % count : (from + count - 1) % count);
}

}  // namespace gapscope

#include "core/analysis/replay.h"

#include <algorithm>
#include <map>

#include "core/analysis/api_calls.h"

namespace gapscope {

namespace {

// What a waiting call takes where there is nothing to wait for, at most; no more is known of one that waited.
constexpr int64_t kWaitCallNs = 2'000;

int64_t percentile(std::vector<int64_t>& values, size_t percent) {
    if (values.empty()) return 0;
    const auto at = values.begin() + static_cast<ptrdiff_t>((values.size() - 1) * percent / 100);
    std::nth_element(values.begin(), at, values.end());
    return *at;
}

class TapeMaker {
public:
    TapeMaker(const Trace& trace, const LaunchJoin& join, TimeRange window)
        : m_trace(trace), m_join(join), m_outermost(outermostCalls(trace)), m_names(trace) {
        m_tape.window = window;
    }

    ReplayTape make(std::stop_token stop) {
        addCalls();
        if (!stop.stop_requested()) addOps();
        if (!stop.stop_requested()) addWaits();
        measure();
        return std::move(m_tape);
    }

private:
    void addCalls();
    void addOps();
    void addWaits();
    void measure();
    TimeRange rangeOf(const ReplayCall& call) const {
        return {m_trace.apiCalls().startNs[call.row], m_trace.apiCalls().endNs[call.row]};
    }
    TimeRange rangeOf(const ReplayOp& op) const {
        return {m_trace.deviceOps().startNs[op.row], m_trace.deviceOps().endNs[op.row]};
    }

    const Trace& m_trace;
    const LaunchJoin& m_join;
    const std::vector<uint32_t> m_outermost;
    const ApiNames m_names;
    ReplayTape m_tape;
    std::vector<int64_t> m_streamFreeNs;  // by place in ops: last end on its track up to it
    std::vector<uint32_t> m_placeOfCall;  // by row of apiCalls(); kNoRow: not in the window
};

void TapeMaker::addCalls() {
    const ApiCalls& calls = m_trace.apiCalls();
    std::vector<uint32_t> rows;
    for (uint32_t row = 0; row < calls.startNs.size(); ++row)
        if (m_outermost[row] == row && m_tape.window.contains(calls.startNs[row])) rows.push_back(row);
    std::ranges::stable_sort(rows, [&](uint32_t a, uint32_t b) {
        if (calls.globalTid[a] != calls.globalTid[b]) return calls.globalTid[a] < calls.globalTid[b];
        return calls.startNs[a] < calls.startNs[b];
    });
    m_placeOfCall.assign(calls.startNs.size(), kNoRow);
    for (size_t place = 0; place < rows.size(); ++place) {
        const uint32_t row = rows[place];
        const bool first = place == 0 || calls.globalTid[rows[place - 1]] != calls.globalTid[row];
        if (first) m_tape.threads.push_back(place);
        const int64_t beforeNs = first ? m_tape.window.startNs : calls.endNs[rows[place - 1]];
        m_placeOfCall[row] = static_cast<uint32_t>(place);
        m_tape.calls.push_back({.row = row,
                                .thread = static_cast<uint32_t>(m_tape.threads.size() - 1),
                                .thinkNs = calls.startNs[row] - beforeNs,
                                .ownNs = calls.endNs[row] - calls.startNs[row]});
        m_tape.recordedEndNs = std::max(m_tape.recordedEndNs, calls.endNs[row]);
    }
    m_tape.threads.push_back(rows.size());
    std::vector<int64_t> launches;
    std::vector<bool> counted(m_tape.calls.size());
    for (uint32_t row = 0; row < calls.startNs.size(); ++row) {
        const uint32_t place = m_join.opsOf(row).empty() ? kNoRow : m_placeOfCall[m_outermost[row]];
        if (place == kNoRow || counted[place]) continue;
        counted[place] = true;
        launches.push_back(m_tape.calls[place].ownNs);
    }
    m_tape.launchCallNs = percentile(launches, 50);
}

void TapeMaker::addOps() {
    const DeviceOps& ops = m_trace.deviceOps();
    const ApiCalls& calls = m_trace.apiCalls();
    std::vector<uint32_t> rows;
    for (uint32_t row = 0; row < ops.startNs.size(); ++row)
        if (m_tape.window.contains(ops.startNs[row])) rows.push_back(row);
    std::ranges::stable_sort(rows, [&](uint32_t a, uint32_t b) {
        if (ops.track[a].value != ops.track[b].value) return ops.track[a].value < ops.track[b].value;
        return ops.startNs[a] < ops.startNs[b];
    });
    int64_t previousEndNs = 0;  // of the track so far
    for (size_t place = 0; place < rows.size(); ++place) {
        const uint32_t row = rows[place];
        const bool first = place == 0 || ops.track[rows[place - 1]].value != ops.track[row].value;
        if (first) m_tape.tracks.push_back(place);
        if (first) previousEndNs = m_tape.window.startNs;
        ReplayOp op{.row = row,
                    .track = static_cast<uint32_t>(m_tape.tracks.size() - 1),
                    .durationNs = std::max<int64_t>(0, ops.endNs[row] - std::max(ops.startNs[row], previousEndNs))};
        // What began early waited for the one before (programmatic dependent launch): its own part is what followed.
        const int64_t pauseNs = std::max<int64_t>(0, ops.startNs[row] - previousEndNs);
        const uint32_t direct = m_join.callOfOp[row];
        const uint32_t call = direct == kNoRow ? kNoRow : m_outermost[direct];
        const uint32_t callPlace = call == kNoRow ? kNoRow : m_placeOfCall[call];
        // A graph's later nodes follow the earlier ones, whenever the call came.
        const bool laterNode = call != kNoRow && m_join.opsOf(direct).front() != row;
        op.afterPreviousNs = pauseNs;
        if (callPlace != kNoRow && calls.startNs[call] <= ops.startNs[row]) {
            op.call = callPlace;
            op.afterCallNs = ops.startNs[row] - calls.startNs[call];
            m_tape.calls[callPlace].launches = true;
            // What was launched before the stream became free was held up by the device alone. A call may last longer
            // than launching takes, because it waits: for its copy, or for room in the queue.
            const int64_t launchedNs =
                calls.startNs[call] + std::min(calls.endNs[call] - calls.startNs[call], m_tape.launchCallNs);
            const bool inTime = !first && launchedNs <= previousEndNs;
            if (laterNode || inTime) {
                op.afterCallNs = std::min<int64_t>(op.afterCallNs, launchedNs - calls.startNs[call]);
                if (laterNode) op.afterCallNs = 0;
            } else {
                op.afterPreviousNs = 0;  // the launch held it up; measure() adds what it would have paused anyway
            }
        } else if (call != kNoRow || first) {
            op.notBeforeNs = ops.startNs[row];  // called before the window, or by another clock
            op.afterPreviousNs = 0;
        }
        previousEndNs = std::max(previousEndNs, ops.endNs[row]);
        m_tape.ops.push_back(op);
        m_streamFreeNs.push_back(previousEndNs);
        m_tape.recordedEndNs = std::max(m_tape.recordedEndNs, ops.endNs[row]);
    }
    m_tape.tracks.push_back(rows.size());
}

// A waiting call ends with the latest operation that had ended by then; so does a copy's call that outlasts the copy.
void TapeMaker::addWaits() {
    std::vector<uint32_t> byEnd(m_tape.ops.size());
    for (uint32_t place = 0; place < byEnd.size(); ++place)
        byEnd[place] = place;
    const auto endOf = [&](uint32_t place) { return m_streamFreeNs[place]; };
    std::ranges::stable_sort(byEnd, {}, endOf);
    for (uint32_t place = 0; place < m_tape.calls.size(); ++place) {
        ReplayCall& call = m_tape.calls[place];
        const ApiTraits traits = m_names[m_trace.apiCalls().name[call.row]];
        const TimeRange range = rangeOf(call);
        if (!traits.waits && !traits.copies) continue;
        const auto after = std::ranges::upper_bound(byEnd, range.endNs, {}, endOf);
        if (after == byEnd.begin()) continue;
        const uint32_t last = *(after - 1);
        if (!traits.waits && m_tape.ops[last].call != place) continue;
        // Operations that this thread launches later cannot be what it waits for.
        const ReplayOp& op = m_tape.ops[last];
        if (op.call != kNoRow && m_tape.calls[op.call].thread == call.thread && op.call > place) continue;
        const int64_t endNs = endOf(last);
        call.launches = false;
        call.waitsFor = last;
        if (endNs > range.startNs) {
            call.ownNs = std::min(range.durationNs(), kWaitCallNs);
            call.wakeNs = range.endNs - endNs;
        }
    }
}

void TapeMaker::measure() {
    std::vector<int64_t> kernels, pauses;
    for (size_t track = 0; track + 1 < m_tape.tracks.size(); ++track) {
        for (size_t place = m_tape.tracks[track]; place < m_tape.tracks[track + 1]; ++place) {
            const ReplayOp& op = m_tape.ops[place];
            if (m_trace.deviceOps().kind[op.row] == DeviceOpKind::Kernel) kernels.push_back(rangeOf(op).durationNs());
            if (place == m_tape.tracks[track] || op.call == kNoRow) continue;
            const TimeRange previous = rangeOf(m_tape.ops[place - 1]), own = rangeOf(op);
            const int64_t pauseNs = own.startNs - m_streamFreeNs[place - 1];
            if (pauseNs >= 0 && rangeOf(m_tape.calls[op.call]).endNs <= previous.startNs) pauses.push_back(pauseNs);
        }
    }
    m_tape.shortestKernelNs = percentile(kernels, 1);
    m_tape.backToBackNs = percentile(pauses, 50);
    m_tape.backToBackCount = pauses.size();
    // An operation that its launch held up would have needed this pause too, had it been launched earlier.
    for (size_t track = 0; track + 1 < m_tape.tracks.size(); ++track)
        for (size_t place = m_tape.tracks[track] + 1; place < m_tape.tracks[track + 1]; ++place) {
            ReplayOp& op = m_tape.ops[place];
            const int64_t pauseNs = rangeOf(op).startNs - m_streamFreeNs[place - 1];
            if (op.afterPreviousNs == 0 && pauseNs > 0) op.afterPreviousNs = std::min(pauseNs, m_tape.backToBackNs);
        }
}

// The sequences go on in turn, each as far as what it waits for is known: every sequence is in order, so that is all of
// them unless the trace contradicts itself, where the first that is stuck goes on without.
class Player {
public:
    explicit Player(const ReplayTape& tape)
        : m_tape(tape),
          m_callBegin(tape.calls.size()),
          m_callDone(tape.calls.size(), Done::No),
          m_opDone(tape.ops.size(), false),
          m_nextCall(tape.threads),
          m_nextOp(tape.tracks),
          m_threadEnd(tape.threads.size(), tape.window.startNs),
          m_trackEnd(tape.tracks.size(), tape.window.startNs) {
        m_result.opEndNs.assign(tape.ops.size(), tape.window.startNs);
        m_result.endNs = tape.window.startNs;
    }

    Replayed play() {
        for (bool stuck = false;;) {
            bool moved = false, open = false;
            for (size_t thread = 0; thread + 1 < m_tape.threads.size(); ++thread) {
                moved |= advanceCalls(thread, stuck && !moved);
                open |= m_nextCall[thread] < m_tape.threads[thread + 1];
            }
            for (size_t track = 0; track + 1 < m_tape.tracks.size(); ++track) {
                moved |= advanceOps(track, stuck && !moved);
                open |= m_nextOp[track] < m_tape.tracks[track + 1];
            }
            if (!open) return std::move(m_result);
            stuck = !moved;
        }
    }

private:
    enum class Done : uint8_t { No, Begun, Ended };

    bool advanceCalls(size_t thread, bool force) {
        bool moved = false;
        for (size_t& place = m_nextCall[thread]; place < m_tape.threads[thread + 1]; ++place) {
            const ReplayCall& call = m_tape.calls[place];
            if (m_callDone[place] == Done::No) {
                m_callBegin[place] = m_threadEnd[thread] + call.thinkNs;
                m_callDone[place] = Done::Begun;
                moved = true;
            }
            int64_t endNs = m_callBegin[place] + call.ownNs;
            if (call.waitsFor != kNoRow) {
                if (m_opDone[call.waitsFor])
                    endNs = std::max(endNs, m_result.opEndNs[call.waitsFor] + call.wakeNs);
                else if (!force)
                    return moved;
                force = false;
            }
            m_callDone[place] = Done::Ended;
            m_threadEnd[thread] = endNs;
            m_result.endNs = std::max(m_result.endNs, endNs);
            moved = true;
        }
        return moved;
    }

    bool advanceOps(size_t track, bool force) {
        bool moved = false;
        for (size_t& place = m_nextOp[track]; place < m_tape.tracks[track + 1]; ++place) {
            const ReplayOp& op = m_tape.ops[place];
            int64_t startNs = m_trackEnd[track];
            if (!op.removed) {
                startNs = std::max(startNs + op.afterPreviousNs, op.notBeforeNs);
                if (op.call != kNoRow) {
                    if (m_callDone[op.call] != Done::No)
                        startNs = std::max(startNs, m_callBegin[op.call] + op.afterCallNs);
                    else if (!force)
                        return moved;
                    force = false;
                }
            }
            const int64_t endNs = op.removed ? startNs : startNs + op.durationNs;
            m_opDone[place] = true;
            m_result.opEndNs[place] = endNs;
            m_trackEnd[track] = endNs;
            m_result.endNs = std::max(m_result.endNs, endNs);
            moved = true;
        }
        return moved;
    }

    const ReplayTape& m_tape;
    std::vector<int64_t> m_callBegin;
    std::vector<Done> m_callDone;
    std::vector<bool> m_opDone;
    std::vector<size_t> m_nextCall, m_nextOp;
    std::vector<int64_t> m_threadEnd, m_trackEnd;
    Replayed m_result;
};

}  // namespace

ReplayTape makeReplayTape(const Trace& trace, const LaunchJoin& join, TimeRange window, std::stop_token stop) {
    const bool complete = join.callOfOp.size() == trace.deviceOps().startNs.size() &&
                          join.firstOpOf.size() == trace.apiCalls().startNs.size() + 1;
    if (!complete || window.empty()) return {.window = window, .threads = {0}, .tracks = {0}};
    return TapeMaker(trace, join, window).make(stop);
}

Replayed replay(const ReplayTape& tape) {
    return Player(tape).play();
}

}  // namespace gapscope

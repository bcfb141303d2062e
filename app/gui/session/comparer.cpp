#include "app/gui/session/comparer.h"

#include <algorithm>
#include <set>
#include <unordered_map>
#include <utility>

#include "core/analysis/phase_windows.h"
#include "core/analysis/window.h"

namespace gapscope {
namespace {

using FirstByName = std::unordered_map<uint64_t, TimeRange>;

uint64_t nameAndKind(StringId name, DeviceOpKind kind) {
    return uint64_t{name.value} << 8 | static_cast<uint64_t>(kind);
}

FirstByName firstOperations(const Trace& trace, TimeRange window) {
    const DeviceOps& ops = trace.deviceOps();
    FirstByName first;
    for (size_t row = 0; row < ops.startNs.size(); ++row) {
        const TimeRange range{ops.startNs[row], ops.endNs[row]};
        if (!window.contains(range.startNs)) continue;
        const auto [it, isNew] = first.try_emplace(nameAndKind(ops.name[row], ops.kind[row]), range);
        if (!isNew && range.startNs < it->second.startNs) it->second = range;
    }
    return first;
}

std::optional<TimeRange> found(const FirstByName& first, StringId name, DeviceOpKind kind) {
    if (!name.valid()) return std::nullopt;
    const auto it = first.find(nameAndKind(name, kind));
    return it == first.end() ? std::nullopt : std::optional(it->second);
}

RowArrangement devicesFirst(const Trace& trace) {
    std::set<uint64_t> threads;
    const auto add = [&](const ColumnView<uint64_t>& globalTids) {
        for (size_t row = 0; row < globalTids.size(); ++row)
            if (row == 0 || globalTids[row] != globalTids[row - 1]) threads.insert(globalTids[row]);
    };
    add(trace.apiCalls().globalTid);
    add(trace.ranges().globalTid);
    add(trace.overheads().globalTid);
    std::set<uint32_t> devices;
    for (size_t i = 0; i < trace.tracks().size(); ++i)
        devices.insert(trace.tracks()[i].deviceId);
    RowArrangement rows{.order = {"tokens", "steps"}};
    for (const uint32_t device : devices)
        rows.order.push_back("device " + std::to_string(device));
    for (const uint64_t globalTid : threads) {
        rows.order.push_back("thread " + trace.threadName(globalTid));
        rows.folded.insert(rows.order.back());
    }
    return rows;
}

std::vector<AlignPoint> alignPoints(const Comparison& comparison) {
    std::vector<AlignPoint> points = {{Comparer::tr("Start of the window"), comparison.before.summary.window.startNs,
                                       comparison.after.summary.window.startNs}};
    for (const PhaseDelta& phase : comparison.phases)
        points.push_back({phase.name == "prefill" ? Comparer::tr("Prefill") : Comparer::tr("Decode"),
                          phase.before.startNs, phase.after.startNs});
    for (const TokenDelta& token : comparison.tokens)
        if (token.before && token.after && token.before->index >= 0)
            points.push_back({Comparer::tr("Token %1").arg(token.before->index), token.before->range.startNs,
                              token.after->range.startNs});
    return points;
}

}  // namespace

std::vector<WindowChoice> windowChoices(const PreparedTrace& prepared) {
    const TimeRange whole = defaultWindow(prepared.trace());
    std::vector<WindowChoice> choices = {{Comparer::tr("whole run"), whole}};
    const TimeRange extent = prepared.trace().extent();
    const TokenTable table = tokenTable({prepared, {extent.startNs, extent.endNs + 1}});
    if (table.rows.empty()) return choices;
    const int16_t repeat = shownRepeat(prepared.trace(), table, whole);
    for (const PhaseWindow& phase : phaseWindows(table, repeat))
        choices.push_back({phase.name == "prefill" ? Comparer::tr("prefill") : Comparer::tr("decode"), phase.range});
    const bool recorded = table.source == StepSource::Recorded;
    for (const TokenTime& row : table.rows)
        if (row.repeat == repeat && row.index >= 0 && !row.range.empty())
            choices.push_back(
                {(recorded ? Comparer::tr("token %1") : Comparer::tr("step %1")).arg(row.index), row.range});
    return choices;
}

ComparedPtr compareSides(const ComparedSide& before, const ComparedSide& after, const ComparedPtr& earlier,
                         std::stop_token stop) {
    std::vector<PreparedTracePtr> known;
    if (earlier) known = {earlier->preparedBefore, earlier->preparedAfter};
    const auto preparedOf = [&](const TracePtr& trace) {
        for (const PreparedTracePtr& prepared : known)
            if (prepared->tracePtr() == trace) return prepared;
        known.push_back(std::make_shared<const PreparedTrace>(trace, stop));
        return known.back();
    };
    auto compared = std::make_shared<Compared>();
    compared->preparedBefore = preparedOf(before.trace);
    compared->preparedAfter = preparedOf(after.trace);
    if (stop.stop_requested()) return nullptr;
    compared->choicesBefore = windowChoices(*compared->preparedBefore);
    compared->choicesAfter = windowChoices(*compared->preparedAfter);
    const TimeRange windowBefore = before.window.value_or(compared->choicesBefore.front()).range,
                    windowAfter = after.window.value_or(compared->choicesAfter.front()).range;
    compared->comparison =
        compare({*compared->preparedBefore, windowBefore}, {*compared->preparedAfter, windowAfter}, stop);
    if (stop.stop_requested()) return nullptr;
    compared->points = alignPoints(compared->comparison);
    compared->rowsBefore = devicesFirst(*before.trace);
    compared->rowsAfter = devicesFirst(*after.trace);
    const FirstByName firstBefore = firstOperations(*before.trace, windowBefore),
                      firstAfter = firstOperations(*after.trace, windowAfter);
    for (const KernelDelta& kernel : compared->comparison.kernels) {
        compared->firstBefore.push_back(found(firstBefore, kernel.nameBefore, kernel.kind));
        compared->firstAfter.push_back(found(firstAfter, kernel.nameAfter, kernel.kind));
    }
    return compared;
}

Comparer::Comparer(QObject* parent) : QObject(parent) {
    connect(&m_before, &Session::visibleRangeChanged, this, [this] { follow(m_before, m_after, m_offsetNs); });
    connect(&m_after, &Session::visibleRangeChanged, this, [this] { follow(m_after, m_before, -m_offsetNs); });
}

void Comparer::follow(Session& leader, Session& follower, int64_t offsetNs) {
    if (m_following) return;
    m_following = true;
    const TimeRange range = leader.visibleRange();
    follower.setVisibleRange({range.startNs + offsetNs, range.endNs + offsetNs}, ZoomStep::Transient);
    m_following = false;
}

void Comparer::show(ComparedSide before, ComparedSide after) {
    m_sideBefore = std::move(before);
    m_sideAfter = std::move(after);
    m_freshTraces = true;
    m_following = true;  // each takes its whole extent first
    m_before.setTrace(m_sideBefore.trace);
    m_after.setTrace(m_sideAfter.trace);
    m_following = false;
    request();
}

void Comparer::exchange() {
    show(m_sideAfter, ComparedSide(m_sideBefore));
}

void Comparer::setWindowBefore(const WindowChoice& window) {
    if (m_sideBefore.window == window) return;
    m_sideBefore.window = window;
    request();
}

void Comparer::setWindowAfter(const WindowChoice& window) {
    if (m_sideAfter.window == window) return;
    m_sideAfter.window = window;
    request();
}

void Comparer::clear() {
    m_jobs.cancel();
    m_result.reset();
    m_earlier.reset();
    m_sideBefore = m_sideAfter = {};
    m_following = true;
    m_before.setTrace(nullptr);
    m_after.setTrace(nullptr);
    m_following = false;
}

void Comparer::request() {
    if (m_result) m_earlier = m_result;
    m_result.reset();
    Q_EMIT changed();
    m_jobs.start([before = m_sideBefore, after = m_sideAfter,
                  earlier = m_earlier](std::stop_token stop) { return compareSides(before, after, earlier, stop); },
                 [this](ComparedPtr result) {
                     m_result = std::move(result);
                     if (m_result) {
                         m_earlier.reset();
                         if (std::exchange(m_freshTraces, false)) {
                             m_before.setRowArrangement(m_result->rowsBefore, RowStep::Restored);
                             m_after.setRowArrangement(m_result->rowsAfter, RowStep::Restored);
                         }
                         // Both windows are seen whole.
                         const TimeRange before = m_result->comparison.before.summary.window;
                         const TimeRange after = m_result->comparison.after.summary.window;
                         m_offsetNs = after.startNs - before.startNs;
                         const int64_t ns = std::max(before.durationNs(), after.durationNs());
                         m_before.setVisibleRange({before.startNs - ns / 50, before.startNs + ns + ns / 50});
                     }
                     Q_EMIT changed();
                 });
}

void Comparer::alignAt(int64_t beforeNs, int64_t afterNs) {
    m_offsetNs = afterNs - beforeNs;
    follow(m_before, m_after, m_offsetNs);
}

void Comparer::goTo(std::optional<TimeRange> before, std::optional<TimeRange> after) {
    if (!before && !after) return;
    if (before && after) m_offsetNs = after->startNs - before->startNs;
    const int64_t ns = std::max(before ? before->durationNs() : 0, after ? after->durationNs() : 0);
    const int64_t startNs = before ? before->startNs : after->startNs - m_offsetNs;
    m_before.setVisibleRange({startNs - ns / 4, startNs + ns + ns / 4});
    follow(m_before, m_after, m_offsetNs);
}

}  // namespace gapscope

#include "app/gui/session/comparer.h"

#include <algorithm>
#include <set>
#include <unordered_map>

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
    RowArrangement rows{.order = {"tokens"}};
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

ComparedPtr compareTraces(const TracePtr& before, const TracePtr& after, std::stop_token stop) {
    const PreparedTrace preparedBefore(before, stop), preparedAfter(after, stop);
    if (stop.stop_requested()) return nullptr;
    auto compared = std::make_shared<Compared>();
    compared->traceBefore = before;
    compared->traceAfter = after;
    const TimeRange windowBefore = defaultWindow(*before), windowAfter = defaultWindow(*after);
    compared->comparison = compare({preparedBefore, windowBefore}, {preparedAfter, windowAfter}, stop);
    if (stop.stop_requested()) return nullptr;
    compared->points = alignPoints(compared->comparison);
    compared->rowsBefore = devicesFirst(*before);
    compared->rowsAfter = devicesFirst(*after);
    const FirstByName firstBefore = firstOperations(*before, windowBefore),
                      firstAfter = firstOperations(*after, windowAfter);
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

void Comparer::show(TracePtr before, const QString& nameBefore, TracePtr after, const QString& nameAfter) {
    m_nameBefore = nameBefore;
    m_nameAfter = nameAfter;
    m_following = true;  // each takes its whole extent first
    m_before.setTrace(std::move(before));
    m_after.setTrace(std::move(after));
    m_following = false;
    request();
}

void Comparer::exchange() {
    show(m_after.trace(), m_nameAfter, m_before.trace(), m_nameBefore);
}

void Comparer::clear() {
    m_jobs.cancel();
    m_result.reset();
    m_following = true;
    m_before.setTrace(nullptr);
    m_after.setTrace(nullptr);
    m_following = false;
}

void Comparer::request() {
    m_result.reset();
    Q_EMIT changed();
    m_jobs.start([before = m_before.trace(),
                  after = m_after.trace()](std::stop_token stop) { return compareTraces(before, after, stop); },
                 [this](ComparedPtr result) {
                     m_result = std::move(result);
                     if (m_result) {
                         m_before.setRowArrangement(m_result->rowsBefore, RowStep::Restored);
                         m_after.setRowArrangement(m_result->rowsAfter, RowStep::Restored);
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

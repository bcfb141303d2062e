#include "app/gui/models/details_model.h"

#include <algorithm>
#include <cstdlib>

#include "app/gui/models/token_model.h"
#include "app/gui/session/selection_text.h"
#include "app/gui/settings/appearance.h"
#include "core/base/format.h"

namespace gapscope {
namespace {

class Rows {
public:
    void add(const QString& name, TableCell value) { m_rows.push_back({name, std::move(value)}); }
    void add(const QString& name, const QString& value) {
        if (!value.isEmpty()) add(name, textCell(value));
    }
    void addDuration(const QString& name, int64_t ns) { add(name, durationCell(ns)); }
    void addCount(const QString& name, int64_t count) { add(name, countCell(count)); }
    void addBytes(const QString& name, int64_t bytes) {
        TableCell cell = countCell(bytes);
        cell.tip = cell.shown + QStringLiteral(" B");
        cell.shown = text(formatBytes(static_cast<double>(bytes)));
        add(name, cell);
    }
    void addCategory(const QString& name, Category category) {
        TableCell cell = textCell(categoryTitle(category));
        cell.swatch = appTheme().category(category);
        add(name, cell);
    }
    std::vector<DetailRow> take() { return std::move(m_rows); }

private:
    std::vector<DetailRow> m_rows;
};

QString tr(const char* source) {
    return DetailsModel::tr(source);
}

void addRange(Rows& rows, TimeRange range) {
    rows.add(tr("Start"), momentCell(range.startNs));
    rows.addDuration(tr("Duration"), range.durationNs());
}

// What stood before and after it on its stream, and how far off.
void addNeighbours(Rows& rows, const Report& report, uint32_t row) {
    const DeviceOps& ops = report.trace->deviceOps();
    const auto byStart = report.prepared->ops().byStart();
    const auto before = [&](uint32_t a, uint32_t b) {
        return ops.startNs[a] != ops.startNs[b] ? ops.startNs[a] < ops.startNs[b] : a < b;
    };
    const auto at = std::ranges::lower_bound(byStart, row, before) - byStart.begin();
    constexpr ptrdiff_t kFarthest = 4096;  // other streams' operations looked past
    const auto add = [&](const QString& title, ptrdiff_t step) {
        for (ptrdiff_t i = at + step; i >= 0 && i < std::ssize(byStart) && std::abs(i - at) < kFarthest; i += step) {
            const uint32_t other = byStart[static_cast<size_t>(i)];
            if (ops.track[other] != ops.track[row]) continue;
            const int64_t apartNs =
                step < 0 ? ops.startNs[row] - ops.endNs[other] : ops.startNs[other] - ops.endNs[row];
            rows.add(title,
                     (apartNs < 0 ? tr("%1, overlapping by %2") : tr("%1, %2 apart"))
                         .arg(text(report.trace->string(ops.name[other])), text(formatDuration(std::abs(apartNs)))));
            return;
        }
    };
    add(tr("Before it on the stream"), -1);
    add(tr("After it on the stream"), 1);
}

void addDeviceOp(Rows& rows, const Report& report, size_t row) {
    const Trace& trace = *report.trace;
    if (row >= trace.deviceOps().startNs.size()) return;
    const DeviceOpRow op = rowAt(trace.deviceOps(), row);
    const int64_t durationNs = op.endNs - op.startNs;
    rows.add(tr("Name"), text(trace.string(op.name)));
    rows.add(tr("Kind"), deviceOpTitle(op.kind));
    rows.addCategory(tr("Category"), op.category);
    addRange(rows, {op.startNs, op.endNs});
    const uint32_t deviceId = op.track.valid() ? trace.tracks()[op.track.value].deviceId : 0;
    const auto device = std::ranges::find(trace.devices(), deviceId, &DeviceRow::id);
    const bool isKnown = device != trace.devices().end();
    // "840 GB/s, 25 % of the device's measured 3.35 TB/s"
    const auto rateCell = [](double rate, double peak, const char* unit) {
        TableCell cell = textCell(text(formatRate(rate, unit)));
        if (peak > 0)
            cell.shown += tr(", %1 of the device's measured %2")
                              .arg(text(formatPercent(rate / peak)), text(formatRate(peak, unit)));
        cell.raw = rate;
        cell.exact = QString::number(rate, 'f', 0);
        return cell;
    };
    if (op.op.valid()) {
        const OpRow& plan = trace.ops()[op.op.value];
        rows.add(tr("Role in the model"), text(trace.string(plan.name)));
        if (plan.layer >= 0) rows.addCount(tr("Layer"), plan.layer);
        rows.add(tr("Shapes"), text(trace.string(plan.shapes)));
        rows.add(tr("Weight type"), text(trace.string(plan.dtype)));
        const double seconds = static_cast<double>(durationNs) * 1e-9;
        if (plan.bytes > 0) rows.addBytes(tr("Bytes moved, by the plan"), plan.bytes);
        if (plan.bytes > 0 && durationNs > 0)
            rows.add(tr("Achieved bandwidth"), rateCell(static_cast<double>(plan.bytes) / seconds,
                                                        isKnown ? device->peakBytesPerSecond : 0, "B/s"));
        if (plan.flops > 0) rows.addCount(tr("Floating-point operations, by the plan"), plan.flops);
        if (plan.flops > 0 && durationNs > 0)
            rows.add(tr("Achieved throughput"), rateCell(static_cast<double>(plan.flops) / seconds,
                                                         isKnown ? device->peakFlopsPerSecond : 0, "FLOP/s"));
    }
    if (op.copyBytes > 0) {
        rows.addBytes(op.kind == DeviceOpKind::Set ? tr("Bytes set") : tr("Bytes copied"), op.copyBytes);
        if (durationNs > 0)
            rows.add(tr("Rate"),
                     rateCell(static_cast<double>(op.copyBytes) * 1e9 / static_cast<double>(durationNs), 0, "B/s"));
    }
    if (op.config.valid()) {
        const LaunchConfigRow& config = trace.launchConfigs()[op.config.value];
        const auto triple = [](const std::array<int32_t, 3>& size) {
            return QStringLiteral("%1 × %2 × %3").arg(size[0]).arg(size[1]).arg(size[2]);
        };
        rows.add(tr("Full name"), text(trace.string(config.fullName)));
        if (config.grid[0] > 0) rows.add(tr("Grid"), triple(config.grid));
        if (config.block[0] > 0) rows.add(tr("Block"), triple(config.block));
        if (config.registersPerThread > 0) rows.addCount(tr("Registers per thread"), config.registersPerThread);
        if (config.block[0] > 0) {
            rows.addBytes(tr("Static shared memory per block"), config.staticSharedBytes);
            rows.addBytes(tr("Dynamic shared memory per block"), config.dynamicSharedBytes);
        }
        if (config.occupancyPercent >= 0)
            rows.add(tr("Occupancy, as the profiler estimated it"),
                     QStringLiteral("%1 %").arg(config.occupancyPercent));
    }
    if (op.track.valid()) {
        const TrackRow& track = trace.tracks()[op.track.value];
        rows.add(tr("Device"), isKnown && !device->name.empty()
                                   ? QStringLiteral("%1, %2").arg(track.deviceId).arg(text(device->name))
                                   : QString::number(track.deviceId));
        rows.add(tr("Context, stream"), QStringLiteral("%1, %2").arg(track.contextId).arg(track.streamId));
    }
    if (op.token >= 0) rows.addCount(tr("Token"), op.token);
    if (op.correlationId != 0) rows.add(tr("Correlation id"), QString::number(op.correlationId));
    const auto& callOfOp = report.prepared->join().callOfOp;
    if (row < callOfOp.size() && callOfOp[row] != kNoRow) {
        const ApiCallRow call = rowAt(trace.apiCalls(), callOfOp[row]);
        rows.add(tr("Launched by"), text(trace.string(call.name)));
        rows.add(tr("On thread"), text(trace.threadName(call.globalTid)));
        rows.addDuration(tr("Launch call took"), call.endNs - call.startNs);
        rows.addDuration(tr("Launch latency"), op.startNs - call.startNs);
        if (op.startNs >= call.endNs) rows.addDuration(tr("Queue delay"), op.startNs - call.endNs);
    } else {
        rows.add(tr("Launched by"), tr("not in the trace"));
    }
    addNeighbours(rows, report, static_cast<uint32_t>(row));
}

void addStage(Rows& rows, const Report& report, size_t row) {
    const Trace& trace = *report.trace;
    if (row >= trace.stages().startNs.size()) return;
    const StageRow stage = rowAt(trace.stages(), row);
    const int64_t durationNs = stage.endNs - stage.startNs;
    rows.add(tr("Name"), text(trace.string(stage.name)));
    rows.add(tr("Kind"), tr("stage inside a kernel, by stamps of one of its blocks"));
    rows.addCategory(tr("Category"), stage.category);
    addRange(rows, {stage.startNs, stage.endNs});
    if (const uint32_t kernel = report.prepared->stages().kernelOf(static_cast<uint32_t>(row)); kernel != kNoRow) {
        const DeviceOps& ops = trace.deviceOps();
        rows.add(tr("Inside"), text(trace.string(ops.name[kernel])));
        const int64_t kernelNs = ops.endNs[kernel] - ops.startNs[kernel];
        TableCell cell = durationCell(kernelNs);
        if (kernelNs > 0)
            cell.shown +=
                tr(", %1 of it this stage")
                    .arg(text(formatPercent(static_cast<double>(durationNs) / static_cast<double>(kernelNs))));
        rows.add(tr("Kernel took"), cell);
    } else {
        rows.add(tr("Inside"), tr("a kernel that is not in the trace"));
    }
    if (report.sameStages) {
        const Distribution& times = report.sameStages->times;
        TableCell cell = durationCell(qRound64(times.avgNs));
        cell.shown =
            counted(times.count, tr("%2 on average, %1 time, %3 to %4"), tr("%2 on average, %1 times, %3 to %4"))
                .arg(cell.shown, text(formatDuration(times.minNs)), text(formatDuration(times.maxNs)));
        rows.add(tr("All stages of this name"), cell);
    }
    if (stage.op.valid()) {
        const OpRow& role = trace.ops()[stage.op.value];
        if (role.layer >= 0) rows.addCount(tr("Layer"), role.layer);
        rows.add(tr("Shapes"), text(trace.string(role.shapes)));
        rows.add(tr("Weight type"), text(trace.string(role.dtype)));
        // No rate: what it moves was fetched while other stages ran.
        if (role.bytes > 0) rows.addBytes(tr("Bytes it needs, by the plan"), role.bytes);
    }
    if (stage.track.valid()) {
        const TrackRow& track = trace.tracks()[stage.track.value];
        rows.addCount(tr("Device"), track.deviceId);
        rows.add(tr("Context, stream"), QStringLiteral("%1, %2").arg(track.contextId).arg(track.streamId));
    }
    if (stage.token >= 0) rows.addCount(tr("Token"), stage.token);
    if (stage.correlationId != 0) rows.add(tr("Correlation id"), QString::number(stage.correlationId));
}

void addApiCall(Rows& rows, const Report& report, size_t row) {
    const Trace& trace = *report.trace;
    if (row >= trace.apiCalls().startNs.size()) return;
    const ApiCallRow call = rowAt(trace.apiCalls(), row);
    rows.add(tr("Name"), text(trace.string(call.name)));
    addRange(rows, {call.startNs, call.endNs});
    rows.add(tr("Thread"), text(trace.threadName(call.globalTid)));
    if (call.correlationId != 0) rows.add(tr("Correlation id"), QString::number(call.correlationId));
    const auto launched = report.prepared->join().opsOf(static_cast<uint32_t>(row));
    rows.addCount(tr("Device operations launched"), static_cast<int64_t>(launched.size()));
    if (launched.empty()) return;
    const uint32_t first = launched.front();
    rows.add(tr("First of them"), text(trace.string(trace.deviceOps().name[first])));
    rows.addDuration(tr("Launch latency"), trace.deviceOps().startNs[first] - call.startNs);
    if (trace.deviceOps().startNs[first] >= call.endNs)
        rows.addDuration(tr("Queue delay"), trace.deviceOps().startNs[first] - call.endNs);
}

void addGap(Rows& rows, const Report& report) {
    const Gap* found = nullptr;
    for (const Gap& gap : report.analysis.gaps.gaps)
        if (gap.range.overlaps(report.selection.range)) found = &gap;
    if (report.gap) found = &*report.gap;
    if (!found) return;
    const Trace& trace = *report.trace;
    for (int cause = 0; cause < kGapCauseCount; ++cause) {
        if (found->causes.ns[static_cast<size_t>(cause)] == 0) continue;
        TableCell cell = durationCell(found->causes.ns[static_cast<size_t>(cause)]);
        cell.shown += tr("  (%1 of the gap)")
                          .arg(text(formatPercent(static_cast<double>(found->causes.ns[static_cast<size_t>(cause)]) /
                                                  static_cast<double>(found->range.durationNs()))));
        cell.swatch = appTheme().gapCause(static_cast<GapCause>(cause));
        rows.add(tr("Idle by %1").arg(gapCauseTitle(cause)), cell);
    }
    rows.add(tr("Host did"), text(hostText(trace, *found)));
    if (found->nextOp != kNoRow) rows.add(tr("Ended by"), text(trace.string(trace.deviceOps().name[found->nextOp])));
    if (found->call != kNoRow) rows.add(tr("Launched by"), text(trace.string(trace.apiCalls().name[found->call])));
    rows.addCount(tr("Device"), found->deviceId);
}

void addStatistics(Rows& rows, const Report& report) {
    constexpr size_t kMost = 5;
    const Trace& trace = *report.trace;
    const KernelStatistics& kernels = report.statistics.kernels;
    // "12.3 ms, 64 times" with the exact time for copying
    const auto timesCell = [](int64_t ns, int64_t count) {
        TableCell cell = durationCell(ns);
        cell.shown = counted(count, tr("%2, %1 time"), tr("%2, %1 times")).arg(cell.shown);
        return cell;
    };
    if (kernels.count > 0) {
        rows.addDuration(tr("Kernel time, sum"), kernels.totalNs);
        rows.addDuration(tr("Kernel time, average"), qRound64(kernels.avgNs));
        rows.addDuration(tr("Kernel time, least"), kernels.minNs);
        rows.addDuration(tr("Kernel time, most"), kernels.maxNs);
        rows.addDuration(tr("Kernel time, σ"), qRound64(kernels.stdNs));
    }
    for (size_t i = 0; i < std::min(kMost, report.kernels.kernels.size()); ++i) {
        const KernelRow& row = report.kernels.kernels[i];
        TableCell cell = timesCell(row.times.totalNs, row.times.count);
        cell.swatch = appTheme().category(row.category);
        rows.add(tr("Top kernel %1: %2").arg(i + 1).arg(text(trace.string(row.name))), cell);
    }
    for (const StreamStatistics& stream : report.statistics.streams) {
        const QString name =
            stream.track.value < trace.tracks().size()
                ? tr("Device %1, stream %2").arg(stream.deviceId).arg(trace.tracks()[stream.track.value].streamId)
                : tr("Device %1, no stream").arg(stream.deviceId);
        rows.add(name, timesCell(stream.selfNs, stream.count));
    }
    for (size_t i = 0; i < std::min(kMost, report.statistics.calls.size()); ++i) {
        const ApiCallStatistics& call = report.statistics.calls[i];
        rows.add(tr("API call %1").arg(text(trace.string(call.name))), timesCell(call.totalNs, call.count));
    }
}

void addWindow(Rows& rows, const Report& report) {
    const Summary& summary = report.analysis.summary;
    const auto ofWindow = [&](int64_t ns) {
        TableCell cell = durationCell(ns);
        if (!report.window.empty())
            cell.shown += tr("  (%1 of the window)")
                              .arg(text(formatPercent(static_cast<double>(ns) /
                                                      static_cast<double>(report.window.durationNs()))));
        return cell;
    };
    rows.addDuration(tr("Self GPU time"), summary.selfGpuNs);
    rows.addDuration(tr("Self CPU time"), summary.host.selfCpuNs);
    rows.add(tr("Device busy"), ofWindow(summary.gpuBusyNs));
    rows.add(tr("Device idle"), ofWindow(summary.gpuIdleNs));
    rows.add(tr("CPU launching"), ofWindow(summary.host.cpuLaunchingNs));
    rows.add(tr("CPU waiting for the device"), ofWindow(summary.host.hostWaitNs));
    rows.add(tr("CPU outside of API calls"), ofWindow(summary.host.hostNs));
    rows.addCount(tr("Kernels"), summary.kernelCount);
    rows.addCount(tr("Copies and sets"), summary.copyCount);
    rows.addCount(tr("Launches"), summary.host.launchCount);
    rows.addCount(tr("Gaps"), summary.gapCount);
    for (int cause = 0; cause < kGapCauseCount; ++cause) {
        const int64_t ns = summary.gapCauses.ns[static_cast<size_t>(cause)];
        if (ns == 0) continue;
        TableCell cell = ofWindow(ns);
        cell.swatch = appTheme().gapCause(static_cast<GapCause>(cause));
        rows.add(tr("Idle by %1").arg(gapCauseTitle(cause)), cell);
    }
    if (summary.launchLatency.count > 0)
        rows.addDuration(tr("Launch latency, median"), qRound64(summary.launchLatency.medNs));
    if (summary.queueDelay.count > 0) rows.addDuration(tr("Queue delay, median"), qRound64(summary.queueDelay.medNs));
    rows.add(tr("Tracing cost"), ofWindow(report.profilerNs));
    addStatistics(rows, report);
}

}  // namespace

std::vector<DetailRow> detailsOf(const Report& report) {
    Rows rows;
    const Trace& trace = *report.trace;
    const Selection& selection = report.selection;
    switch (selection.kind) {
        case Selection::Kind::DeviceOp:
            addDeviceOp(rows, report, selection.row);
            return rows.take();
        case Selection::Kind::Stage:
            addStage(rows, report, selection.row);
            return rows.take();
        case Selection::Kind::ApiCall:
            addApiCall(rows, report, selection.row);
            return rows.take();
        case Selection::Kind::Gap:
            addRange(rows, selection.range);
            addGap(rows, report);
            return rows.take();
        case Selection::Kind::UserRange:
            if (selection.row < trace.ranges().name.size()) {
                rows.add(tr("Name"), text(trace.string(trace.ranges().name[selection.row])));
                rows.add(tr("Thread"), text(trace.threadName(trace.ranges().globalTid[selection.row])));
            }
            break;
        case Selection::Kind::Token:
            if (selection.row < trace.tokens().index.size()) {
                rows.add(tr("Text"), visibleToken(text(trace.string(trace.tokens().text[selection.row]))));
                rows.addCount(tr("Token"), trace.tokens().index[selection.row]);
                rows.add(tr("Vocabulary id"), QString::number(trace.tokens().id[selection.row]));
                rows.add(tr("Emitted at"), momentCell(trace.tokens().emittedNs[selection.row]));
                if (trace.run() && trace.run()->batch > 0)
                    rows.addCount(tr("Prompt of the batch"), trace.tokens().sequence[selection.row] + 1);
                if (trace.tokens().drafted[selection.row] > 0)
                    rows.add(tr("Drafts of its step"), tr("%1 of %2 accepted")
                                                           .arg(trace.tokens().accepted[selection.row])
                                                           .arg(trace.tokens().drafted[selection.row]));
            }
            break;
        default:
            break;
    }
    addRange(rows, report.window);
    addWindow(rows, report);
    return rows.take();
}

void DetailsModel::show(std::vector<DetailRow> rows) {
    beginResetModel();
    m_rows = std::move(rows);
    endResetModel();
}

int DetailsModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(m_rows.size());
}

const std::vector<TableColumn>& DetailsModel::columns() const {
    static const std::vector<TableColumn> columns = {{tr("Property"), {}, false}, {tr("Value"), {}, false}};
    return columns;
}

TableCell DetailsModel::cell(int row, int column) const {
    const DetailRow& detail = m_rows[static_cast<size_t>(row)];
    return column == 0 ? TableCell{.shown = detail.name, .raw = detail.name} : detail.value;
}

}  // namespace gapscope

#include "app/gui/models/details_model.h"

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

void addDeviceOp(Rows& rows, const Report& report, size_t row) {
    const Trace& trace = *report.trace;
    if (row >= trace.deviceOps().startNs.size()) return;
    const DeviceOpRow op = rowAt(trace.deviceOps(), row);
    const int64_t durationNs = op.endNs - op.startNs;
    rows.add(tr("Name"), text(trace.string(op.name)));
    rows.addCategory(tr("Category"), op.category);
    addRange(rows, {op.startNs, op.endNs});
    if (op.op.valid()) {
        const OpRow& plan = trace.ops()[op.op.value];
        rows.add(tr("Role in the model"), text(trace.string(plan.name)));
        if (plan.layer >= 0) rows.addCount(tr("Layer"), plan.layer);
        rows.add(tr("Shapes"), text(trace.string(plan.shapes)));
        rows.add(tr("Weight type"), text(trace.string(plan.dtype)));
        const double seconds = static_cast<double>(durationNs) * 1e-9;
        if (plan.bytes > 0 && durationNs > 0)
            rows.add(tr("Bytes moved, by the plan"),
                     text(formatBytes(static_cast<double>(plan.bytes)) + ", " +
                          formatRate(static_cast<double>(plan.bytes) / seconds, "B/s")));
        if (plan.flops > 0 && durationNs > 0)
            rows.add(tr("Throughput, by the plan"),
                     text(formatRate(static_cast<double>(plan.flops) / seconds, "FLOP/s")));
    }
    if (op.copyBytes > 0) rows.add(tr("Bytes copied"), text(formatBytes(static_cast<double>(op.copyBytes))));
    if (op.config.valid()) {
        const LaunchConfigRow& config = trace.launchConfigs()[op.config.value];
        const auto triple = [](const std::array<int32_t, 3>& size) {
            return QStringLiteral("%1 × %2 × %3").arg(size[0]).arg(size[1]).arg(size[2]);
        };
        rows.add(tr("Full name"), text(trace.string(config.fullName)));
        if (config.grid[0] > 0) rows.add(tr("Grid"), triple(config.grid));
        if (config.block[0] > 0) rows.add(tr("Block"), triple(config.block));
        if (config.registersPerThread > 0) rows.addCount(tr("Registers per thread"), config.registersPerThread);
    }
    if (op.track.valid()) {
        const TrackRow& track = trace.tracks()[op.track.value];
        rows.add(tr("Device, stream"), QStringLiteral("%1, %2").arg(track.deviceId).arg(track.streamId));
    }
    if (op.token >= 0) rows.addCount(tr("Token"), op.token);
    if (op.correlationId != 0) rows.add(tr("Correlation id"), QString::number(op.correlationId));
    const auto& callOfOp = report.prepared->join().callOfOp;
    if (row < callOfOp.size() && callOfOp[row] != kNoRow) {
        const ApiCallRow call = rowAt(trace.apiCalls(), callOfOp[row]);
        rows.add(tr("Launched by"), text(trace.string(call.name)));
        rows.addDuration(tr("Launch latency"), op.startNs - call.startNs);
        if (op.startNs >= call.endNs) rows.addDuration(tr("Queue delay"), op.startNs - call.endNs);
    }
}

void addApiCall(Rows& rows, const Report& report, size_t row) {
    const Trace& trace = *report.trace;
    if (row >= trace.apiCalls().startNs.size()) return;
    const ApiCallRow call = rowAt(trace.apiCalls(), row);
    rows.add(tr("Name"), text(trace.string(call.name)));
    addRange(rows, {call.startNs, call.endNs});
    rows.add(tr("Thread"), text(trace.threadName(call.globalTid)));
    rows.add(tr("Correlation id"), QString::number(call.correlationId));
    const auto launched = report.prepared->join().opsOf(static_cast<uint32_t>(row));
    rows.addCount(tr("Device operations launched"), static_cast<int64_t>(launched.size()));
    if (!launched.empty())
        rows.addDuration(tr("Launch latency"), trace.deviceOps().startNs[launched.front()] - call.startNs);
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
        cell.swatch = appTheme().gapCause(static_cast<GapCause>(cause));
        rows.add(tr("Idle by %1").arg(gapCauseTitle(cause)), cell);
    }
    rows.add(tr("Host did"), text(hostText(trace, *found)));
    if (found->nextOp != kNoRow) rows.add(tr("Ended by"), text(trace.string(trace.deviceOps().name[found->nextOp])));
    if (found->call != kNoRow) rows.add(tr("Launched by"), text(trace.string(trace.apiCalls().name[found->call])));
    rows.addCount(tr("Device"), found->deviceId);
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

#include "app/gui/models/gap_model.h"

#include <algorithm>

#include "app/gui/session/selection_text.h"
#include "app/gui/settings/appearance.h"

namespace gapscope {
namespace {

enum Column { kStart, kDuration, kMainCause, kHost, kLaunchCall, kLatency, kHostName, kNextName, kDevice };

}  // namespace

void GapModel::show(ReportPtr report, Rows rows, Order order) {
    beginResetModel();
    m_report = std::move(report);
    m_rows = std::move(rows);
    resetOrder(std::move(order));
    endResetModel();
}

GapOrder GapModel::orderBy(int column) {
    switch (column) {
        case kDuration:
            return GapOrder::Duration;
        case kMainCause:
            return GapOrder::MainCause;
        case kHost:
            return GapOrder::Host;
        case kLaunchCall:
            return GapOrder::LaunchCall;
        case kLatency:
            return GapOrder::Latency;
        case kHostName:
            return GapOrder::HostText;
        case kNextName:
            return GapOrder::NextName;
        case kDevice:
            return GapOrder::Device;
        default:
            return GapOrder::Start;
    }
}

int GapModel::rowOf(TimeRange range) const {
    if (!m_report) return -1;
    const std::optional<uint32_t> gap = gapAt(m_report->analysis.gaps, range);
    if (!gap) return -1;
    const auto at = std::ranges::lower_bound(*m_rows, *gap);
    return at != m_rows->end() && *at == *gap ? rowAt(static_cast<size_t>(at - m_rows->begin())) : -1;
}

int GapModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(m_rows->size());
}

const std::vector<TableColumn>& GapModel::columns() const {
    static const std::vector<TableColumn> columns = {
        {tr("Start"), tr("From the start of the trace")},
        {tr("Idle"), tr("How long the device had nothing to do")},
        {tr("Main cause"), {}, false},
        {tr("Host"), tr("Before the launch call began: waiting, other API calls, or outside of any call")},
        {tr("Launch call"), tr("While the launch call ran")},
        {tr("Latency"), tr("After the launch call returned, until the device began")},
        {tr("Host did"), tr("The range or API call that covers most of the host part"), false},
        {tr("Ended by"), tr("The device operation that ended the gap"), false},
        {tr("Device"), {}},
    };
    return columns;
}

TableCell GapModel::cell(int row, int column) const {
    const Gap& gap = this->gap(row);
    const Trace& trace = *m_report->trace;
    switch (column) {
        case kStart:
            return momentCell(gap.range.startNs);
        case kDuration:
            return durationCell(gap.range.durationNs());
        case kMainCause: {
            const GapCause cause = mainCause(gap.causes);
            TableCell cell = textCell(gapCauseTitle(static_cast<int>(cause)));
            cell.swatch = appTheme().gapCause(cause);
            return cell;
        }
        case kHost:
            return durationCell(gap.causes.hostNs());
        case kLaunchCall:
            return durationCell(gap.causes[GapCause::LaunchCall]);
        case kLatency:
            return durationCell(gap.causes[GapCause::DeviceLatency]);
        case kHostName:
            return textCell(text(hostText(trace, gap)));
        case kNextName:
            return textCell(gap.nextOp == kNoRow ? tr("end of the window")
                                                 : text(trace.string(trace.deviceOps().name[gap.nextOp])));
        case kDevice:
            return countCell(gap.deviceId);
        default:
            return {};
    }
}

}  // namespace gapscope
